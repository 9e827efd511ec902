"""Divides amounts to the minor unit, so that parts given back one after the other add up to the whole. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypedDict


class Tax(TypedDict):
    """A tax that is part of an amount: `rate_ppm` in millionths (19 %: 190000), None where nobody told it."""

    title: str
    rate_ppm: int | None
    amount_minor: int


def divided(amount: int, weights: Sequence[int]) -> list[int]:
    """`amount` divided in proportion to whole weights, each share rounded to the nearest.

    By the method of Sainte-Laguë, which hands out one unit after the other: a larger amount never lowers a share, and
    the sum of all weights gives back the weights. What goes back in several parts so never exceeds any weight, and
    adds up exactly; the largest remainder promises neither.
    """
    whole = sum(weights)
    if not 0 <= amount <= whole:
        raise ValueError("Only a part of the whole can be divided.")
    shares = [(2 * weight * amount + whole) // (2 * whole) if whole else 0 for weight in weights]
    places = range(len(weights))
    while sum(shares) < amount:
        shares[max(places, key=lambda i: (Fraction(weights[i], 2 * shares[i] + 1), -i))] += 1
    while sum(shares) > amount:
        given = [i for i in places if shares[i]]
        shares[min(given, key=lambda i: (Fraction(weights[i], 2 * shares[i] - 1), -i))] -= 1
    return shares


def taxes_between(
    taxes: Sequence[Mapping[str, object]], total_minor: int, before_minor: int, after_minor: int
) -> list[Tax]:
    """The taxes in what goes back when the sum given back of `total_minor` grows from `before` to `after`.

    One for each tax of the total, in its order: a refund is taxed as the purchase was.
    """
    amounts = [int(str(tax["amount_minor"])) for tax in taxes]
    weights = [*amounts, max(0, total_minor - sum(amounts))]
    whole = sum(weights)
    before, after = (divided(min(minor, whole), weights) for minor in (before_minor, after_minor))
    return [
        Tax(title=str(tax["title"]), rate_ppm=_rate(tax["rate_ppm"]), amount_minor=max(0, then - now))
        for tax, now, then in zip(taxes, before, after, strict=False)
    ]


def _rate(value: object) -> int | None:
    return None if value is None else int(str(value))


def split(amount: int, weights: Sequence[int], bounds: Sequence[int]) -> list[int]:
    """`amount` in proportion to weights, no share above its bound; what one can't take goes to the others.

    Raises ValueError where the bounds together are less than the amount.
    """
    if amount > sum(bounds):
        raise ValueError("More than all bounds together.")
    shares = [0] * len(bounds)
    while left := amount - sum(shares):
        room = [bound - share for bound, share in zip(bounds, shares, strict=True)]
        # Where nobody with a weight has room, whoever has some takes the rest.
        wanted = [weight if space else 0 for weight, space in zip(weights, room, strict=True)]
        wanted = wanted if any(wanted) else room
        for place, more in enumerate(_proportional(left, wanted)):
            shares[place] += min(more, room[place])
    return shares


def _proportional(amount: int, weights: Sequence[int]) -> list[int]:
    """By the largest remainder, for an amount of any size."""
    whole = sum(weights)
    shares = [amount * weight // whole for weight in weights]
    remainders = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % whole), i))
    for place in remainders[: amount - sum(shares)]:
        shares[place] += 1
    return shares
