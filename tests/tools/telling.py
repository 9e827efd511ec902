"""Snapshots as vendors would tell them, with what a test doesn't care about filled in."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tools.snapshots import (
    CaptureSnapshot,
    DisputeSnapshot,
    LineSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    RefundLineSnapshot,
    RefundPartSnapshot,
    RefundSnapshot,
    ShipmentLineSnapshot,
    ShipmentSnapshot,
)

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def later(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def payment(**changes: Any) -> PaymentSnapshot:
    facts: dict[str, Any] = {
        "vendor": "stripe",
        "gateway": "stripe",
        "external_id": "ch_1",
        "currency": "EUR",
        "captures": (CaptureSnapshot(ref="31", amount_minor=3490),),
    }
    return PaymentSnapshot(**{**facts, **changes})


def line(**changes: Any) -> LineSnapshot:
    facts: dict[str, Any] = {
        "external_id": "11",
        "sku": "LAMP",
        "title": "Lamp",
        "quantity": 3,
        "total_minor": 3000,
    }
    return LineSnapshot(**{**facts, **changes})


def order(**changes: Any) -> OrderSnapshot:
    """Three lamps for 30.00 and shipping for 4.90, paid through Stripe."""
    facts: dict[str, Any] = {
        "external_id": "5001001",
        "name": "#1001",
        "currency": "EUR",
        "total_minor": 3490,
        "shipping_minor": 490,
        "placed_at": NOON,
        "updated_at": NOON,
        "lines": (line(),),
        "payments": (payment(),),
        "complete": True,
    }
    return OrderSnapshot(**{**facts, **changes})


def part(**changes: Any) -> RefundPartSnapshot:
    facts: dict[str, Any] = {
        "ref": "re_1",
        "gateway": "stripe",
        "payment_external_id": "31",
        "amount_minor": 1000,
        "currency": "EUR",
        "status": "succeeded",
    }
    return RefundPartSnapshot(**{**facts, **changes})


def refund(*parts: RefundPartSnapshot, **changes: Any) -> RefundSnapshot:
    """One lamp, made by hand in the shop's own admin."""
    facts: dict[str, Any] = {
        "vendor": "shopify",
        "external_id": "880",
        "order_external_id": "5001001",
        "parts": parts or (part(),),
        "lines": (RefundLineSnapshot(line_external_id="11", quantity=1),),
        "at": NOON,
    }
    return RefundSnapshot(**{**facts, **changes})


def dispute(**changes: Any) -> DisputeSnapshot:
    facts: dict[str, Any] = {
        "vendor": "stripe",
        "external_id": "dp_1",
        "charge": "ch_1",
        "status": "needs_response",
        "reason": "fraudulent",
        "amount_minor": 3490,
        "currency": "EUR",
    }
    return DisputeSnapshot(**{**facts, **changes})


def parcel(minutes: int = 0, **changes: Any) -> ShipmentSnapshot:
    facts: dict[str, Any] = {
        "external_id": "900",
        "order_external_id": "5001001",
        "carrier": "DHL",
        "tracking_numbers": ("JD01",),
        "status": "in_transit",
        "shipped_at": NOON,
        "moved_at": later(minutes),
        "lines": (ShipmentLineSnapshot(line_external_id="11", quantity=3),),
    }
    return ShipmentSnapshot(**{**facts, **changes})
