"""Claims of a line that arrived on a Wednesday in Oslo, and what the shop's terms say of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from approvals.entitlement import (
    Answer,
    Back,
    Claim,
    Grant,
    Item,
    Parcel,
    Stage,
    entitled,
)
from approvals.terms import Terms, defaults

OSLO = ZoneInfo("Europe/Oslo")
ARRIVED = datetime(2026, 11, 4, 9, 30, tzinfo=OSLO)  # a Wednesday, and so is 14 days later
NOW = datetime(2026, 11, 18, 12, tzinfo=OSLO)
A_MOMENT = timedelta(microseconds=1)
MIDNIGHT = datetime(2026, 11, 19, tzinfo=OSLO)
BACK = Back(Stage.INSPECTED, datetime(2026, 11, 10, 12, tzinfo=OSLO))


def terms(**changes: Any) -> Terms:
    return Terms(**{**defaults(), "standard_shipping": {"EUR": 490}, **changes})


def parcel(at: datetime | None = ARRIVED, status: str = "delivered") -> Parcel:
    return Parcel(status, at)


def item(*parcels: Parcel, **fields: Any) -> Item:
    return Item(**{"line": 7, "sku": "MUG-1", "parcels": parcels or (parcel(),), **fields})


def claim(reason: str, *items: Item, **fields: Any) -> Claim:
    held = items or (item(),)
    every = [one for each in held for one in each.parcels]
    facts = {"currency": "EUR", "amount_minor": 1900, "zones": (OSLO,), "country": "US", **fields}
    return Claim(reason, held, facts.pop("parcels", every), **facts)


def returned(back: Back = BACK, **fields: Any) -> Claim:
    """A line that came back; `fields` are of the claim."""
    return claim("returned", item(back=back, **fields.pop("item", {})), **fields)


def told(answer: Answer) -> str:
    return answer.rule if isinstance(answer, Grant) else answer.code


def judged(wish: Claim, at: datetime = NOW, **changes: Any) -> str:
    return told(entitled(wish, terms(**changes), at))
