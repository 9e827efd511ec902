"""Which of the shop's terms grants a refund: judged before limits. Pure; an empty answer means none does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Terms:
    """The shop's windows, in days after delivery."""

    return_days: int
    damage_days: int
    missing_days: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """What the carrier says of a parcel that holds a claimed line."""

    status: str
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What is claimed: the reason and the parcels of each claimed line, and what else decides.

    `whole_order`: every piece of the order is claimed. `returned_at`: when the return that was received had been
    asked for. A return names no lines yet, so it entitles to whole orders alone.
    """

    reason: str
    parcels: Sequence[Sequence[Parcel]]
    whole_order: bool = False
    shipping: bool = False
    final_sale: bool = False
    returned_at: datetime | None = None
    goodwill_percent: int = 0


def entitled_by(claim: Claim, terms: Terms, now: datetime) -> str:
    """The id of the term that grants the claim, or an empty text.

    A line whose parcel isn't delivered is neither damaged nor missing, whatever the message says.
    """
    if claim.shipping and not claim.whole_order:
        return ""
    if claim.goodwill_percent:
        return "terms.goodwill" if _delivered_within(claim, terms.damage_days, now) else ""
    if claim.reason in ("damaged", "wrong_item"):
        return f"terms.{claim.reason}" if _delivered_within(claim, terms.damage_days, now) else ""
    if claim.reason == "missing":
        return "terms.missing" if _delivered_within(claim, terms.missing_days, now) else ""
    if claim.reason == "returned":
        return "terms.returned" if _returned(claim, terms) else ""
    return ""


def _returned(claim: Claim, terms: Terms) -> bool:
    """The whole order came back, was asked for in time, and nothing of it was a final sale."""
    if claim.final_sale or not claim.whole_order or claim.returned_at is None:
        return False
    times = [parcel.delivered_at for parcels in claim.parcels for parcel in parcels if parcel.delivered_at]
    return bool(times) and claim.returned_at - max(times) <= timedelta(days=terms.return_days)


def _delivered_within(claim: Claim, days: int, now: datetime) -> bool:
    return bool(claim.parcels) and all(_arrived(parcels, days, now) for parcels in claim.parcels)


def _arrived(parcels: Sequence[Parcel], days: int, now: datetime) -> bool:
    times = [
        parcel.delivered_at for parcel in parcels if parcel.delivered_at and parcel.status == "delivered"
    ]
    return bool(times) and len(times) == len(parcels) and now - max(times) <= timedelta(days=days)
