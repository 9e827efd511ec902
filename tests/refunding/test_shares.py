"""Amounts divided to the minor unit: whatever goes back in parts adds up to what was paid, and never exceeds it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.refunding.shares import divided, split, taxes_between

weights = st.lists(st.integers(0, 5000), min_size=1, max_size=5)
big = st.lists(st.integers(0, 10**12), min_size=1, max_size=4)


@given(weights, st.data())
def test_a_divided_amount_adds_up_and_exceeds_no_weight(parts: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(parts)))
    shares = divided(amount, parts)
    assert sum(shares) == amount
    assert all(0 <= share <= part for share, part in zip(shares, parts, strict=True))


@given(weights, st.data())
def test_a_larger_amount_lowers_no_share(parts: list[int], data: st.DataObject) -> None:
    """The largest remainder breaks this; a share of a later refund would then be negative."""
    amount = data.draw(st.integers(0, max(0, sum(parts) - 1)))
    now, then = divided(amount, parts), divided(min(amount + 1, sum(parts)), parts)
    assert all(before <= after for before, after in zip(now, then, strict=True))


@given(big)
def test_the_whole_gives_back_the_weights(parts: list[int]) -> None:
    assert divided(sum(parts), parts) == parts


def test_more_than_the_whole_is_not_divided() -> None:
    with pytest.raises(ValueError, match="part of the whole"):
        divided(11, [5, 5])


def test_nothing_of_nothing_is_nothing() -> None:
    assert divided(0, [0, 0]) == [0, 0]


@given(st.integers(1, 3000), st.lists(st.integers(0, 900), max_size=3), st.data())
def test_taxes_of_any_sequence_of_refunds_add_up_to_those_of_the_purchase(
    net: int, taxed: list[int], data: st.DataObject
) -> None:
    total = net + sum(taxed)
    cuts = data.draw(st.lists(st.integers(0, total), max_size=5))
    taxes = [
        {"title": f"T{place}", "rate_ppm": None, "amount_minor": minor} for place, minor in enumerate(taxed)
    ]
    back = [taxes_between(taxes, total, *pair) for pair in pairwise(sorted([0, *cuts, total]))]
    for place, minor in enumerate(taxed):
        assert sum(part[place]["amount_minor"] for part in back) == minor


@given(st.integers(1, 3000), st.lists(st.integers(0, 900), max_size=3), st.data())
def test_a_refund_holds_no_more_tax_than_money(net: int, taxed: list[int], data: st.DataObject) -> None:
    total = net + sum(taxed)
    before, after = sorted(data.draw(st.tuples(st.integers(0, total), st.integers(0, total))))
    taxes = [{"title": "T", "rate_ppm": 1, "amount_minor": minor} for minor in taxed]
    assert sum(tax["amount_minor"] for tax in taxes_between(taxes, total, before, after)) <= after - before


def test_a_third_of_a_taxed_price_is_taxed_by_a_third() -> None:
    taxes = [{"title": "MwSt", "rate_ppm": 190000, "amount_minor": 1900}]
    (tax,) = taxes_between(taxes, 11900, 0, 3967)
    assert tax == {"title": "MwSt", "rate_ppm": 190000, "amount_minor": 633}


def test_taxes_that_exceed_what_they_are_part_of_are_still_divided() -> None:
    """A shop that says so is wrong, and its refund is no error for that."""
    (tax,) = taxes_between([{"title": "T", "rate_ppm": None, "amount_minor": 150}], 100, 0, 100)
    assert tax["amount_minor"] == 100


@given(
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=4),
)
def test_tenders_pay_exactly_and_no_more_than_each_took(amount: int, rows: list[tuple[int, int]]) -> None:
    parts, bounds = [row[0] for row in rows], [row[1] for row in rows]
    if amount > sum(bounds):
        with pytest.raises(ValueError, match="bounds"):
            split(amount, parts, bounds)
        return
    shares = split(amount, parts, bounds)
    assert sum(shares) == amount
    assert all(0 <= share <= bound for share, bound in zip(shares, bounds, strict=True))


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=4))
def test_what_the_shop_suggests_is_paid_as_suggested(suggested: list[int]) -> None:
    assert split(sum(suggested), suggested, suggested) == suggested
