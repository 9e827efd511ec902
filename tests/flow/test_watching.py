"""Orders that don't leave and parcels that don't move: a case once, and only where the shop owes something."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from cases.models import Case, Shop
from cases.watching import watch_orders
from tests import factories
from tests.flow.breaking import broken
from tests.flow.threads import at_once
from tests.flow.world import queued
from tools.models import Order, Payment

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def ago(days: float) -> datetime:
    return factories.now() - days * DAY


def late(shop: Shop, **fields: Any) -> Order:
    """Paid eight days ago, promised to leave five days ago, known since yesterday, and still here."""
    facts = {"placed_at": ago(8), "promised_at": ago(5), "heard_at": ago(1), **fields}
    return factories.make_order(shop, **facts)


def silent(shop: Shop, *, days: float = 11, status: str = "in_transit", **fields: Any) -> Order:
    """An order whose parcel was last seen so many days ago."""
    order = late(shop, placed_at=ago(days + 3), **fields)
    factories.make_shipment(
        order, status=status, shipped_at=ago(days + 1), delivered_at=None, moved_at=ago(days)
    )
    return order


def test_an_order_past_its_promise_opens_a_case(shop: Shop) -> None:
    order = late(shop)
    assert watch_orders() == 1
    case = Case.objects.get()
    assert (case.subject, case.order_id, case.person_id) == ("unfulfilled", order.pk, order.person_id)
    assert queued() == [("advance", case.pk)]


def test_a_parcel_without_movement_opens_a_case(shop: Shop) -> None:
    order = silent(shop)
    assert watch_orders() == 1
    assert (Case.objects.get().subject, Case.objects.get().order_id) == ("stuck_parcel", order.pk)


def test_nobody_is_told_twice(shop: Shop) -> None:
    late(shop)
    silent(shop)
    assert [watch_orders() for _ in range(3)] == [2, 0, 0]
    Case.objects.update(state="closed", closed_at=factories.now(), due_at=None)
    assert watch_orders() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"promised_at": ago(-1)},
        {"promised_at": None},
        # The shop was connected a minute ago, and its orders are just coming in.
        {"heard_at": ago(0.02)},
        {"cancelled_at": ago(2)},
        {"financial_status": "refunded"},
        {"financial_status": "pending"},
        {"financial_status": "voided"},
        {"fulfillment_status": "fulfilled"},
        {"fulfillment_status": "on_hold"},
    ],
)
def test_what_is_not_owed_now_opens_nothing(shop: Shop, fields: dict[str, Any]) -> None:
    late(shop, **fields)
    assert watch_orders() == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"days": 9},
        {"status": "delivered"},
        {"status": "cancelled", "fulfillment_status": "fulfilled"},
        {"heard_at": ago(0.02)},
        {"cancelled_at": ago(2)},
        {"financial_status": "refunded"},
    ],
)
def test_what_is_not_stuck_opens_nothing(shop: Shop, fields: dict[str, Any]) -> None:
    silent(shop, **fields)
    assert watch_orders() == 0


def test_history_opens_nothing(shop: Shop) -> None:
    Shop.objects.update(cutover_at=ago(2))
    late(shop)
    silent(shop)
    assert watch_orders() == 0


@pytest.mark.parametrize("where", ["refunded_minor", "elsewhere_minor"])
def test_what_was_given_back_whole_is_owed_no_more(shop: Shop, where: str) -> None:
    order = late(shop)
    Payment.objects.filter(order=order).update(**{where: order.total_minor})
    assert watch_orders() == 0


def test_a_case_that_somebody_works_on_is_not_disturbed(shop: Shop) -> None:
    factories.make_case(order=late(shop))
    assert watch_orders() == 0


def test_a_late_order_that_left_may_still_get_stuck(shop: Shop) -> None:
    order = silent(shop)
    factories.make_case(order=order, subject="unfulfilled", state="closed")
    assert watch_orders() == 1


def test_many_are_taken_in_batches(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cases.watching.BATCH", 2)
    for _ in range(5):
        late(shop)
    assert [watch_orders() for _ in range(4)] == [2, 2, 1, 0]


def test_one_order_that_breaks_hides_no_other(shop: Shop) -> None:
    first, second = late(shop), late(shop)
    with broken("cases_case", f"NEW.order_id = {first.pk}"):
        assert watch_orders() == 1
    assert Case.objects.get().order_id == second.pk


@pytest.mark.django_db(transaction=True)
def test_eight_watchers_open_one_case(shop: Shop) -> None:
    late(shop)
    assert sum(at_once(lambda _: watch_orders())) == 1
    assert Case.objects.count() == 1
