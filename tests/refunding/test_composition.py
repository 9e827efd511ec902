"""The lines of a refund: pieces, taxes and duties, in whatever order and portions they go back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.errors import InvalidArgs
from tools.models import OrderLine
from tools.refunding.composition import line_part


@st.composite
def taxed_duties(draw: st.DrawFn) -> dict[str, Any]:
    """A duty with its taxes in it, or as it was read before anybody asked for them."""
    minor = draw(st.integers(0, 900))
    taxes = [{"title": "T9", "rate_ppm": 90000, "amount_minor": draw(st.integers(0, minor))}]
    return {"external_id": "61", "amount_minor": minor, **draw(st.sampled_from([{"taxes": taxes}, {}]))}


@st.composite
def lines(draw: st.DrawFn) -> OrderLine:
    """A line as it was bought: maybe with pieces taken off, several taxes, duties, or without a price."""
    quantity = draw(st.integers(1, 9))
    taxed = draw(st.lists(st.integers(0, 2000), max_size=3))
    duties = draw(st.lists(taxed_duties(), max_size=2))
    return OrderLine(
        pk=1,
        quantity=quantity,
        removed_quantity=draw(st.integers(0, quantity)),
        total_minor=draw(st.integers(0, 20000)) + sum(taxed),
        duties_minor=sum(duty["amount_minor"] for duty in duties),
        duties=duties,
        taxes=[
            {"title": f"T{place}", "rate_ppm": 10000 * place, "amount_minor": minor}
            for place, minor in enumerate(taxed)
        ],
    )


def give_back(line: OrderLine, quantity: int, percent: int = 0) -> dict[str, int]:
    """Sums of one refund, which the line then remembers."""
    part = line_part(line, quantity, percent)
    line.refunded_quantity += part["quantity"]
    line.refunded_minor += part["amount_minor"]
    line.duties_refunded_minor += part["duties_minor"]
    taxes = {tax["title"]: tax["amount_minor"] for tax in part["taxes"]}
    dues = {"duties": part["duties_minor"], "duty_taxes": in_duties(part)}
    return {"amount": part["amount_minor"], **dues, **taxes}


def in_duties(part: dict[str, Any]) -> int:
    return sum(tax["amount_minor"] for tax in part["duty_taxes"])


def add_up(parts: list[dict[str, int]]) -> dict[str, int]:
    return {name: sum(part[name] for part in parts) for name in (parts[0] if parts else ())}


@given(lines(), st.data())
def test_any_portions_of_a_line_give_the_same_totals(line: OrderLine, data: st.DataObject) -> None:
    at_once = give_back(line, line.left)
    line.refunded_quantity = line.refunded_minor = line.duties_refunded_minor = 0
    portions = []
    while line.left:
        portions.append(give_back(line, data.draw(st.integers(1, line.left))))
    assert add_up(portions) == (at_once if portions else {})


@given(lines())
def test_all_pieces_give_back_all_that_was_paid(line: OrderLine) -> None:
    line.removed_quantity = 0
    back = give_back(line, line.left)
    paid = {tax["title"]: tax["amount_minor"] for tax in line.taxes}
    dues = sum(tax["amount_minor"] for tax in line.duty_taxes)
    assert back == {"amount": line.total_minor, "duties": line.duties_minor, "duty_taxes": dues, **paid}


@given(lines(), st.lists(st.tuples(st.integers(1, 9), st.integers(0, 100)), max_size=6))
def test_no_sequence_of_refunds_gives_back_more_than_there_was(
    line: OrderLine, wishes: list[tuple[int, int]]
) -> None:
    back = [give_back(line, quantity, percent) for quantity, percent in wishes if quantity <= line.left]
    total = add_up(back)
    assert (
        total.get("amount", 0) <= line.total_minor * (line.quantity - line.removed_quantity) // line.quantity
    )
    assert total.get("duties", 0) <= line.duties_minor
    assert all(total.get(tax["title"], 0) <= tax["amount_minor"] for tax in line.taxes)
    assert line.refunded_quantity + line.removed_quantity <= line.quantity


@given(lines(), st.lists(st.integers(1, 9), max_size=5))
def test_every_part_of_a_refund_is_there_or_nothing(line: OrderLine, wishes: list[int]) -> None:
    for quantity in wishes:
        if quantity <= line.left:
            back = give_back(line, quantity)
            assert all(minor >= 0 for minor in back.values())
            assert back["duty_taxes"] <= back["duties"]
            told = ("amount", "duties", "duty_taxes")
            assert sum(minor for name, minor in back.items() if name not in told) <= back["amount"]


@given(lines(), st.integers(1, 100))
def test_goodwill_is_a_price_reduction_taxed_like_the_price(line: OrderLine, percent: int) -> None:
    if not line.left:
        return
    part = line_part(line, line.left, percent)
    assert (part["quantity"], part["duties_minor"]) == (0, 0)
    assert part["amount_minor"] <= line.left_minor
    for tax in part["taxes"]:
        paid = next(each["amount_minor"] for each in line.taxes if each["title"] == tax["title"])
        # To the nearest minor unit, and one more where several rates share what is left over.
        assert (
            abs(tax["amount_minor"] * line.total_minor - paid * part["amount_minor"]) <= 2 * line.total_minor
        )


def test_pieces_after_goodwill_cost_what_is_left_of_them() -> None:
    line = OrderLine(
        pk=1, quantity=2, total_minor=2000, taxes=[{"title": "T", "rate_ppm": 1, "amount_minor": 320}]
    )
    parts = [give_back(line, 2, 30), give_back(line, 1), give_back(line, 1)]
    assert [part["amount"] for part in parts] == [600, 1000, 400]
    assert add_up(parts) == {"amount": 2000, "duties": 0, "duty_taxes": 0, "T": 320}


@pytest.mark.parametrize(("removed", "refunded"), [(1, 1), (2, 0), (0, 2)])
def test_what_was_taken_off_or_refunded_is_not_refunded_again(removed: int, refunded: int) -> None:
    line = OrderLine(pk=1, quantity=3, total_minor=3000, removed_quantity=removed, refunded_quantity=refunded)
    assert line_part(line, 1)["quantity"] == 1
    with pytest.raises(InvalidArgs) as refused:
        line_part(line, 2)
    assert refused.value.code == "refund.more_than_bought"


def test_a_line_all_of_whose_pieces_were_taken_off_is_worth_nothing() -> None:
    line = OrderLine(pk=1, quantity=2, total_minor=2000, removed_quantity=2, duties_minor=50)
    assert (line.left, line.left_minor, line.share_minor(1), line.duties_share_minor(1)) == (0, 0, 0, 0)
