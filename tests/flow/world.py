"""A shop, its customers, and vendors who deliver to it as they really do: signed bodies through the real doors."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from audit.actors import SYSTEM
from audit.services import record
from audit.sources import random_id
from cases.models import Case, Shop
from opsagent.demo import postmark, shopify, shopify_events, stripe, whatsapp
from opsagent.demo.goods import GOODS, Item
from opsagent.demo.people import Person
from opsagent.demo.player import hook_path, signed_headers
from opsagent.demo.script import Neutral, Step
from opsagent.demo.stage import Stage
from tests import factories
from tools.models import Order

SECRETS = {
    "NORTH_SHOPIFY_WEBHOOK_SECRETS": "shopify-secret",
    "NORTH_STRIPE_WEBHOOK_SECRETS": "stripe-secret",
    "NORTH_WHATSAPP_APP_SECRETS": "whatsapp-secret",
    "NORTH_ANYMAIL_WEBHOOK_SECRETS": "postmark:mail-secret",
}
MOST_ROUNDS = 50


def north(**fields: Any) -> Shop:
    """The demo's dollar shop, with no undo window, so that what is allowed is due at once."""
    facts = {"base_currency": "USD", "languages": ["en", "de"], "undo_seconds": 0, **fields}
    shop = factories.make_shop("north", **facts)
    for currency in ("EUR", "GBP"):
        factories.make_limits(shop, currency)
    with transaction.atomic():
        told: dict[str, Any] = {
            "by": SYSTEM,
            "stream": "shop/north",
            "shop_id": shop.pk,
            "correlation_id": random_id(),
        }
        for limits in shop.limits.all():
            record("limits.published", subject=limits, **told)
        record("caps.published", subject=shop.caps.get(), **told)
    return shop


class World:
    """The vendors' side: makes customers and orders, and delivers webhooks about them."""

    def __init__(self, shop: Shop, seed: int = 7) -> None:
        self.shop = shop
        self.stage = Stage(random.Random(seed), datetime.now(UTC).replace(microsecond=0), roomy=False)

    # things of the vendors

    def customer(self) -> Person:
        """Somebody new who pays in dollars and writes English."""
        while True:
            who = self.stage.cast.newcomer("north", "en")
            if who.currency == "USD":
                return who

    def sold(
        self, who: Person, *, days: float = 6, item: Item | None = None, quantity: int = 1, **more: Any
    ) -> Neutral:
        """An order of one item (a small one if none is named), `days` ago."""
        item = item or self.item()
        return self.stage.order("north", who, [(item, quantity)], self.stage.ago(days), **more)

    def item(self, size: str = "small") -> Item:
        return next(item for item in GOODS["north"] if item.size == size)

    # deliveries

    def order_step(self, order: Neutral, *, updated: datetime | None = None, **changes: Any) -> Step:
        """orders/create, or orders/updated where `updated` says when; `changes` go into the body."""
        at = updated or datetime.fromisoformat(order["created_at"])
        body = {**shopify.order_body(order, updated), **changes}
        topic = "orders/updated" if updated else "orders/create"
        return self.stage.hook(order, topic, body, at, kind="order", sandbox=[("/_control/orders", order)])

    def parcel_steps(self, order: Neutral, status: str = "delivered", *, days: float = 1) -> list[Step]:
        """A parcel that got this far `days` ago, in one delivery."""
        done = self.stage.ago(days)
        return self.stage.parcel(order, done - timedelta(days=2), status, done, whole=False)

    def mail(self, who: Person, text: str, subject: str = "A question", **more: Any) -> Step:
        letter = postmark.Letter(name=who.full_name, address=who.email, subject=subject, text=text, **more)
        return self.stage.writes("north", letter, self.stage.start, story_id=None)

    def chat(self, who: Person, text: str, message_id: str = "") -> Step:
        """A WhatsApp text, word for word."""
        step = self.stage.chats("north", who, text, self.stage.start, story_id=None)
        message_id = message_id or step.external_id
        user_id = f"US.{who.phone}"
        body = whatsapp.message_body(
            "north", message_id, who.full_name, who.phone, user_id, text, self.stage.start
        )
        return replace(step, external_id=message_id, body=as_bytes(body))

    def charge_step(self, order: Neutral) -> Step:
        at = datetime.fromisoformat(order["created_at"])
        return self.stage.stripe_step(order, "charge.succeeded", stripe.charge(order), at)

    def dispute_step(self, order: Neutral, status: str = "needs_response") -> Step:
        at = self.stage.start
        facts = {
            "amount": order["total"],
            "reason": "fraudulent",
            "id": f"dp_{order['id']}",
            "status": status,
        }
        thing = stripe.dispute(order, facts, at, at + timedelta(days=9))
        return self.stage.stripe_step(order, "charge.dispute.created", thing, at)

    def warning_step(self, order: Neutral) -> Step:
        at = self.stage.start
        thing = stripe.early_warning(order, f"issfr_{order['id']}", at)
        return self.stage.stripe_step(order, "radar.early_fraud_warning.created", thing, at)

    def risk_step(self, order: Neutral, level: str) -> Step:
        body = shopify_events.risk_body(order, level, self.stage.start)
        return self.stage.hook(order, "orders/risk_assessment_changed", body, self.stage.start, kind="risk")

    def refund_step(self, order: Neutral, amount: str, quantity: int = 1) -> Step:
        """A refund that somebody made by hand in the shop's own admin."""
        refund = {
            "id": f"re_{self.stage.number()}",
            "amount": amount,
            "lines": [{"id": order["lines"][0]["id"], "quantity": quantity}],
        }
        body = shopify_events.refund_body(order, refund, self.stage.start)
        path = f"/_control/orders/north/{order['id']}/refunds"
        return self.stage.hook(
            order, "refunds/create", body, self.stage.start, kind="refund", sandbox=[(path, refund)]
        )

    # known already

    def known(self, who: Person, **more: Any) -> tuple[Neutral, Order]:
        """An order that was delivered yesterday and that we know whole, money included."""
        order = self.sold(who, **more)
        deliver(self.order_step(order))
        deliver(self.charge_step(order))
        for step in self.parcel_steps(order):
            deliver(step)
        row = Order.objects.get(external_id=str(order["id"]))
        Order.objects.filter(pk=row.pk).update(risk_level=Order.Risk.LOW, read_at=datetime.now(UTC))
        row.refresh_from_db()
        return order, row


def as_bytes(body: Neutral) -> bytes:
    """JSON as vendors write it."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def post(
    step: Step, *, secrets: dict[str, str] | None = None, headers: dict[str, str] | None = None, **more: Any
) -> HttpResponse:
    """POST a step's raw bytes to its door; `headers` replaces the signed ones. A 500 is an answer, as it is outside."""
    given = signed_headers(step, secrets or SECRETS) if headers is None else headers
    content_type = given.get("Content-Type", "application/json")
    rest = {name: value for name, value in given.items() if name != "Content-Type"}
    client = Client(raise_request_exception=False)
    answer: Any = client.post(
        hook_path(step), data=step.body, content_type=content_type, headers=rest, **more
    )
    return cast(HttpResponse, answer)


def deliver(step: Step, **more: Any) -> None:
    """POST a step that must be taken."""
    answer = post(step, **more)
    assert answer.status_code == 200, (step.topic, answer.status_code, answer.content)


def drain(only: Sequence[str] = ()) -> list[str]:
    """Run the queue's own rows in this process, oldest first, until none is left; the short names of what ran.

    `only` leaves other tasks in the queue.
    """
    ran: list[str] = []
    for _round in range(MOST_ROUNDS):
        rows = [(row, SignedPackage.loads(row.payload)) for row in OrmQ.objects.order_by("pk")]
        rows = [pair for pair in rows if not only or pair[1]["func"].rpartition(".")[2] in only]
        if not rows:
            return ran
        for row, task in rows:
            row.delete()
            import_string(task["func"])(*task["args"], **task["kwargs"])
            ran.append(task["func"].rpartition(".")[2])
    raise AssertionError(f"The queue never ends: {ran}")


def queued() -> list[tuple[str, int]]:
    """What waits in the queue: short name and row id."""
    tasks = [SignedPackage.loads(row.payload) for row in OrmQ.objects.order_by("pk")]
    return [(task["func"].rpartition(".")[2], task["args"][0]) for task in tasks]


def forget_tasks() -> None:
    """Lose every queued task."""
    OrmQ.objects.all().delete()


def the_case() -> Case:
    """The only case."""
    return Case.objects.select_related("shop", "order", "conversation").get()
