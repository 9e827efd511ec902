"""Rows for tests: each function makes one consistent row, with sensible defaults for all that isn't said.

A row that needs others makes them, in the same shop. `at` is when the row says that it happened.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from approvals.models import ApprovalRequest, Decision, KillSwitch, LimitVersion, RiskFlag, TermsVersion
from cases.models import (
    Case,
    Connection,
    Conversation,
    Cursor,
    Handoff,
    InboundEvent,
    Message,
    Person,
    PlannerConfig,
    Shop,
    Template,
    User,
)
from tools import ledger
from tools.base import digest
from tools.models import (
    OPEN_STATES,
    Drift,
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    Shipment,
    ShipmentLine,
    ToolCall,
)

HASH = "0" * 64
PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)


def now() -> datetime:
    """The process's clock: for rows, where the database's would cost a query each."""
    return datetime.now(UTC)


def make_shop(slug: str = "", **fields: Any) -> Shop:
    """A shop that was connected a year ago, with published limits in its base currency and terms."""
    slug = slug or f"shop-{next(_numbers)}"
    currency = fields.get("base_currency", "EUR")
    defaults: dict[str, Any] = {
        "name": slug.replace("-", " ").title(),
        "legal_entity": "Fjell & Fern AS",
        "base_currency": currency,
        "time_zone": "Europe/Oslo",
        "languages": ["en"],
        "sender_name": "Fjell & Fern",
        "sender_email": f"help@{slug}.example",
        "env_prefix": slug.upper().replace("-", "_"),
        "cutover_at": now() - timedelta(days=365),
        "created_at": now() - timedelta(days=365),
    }
    shop = Shop.objects.create(slug=slug, **{**defaults, **fields})
    make_limits(shop, currency)
    TermsVersion.objects.create(shop=shop, version=1, created_at=now())
    return shop


def make_limits(shop: Shop, currency: str = "EUR", **fields: Any) -> LimitVersion:
    """Limits in force: automatic up to 20.00 (or 3000 yen), one approver up to ten times that."""
    auto = 3000 if currency == "JPY" else 2000
    version = LimitVersion.objects.filter(shop=shop, currency=currency).count() + 1
    defaults: dict[str, Any] = {
        "version": version,
        "auto_up_to_minor": auto,
        "one_approver_up_to_minor": auto * 10,
        "reason": "The conservative start.",
        "created_at": now(),
        "published_at": now() - timedelta(days=1),
        "effective_at": now() - timedelta(days=1),
    }
    return LimitVersion.objects.create(shop=shop, currency=currency, **{**defaults, **fields})


def make_user(
    *permissions: str, roles: Sequence[str] = (), shops: Sequence[Shop] | None = None, **fields: Any
) -> User:
    """A member of staff with these permissions ("cases.view_case") and roles (groups), who sees `shops` (all if None).

    Signs in with factories.PASSWORD.
    """
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "username": f"user-{number}",
        "is_staff": True,
        "first_name": f"User {number}",
    }
    user = User(**{**defaults, **fields})
    user.set_password(PASSWORD)
    user.save()
    user.shops.set(Shop.objects.all() if shops is None else shops)
    user.user_permissions.set([_permission(name) for name in permissions])
    user.groups.set([Group.objects.get(name=role) for role in roles])
    return user


def _permission(name: str) -> Permission:
    app, _, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def make_person(shop: Shop, **fields: Any) -> Person:
    number = next(_numbers)
    defaults = {
        "name": f"Inês Carvalho {number}",
        "email": f"ines{number}@customer.example",
        "external_id": str(7_000_000 + number),
        "language": "en",
        "created_at": now(),
    }
    return Person.objects.create(shop=shop, **{**defaults, **fields})


def make_order(
    shop: Shop,
    lines: Sequence[tuple[str, int, int]] = (("Tent Fjord 2P", 1, 1500), ("Groundsheet", 1, 400)),
    *,
    shipping_minor: int = 490,
    vendor: str = "stripe",
    **fields: Any,
) -> Order:
    """A paid order; `lines` are (title, quantity, amount of the whole line in minor units)."""
    number = next(_numbers)
    currency = fields.get("currency", shop.base_currency)
    total = sum(amount for _, _, amount in lines) + shipping_minor
    defaults: dict[str, Any] = {
        "external_id": str(5_000_000 + number),
        "name": f"#{10_000 + number}",
        "currency": currency,
        "total_minor": total,
        "shipping_minor": shipping_minor,
        "placed_at": now() - timedelta(days=5),
        "financial_status": "paid",
        "risk_level": Order.Risk.LOW,
        "country": "NO",
        "vendor_updated_at": now(),
        "read_at": now(),
    }
    if "person" not in fields:
        fields["person"] = make_person(shop)
    order = Order.objects.create(shop=shop, **{**defaults, **fields})
    for index, (title, quantity, amount) in enumerate(lines):
        OrderLine.objects.create(
            order=order,
            external_id=f"{order.external_id}-{index}",
            sku=f"SKU-{index}",
            title=title,
            quantity=quantity,
            total_minor=amount,
        )
    make_payment(order, vendor=vendor)
    return order


def make_payment(order: Order, **fields: Any) -> Payment:
    """The tender that paid the whole order, with its booking."""
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "vendor": "stripe",
        "gateway": "stripe",
        "external_id": f"ch_{number}",
        "instrument": f"visa-{number}",
        "currency": order.currency,
        "captured_minor": order.total_minor,
    }
    payment = Payment.objects.create(shop=order.shop, order=order, **{**defaults, **fields})
    LedgerEntry.objects.create(
        shop=order.shop,
        payment=payment,
        kind=LedgerEntry.Kind.CAPTURED,
        amount_minor=payment.captured_minor,
        currency=payment.currency,
        vendor_ref=payment.external_id,
        at=now(),
    )
    return payment


def make_shipment(order: Order, **fields: Any) -> Shipment:
    """A parcel with all lines of the order, delivered yesterday."""
    defaults: dict[str, Any] = {
        "external_id": str(next(_numbers)),
        "carrier": "DHL",
        "tracking_number": f"0034{next(_numbers):08}",
        "status": Shipment.Status.DELIVERED,
        "shipped_at": now() - timedelta(days=3),
        "delivered_at": now() - timedelta(days=1),
    }
    shipment = Shipment.objects.create(shop=order.shop, order=order, **{**defaults, **fields})
    for line in order.lines.all():
        ShipmentLine.objects.create(shipment=shipment, line=line, quantity=line.quantity)
    return shipment


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
    body = body or json.dumps({"id": next(_numbers)}).encode()
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


def refund_effect(order: Order, amount_minor: int) -> dict[str, Any]:
    """The body of a refund's effect: this much of the order's first line, by its first payment."""
    line, payment = order.lines.first(), order.payments.first()
    assert line is not None
    assert payment is not None
    return {
        "order": order.pk,
        "lines": [{"line": line.pk, "quantity": 1, "amount_minor": amount_minor}],
        "shipping_minor": 0,
        "goodwill_percent": 0,
        "amount_minor": amount_minor,
        "currency": order.currency,
        "payment": payment.pk,
        "vendor": payment.vendor,
        "reason": "damaged",
    }


def refund_wish(order: Order) -> dict[str, Any]:
    """A planner's arguments for one piece of the order's first line."""
    line = order.lines.first()
    assert line is not None
    return {
        "order_id": order.pk,
        "lines": [{"line_id": line.pk, "quantity": 1}],
        "shipping": False,
        "goodwill_percent": 0,
        "reason": "damaged",
    }


def asked(limits: LimitVersion | None, rule: str, outcome: str, amount_minor: int) -> list[dict[str, Any]]:
    """Rules as a verdict stores them: a fraud check that passed, and the one that decided."""
    up_to = limits.auto_up_to_minor if limits else 0
    sums = {"amount_minor": amount_minor, "together_minor": amount_minor, "up_to_minor": up_to}
    return [
        {"rule": "risk.fraud", "answer": "", "values": {"flags": [], "risk": "low"}},
        {
            "rule": rule,
            "answer": outcome,
            "values": {**sums, "currency": limits.currency if limits else "EUR"},
        },
    ]


def make_decision(case: Case | None = None, *, amount_minor: int = 1500, **fields: Any) -> Decision:
    """A wish to refund the order's first line with its verdict: allowed, unless `outcome` and `rule` say otherwise.

    Resolves to the same effect again only where `amount_minor` is what one piece of that line cost.
    """
    case = case or make_case()
    tool = fields.get("tool", "issue_refund")
    order = case.order if tool == "issue_refund" else None
    effect: dict[str, Any] = refund_effect(order, amount_minor) if order else {}
    limits = (
        LimitVersion.objects.filter(shop=case.shop, published_at__isnull=False).order_by("-version").first()
    )
    outcome = str(fields.get("outcome", Decision.Outcome.ALLOW_AFTER_UNDO))
    rule = str(fields.get("rule", "refund.tier.automatic"))
    defaults: dict[str, Any] = {
        "tool": tool,
        "action": refund_wish(order) if order else {},
        "effect": effect,
        "effect_hash": digest({"tool": tool, **effect}),
        "entitled_by": "terms.damaged" if order else "",
        "outcome": outcome,
        "rule": rule,
        "values": asked(limits, rule, outcome, amount_minor),
        "policy_version": "1",
        "limits": limits,
        "limits_hash": HASH,
        "planner": planner_config(),
        "catalogue_hash": HASH,
        "by_kind": "agent",
        "by_id": "agent",
        "correlation_id": case.correlation_id,
        "facts_at": now(),
        "at": now(),
    }
    return Decision.objects.create(shop=case.shop, case=case, **{**defaults, **fields})


def make_approval(
    case: Case | None = None, *, large: bool = False, shop: Shop | None = None, **fields: Any
) -> ApprovalRequest:
    """A pending request for a refund: 66.40 for one approver, or 1,249.00 behind a second factor.

    With a case of its own it can be signed: the goods were delivered yesterday and the payment is whole.
    """
    if case is None:
        amount = 124_900 if large else 6640
        order = make_order(shop or make_shop(), [("Tent Fjord 2P", 1, amount)])
        make_shipment(order)
        case = make_case(order=order, state=Case.State.APPROVAL)
    assert case.order is not None
    amount = fields.pop("amount_minor", 124_900 if large else 6640)
    tier = ApprovalRequest.Tier.TWO_FACTOR if large else ApprovalRequest.Tier.ONE_APPROVER
    decision = fields.pop("decision", None) or make_decision(
        case,
        amount_minor=amount,
        outcome=str(tier),
        rule=f"refund.tier.{tier}",
        entitled_by="damaged.in_window",
    )
    defaults: dict[str, Any] = {
        "tier": tier,
        "effect_hash": decision.effect_hash,
        "amount_minor": amount,
        "currency": case.order.currency,
        "requested_at": now(),
        "expires_at": now() + timedelta(hours=24),
    }
    return ApprovalRequest.objects.create(
        shop=case.shop, case=case, decision=decision, **{**defaults, **fields}
    )


def make_call(decision: Decision | None = None, *, amount_minor: int = 1500, **fields: Any) -> ToolCall:
    """A refund that is reserved and still inside its undo window, its money set aside on the payment."""
    if decision is None:
        decision = make_decision(amount_minor=amount_minor)
    case = decision.case
    state = fields.get("state", ToolCall.State.RESERVED)
    sent = state not in (ToolCall.State.RESERVED, ToolCall.State.CANCELLED)
    payment = case.order.payments.first() if case.order else None
    defaults: dict[str, Any] = {
        "tool": decision.tool,
        "vendor": "stripe",
        "idempotency_key": uuid.uuid4(),
        "correlation_id": decision.correlation_id,
        "request": json.dumps(decision.effect, sort_keys=True, separators=(",", ":")),
        "payment": payment,
        "amount_minor": amount_minor if payment else 0,
        "currency": payment.currency if payment else "",
        "not_before": now() + timedelta(minutes=10),
        "first_sent_at": now() if sent else None,
        "created_at": now(),
    }
    call = ToolCall.objects.create(shop=case.shop, case=case, decision=decision, **{**defaults, **fields})
    if call.payment is not None and call.state in OPEN_STATES:
        with transaction.atomic():
            ledger.reserve(call)
    return call


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


def make_switch(user: User, *, scope: str = KillSwitch.Scope.EVERYTHING, **fields: Any) -> KillSwitch:
    """A switch that `user` has engaged and nobody has released."""
    defaults: dict[str, Any] = {"reason": "The vendor shows doubled refunds.", "engaged_at": now()}
    return KillSwitch.objects.create(scope=scope, engaged_by=user, **{**defaults, **fields})


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
