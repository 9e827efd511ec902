"""Where an order's goods are, as far as the carrier has told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from cases.planner.facts import LineFact, OrderFact, ShipmentFact

STUCK_AFTER = timedelta(days=10)


class Place(StrEnum):
    """Where the goods are; the worst of several parcels counts."""

    NOT_SHIPPED = "not_shipped"
    FAILED = "failed"
    STUCK = "stuck"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    DELIVERED = "delivered"


def live(order: OrderFact) -> tuple[ShipmentFact, ...]:
    """Parcels that weren't cancelled."""
    return tuple(parcel for parcel in order.shipments if parcel.status != "cancelled")


def of_line(order: OrderFact, line: LineFact) -> tuple[ShipmentFact, ...]:
    """The parcels that carry a line; all of them where the shop didn't say."""
    parcels = live(order)
    if not any(parcel.line_ids for parcel in parcels):
        return parcels
    return tuple(parcel for parcel in parcels if line.id in parcel.line_ids or parcel.id in line.parcel_ids)


def place(parcels: Sequence[ShipmentFact], now: datetime) -> Place:
    """Where goods in these parcels are at `now`."""
    if not parcels:
        return Place.NOT_SHIPPED
    open_ones = [parcel for parcel in parcels if parcel.status != "delivered"]
    if not open_ones:
        return Place.DELIVERED
    if any(parcel.status == "failure" for parcel in open_ones):
        return Place.FAILED
    if any(now - (parcel.moved_at or parcel.shipped_at) >= STUCK_AFTER for parcel in open_ones):
        return Place.STUCK
    if all(parcel.status == "out_for_delivery" for parcel in open_ones):
        return Place.OUT_FOR_DELIVERY
    return Place.IN_TRANSIT


def arrived_at(parcels: Sequence[ShipmentFact]) -> datetime | None:
    """When the last of these parcels was delivered; None where one wasn't or nobody said when."""
    times = [parcel.delivered_at for parcel in parcels if parcel.status == "delivered"]
    known = [at for at in times if at is not None]
    return max(known) if known and len(known) == len(parcels) else None


def older_than(at: datetime | None, days: int, now: datetime) -> bool:
    """Whether a delivery surely lies outside a window of so many days; an unknown one doesn't.

    The last day lasts until midnight where the customer lives, which may be a day and an hour later than by the clock:
    in between the terms decide, and not what the customer is told.
    """
    return at is not None and now - at > timedelta(days=days + 1, hours=1)
