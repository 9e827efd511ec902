"""What the server knows about a claim: its parcels, its returns, where the customer lives, and what they have sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.apps import apps
from django.db.models import F

from approvals.entitlement import (
    HEARD_FOR,
    Answer,
    Back,
    Claim,
    Grant,
    Item,
    Parcel,
    Refusal,
    Stage,
    entitled,
)
from approvals.models import TermsVersion
from approvals.windows import zones_of
from audit import sources
from tools.base import Effect, Kind, Scope
from tools.catalog import cancel_order
from tools.models import Order, OrderLine, Return, Shipment

# A return that is only wished for, or that the shop declined or called off, brings nothing back.
STAGES = {"open": Stage.ASKED, "closed": Stage.INSPECTED}


def judged(
    effect: Effect, scope: Scope, terms: TermsVersion | None, *, given_minor: int = 0
) -> Answer | None:
    """What the terms say about an effect; None where it moves no money, or names what isn't there.

    `given_minor` is what went back for the order besides it, in minor units of the order's currency.
    """
    if effect.kind is not Kind.MONEY or not effect.body:
        return None
    order = Order.objects.select_related("shop").get(pk=effect.body["order"])
    if effect.tool == cancel_order.NAME:
        # What the shop has not sent, it owes: no window of its terms is asked.
        return Refusal("order.has_left") if cancel_order.has_left(order) else Grant("terms.cancelled", {})
    if terms is None:
        return Refusal("terms.none")
    now = sources.now()
    claim = claim_of(effect.body, order, given_minor=given_minor, written=_written(scope.case_id, now))
    return entitled(claim, terms.promises, now)


def claim_of(
    body: Mapping[str, Any], order: Order, *, given_minor: int, written: Sequence[tuple[datetime, int]]
) -> Claim:
    """The claim of a refund's body; `written` is when the customer wrote, with how many files each time."""
    pieces = {part["line"]: part["quantity"] for part in body["lines"]}
    parcels, holding = _parcels(order)
    lines = {line.pk: line for line in order.lines.filter(pk__in=pieces)}
    returns = list(order.returns.all())
    return Claim(
        reason=body["reason"],
        items=[_item(lines[pk], holding.get(pk, ()), _back(returns)) for pk in pieces if pk in lines],
        parcels=parcels,
        zones=zones_of(order.country) or (ZoneInfo(order.shop.time_zone),),
        country=order.country,
        currency=order.currency,
        amount_minor=body["amount_minor"],
        given_minor=given_minor,
        whole_order=_whole(order, pieces),
        shipping=bool(body["shipping_minor"]),
        shipping_paid_minor=order.shipping_minor,
        shipping_left_minor=order.shipping_minor - order.shipping_refunded_minor,
        goodwill_percent=body["goodwill_percent"],
        photos=sum(files for _at, files in written),
        heard=[at for at, _files in written],
    )


def _item(line: OrderLine, parcels: Iterable[Parcel], back: Back | None) -> Item:
    return Item(line.pk, line.sku, list(parcels), back, line.final_sale)


def _written(case_id: int, now: datetime) -> list[tuple[datetime, int]]:
    """When the customer wrote in a case of late, with how many files."""
    messages = apps.get_model("cases", "Message")._default_manager
    rows = messages.filter(case_id=case_id, direction="in", at__gt=now - HEARD_FOR - timedelta(days=1))
    return list(rows.values_list("at", "attachments"))


def _whole(order: Order, pieces: Mapping[int, int]) -> bool:
    """Whether these are every piece that was bought and not taken off the order."""
    kept = order.lines.filter(quantity__gt=F("removed_quantity"))
    return pieces == {line.pk: line.quantity - line.removed_quantity for line in kept}


def _parcels(order: Order) -> tuple[list[Parcel], dict[int, list[Parcel]]]:
    """All parcels of an order that were not cancelled, and those that hold each line."""
    every: list[Parcel] = []
    holding: dict[int, list[Parcel]] = {}
    rows = order.shipments.exclude(status=Shipment.Status.CANCELLED).prefetch_related("contents")
    for row in rows:
        parcel = Parcel(row.status, row.delivered_at)
        every.append(parcel)
        for piece in row.contents.all():
            holding.setdefault(piece.line_id, []).append(parcel)
    return every, holding


def _back(returns: Iterable[Return]) -> Back | None:
    """The furthest return of an order. It names no lines, so that it speaks for whole orders alone."""
    found = [
        Back(STAGES[row.status], row.requested_at, whole=True) for row in returns if row.status in STAGES
    ]
    return max(found, key=lambda back: (back.stage, back.asked_at), default=None)
