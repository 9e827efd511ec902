"""Stripe's events: signature, identity, and the objects that matter to us.

https://docs.stripe.com/webhooks/signature and https://docs.stripe.com/api/events/types
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, TypeVar

from tools.adapters.envelopes import Envelope
from tools.adapters.replies import Reply, read
from tools.adapters.signatures import header, matches, signed
from tools.adapters.stripe_objects import (
    ChargeObject,
    DisputeObject,
    InvoicePaymentObject,
    RefundObject,
    WarningObject,
)
from tools.adapters.stripe_words import (
    charge_snapshot,
    dispute_snapshot,
    invoice_payment_snapshot,
    refund_snapshot,
    warning_snapshot,
    whole,
)
from tools.snapshots import (
    ChargeSnapshot,
    DisputeSnapshot,
    FraudWarningSnapshot,
    InvoicePaymentSnapshot,
    RefundSnapshot,
)

VENDOR = "stripe"
TOLERANCE_SECONDS = 300
StripeSnapshot = (
    ChargeSnapshot | RefundSnapshot | DisputeSnapshot | FraudWarningSnapshot | InvoicePaymentSnapshot
)
Made = TypeVar("Made", bound=Reply)


def verify_signature(
    raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], *, now: datetime
) -> bool:
    """Whether Stripe signed these bytes within five minutes of `now` (aware), under any of the secrets."""
    stamp, given = "", []
    for part in header(headers, "Stripe-Signature").split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            stamp = value
        elif name == "v1":
            given.append(value.encode())
    if not (stamp.isascii() and stamp.isdecimal() and len(stamp) < 12):
        return False
    if abs(now.timestamp() - int(stamp)) > TOLERANCE_SECONDS:
        return False
    content = stamp.encode() + b"." + raw
    return matches(given, [signed(secret, content).hex().encode() for secret in secrets])


class _Event(Reply):
    object: Literal["event"]
    id: str
    type: str
    account: str | None = None
    livemode: bool


def envelope(raw: bytes) -> Envelope:
    """The event's own identity; ContractDrift where the body is no event."""
    event = read(_Event, raw, vendor=VENDOR, operation="webhook")
    return Envelope(account=event.account or "", external_id=event.id, topic=event.type)


class _ChargeData(Reply):
    object: ChargeObject


class _ChargeEvent(Reply):
    data: _ChargeData


class _RefundData(Reply):
    object: RefundObject


class _RefundEvent(Reply):
    data: _RefundData


class _DisputeData(Reply):
    object: DisputeObject


class _DisputeEvent(Reply):
    data: _DisputeData


class _InvoiceData(Reply):
    object: InvoicePaymentObject


class _InvoiceEvent(Reply):
    data: _InvoiceData


class _WarningData(Reply):
    object: WarningObject


class _WarningEvent(Reply):
    data: _WarningData


def _charge(topic: str, raw: bytes) -> StripeSnapshot:
    seen = read(_ChargeEvent, raw, vendor=VENDOR, operation=topic).data.object
    return charge_snapshot(whole(seen, operation=topic, field_path="data.object.amount_captured"))


def _refund(topic: str, raw: bytes) -> StripeSnapshot:
    made = read(_RefundEvent, raw, vendor=VENDOR, operation=topic).data.object
    return refund_snapshot(made, operation=topic)


def _dispute(topic: str, raw: bytes) -> StripeSnapshot:
    return dispute_snapshot(read(_DisputeEvent, raw, vendor=VENDOR, operation=topic).data.object)


def _invoice(topic: str, raw: bytes) -> StripeSnapshot | None:
    return invoice_payment_snapshot(read(_InvoiceEvent, raw, vendor=VENDOR, operation=topic).data.object)


def _warning(topic: str, raw: bytes) -> StripeSnapshot:
    return warning_snapshot(read(_WarningEvent, raw, vendor=VENDOR, operation=topic).data.object)


PARSERS: dict[str, Callable[[str, bytes], StripeSnapshot | None]] = {
    "charge.captured": _charge,
    "charge.refunded": _charge,
    "charge.succeeded": _charge,
    "charge.updated": _charge,
    "charge.refund.updated": _refund,
    "refund.created": _refund,
    "refund.failed": _refund,
    "refund.updated": _refund,
    "charge.dispute.closed": _dispute,
    "charge.dispute.created": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.updated": _dispute,
    "invoice_payment.paid": _invoice,
    "radar.early_fraud_warning.created": _warning,
    "radar.early_fraud_warning.updated": _warning,
}


def parse(raw: bytes) -> StripeSnapshot | None:
    """The event's object in our words, None for a type that we don't read; ContractDrift names a changed field."""
    topic = envelope(raw).topic
    parser = PARSERS.get(topic)
    return parser(topic, raw) if parser else None
