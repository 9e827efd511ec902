"""Rows of a case and of what led to it: events, messages, hand-offs, and where events come from."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import timedelta
from typing import Any

from approvals.models import RiskFlag
from cases.models import (
    Case,
    Connection,
    Conversation,
    Cursor,
    Handoff,
    InboundEvent,
    Message,
    PlannerConfig,
    Shop,
    Template,
)
from tests.factories.orders import make_order
from tests.factories.shops import (
    HASH,
    make_shop,
    next_number,
    now,
)
from tools.models import (
    Drift,
    Order,
)


def make_case(shop: Shop | None = None, *, order: Order | None = None, **fields: Any) -> Case:
    """An open case about an order (one of its own if none is given), by that order's customer, through e-mail."""
    shop = shop or (order.shop if order else make_shop())
    order = order or make_order(shop)
    person = fields.pop("person", order.person)
    if "conversation" not in fields and person is not None:
        fields["conversation"], _ = Conversation.objects.get_or_create(
            shop=shop, person=person, channel=Conversation.Channel.EMAIL, defaults={"verified": True}
        )
    defaults: dict[str, Any] = {
        "subject": Case.Subject.MESSAGE,
        "title": f"Message about {order.name}",
        "language": "en",
        "correlation_id": uuid.uuid4(),
        "opened_at": now() - timedelta(hours=1),
    }
    if fields.get("state") == Case.State.CLOSED:
        defaults["closed_at"] = now()
    if fields.get("state") == Case.State.WAITING:
        defaults |= {"wait_reason": Case.Wait.CUSTOMER, "wake_at": now() + timedelta(days=3)}
    return Case.objects.create(shop=shop, order=order, person=person, **{**defaults, **fields})


def make_event(
    shop: Shop | None = None, *, case: Case | None = None, body: bytes = b"", **fields: Any
) -> InboundEvent:
    """A delivery: one of its case where one is given, else one that updated the order graph."""
    shop = shop or (case.shop if case else make_shop())
    body = body or json.dumps({"id": next_number()}).encode()
    defaults: dict[str, Any] = {
        "source": "shopify",
        "account": f"{shop.slug}.myshopify.example",
        "external_id": str(uuid.uuid4()),
        "topic": "orders/updated",
        "content_type": "application/json",
        "state": InboundEvent.State.CASE if case else InboundEvent.State.ABSORBED,
        "correlation_id": case.correlation_id if case else uuid.uuid4(),
        "received_at": now(),
    }
    digest = hashlib.sha256(body).hexdigest()
    return InboundEvent.objects.create(
        shop=shop, case=case, raw=body, digest=digest, **{**defaults, **fields}
    )


def make_dead_event(
    shop: Shop | None = None, *, reason: str = "The body is not JSON.", **fields: Any
) -> InboundEvent:
    return make_event(
        shop, state=InboundEvent.State.DEAD, dead_reason=reason, **{"body": b"{broken", **fields}
    )


def make_message(case: Case, text: str = "My tent arrived with a broken pole.", **fields: Any) -> Message:
    """What the customer wrote, with its event; give `direction` for a note, an answer or machine text."""
    direction = fields.get("direction", Message.Direction.IN)
    inbound = direction == Message.Direction.IN
    defaults: dict[str, Any] = {
        "direction": direction,
        "state": Message.State.RECEIVED if inbound else Message.State.KEPT,
        "conversation": case.conversation,
        "language": case.language,
        "at": now(),
    }
    if inbound and "event" not in fields:
        defaults["event"] = make_event(case=case, source="email", topic="message")
    return Message.objects.create(shop=case.shop, case=case, text=text, **{**defaults, **fields})


def make_template(key: str = "refund_done", **fields: Any) -> Template:
    defaults: dict[str, Any] = {
        "language": "en",
        "version": 1,
        "subject": "Your refund",
        "body": "Hello {first_name}, {amount} is on its way.",
        "order_data": True,
        "created_at": now(),
    }
    return Template.objects.create(key=key, **{**defaults, **fields})


def planner_config() -> PlannerConfig:
    """The rules planner; the same row each time."""
    config, _ = PlannerConfig.objects.get_or_create(
        kind=PlannerConfig.Kind.RULES,
        model="",
        version="1",
        prompt_hash="",
        catalogue_hash=HASH,
        defaults={"created_at": now()},
    )
    return config


def make_handoff(case: Case | None = None, **fields: Any) -> Handoff:
    """A hand-off that waits, with the minute just begun."""
    case = case or make_case(state=Case.State.HANDOFF)
    defaults: dict[str, Any] = {
        "reason": Handoff.Reason.ANGER,
        "received_at": now(),
        "opened_at": now(),
        "due_at": now() + timedelta(seconds=60),
    }
    return Handoff.objects.create(shop=case.shop, case=case, **{**defaults, **fields})


def make_flag(case: Case, **fields: Any) -> RiskFlag:
    defaults: dict[str, Any] = {
        "kind": RiskFlag.Kind.ANGER,
        "source": "triage.anger",
        "raised_by": "triage",
        "raised_at": now(),
    }
    return RiskFlag.objects.create(shop=case.shop, case=case, **{**defaults, **fields})


def make_drift(shop: Shop | None = None, **fields: Any) -> Drift:
    """A charge without `amount_captured`, seen an hour ago and open."""
    at = now() - timedelta(hours=1)
    defaults: dict[str, Any] = {
        "vendor": "stripe",
        "operation": "charges.retrieve",
        "field_path": "amount_captured",
        "finding": Drift.Finding.MISSING,
        "detail": "missing",
        "sample": '{"id": "text(4)"}',
        "first_seen_at": at,
        "last_seen_at": at,
    }
    return Drift.objects.create(shop=shop or make_shop(), **{**defaults, **fields})


def make_connection(shop: Shop, source: str = "stripe", **fields: Any) -> Connection:
    """A source that counts since a year ago."""
    year_ago = now() - timedelta(days=365)
    defaults = {"cutover_at": year_ago, "connected_at": year_ago}
    return Connection.objects.create(shop=shop, source=source, **{**defaults, **fields})


def make_cursor(shop: Shop, resource: str = "events", **fields: Any) -> Cursor:
    """A reconciliation of Stripe that was read a minute ago."""
    ago = now() - timedelta(minutes=1)
    defaults = {"source": "stripe", "read_until": ago, "next_at": ago, "ran_at": ago}
    return Cursor.objects.create(shop=shop, resource=resource, **{**defaults, **fields})
