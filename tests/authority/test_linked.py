"""Over however many steps people hang together, they are one customer; and what is not settled never grows old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction

from approvals import exposure
from cases import personal
from cases.models import Case, Person, Shop
from tests import factories
from tests.authority.rows import decide_refund, order_of
from tests.authority.test_exposure import AUTOMATIC, HOME, ONE, case_of, effect_of, facts_of
from tools.models import Order, Payment, ToolCall

pytestmark = pytest.mark.django_db


def chain(shop: Shop, links: list[Callable[[Order, Order], None]]) -> list[Case]:
    """Strangers of whom each has something in common with the next, and with nobody else."""
    cases = [case_of(shop, 700) for _ in range(len(links) + 1)]
    for link, one, other in zip(links, cases, cases[1:], strict=False):
        link(order_of(one), order_of(other))
    return cases


def by_own_card(first: Order, second: Order) -> None:
    Payment.objects.filter(order__in=[first, second]).update(instrument=f"visa-{first.pk}")


def by_own_address(first: Order, second: Order) -> None:
    with transaction.atomic():
        for order in (first, second):
            personal.keep_address(order, HOME.model_copy(update={"address1": f"Elm Lane {first.pk}"}))


def by_own_phone(first: Order, second: Order) -> None:
    """Each has one phone, so a further order of the first carries the name that has the second's."""
    twin = factories.make_person(first.shop, phone=f"47{first.pk:08}")
    assert second.person is not None
    Person.objects.filter(pk=second.person.pk).update(phone=twin.phone)
    factories.make_order(first.shop, person=twin)
    by_own_card(first, Order.objects.get(person=twin))


@pytest.mark.parametrize(
    "links",
    [
        [by_own_address, by_own_card, by_own_address, by_own_card],
        [by_own_card, by_own_address, by_own_phone],
        [by_own_phone, by_own_address, by_own_card],
    ],
)
def test_nobody_is_a_stranger_over_any_number_of_steps(links: list[Callable[[Order, Order], None]]) -> None:
    """Four of 7.00 would be 28.00 against a line of 20.00, if each saw only their neighbour."""
    cases = chain(factories.make_shop(), links)
    ruled = [decide_refund(case).decision.rule for case in (cases[0], cases[-1], *cases[1:-1])]
    assert ruled[:2] == [AUTOMATIC, AUTOMATIC]
    assert set(ruled[2:]) == {ONE}
    assert sum(ToolCall.objects.values_list("value_minor", flat=True)) <= 2000


def test_a_guests_order_links_whoever_paid_for_it_and_whoever_got_it() -> None:
    shop = factories.make_shop()
    first, last = case_of(shop), case_of(shop)
    guest = factories.make_order(shop, person=None)
    by_own_card(order_of(first), guest)
    by_own_address(guest, order_of(last))
    decide_refund(first)
    assert facts_of(last).exposure_minor["customer"] == 1500


def test_a_long_chain_is_a_persons_and_the_walk_along_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = chain(factories.make_shop(), [by_own_card, by_own_address] * 3)
    monkeypatch.setattr(exposure, "MOST_REACHED", 14)
    assert facts_of(cases[0]).problem == ""
    monkeypatch.setattr(exposure, "MOST_REACHED", 13)
    assert facts_of(cases[0]).problem == "exposure.too_many_linked"


def test_what_nobody_can_tell_apart_waits_for_the_shops_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else somebody whose links became fewer in between would be summed while others spend."""
    monkeypatch.setattr(exposure, "MOST_LINKED", 0)
    case = case_of(factories.make_shop())
    with transaction.atomic():
        exposure.lock(effect_of(case))
        assert held() == 1


def held() -> int:
    """How many advisory locks this connection has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.mark.parametrize(
    ("state", "counts"),
    [("reserved", True), ("sending", True), ("pending", True), ("unknown", True), ("succeeded", False)],
)
def test_what_is_not_settled_counts_however_old_it_is(state: str, counts: bool) -> None:
    shop = factories.make_shop()
    first, second = case_of(shop, phone="1"), case_of(shop, phone="1")
    decide_refund(first)
    old = factories.now() - timedelta(days=90)
    ToolCall.objects.update(state=state, created_at=old, first_sent_at=old)
    assert facts_of(second).exposure_minor["customer"] == (1500 if counts else 0)
