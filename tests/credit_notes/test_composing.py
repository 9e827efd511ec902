"""Whatever is refunded, its document adds up to it: to the minor unit, per line, per rate and in all."""

from __future__ import annotations

from collections import Counter
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.credit_notes.composing import Line, lines_of, negated, totals_of
from tools.credit_notes.part import given_by
from tools.credit_notes.sheet import PPM
from tools.models import OrderLine
from tools.refunding.composition import line_part
from tools.refunding.shares import taxes_between

RATES: list[list[tuple[str, int | None]]] = [
    [], [("MwSt", 190_000)], [("MwSt", 70_000)], [("VAT", 0)], [("State", 40_000), ("City", 8_750)],
    [("消費税", 100_000)], [("消費税", 80_000)], [("Tax", None)],
]  # fmt: skip


@st.composite
def taxes(draw: st.DrawFn, total: int) -> list[dict[str, Any]]:
    """Parts of the total, as a shop with included taxes tells them."""
    rates = draw(st.sampled_from(RATES))
    together = sum(rate or 0 for _title, rate in rates)
    return [
        {"title": title, "rate_ppm": rate, "amount_minor": total * (rate or 0) // (PPM + together)}
        for title, rate in rates
    ]


@st.composite
def orders(draw: st.DrawFn) -> list[OrderLine]:
    """Lines of which a part may be gone already; the currency (USD, JPY, KWD) is only the size of its numbers."""
    numbers, found = count(1), []
    for _ in range(draw(st.integers(1, 4))):
        total, due = draw(st.integers(0, 3_000_000)), draw(st.integers(0, 9000))
        quantity = draw(st.integers(1, 7))
        gone = draw(st.integers(0, quantity - 1))
        number = next(numbers)
        line = OrderLine(
            id=number,
            title=f"Line {number}",
            quantity=quantity,
            total_minor=total,
            taxes=draw(taxes(total)),
            duties_minor=due,
            duties=[{"external_id": "61", "amount_minor": due, "taxes": draw(taxes(due))}],
        )
        line.refunded_minor, line.duties_refunded_minor = (
            line.share_minor(gone),
            line.duties_share_minor(gone),
        )
        line.refunded_quantity = gone
        found.append(line)
    return found


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Any refund of any order: some pieces or goodwill on their price, with shipping or without."""
    goodwill = draw(st.sampled_from([0, 0, 1, 15, 100]))
    parts = [
        line_part(line, draw(st.integers(1, line.left)), goodwill)
        for line in draw(orders())
        if draw(st.booleans())
    ]
    shipping = 0 if goodwill else draw(st.integers(0, 5000))
    return {
        "lines": parts,
        "shipping_minor": shipping,
        "shipping_taxes": taxes_between(draw(taxes(shipping)), shipping, 0, shipping),
        "amount_minor": sum(part["amount_minor"] + part["duties_minor"] for part in parts) + shipping,
    }


TITLES = {number: f"Line {number}" for number in range(1, 5)}


def taxes_in(body: dict[str, Any]) -> list[Any]:
    told = [tax for part in body["lines"] for tax in (*part["taxes"], *part["duty_taxes"])]
    return [*told, *body["shipping_taxes"]]


@given(bodies())
def test_every_refunds_document_equals_it_to_the_minor_unit(body: dict[str, Any]) -> None:
    lines = lines_of(body, TITLES)
    totals = totals_of(lines)
    tax = sum(line.tax_minor for line in lines)
    wanted = taxes_in(body)
    assert sum(line.gross_minor for line in lines) == body["amount_minor"]
    assert sum(total["gross_minor"] for total in totals) == body["amount_minor"]
    assert sum(total["net_minor"] for total in totals) == body["amount_minor"] - tax
    assert tax == sum(each["amount_minor"] for each in wanted)
    assert all(line.net_minor >= 0 and line.gross_minor > 0 for line in lines)


@given(bodies())
def test_the_tax_of_each_rate_is_that_of_the_refund(body: dict[str, Any]) -> None:
    def by_rate(rows: list[Any]) -> dict[Any, int]:
        found: dict[Any, int] = {}
        for tax in rows:
            rate = (tax["title"], tax["rate_ppm"])
            found[rate] = found.get(rate, 0) + tax["amount_minor"]
        return {rate: minor for rate, minor in found.items() if minor}

    said = [tax for total in totals_of(lines_of(body, TITLES)) for tax in total["taxes"]]
    assert by_rate(said) == by_rate(taxes_in(body))


@given(bodies())
def test_a_counter_document_takes_back_every_amount_and_nothing_else(body: dict[str, Any]) -> None:
    content = {
        "lines": [line.as_json() for line in lines_of(body, TITLES)],
        "amount_minor": body["amount_minor"],
    }
    assert negated(negated(content)) == content
    for line, taken in zip(content["lines"], negated(content)["lines"], strict=True):
        assert (taken["gross_minor"], taken["quantity"]) == (-line["gross_minor"], line["quantity"])


def test_positions_that_are_not_the_refund_are_refused() -> None:
    body = {"lines": [], "shipping_minor": 490, "shipping_taxes": [], "amount_minor": 491}
    with pytest.raises(ValueError, match="add up"):
        lines_of(body, {})


def test_taxed_alike_is_one_total_and_the_highest_rate_stands_first() -> None:
    lines = [
        Line("goods", "Tea", 1, 1070, ({"title": "MwSt", "rate_ppm": 70_000, "amount_minor": 70},)),
        Line("duties", "", 1, 300),
        Line("goods", "Pot", 2, 2380, ({"title": "MwSt", "rate_ppm": 190_000, "amount_minor": 380},)),
        Line("shipping", "", 1, 1190, ({"title": "MwSt", "rate_ppm": 190_000, "amount_minor": 190},)),
    ]
    assert [(total["net_minor"], total["gross_minor"]) for total in totals_of(lines)] == [
        (3000, 3570),
        (1000, 1070),
        (300, 300),
    ]


@st.composite
def shared(draw: st.DrawFn) -> dict[str, Any]:
    """A refund that several payments give back."""
    body = draw(bodies())
    cuts = sorted(draw(st.lists(st.integers(0, body["amount_minor"]), max_size=3)))
    amounts = [end - begin for begin, end in pairwise([0, *cuts, body["amount_minor"]])]
    tenders = [{"payment": place, "amount_minor": minor} for place, minor in enumerate(amounts)]
    return {**body, "tenders": tenders}


def sums(bodies: list[dict[str, Any]]) -> Counter[Any]:
    """What all these give back, per line, duty, shipping and tax."""
    found: Counter[Any] = Counter()
    for body in bodies:
        found["all"] += body["amount_minor"]
        found["shipping"] += body["shipping_minor"]
        found.update({("shipping", *named(tax)): tax["amount_minor"] for tax in body["shipping_taxes"]})
        for part in body["lines"]:
            found[part["line"]] += part["amount_minor"]
            found[part["line"], "duty"] += part["duties_minor"]
            for kind in ("taxes", "duty_taxes"):
                found.update({(part["line"], kind, *named(tax)): tax["amount_minor"] for tax in part[kind]})
    return +found


def named(tax: Any) -> tuple[Any, Any]:
    return tax["title"], tax["rate_ppm"]


@given(shared(), st.data())
def test_documents_of_some_payments_and_of_the_others_add_up_to_the_refund(
    body: dict[str, Any], data: st.DataObject
) -> None:
    payments = {tender["payment"] for tender in body["tenders"]}
    mine = data.draw(st.sets(st.sampled_from(sorted(payments))))
    parts = [given_by(body, mine), given_by(body, payments - mine)]
    assert sums(parts) == sums([body])
    for part in parts:
        lines = lines_of(part, TITLES)
        assert sum(line.gross_minor for line in lines) == part["amount_minor"]
        assert all(line.net_minor >= 0 for line in lines)


def test_a_refund_that_arrived_in_part_says_part_of_the_amount_and_no_pieces() -> None:
    tax = {"title": "MwSt", "rate_ppm": 190_000, "amount_minor": 190}
    line = {
        "line": 1,
        "quantity": 2,
        "amount_minor": 1190,
        "duties_minor": 0,
        "taxes": [tax],
        "duty_taxes": [],
    }
    tenders = [{"payment": 7, "amount_minor": 400}, {"payment": 8, "amount_minor": 790}]
    body = {
        "lines": [line],
        "shipping_minor": 0,
        "shipping_taxes": [],
        "amount_minor": 1190,
        "tenders": tenders,
    }
    (found,) = lines_of(given_by(body, {7}), TITLES)
    assert (found.kind, found.quantity, found.gross_minor, found.tax_minor) == ("part", 0, 400, 64)
    (whole,) = lines_of(given_by(body, {7, 8}), TITLES)
    assert (whole.kind, whole.quantity) == ("goods", 2)
