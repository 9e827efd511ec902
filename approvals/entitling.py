"""What the server knows about a claim: its parcels, its returns, where the customer lives, and what they have sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.apps import apps

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
from tools.models import OPEN_STATES, Order, OrderLine, Return, Shipment, ToolCall

# A return that is only wished for, or that the shop declined or called off, brings nothing back.
STAGES = {"open": Stage.ASKED, "closed": Stage.INSPECTED}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a claim beside its order. `given_minor` went back for the order before it, in its currency.

    `written` is when the customer wrote, with how many files each time. `reserved`: its own pieces are set aside
    already, so that they count among those refunded.
    """

    given_minor: int = 0
    written: Sequence[tuple[datetime, int]] = ()
    reserved: bool = False


def judged(
    effect: Effect,
    scope: Scope,
    terms: TermsVersion | None,
    *,
    given_minor: int = 0,
    decision_id: int | None = None,
) -> Answer | None:
    """What the terms say about an effect; None where it moves no money, or names what isn't there.

    `given_minor` is what went back for the order before it; `decision_id` the decision that made it, if one has.
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
    known = Known(given_minor, _written(scope.case_id, now), _is_reserved(decision_id))
    return entitled(claim_of(effect, order, known), terms.promises, now)


def _is_reserved(decision_id: int | None) -> bool:
    if decision_id is None:
        return False
    calls = ToolCall.objects.filter(decision_id=decision_id, amount_minor__gt=0)
    return calls.filter(state__in=(*OPEN_STATES, ToolCall.State.SUCCEEDED)).exists()


def claim_of(effect: Effect, order: Order, known: Known) -> Claim:
    """The claim of what leaves the shop for pieces of an order, be it money or goods."""
    body = effect.body
    pieces = {part["line"]: part["quantity"] for part in body["lines"]}
    parcels, holding = _parcels(order)
    lines, returns = list(order.lines.all()), list(order.returns.all())
    return Claim(
        reason=body["reason"],
        items=[
            _item(line, holding.get(line.pk, ()), _back(line, pieces[line.pk], returns, known.reserved))
            for line in lines
            if line.pk in pieces
        ],
        parcels=parcels,
        zones=zones_of(order.country) or (ZoneInfo(order.shop.time_zone),),
        country=order.country,
        currency=order.currency,
        amount_minor=effect.worth.amount_minor if effect.worth else 0,
        given_minor=known.given_minor,
        whole_order=_whole(lines, pieces),
        shipping=bool(body["shipping_minor"]),
        shipping_paid_minor=order.shipping_minor,
        shipping_left_minor=order.shipping_minor - order.shipping_refunded_minor,
        goodwill_percent=body["goodwill_percent"],
        photos=sum(files for _at, files in known.written),
        heard=[at for at, _files in known.written],
    )


def _item(line: OrderLine, parcels: Iterable[Parcel], back: Back | None) -> Item:
    return Item(line.pk, line.sku, list(parcels), back, line.final_sale)


def _written(case_id: int, now: datetime) -> list[tuple[datetime, int]]:
    """When the customer wrote in a case of late, with how many files."""
    messages = apps.get_model("cases", "Message")._default_manager
    rows = messages.filter(case_id=case_id, direction="in", at__gt=now - HEARD_FOR - timedelta(days=1))
    return list(rows.values_list("at", "attachments"))


def _whole(lines: Iterable[OrderLine], pieces: Mapping[int, int]) -> bool:
    """Whether these are every piece that was bought and not taken off the order."""
    kept = {line.pk: line.quantity - line.removed_quantity for line in lines}
    return pieces == {pk: count for pk, count in kept.items() if count > 0}


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


def _back(line: OrderLine, count: int, returns: Iterable[Return], reserved: bool) -> Back | None:
    """What a line's claimed pieces came back by: the furthest returns that hold them, with those refunded before.

    A return whose contents nobody has told speaks for whole orders alone.
    """
    counted = [row for row in returns if row.status in STAGES]
    pieces = [piece for row in counted for piece in _pieces(row, line)]
    needed = line.refunded_quantity + (0 if reserved else count)
    used = sorted(pieces, key=lambda back: back.stage, reverse=True)[:needed]
    if used and len(used) == needed:
        return Back(min(back.stage for back in used), max(back.asked_at for back in used))
    unnamed = [row for row in counted if row.contents is None]
    whole = [Back(STAGES[row.status], row.requested_at, whole=True) for row in unnamed]
    return max(whole, key=lambda back: (back.stage, back.asked_at), default=None)


def _pieces(row: Return, line: OrderLine) -> Iterator[Back]:
    """One for each piece of the line in a return; of a closed one, those alone that the shop got."""
    for held in row.contents or ():
        if held["line"] != line.external_id:
            continue
        done = min(held["processed"], held["quantity"])
        yield from [Back(max(STAGES[row.status], Stage.RECEIVED), row.requested_at)] * done
        if row.status == "open":
            yield from [Back(Stage.ASKED, row.requested_at)] * (held["quantity"] - done)
