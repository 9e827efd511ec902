"""The order graph learns what a shop tells: upserts that may be repeated, reordered and run side by side.

Every function runs in the caller's transaction and writes no audit entry: the caller writes one. What is older never
overwrites what is newer, and locks are taken in one order everywhere: the order, then its payments by id.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from audit import sources
from tools.disputes import record_dispute
from tools.models import Order, OrderLine, Return, Shipment, ShipmentLine, StockLevel, ToolCall
from tools.payments import (
    RefundRecord,
    record_charge,
    record_payment,
    record_refund,
    record_refund_of,
)
from tools.snapshots import (
    LineSnapshot,
    OrderSnapshot,
    ReturnSnapshot,
    RiskSnapshot,
    ShipmentSnapshot,
    StockSnapshot,
    TaxSnapshot,
)

__all__ = [
    "OrderChange",
    "RefundRecord",
    "record_charge",
    "record_dispute",
    "record_order",
    "record_payment",
    "record_refund",
    "record_return",
    "record_risk",
    "record_shipment",
    "record_stock",
]

RISKS = (Order.Risk.UNKNOWN, Order.Risk.LOW, Order.Risk.PENDING, Order.Risk.MEDIUM, Order.Risk.HIGH)
STATUSES = list(Shipment.Status)
RETURN_STAGES = ("requested", "open", "declined", "canceled", "closed")


@dataclass(frozen=True)
class OrderChange:
    """What a snapshot changed; `refunds` tells of each refund in it, ours and others'.

    `over` are lines of which pieces were taken off the order that ours is about to refund.
    """

    order: Order
    created: bool
    changed: bool
    refunds: tuple[RefundRecord, ...] = ()
    over: tuple[int, ...] = ()


def record_order(shop_id: int, seen: OrderSnapshot, person_id: UUID | str | None = None) -> OrderChange:
    """Makes an order known as the shop tells it, with whatever payments, parcels, refunds and returns come along."""
    order, created = _order_row(shop_id, seen)
    changed = created
    fresh = order.vendor_updated_at is None or seen.updated_at >= order.vendor_updated_at
    if fresh:
        changed |= _overwrite(order, order_facts(order, seen, person_id))
        for line in seen.lines:
            changed |= _line(order, line)
    elif order.person_id is None and person_id is not None:
        changed |= _overwrite(order, {"person_id": UUID(str(person_id))})
    if seen.risk_level is not None:
        changed |= _raise_risk(order, seen.risk_level)
    for payment in seen.payments:
        changed |= record_payment(order, payment)
    refunds = tuple(record_refund_of(order, refund) for refund in seen.refunds)
    for parcel in seen.shipments:
        _shipment(order, parcel)
    for back in seen.returns:
        _return(order, back, fresh=fresh)
    # After the refunds: their pieces are gone already, and are not counted twice.
    off = [line for line in (_take_off(order, line) for line in seen.lines) if line is not None]
    changed |= bool(off) or any(refund.booked_minor for refund in refunds)
    return OrderChange(order, created, changed, refunds, tuple(line.pk for line in off if line.is_over))


def _order_row(shop_id: int, seen: OrderSnapshot) -> tuple[Order, bool]:
    """The order's row, locked, made on first sight."""
    found, created = Order.objects.get_or_create(
        shop_id=shop_id,
        external_id=seen.external_id,
        defaults={
            "name": seen.name,
            "currency": seen.currency,
            "total_minor": seen.total_minor,
            "placed_at": seen.placed_at,
        },
    )
    order = Order.objects.select_for_update(of=("self",), no_key=True).select_related("shop").get(pk=found.pk)
    if created:
        order.promised_at = promised(order.placed_at, order.shop.ships_within_days)
        order.save(update_fields=["promised_at"])
    return order, created


def promised(placed_at: datetime, ships_within_days: int) -> datetime:
    """By when an order should leave the house."""
    return placed_at + timedelta(days=ships_within_days)


def order_facts(order: Order, seen: OrderSnapshot, person_id: UUID | str | None) -> dict[str, Any]:
    """An order's columns as the shop tells them now; `order` is what is known of it already."""
    facts: dict[str, Any] = {
        "name": seen.name,
        "currency": seen.currency,
        "total_minor": seen.total_minor,
        # What has gone back stays true even where the shop lowers the price afterwards.
        "shipping_minor": max(seen.shipping_minor, order.shipping_gone_minor),
        "shipping_taxes": _taxes(seen.shipping_taxes) or order.shipping_taxes,
        "taxes_included": order.taxes_included if seen.taxes_included is None else seen.taxes_included,
        "duties_minor": seen.duties_minor or order.duties_minor,
        "placed_at": seen.placed_at,
        "cancelled_at": seen.cancelled_at,
        "financial_status": seen.financial_status,
        "fulfillment_status": seen.fulfillment_status,
        "country": seen.country,
        "vendor_updated_at": seen.updated_at,
    }
    if person_id is not None:
        facts["person_id"] = UUID(str(person_id))
    if seen.is_test is not None:
        facts["is_test"] = seen.is_test
    if seen.complete:
        facts |= {"read_at": sources.now(), "location": seen.location}
    return facts


def _overwrite(row: Any, facts: dict[str, Any]) -> bool:
    """Sets and saves what differs; whether anything but the time of reading did."""
    changed = [name for name, value in facts.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, facts[name])
    if changed:
        row.save(update_fields=changed)
    return bool(set(changed) - {"read_at"})


def _line(order: Order, seen: LineSnapshot) -> bool:
    facts = line_facts(seen)
    line, created = OrderLine.objects.select_for_update().get_or_create(
        order=order, external_id=seen.external_id, defaults=facts
    )
    # What has gone back stays true, and what was too much never makes the line larger than it was.
    gone = min(line.quantity, line.gone_quantity + line.removed_quantity)
    facts["quantity"] = max(seen.quantity, gone)
    facts["total_minor"] = max(seen.total_minor, line.gone_minor)
    facts["duties_minor"] = max(seen.duty_minor, line.duties_gone_minor)
    facts["taxes"] = facts["taxes"] or line.taxes
    facts["duties"] = facts["duties"] or line.duties
    return created or _overwrite(line, facts)


def line_facts(seen: LineSnapshot) -> dict[str, Any]:
    """A line's columns as a webhook or a reading tells them, for a line that nobody knew."""
    facts: dict[str, Any] = {
        "sku": seen.sku,
        "title": seen.title[:255],
        "quantity": seen.quantity,
        "total_minor": seen.total_minor,
        "final_sale": seen.final_sale,
        "discount_minor": seen.discount_minor,
        "duties_minor": seen.duty_minor,
        "taxes": _taxes(seen.taxes),
        "duties": [duty.model_dump() for duty in seen.duties],
    }
    if seen.unfulfilled is not None:
        facts["unfulfilled_quantity"] = seen.unfulfilled
    return facts


def _taxes(seen: tuple[TaxSnapshot, ...]) -> list[dict[str, Any]]:
    """As a row holds them; empty where a message doesn't tell."""
    return [tax.model_dump() for tax in seen]


def _take_off(order: Order, seen: LineSnapshot) -> OrderLine | None:
    """Counts pieces that somebody took off the order in the shop's admin as gone; the line, where there are more.

    Refunded pieces are off the order too, but what we have only set aside the shop can't know of yet.
    """
    if not seen.removed:
        return None
    line = OrderLine.objects.select_for_update().filter(order=order, external_id=seen.external_id).first()
    if line is None:
        return None
    known = line.elsewhere_quantity + line.refunded_quantity - _unsent(line)
    removed = min(seen.removed, line.quantity) - known
    if removed <= line.removed_quantity:
        return None
    _overwrite(line, {"removed_quantity": removed})
    return line


def _unsent(line: OrderLine) -> int:
    """Pieces of a line that our calls hold which nobody has begun to send."""
    if not line.refunded_quantity:
        return 0
    calls = ToolCall.objects.filter(payment__order_id=line.order_id, state=ToolCall.State.RESERVED)
    parts = (
        part
        for request in calls.filter(first_sent_at__isnull=True).values_list("request", flat=True)
        for part in json.loads(request)["lines"]
    )
    return sum(part["quantity"] for part in parts if part["line"] == line.pk)


def record_risk(shop_id: int, seen: RiskSnapshot) -> Order | None:
    """Raises an order's risk level; several opinions and late messages never lower it. None: order not known yet."""
    order = _locked(shop_id, seen.order_external_id)
    if order is not None:
        _raise_risk(order, seen.level)
    return order


def _raise_risk(order: Order, level: str) -> bool:
    if RISKS.index(Order.Risk(level)) <= RISKS.index(Order.Risk(order.risk_level)):
        return False
    return _overwrite(order, {"risk_level": level})


def record_shipment(shop_id: int, seen: ShipmentSnapshot) -> Shipment | None:
    """A parcel as the carrier's newest message tells it; None where its order isn't known yet."""
    order = _locked(shop_id, seen.order_external_id)
    return _shipment(order, seen) if order else None


def _shipment(order: Order, seen: ShipmentSnapshot) -> Shipment:
    begun = seen.shipped_at or seen.moved_at
    parcel, created = Shipment.objects.select_for_update(of=("self",)).get_or_create(
        shop_id=order.shop_id,
        external_id=seen.external_id,
        defaults={"order": order, "shipped_at": begun},
    )
    parcel.order = order
    facts: dict[str, Any] = {
        "shipped_at": min(parcel.shipped_at, begun),
        "carrier": parcel.carrier or seen.carrier[:64],
    }
    if not parcel.tracking_number:
        facts |= _tracking(seen)
    if seen.delivered_at:
        facts["delivered_at"] = min(filter(None, (parcel.delivered_at, seen.delivered_at)))
    if _is_news(parcel, seen):
        facts |= {"status": seen.status or parcel.status, "moved_at": seen.moved_at}
        facts |= {"carrier": seen.carrier[:64]} if seen.carrier else {}
        facts |= _tracking(seen)
    _overwrite(parcel, facts)
    if seen.lines and (created or not parcel.contents.exists()):
        _fill(parcel, seen)
    return parcel


def _tracking(seen: ShipmentSnapshot) -> dict[str, Any]:
    """All numbers that a message told, the first of them as the parcel's name; nothing where it told none."""
    numbers = [number[:128] for number in seen.tracking_numbers if number]
    return {"tracking_number": numbers[0], "tracking_numbers": numbers} if numbers else {}


def _is_news(parcel: Shipment, seen: ShipmentSnapshot) -> bool:
    """Whether a message says more than what is known: a newer one, or a later stage at the same moment."""
    if parcel.moved_at is None or seen.moved_at > parcel.moved_at:
        return True
    same_moment = seen.moved_at == parcel.moved_at
    return same_moment and STATUSES.index(Shipment.Status(seen.status or "created")) >= STATUSES.index(
        Shipment.Status(parcel.status)
    )


def _fill(parcel: Shipment, seen: ShipmentSnapshot) -> None:
    pieces = {piece.line_external_id: piece.quantity for piece in seen.lines}
    lines = OrderLine.objects.filter(order_id=parcel.order_id, external_id__in=pieces)
    ShipmentLine.objects.bulk_create(
        [ShipmentLine(shipment=parcel, line=line, quantity=pieces[line.external_id]) for line in lines],
        ignore_conflicts=True,
    )


def record_return(shop_id: int, seen: ReturnSnapshot) -> Return | None:
    """A return at its furthest stage; None where its order isn't known yet."""
    order = _locked(shop_id, seen.order_external_id)
    return _return(order, seen, fresh=True) if order else None


def _return(order: Order, seen: ReturnSnapshot, *, fresh: bool) -> Return:
    row, created = Return.objects.select_for_update(of=("self",)).get_or_create(
        shop_id=order.shop_id,
        external_id=seen.external_id,
        defaults={
            "order": order,
            "status": seen.status,
            "requested_at": seen.requested_at or sources.now(),
        },
    )
    row.order = order
    facts: dict[str, Any] = {}
    if seen.requested_at:
        facts["requested_at"] = min(row.requested_at, seen.requested_at)
    if not created and RETURN_STAGES.index(seen.status) > RETURN_STAGES.index(row.status):
        facts["status"] = seen.status
    if seen.lines is not None and (fresh or row.contents is None):
        facts["contents"] = [
            {"line": piece.line_external_id, "quantity": piece.quantity, "processed": piece.processed}
            for piece in seen.lines
        ]
    _overwrite(row, facts)
    return row


def record_stock(shop_id: int, seen: StockSnapshot) -> StockLevel | None:
    """The newest count of an item; None where it isn't counted, or where only a reading can tell its SKU or its sum.

    A message tells of one place: it is the item's count only if that is the one place where the item is kept.
    """
    if seen.available is None:
        return None
    rows = StockLevel.objects.select_for_update().filter(shop_id=shop_id)
    facts = {"inventory_item": seen.inventory_item, "available": seen.available, "at": seen.at}
    if seen.sku:
        facts |= {"location": seen.location}
        level, _ = rows.get_or_create(shop_id=shop_id, sku=seen.sku, defaults=facts)
    else:
        found = rows.filter(inventory_item=seen.inventory_item, location=seen.location).order_by("pk").first()
        if found is None:
            return None
        level = found
    if seen.at >= level.at:
        _overwrite(level, facts)
    return level


def _locked(shop_id: int, external_id: str) -> Order | None:
    rows = Order.objects.select_for_update(of=("self",), no_key=True).select_related("shop")
    return rows.filter(shop_id=shop_id, external_id=external_id).first()
