"""What the server knows about a claim: its parcels, its returns, where the customer lives, and what they have sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from approvals.terms import Payer
from approvals.terms_in_force import terms_for
from approvals.windows import window, zones_of
from audit import sources
from tools.base import Effect, Kind, Scope
from tools.catalog import cancel_order, issue_refund
from tools.elsewhere import unnamed_minor
from tools.models import OPEN_STATES, Order, OrderLine, Return, Shipment, ToolCall
from tools.voiding import UNNAMED

# The best for the customer first.
PAYERS: tuple[Payer, ...] = ("shop", "label", "customer")
# A return that is only wished for, or that the shop declined or called off, brings nothing back.
STAGES = {"open": Stage.ASKED, "closed": Stage.INSPECTED}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a claim beside its order. `given_minor` went back for the order before it, in its currency.

    `written` is when the customer wrote, with how many files each time. `reserved`: its own pieces are set aside
    already, so that they count among those refunded. `fee_kept`: of a refund of the order before it.
    """

    given_minor: int = 0
    written: Sequence[tuple[datetime, int]] = ()
    reserved: bool = False
    fee_kept: bool = False


@dataclass(frozen=True, slots=True)
class Entitled:
    """What the shop's terms say of an effect, and the version that says so; neither where none was asked."""

    answer: Answer | None = None
    terms: TermsVersion | None = None


def judged(effect: Effect, scope: Scope, *, given_minor: int = 0, decision_id: int | None = None) -> Entitled:
    """What the terms say about an effect; nothing where it moves no money, or names what isn't there.

    Of today's terms and those of the order's day the ones decide that are better for the customer, and of two that say
    the same today's; the values say which.

    `given_minor` is what went back for the order before it; `decision_id` the decision that made it, if one has.
    """
    if effect.kind is not Kind.MONEY or not effect.body:
        return Entitled()
    order = Order.objects.select_related("shop").get(pk=effect.body["order"])
    if effect.tool == cancel_order.NAME:
        # What the shop has not sent, it owes: no window of its terms is asked.
        left = cancel_order.has_left(order)
        return Entitled(Refusal("order.has_left") if left else Grant("terms.cancelled", {}))
    unnamed = unnamed_minor(order.pk)
    if unnamed:
        # What has been paid for already, if that is what it was for, no rule grants again.
        return Entitled(Refusal(UNNAMED, {"unnamed_minor": unnamed, "currency": order.currency}))
    versions = terms_for(order)
    if not versions:
        return Entitled(Refusal("terms.none"))
    now = sources.now()
    fees = any(terms.return_fee for _row, terms in versions)
    known = Known(
        given_minor,
        _written(scope.case_id, now),
        _is_reserved(decision_id),
        # An amount that a person wrote has no fee of its own.
        fees and (effect.tool != issue_refund.TOOL.name or _fee_kept(order, decision_id)),
    )
    claim = claim_of(effect, order, known)
    answers = [(entitled(claim, terms, now), row) for row, terms in versions]
    answer, row = min(answers, key=lambda each: _cost(each[0]))
    which = {"terms": row.version, "terms_of": "today" if row is versions[0][0] else "order"}
    answer = replace(answer, values={**answer.values, **which})
    kept = effect.body.get("return_fee_minor", 0)
    if isinstance(answer, Grant) and kept > answer.fee_minor:
        # Decided at the same moment as another refund of this return, or better terms hold by now.
        answer = Refusal("return.fee", {**answer.values, "kept_minor": kept, "currency": order.currency})
    return Entitled(answer, row)


def _cost(answer: Answer) -> tuple[bool, int]:
    """How dear an answer is to the customer: a person's look at all of it is dearer than any fee."""
    return (True, 0) if isinstance(answer, Refusal) else (False, answer.fee_minor)


def return_fee(effect: Effect, scope: Scope) -> int:
    """What of a return's refund the shop keeps for its label, by the terms that grant it; 0 for all else."""
    if effect.tool != issue_refund.TOOL.name or effect.body.get("reason") != "returned":
        return 0
    answer = judged(effect, scope).answer
    return answer.fee_minor if isinstance(answer, Grant) else 0


def sending_back(order: Order) -> tuple[Payer, int]:
    """Who would pay for a return of the order that is asked for now, and the fee; by the better of its terms."""
    versions = terms_for(order)
    parcels, _holding = _parcels(order)
    arrived = [parcel.delivered_at for parcel in parcels if parcel.delivered_at]
    zones = zones_of(order.country) or (ZoneInfo(order.shop.time_zone),)
    found = []
    for _row, terms in versions:
        days = terms.withdrawal.get(order.country)
        over = window(max(arrived), days, zones, law_of=order.country).over if days and arrived else None
        by_law = days is not None and (over is None or sources.now() < over)
        payer = terms.payer(order.country, by_law=by_law)
        found.append((payer, terms.fee_minor(payer, order.currency)))
    return min(found, key=lambda each: (each[1], PAYERS.index(each[0])), default=("customer", 0))


def _fee_kept(order: Order, decision_id: int | None) -> bool:
    """Whether a fee of this order was kept by another decision, or is about to be."""
    calls = ToolCall.objects.filter(payment__order=order, decision__effect__return_fee_minor__gt=0)
    held = calls.filter(state__in=(*OPEN_STATES, ToolCall.State.SUCCEEDED))
    return held.exclude(decision_id=decision_id).exists() if decision_id else held.exists()


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
        whole_by_now=all_back(lines, pieces, returns, reserved=known.reserved),
        shipping=bool(body["shipping_minor"]),
        shipping_paid_minor=order.shipping_minor,
        shipping_left_minor=order.shipping_minor - order.shipping_gone_minor,
        goodwill_percent=body["goodwill_percent"],
        photos=sum(files for _at, files in known.written),
        heard=[at for at, _files in known.written],
        fee_kept=known.fee_kept,
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


def all_back(
    lines: Iterable[OrderLine], pieces: Mapping[int, int], returns: Sequence[Return], *, reserved: bool
) -> bool:
    """Whether with these pieces every one of the order has been sent back, in returns that name them, and refunded.

    `reserved`: these pieces count among those refunded already.
    """
    for line in lines:
        kept = line.quantity - line.removed_quantity
        gone = line.gone_quantity + (0 if reserved else pieces.get(line.pk, 0))
        held = sum(1 for row in returns if row.status in STAGES for _piece in _pieces(row, line))
        if gone != kept or held < kept:
            return False
    return True


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
    # A part of the price claims no piece whole, and rests on one that came back all the same.
    needed = line.gone_quantity + (0 if reserved and count else max(count, 1))
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
