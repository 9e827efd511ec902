"""Which of the shop's terms grants a refund: judged before limits. Pure, total, and a person's where none does.

    claim ──▶ goodwill | damaged, wrong item, missing | returned ──▶ Grant(rule, values, lines, shipping)
                                                               └──▶ Refusal(code, values): a person decides

What the law gives is asked before what the shop gives: the right to withdraw from a distance contract, Directive
2011/83/EU. https://eur-lex.europa.eu/eli/dir/2011/83/oj
Article 9: 14 days from the receipt of the last parcel of the order. Article 13: all payments go back, with the standard
delivery and not what a dearer one cost more, once the goods are received. Article 14: the customer bears the direct
cost of sending back, and no other, unless the shop says that it does. Article 16 (e): not for what is sealed for health
or hygiene and was opened; a low price takes no right away, so a final sale is one for what the shop gives by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum
from typing import TypeAlias
from zoneinfo import ZoneInfo

from approvals.entitlement_words import Value, say
from approvals.terms import Terms, matches
from approvals.windows import Window, window

# What was written longer ago than this was about something else.
HEARD_FOR = timedelta(days=30)


class Stage(IntEnum):
    """How far goods are on their way back."""

    ASKED = 0
    ON_ITS_WAY = 1
    RECEIVED = 2
    INSPECTED = 3


NEEDED = {"scan": Stage.ON_ITS_WAY, "receipt": Stage.RECEIVED, "inspection": Stage.INSPECTED}
NOT_YET = {
    Stage.ASKED: "return.not_sent",
    Stage.ON_ITS_WAY: "return.in_transit",
    Stage.RECEIVED: "return.not_inspected",
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """What the carrier says of a parcel."""

    status: str
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Back:
    """A return that holds claimed goods; `whole` where it names no lines, so that it proves whole orders alone."""

    stage: Stage
    asked_at: datetime
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A claimed line: every parcel with some of it, and the return that holds all of its claimed pieces."""

    line: int
    sku: str
    parcels: Sequence[Parcel]
    back: Back | None = None
    final_sale: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed, and what the server knows of it. Amounts are minor units of `currency`.

    `parcels` are all of the order. `whole_order`: every piece of it is claimed. `whole_by_now`: all of it was sent
    back, in however many steps, and this one is the last. `zones` are those of the customer's country, never empty.
    `heard` is when the customer wrote in this case. `given_minor` went back for the order before.
    `fee_kept`: the fee of a return of this order was kept back already.
    `shipping_paid_minor` is all that the delivery cost, `shipping_left_minor` what of it can still go back.
    """

    reason: str
    items: Sequence[Item]
    parcels: Sequence[Parcel]
    zones: Sequence[ZoneInfo]
    country: str = ""
    currency: str = ""
    amount_minor: int = 0
    given_minor: int = 0
    whole_order: bool = False
    whole_by_now: bool = False
    shipping: bool = False
    shipping_paid_minor: int = 0
    shipping_left_minor: int = 0
    goodwill_percent: int = 0
    photos: int = 0
    heard: Sequence[datetime] = ()
    fee_kept: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """The rule that grants a refund, with the values of its sentence and what it covers.

    `lines` are whole prices of claimed pieces, or the share of them that goodwill is. `look`: a person looks at it
    before money moves, since it rests on a photo that nobody has checked. `fee_minor` is kept back of it.
    """

    rule: str
    values: Mapping[str, Value]
    lines: tuple[int, ...] = ()
    shipping: bool = False
    look: bool = False
    fee_minor: int = 0

    @property
    def sentence(self) -> str:
        return say(self.rule, self.values)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no rule grants it: a person decides."""

    code: str
    values: Mapping[str, Value] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        return say(self.code, self.values)


Answer: TypeAlias = Grant | Refusal


def entitled(claim: Claim, terms: Terms, now: datetime) -> Answer:
    """The rule that grants the claim, or why a person decides."""
    if not claim.items:
        return Refusal("claim.empty")
    if claim.goodwill_percent:
        return _goodwill(claim, terms, now)
    days = {
        "damaged": terms.damage_days,
        "wrong_item": terms.wrong_item_days,
        "missing": terms.missing_days,
    }
    if claim.reason in days:
        return _faulty(claim, terms, days[claim.reason], now)
    if claim.reason == "returned":
        return _returned(claim, terms)
    return Refusal("claim.lost" if claim.reason == "lost" else "claim.reason")


def _grant(claim: Claim, rule: str, values: Mapping[str, Value], *, look: bool = False) -> Grant:
    return Grant(rule, values, tuple(item.line for item in claim.items), claim.shipping, look)


def _goodwill(claim: Claim, terms: Terms, now: datetime) -> Answer:
    if terms.goodwill_days is None:
        return Refusal("goodwill.none")
    found = _within(claim, terms.goodwill_days, now)
    if isinstance(found, Refusal):
        return found
    if claim.shipping:
        return Refusal("shipping.part")
    return _grant(claim, "terms.goodwill", {**found, "percent": claim.goodwill_percent})


def _faulty(claim: Claim, terms: Terms, days: int, now: datetime) -> Answer:
    """Damaged, wrong or missing: the parcels that hold the claimed lines have arrived, and it was said in time."""
    found = _within(claim, days, now)
    if isinstance(found, Refusal):
        return found
    if claim.shipping and not claim.whole_order:
        return Refusal("shipping.part")
    above = terms.photo_above.get(claim.currency)
    # Nobody can take a photo of what isn't there. Claims on one order add up: five halves are no small claim.
    asks = claim.reason != "missing" and above is not None and claim.amount_minor + claim.given_minor > above
    if asks and not claim.photos:
        return Refusal("photo.missing", {"above_minor": above or 0, "currency": claim.currency})
    return _grant(claim, f"terms.{claim.reason}", found, look=asks)


def _within(claim: Claim, days: int, now: datetime) -> dict[str, Value] | Refusal:
    """The values of a window in which the customer wrote about every claimed line; what ends first stands for all.

    Whatever they wrote after the delivery counts, also what was not about the fault yet: who has written in time is
    not held to their words.
    """
    found = []
    for item in claim.items:
        arrived = _arrived(item.parcels)
        if isinstance(arrived, Refusal):
            return arrived
        ends = window(arrived, days, claim.zones)
        found.append((ends, _heard(claim, arrived, now)))
    late = [(ends, heard) for ends, heard in found if heard >= ends.over]
    ends, heard = min(late or found, key=lambda each: each[0].over)
    values = _values(ends, days, heard=heard.astimezone(ends.over.tzinfo).date().isoformat())
    return Refusal("window.over", values) if late else values


def _values(ends: Window, days: int, **more: Value) -> dict[str, Value]:
    return {"arrived": ends.began.isoformat(), "until": ends.last.isoformat(), "days": days, **more}


def _heard(claim: Claim, arrived: datetime, now: datetime) -> datetime:
    """When the customer first wrote after the delivery: how long we take to answer takes no right away."""
    since = max(arrived, now - HEARD_FOR)
    return min((at for at in claim.heard if since <= at <= now), default=now)


def _arrived(parcels: Sequence[Parcel]) -> datetime | Refusal:
    """When the last of them did."""
    if not parcels:
        return Refusal("parcel.none")
    if any(parcel.status != "delivered" for parcel in parcels):
        return Refusal("parcel.not_delivered")
    times = [parcel.delivered_at for parcel in parcels if parcel.delivered_at is not None]
    return max(times) if len(times) == len(parcels) else Refusal("parcel.no_time")


def _returned(claim: Claim, terms: Terms) -> Answer:
    """Sent back without a fault: by the law's right first, by the shop's own promise where that doesn't reach."""
    backs = [item.back for item in claim.items if item.back and (claim.whole_order or not item.back.whole)]
    if len(backs) < len(claim.items):
        return Refusal("return.none")
    barred = _barred(claim, terms)
    if barred is not None:
        return barred
    stage, asked_at = min(back.stage for back in backs), max(back.asked_at for back in backs)
    by_law = _withdrawn(claim, terms, asked_at)
    # The law lets a shop wait for the goods, not for its look at them.
    needed = min(NEEDED[terms.refund_on], Stage.RECEIVED) if by_law is not None else NEEDED[terms.refund_on]
    if stage < needed:
        return Refusal(NOT_YET[stage])
    return by_law if by_law is not None else _by_choice(claim, terms, asked_at)


def _barred(claim: Claim, terms: Terms) -> Refusal | None:
    """What no return of is granted without a person's look."""
    if (terms.hygiene or terms.final_sale) and any(not item.sku for item in claim.items):
        return Refusal("goods.no_sku")
    if any(matches(item.sku, terms.hygiene) for item in claim.items):
        return Refusal("goods.hygiene")
    return None


def _withdrawn(claim: Claim, terms: Terms, asked_at: datetime) -> Answer | None:
    """What the right of withdrawal says; None where there is none, or it ended before it was used."""
    days = terms.withdrawal.get(claim.country)
    times = [parcel.delivered_at for parcel in claim.parcels if parcel.delivered_at]
    if days is None or not times:
        return None
    ends = window(max(times), days, claim.zones, law_of=claim.country)
    # The period begins with the last parcel of the order: while one is under way nobody is late.
    if asked_at >= ends.over and all(parcel.status == "delivered" for parcel in claim.parcels):
        return None
    values = _values(
        ends, days, country=claim.country, return_shipping=terms.payer(claim.country, by_law=True)
    )
    return _standard_shipping(claim, terms) or _grant(claim, "terms.withdrawal", values)


def _standard_shipping(claim: Claim, terms: Terms) -> Refusal | None:
    """What speaks against the shipping of a withdrawal as it was wished for: more than is owed, or less."""
    if not (claim.whole_order or claim.whole_by_now):
        return Refusal("shipping.part") if claim.shipping else None
    if not claim.shipping_paid_minor:
        return None
    standard = terms.standard_shipping.get(claim.currency)
    if standard is None:
        return Refusal("shipping.no_rate", {"currency": claim.currency})
    if claim.shipping_paid_minor > standard:
        return Refusal("shipping.dearer", {"standard_minor": standard, "currency": claim.currency})
    owed = claim.shipping_left_minor > 0 and not claim.shipping
    return Refusal("shipping.owed") if owed else None


def _by_choice(claim: Claim, terms: Terms, asked_at: datetime) -> Answer:
    """What the shop takes back by itself."""
    if any(item.final_sale or matches(item.sku, terms.final_sale) for item in claim.items):
        return Refusal("goods.final_sale")
    times = [_arrived(item.parcels) for item in claim.items]
    missing = next((at for at in times if isinstance(at, Refusal)), None)
    if missing is not None:
        return missing
    arrived = min(at for at in times if isinstance(at, datetime))
    ends = window(arrived, terms.return_days, claim.zones)
    payer = terms.payer(claim.country, by_law=False)
    values = _values(ends, terms.return_days, return_shipping=payer)
    if asked_at >= ends.over:
        return Refusal("window.return", values)
    if claim.shipping:
        kept = terms.outward_shipping == "kept"
        if kept or not (claim.whole_order or claim.whole_by_now):
            return Refusal("shipping.kept" if kept else "shipping.part")
    fee = 0 if claim.fee_kept else terms.fee_minor(payer, claim.currency)
    if fee:
        values |= {"fee_minor": fee, "currency": claim.currency}
    return replace(_grant(claim, "terms.returned", values), fee_minor=fee)
