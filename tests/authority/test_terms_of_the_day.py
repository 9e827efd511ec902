"""An order is judged by the terms that it was placed under, where they give more than today's; and counts as whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import recheck
from approvals.entitlement import Back, Grant, Item, Stage, entitled
from approvals.entitling import all_back
from approvals.models import TermsVersion
from cases.models import Case
from cases.planner.answers import came_back
from cases.planner.gather import gather
from tests import factories
from tests.authority.claims import BACK, NOW, claim, parcel, terms
from tests.authority.rows import decide_refund, order_of, refundable_case, seen_by_agent
from tests.authority.test_entitlement_facts import held, sent_back, why
from tools.models import Order, OrderLine, Return, Shipment


def placed_under(then: dict[str, Any], today: dict[str, Any], *, country: str = "US") -> Case:
    """A case about goods that arrived 20 days ago, ordered while the shop promised otherwise than it does today."""
    shop = factories.make_shop(terms_in_force=False)
    old = factories.now() - timedelta(days=60)
    factories.make_terms(shop, **then, published_at=old, effective_at=old)
    factories.make_terms(shop, **today)
    case = refundable_case(shop=shop)
    Order.objects.update(country=country, placed_at=factories.now() - timedelta(days=25))
    Shipment.objects.update(delivered_at=factories.now() - timedelta(days=20))
    return Case.objects.get(pk=case.pk)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("then", "today", "answer", "version"),
    [
        # What was promised holds; what is promised since then holds for everybody.
        ({"damage_days": 30}, {"damage_days": 14}, "terms.damaged", 1),
        ({"damage_days": 14}, {"damage_days": 30}, "terms.damaged", 2),
        ({"damage_days": 30}, {"damage_days": 30}, "terms.damaged", 2),
        ({"damage_days": 14}, {"damage_days": 14}, "window.over", 2),
        # How the shop looks before it pays is no promise.
        ({"damage_days": 30}, {"damage_days": 14, "photo_above": {"EUR": 100}}, "window.over", 2),
        ({"damage_days": 30}, {"damage_days": 30, "photo_above": {"EUR": 100}}, "photo.missing", 2),
    ],
)
def test_the_better_of_the_terms_then_and_now_decides_and_is_named(
    then: dict[str, Any], today: dict[str, Any], answer: str, version: int
) -> None:
    made = decide_refund(placed_under(then, today))
    assert why(made) == answer
    assert made.decision.terms == TermsVersion.objects.get(version=version)
    values = made.decision.judged_under["entitlement"]["values"]
    assert (values["terms"], values["terms_of"]) == (version, "order" if version == 1 else "today")
    assert ("By terms v1" in made.decision.entitlement) == (version == 1)


@pytest.mark.django_db
def test_terms_that_became_stricter_stop_nothing_that_was_ordered_before() -> None:
    case = placed_under({"damage_days": 30}, {"damage_days": 30})
    made = decide_refund(case)
    factories.make_terms(order_of(case).shop, damage_days=0)
    assert recheck.stopped(made.calls[0], seen_by_agent(case)) == ""


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("then", "today", "answer"),
    [
        ({}, {"final_sale": ["TENT*", "MUG*", "*"]}, "terms.returned"),
        ({"final_sale": ["*"]}, {}, "terms.returned"),
        ({"final_sale": ["*"]}, {"final_sale": ["*"]}, "goods.final_sale"),
        ({"final_sale": ["*"]}, {"hygiene": ["*"]}, "goods.final_sale"),
    ],
)
def test_a_sale_is_final_where_it_was_called_so_when_it_was_made(
    then: dict[str, Any], today: dict[str, Any], answer: str
) -> None:
    case = placed_under(then, today)
    OrderLine.objects.update(sku="TENT-1")
    sent_back(order_of(case))
    said = why(decide_refund(case, reason="returned"))
    assert said == ("goods.hygiene" if "hygiene" in today else answer)


@pytest.mark.django_db
def test_the_fee_of_the_order_s_day_is_kept_where_it_is_the_smaller_one() -> None:
    label: dict[str, Any] = {"return_shipping": "label"}
    for then, today, fee in ((300, 490, 300), (490, 300, 300), (490, 490, 490)):
        case = placed_under({**label, "return_fee": {"EUR": then}}, {**label, "return_fee": {"EUR": today}})
        sent_back(order_of(case))
        assert decide_refund(case, reason="returned").effect.body["return_fee_minor"] == fee


@pytest.mark.django_db
def test_the_planner_hears_the_longer_windows_and_which_sales_are_final_by_both() -> None:
    case = placed_under(
        {"damage_days": 30, "return_days": 10, "final_sale": ["*"]}, {"damage_days": 14, "return_days": 60}
    )
    facts = gather(case)
    assert (facts.terms.damage_days, facts.terms.return_days) == (30, 60)
    assert facts.order is not None
    assert not any(line.final_sale for line in facts.order.lines)


@pytest.mark.django_db
def test_an_order_that_comes_back_in_two_steps_gives_its_shipping_back_with_the_second() -> None:
    shop = factories.make_shop()
    wished = [("Mug", 1, 900), ("Towel", 1, 400)]
    order = factories.make_order(shop, wished, shipping_minor=490, country="DE")
    factories.make_shipment(order)
    factories.make_terms(shop, standard_shipping={"EUR": 490})
    case = factories.make_case(order=order)
    mug, towel = ([{"line_id": line.pk, "quantity": 1}] for line in order.lines.order_by("pk"))
    sent_back(order, contents=held(order))
    assert why(decide_refund(case, reason="returned", lines=mug, shipping=True)) == "shipping.part"
    first = decide_refund(case, reason="returned", lines=mug)
    assert (why(first), first.effect.body["shipping_minor"]) == ("terms.withdrawal", 0)
    sent_back(order, contents=held(order, place=1))
    assert why(decide_refund(case, reason="returned", lines=towel)) == "shipping.owed"
    second = decide_refund(case, reason="returned", lines=towel, shipping=True)
    assert (why(second), second.effect.body["shipping_minor"]) == ("terms.withdrawal", 490)
    # What both have set aside by now changes nothing of what they are judged by.
    for made in (first, second):
        assert recheck.stopped(made.calls[0], seen_by_agent(case)) == ""


@pytest.mark.django_db
def test_the_planner_asks_for_the_shipping_with_the_last_step() -> None:
    order = factories.make_order(
        factories.make_shop(), [("Mug", 1, 900), ("Towel", 1, 400)], shipping_minor=490, country="DE"
    )
    factories.make_shipment(order)
    case = factories.make_case(order=order)
    for place, whole in ((0, False), (1, True)):
        sent_back(order, contents=held(order, place=place))
        facts = gather(Case.objects.get(pk=case.pk))
        assert facts.order is not None
        proposal = came_back(facts, facts.order)
        assert proposal is not None
        assert proposal.arguments["shipping"] is whole
        OrderLine.objects.filter(pk=order.lines.order_by("pk")[place].pk).update(refunded_quantity=1)


def in_steps(lines: Sequence[OrderLine], steps: Sequence[dict[int, int]], *, named: bool) -> list[bool]:
    """Refunds an order step by step, asking for the shipping each time; in which of them it went back."""
    returns: list[Return] = []
    paid, given = 490, []
    for pieces in steps:
        contents = [{"line": str(pk), "quantity": n, "processed": n} for pk, n in pieces.items()]
        asked = {"requested_at": BACK.asked_at, "status": "closed"}
        returns.append(Return(contents=contents if named else None, **asked))
        whole = pieces == {line.pk: line.quantity for line in lines}
        wish = claim(
            "returned",
            *(Item(pk, "MUG-1", [parcel()], Back(Stage.RECEIVED, BACK.asked_at)) for pk in pieces),
            country="DE",
            whole_order=whole,
            whole_by_now=all_back(lines, pieces, returns, reserved=False),
            shipping=paid > 0,
            shipping_paid_minor=490,
            shipping_left_minor=paid,
        )
        answer = entitled(wish, terms(), NOW)
        given.append(isinstance(answer, Grant) and wish.shipping)
        if given[-1]:
            paid = 0
        for line in lines:
            line.refunded_quantity += pieces.get(line.pk, 0)
    return given


@st.composite
def splits(draw: st.DrawFn) -> tuple[list[OrderLine], list[dict[int, int]]]:
    """An order, and how its pieces came back: each piece in one of some steps, none of them empty."""
    quantities = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    lines = [
        OrderLine(pk=pk, external_id=str(pk), quantity=quantity, removed_quantity=0, refunded_quantity=0)
        for pk, quantity in enumerate(quantities, 1)
    ]
    steps: list[dict[int, int]] = [{} for _step in range(5)]
    for line in lines:
        for _piece in range(line.quantity):
            step = steps[draw(st.integers(0, 4))]
            step[line.pk] = step.get(line.pk, 0) + 1
    return lines, [step for step in steps if step]


@given(splits())
def test_however_an_order_is_split_its_shipping_goes_back_once_and_with_the_last_step(
    split: tuple[list[OrderLine], list[dict[int, int]]],
) -> None:
    lines, steps = split
    assert in_steps(lines, steps, named=True) == [False] * (len(steps) - 1) + [True]


@given(splits(), st.data())
def test_what_is_kept_keeps_the_shipping(
    split: tuple[list[OrderLine], list[dict[int, int]]], data: st.DataObject
) -> None:
    lines, steps = split
    kept = data.draw(st.integers(0, len(steps) - 1))
    rest = [step for place, step in enumerate(steps) if place != kept]
    assert not any(in_steps(lines, rest, named=True))


@given(splits())
def test_returns_that_name_nothing_prove_no_whole_order_in_steps(
    split: tuple[list[OrderLine], list[dict[int, int]]],
) -> None:
    lines, steps = split
    assert in_steps(lines, steps, named=False) == ([True] if len(steps) == 1 else [False] * len(steps))
