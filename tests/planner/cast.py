"""Facts for planner tests: an order of two things, delivered yesterday unless said otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cases.planner.facts import (
    CaseFacts,
    LineFact,
    MessageFact,
    OrderFact,
    PaymentFact,
    ShipmentFact,
    ShopFact,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SHOP = ShopFact(slug="north", languages=("en", "de"), base_currency="USD", time_zone="America/New_York")
MUG = LineFact(id=11, sku="FF-0101", title="Stoneware Mug, Moss", quantity=1, total_minor=1400)
TOWEL = LineFact(id=12, sku="FF-0104", title="Linen Tea Towel, Fern", quantity=1, total_minor=1600)
GLASSES = LineFact(id=13, sku="FF-0102", title="Handblown Water Glass", quantity=4, total_minor=3400)


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def parcel(status: str = "delivered", *, shipped: float = 3, **fields: Any) -> ShipmentFact:
    """A parcel; delivered yesterday, or moved last a few hours after it was shipped."""
    defaults: dict[str, Any] = {"id": 31, "status": status, "shipped_at": ago(shipped)}
    if status == "delivered":
        defaults["delivered_at"] = ago(1)
    else:
        defaults["moved_at"] = ago(shipped - 0.2)
    return ShipmentFact(**{**defaults, **fields})


def delivered(days: float) -> ShipmentFact:
    return parcel(shipped=days + 2, delivered_at=ago(days))


def order(*lines: LineFact, **fields: Any) -> OrderFact:
    lines = lines or (MUG, TOWEL)
    total = sum(line.total_minor for line in lines)
    defaults: dict[str, Any] = {
        "id": 5,
        "name": "#1001",
        "currency": "USD",
        "total_minor": total,
        "placed_at": ago(5),
        "risk_level": "low",
        "lines": lines,
        "payments": (PaymentFact(id=21, vendor="stripe", refundable_minor=total),),
        "shipments": (parcel(),),
    }
    return OrderFact(**{**defaults, **fields})


def wrote(text: str, *, id: int = 1, **fields: Any) -> MessageFact:
    return MessageFact(id=id, direction="in", text=text, **{"at": ago(0.1), **fields})


def sent(template: str, *, id: int = 2) -> MessageFact:
    return MessageFact(id=id, direction="out", text="…", at=ago(0.05), template_key=template)


def case(*messages: MessageFact | str, **fields: Any) -> CaseFacts:
    """A case of the order's own contact."""
    told = tuple(
        wrote(message, id=at) if isinstance(message, str) else message
        for at, message in enumerate(messages, 1)
    )
    defaults: dict[str, Any] = {
        "case_id": 1,
        "shop": SHOP,
        "subject": "message",
        "language": "en",
        "now": NOW,
        "messages": told,
        "order": order(),
        "sender_is_contact": True,
    }
    return CaseFacts(**{**defaults, **fields})


ON_ITS_WAY = order(shipments=(parcel("in_transit"),))
