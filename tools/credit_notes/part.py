"""What some of a refund's tenders gave back, where others did not: each position in their share. Pure.

Every tender has its own stretch of the whole sum, in the order in which they pay. The parts of all tenders add up to
the refund, per position and per rate, whichever of them come together in one document.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate
from typing import Any

from tools.refunding.shares import divided, taxes_between
from tools.refunding.steps import tenders_of

Json = dict[str, Any]
Stretch = tuple[int, int]


def given_by(body: Mapping[str, Any], payments: Collection[int]) -> Json:
    """The refund as if it had been of these payments alone; all of them leave it as it was signed.

    A line of which a part alone was given back keeps its pieces out: `share` says so.
    """
    tenders = tenders_of(body)
    if all(tender["payment"] in payments for tender in tenders):
        return dict(body)
    ends = accumulate(tender["amount_minor"] for tender in tenders)
    given = [(tender, (end - tender["amount_minor"], end)) for tender, end in zip(tenders, ends, strict=True)]
    mine = [(tender, stretch) for tender, stretch in given if tender["payment"] in payments]
    return {
        **body,
        **_positions(body, [_with_fee(body, stretch) for _tender, stretch in mine]),
        **_fee_in(body, [stretch for _tender, stretch in mine]),
        "amount_minor": sum(tender["amount_minor"] for tender, _stretch in mine),
        "tenders": [tender for tender, _stretch in mine],
    }


def _kept(body: Mapping[str, Any], minor: int) -> int:
    """What of a kept fee belongs to the first so many minor units of the money."""
    fee, money = body.get("return_fee_minor", 0), body["amount_minor"]
    return int(minor * fee // money) if money else 0


def _with_fee(body: Mapping[str, Any], stretch: Stretch) -> Stretch:
    """The stretch of money as one of what the positions are worth."""
    begin, end = stretch
    return begin + _kept(body, begin), end + _kept(body, end)


def _fee_in(body: Mapping[str, Any], stretches: Sequence[Stretch]) -> Json:
    """What of the fee is kept of these stretches of money; nothing where none is kept."""
    fee = body.get("return_fee_minor", 0)
    if not fee:
        return {}
    parts = [(_kept(body, begin), _kept(body, end)) for begin, end in stretches]
    taxes = [dict(tax) | {"amount_minor": 0} for tax in body["return_fee_taxes"]]
    for begin, end in parts:
        for row, tax in zip(taxes, taxes_between(body["return_fee_taxes"], fee, begin, end), strict=True):
            row["amount_minor"] += tax["amount_minor"]
    return {"return_fee_minor": sum(end - begin for begin, end in parts), "return_fee_taxes": taxes}


def _positions(body: Mapping[str, Any], stretches: Sequence[Stretch]) -> Json:
    """The lines and the shipping in these stretches of the whole."""
    parts = body["lines"]
    weights = [
        *(minor for part in parts for minor in (part["amount_minor"], part.get("duties_minor", 0))),
        body["shipping_minor"],
    ]
    given = _Given(weights, stretches)
    lines = [_line(part, given, 2 * place) for place, part in enumerate(parts)]
    shipping, taxes = given.of(len(weights) - 1, body.get("shipping_taxes") or ())
    return {
        "lines": [line for line in lines if line["amount_minor"] or line["duties_minor"]],
        "shipping_minor": shipping,
        "shipping_taxes": taxes,
    }


def _line(part: Mapping[str, Any], given: _Given, place: int) -> Json:
    amount, taxes = given.of(place, part.get("taxes") or ())
    duties, duty_taxes = given.of(place + 1, part.get("duty_taxes") or ())
    sums = {"amount_minor": amount, "taxes": taxes, "duties_minor": duties, "duty_taxes": duty_taxes}
    whole = amount == part["amount_minor"]
    return {**part, **sums, **({} if whole else {"quantity": 0, "share": True})}


class _Given:
    """How much of each weight lies in the stretches."""

    def __init__(self, weights: Sequence[int], stretches: Sequence[Stretch]) -> None:
        self.weights = weights
        self.stretches = [(divided(begin, weights), divided(end, weights)) for begin, end in stretches]

    def of(self, place: int, taxes: Sequence[Mapping[str, Any]]) -> tuple[int, list[Json]]:
        """What is given of one position, and the taxes in that."""
        spans = [(begin[place], end[place]) for begin, end in self.stretches]
        found = [dict(tax) | {"amount_minor": 0} for tax in taxes]
        for begin, end in spans:
            for row, tax in zip(found, taxes_between(taxes, self.weights[place], begin, end), strict=True):
                row["amount_minor"] += tax["amount_minor"]
        return sum(end - begin for begin, end in spans), found
