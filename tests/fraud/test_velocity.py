"""Speed: one customer, card or address with too many orders, wishes or refunds is a person's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from approvals.exposure import MOST_AT_ONE_PLACE
from approvals.models import Decision
from cases import personal
from cases.fraud.velocity import PACES, too_fast
from cases.models import Case, Person, Shop
from cases.planning import advance
from tests import factories
from tests.authority.rows import refundable_case
from tests.flow.turns import damaged, planner, refund, says
from tests.flow.world import World, deliver, drain
from tests.fraud.rows import called
from tools.models import Order, Payment
from tools.snapshots import AddressSnapshot

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def one_more(shop: Shop, like: Order, how: str, **fields: Any) -> Order:
    """Another order, an hour ago, that has with the first only this in common."""
    facts = {"placed_at": factories.now() - HOUR, **fields}
    if how == "customer":
        facts["person"] = like.person
    if how == "spelling":
        assert like.person is not None
        name, host = like.person.email.split("@")
        facts["person"] = factories.make_person(shop, email=f"{name}+{Person.objects.count()}@{host}")
    if how == "address":
        facts["address_key"] = like.address_key
    order = factories.make_order(shop, **facts)
    if how == "instrument":
        Payment.objects.filter(order=order).update(instrument=like.payments.get().instrument)
    return order


def at_home(shop: Shop) -> Order:
    place = personal.address_key(shop.pk, AddressSnapshot(address1="Home 1", zip="1", country="DE"))
    return factories.make_order(shop, placed_at=factories.now(), address_key=place)


@pytest.mark.parametrize("how", ["customer", "spelling", "instrument", "address"])
def test_more_orders_in_a_day_than_allowed_are_too_fast(shop: Shop, how: str) -> None:
    first = at_home(shop)
    for _ in range(PACES["orders"].most - 1):
        one_more(shop, first, how)
    assert too_fast(first.pk) == []
    one_more(shop, first, how)
    assert too_fast(first.pk) == ["orders"]


@pytest.mark.parametrize("fields", [{"placed_at": factories.now() - 25 * HOUR}, {}])
def test_orders_of_yesterday_and_of_strangers_do_not_count(shop: Shop, fields: dict[str, Any]) -> None:
    first = at_home(shop)
    for _ in range(PACES["orders"].most + 1):
        one_more(shop, first, "customer" if fields else "stranger", **fields)
    assert too_fast(first.pk) == []


def test_a_house_of_many_says_nothing_of_each(shop: Shop) -> None:
    first = at_home(shop)
    for _ in range(MOST_AT_ONE_PLACE):
        one_more(shop, first, "address")
    assert too_fast(first.pk) == []


def test_an_order_too_many_goes_to_a_person_at_intake(world: World) -> None:
    who, items = world.customer(), PACES["orders"].most
    for number in range(items + 1):
        assert not Case.objects.exists(), number
        # Hours apart, so that none is another's twin.
        deliver(world.order_step(world.sold(who, days=0.9 * (items - number) / items)))
    assert called() == [("fraud", "velocity.orders")]


def case_of(shop: Shop, like: Order) -> Case:
    return refundable_case(shop=shop, person=like.person)


def test_more_wishes_for_money_than_anybody_has_are_too_fast(shop: Shop) -> None:
    first = factories.make_order(shop)
    for _ in range(PACES["wishes"].most):
        factories.make_decision(case_of(shop, first), outcome="deny", tool="issue_refund")
    # A case that asks twice has asked once, and what people decide is no wish of the customer's.
    factories.make_decision(Case.objects.latest("pk"), outcome="deny", tool="issue_refund")
    factories.make_decision(case_of(shop, first), by_kind="staff", tool="issue_refund")
    factories.make_decision(case_of(shop, first), tool="send_message")
    assert too_fast(first.pk) == []
    factories.make_decision(case_of(shop, first), outcome="human", tool="issue_refund")
    assert too_fast(first.pk) == ["wishes"]


def test_more_refunds_than_anybody_gets_are_too_fast(shop: Shop) -> None:
    first = factories.make_order(shop)
    for _ in range(PACES["refunds"].most):
        factories.make_call(factories.make_decision(case_of(shop, first)), state="succeeded")
    factories.make_call(factories.make_decision(case_of(shop, first)), state="cancelled")
    assert "refunds" not in too_fast(first.pk)
    factories.make_call(factories.make_decision(case_of(shop, first)), state="unknown")
    assert "refunds" in too_fast(first.pk)


def test_haste_is_looked_at_before_money_and_not_before_words(world: World) -> None:
    row = damaged(world)
    for _ in range(PACES["refunds"].most + 1):
        factories.make_call(factories.make_decision(case_of(world.shop, row)), state="succeeded")
    with planner(says(), refund(row)):
        drain(only=["advance"])
        assert Decision.objects.latest("pk").rule == "message.template"
        Case.objects.filter(pk=row.cases.get().pk).update(
            state="open", wait_reason="", wake_at=None, due_at=factories.now()
        )
        advance(row.cases.get().pk)
    assert Decision.objects.latest("pk").rule == "risk.fraud"
    assert called() == [("fraud", "velocity.refunds")]


def test_how_fast_is_too_fast_is_asked_in_one_question(shop: Shop, django_assert_num_queries: Any) -> None:
    order = at_home(shop)
    # One of both is for the time.
    with django_assert_num_queries(2):
        too_fast(order.pk)
