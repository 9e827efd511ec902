"""What a reading of a vendor found, as a delivery: stored raw and once like a webhook, and parsed again like one.

The raw body is what we understood, as our own snapshot: a vendor has no body of its own for it.
"""

from __future__ import annotations

import json
from datetime import datetime

from pydantic import ValidationError

from cases.intake import orders
from cases.intake.receiving import Delivery, Find, Handled, Unreadable
from cases.models import InboundEvent
from tools.models import Order
from tools.snapshots import DisputeSnapshot, FraudWarningSnapshot, OrderSnapshot, RefundSnapshot, Snapshot

CONTENT_TYPE = "application/json"
ORDER, DISPUTE, REFUND, WARNING = "orders/read", "disputes/read", "refunds/read", "fraud_warnings/read"
UNREAD = "orders/unread"

# Each topic with what its body holds.
BODIES: dict[str, type[Snapshot]] = {
    ORDER: OrderSnapshot,
    DISPUTE: DisputeSnapshot,
    REFUND: RefundSnapshot,
    WARNING: FraudWarningSnapshot,
}
TOPICS = frozenset({*BODIES, UNREAD})


def found(source: str, account: str, external_id: str, topic: str, seen: Snapshot, find: Find) -> Delivery:
    """A find under an id of its own, made of the thing's id and what is new about it."""

    def handle(event: InboundEvent) -> Handled:
        return orders.handle(event, seen)

    raw = seen.model_dump_json().encode()
    return Delivery(source, account, external_id, topic, raw, CONTENT_TYPE, handle, find)


def unread(source: str, account: str, order: str, updated_at: datetime, code: str) -> Delivery:
    """A change that nobody could read: a dead letter, so that people see it, until the order has been read."""

    def handle(event: InboundEvent) -> Handled:
        raise Unreadable(f"the order could not be read: {code}")

    raw = json.dumps({"order": order, "updated_at": updated_at.isoformat()}).encode()
    return Delivery(source, account, unread_id(order, updated_at), UNREAD, raw, CONTENT_TYPE, handle)


def unread_id(order: str, updated_at: datetime) -> str:
    """Under which id a change is kept that could not be read."""
    return f"{order}:{updated_at.isoformat()}:unread"


def again(event: InboundEvent) -> Delivery:
    """The delivery of a stored reading."""
    raw = bytes(event.raw)

    def handle(stored: InboundEvent) -> Handled:
        if stored.topic == UNREAD:
            return _read_since(stored, raw)
        try:
            seen = BODIES[stored.topic].model_validate_json(raw)
        except ValidationError as problem:
            raise Unreadable("kept in an older form: it is found again at the next change") from problem
        return orders.handle(stored, seen)

    return Delivery(event.source, event.account, event.external_id, event.topic, raw, CONTENT_TYPE, handle)


def order_of(raw: bytes) -> str:
    """Which order a change belongs to that nobody could read."""
    return str(json.loads(raw)["order"])


def _read_since(stored: InboundEvent, raw: bytes) -> Handled:
    updated_at = datetime.fromisoformat(json.loads(raw)["updated_at"])
    order = Order.objects.filter(
        shop_id=stored.shop_id, external_id=order_of(raw), read_as_of__gte=updated_at
    ).first()
    if order is None:
        raise Unreadable("the order could not be read yet: it is tried again at each turn")
    return Handled(order=order)
