"""The rate budget: what a shop may ask of a vendor, shared by all who ask."""

import time
from itertools import repeat

import pytest

from cases.models import Shop
from tests.adapters.passing import pass_time
from tests.flow.threads import at_once
from tools import budgets, pacing
from tools.adapters.table import OPERATIONS
from tools.errors import InvalidArgs
from tools.models import RateBudget

SLOW = 1e-9


def fill(capacity: float, per_second: float = SLOW, level: float | None = None) -> None:
    pacing.learn("north", "stripe", capacity, per_second, capacity if level is None else level)


def took(times: int, *, write: bool = True, cost: float = 1) -> int:
    """How many of so many asks were let through."""
    return sum(budgets.take("north", "stripe", cost, write=write) == 0 for _ in repeat(None, times))


def test_every_vendor_that_we_ask_has_a_budget_with_its_source() -> None:
    assert {operation.vendor for operation in OPERATIONS} <= set(budgets.BUDGETS)
    assert all(budget.source.startswith("https://") for budget in budgets.BUDGETS.values())


def test_a_shop_begins_with_a_full_budget_of_its_vendor() -> None:
    assert took(1) == 1
    row = RateBudget.objects.get()
    assert (row.capacity, row.per_second) == (25, 25)
    assert row.level == pytest.approx(24)


def test_writes_may_use_all_and_then_wait() -> None:
    fill(10)
    assert took(12) == 10


def test_reads_leave_a_fifth_for_writes() -> None:
    fill(10)
    assert took(12, write=False) == 8
    assert took(12, write=True) == 2


def test_what_is_used_comes_back_at_the_vendors_rate() -> None:
    fill(10, per_second=0.001)
    took(10)
    assert budgets.take("north", "stripe", 1, write=True) == pytest.approx(1000, rel=0.01)
    pass_time(1001)
    assert took(3) == 1


def test_the_wait_that_is_told_is_the_wait_that_is_needed() -> None:
    fill(100, per_second=0.01, level=0)
    wait = budgets.take("north", "stripe", 5, write=False)
    assert wait == pytest.approx(2500, rel=0.01)  # a read's own 5 and the 20 that it may not touch
    pass_time(wait - 100)
    assert took(1, write=False, cost=5) == 0
    pass_time(101)
    assert took(1, write=False, cost=5) == 1


def test_a_rest_never_fills_it_above_its_capacity() -> None:
    fill(10)
    pass_time(1e9)
    assert took(12) == 10


def test_what_costs_more_than_a_reader_may_hold_goes_when_all_is_there() -> None:
    fill(1000)
    assert took(1, write=False, cost=900) == 1
    assert took(1, write=True, cost=200) == 0


def test_a_shop_does_not_use_up_what_another_shop_has() -> None:
    fill(1)
    pacing.learn("sakura", "stripe", 1, SLOW, 1)
    assert RateBudget.objects.count() == 1  # no such shop: nothing to learn about
    assert took(2) == 1


def test_the_vendors_own_figures_replace_ours() -> None:
    took(1)
    pacing.learn("north", "stripe", 4000, 200, 3100)
    row = RateBudget.objects.get()
    assert (row.capacity, row.per_second, row.level) == (4000, 200, 3100)


@pytest.mark.parametrize(
    "figures",
    [(0, 1, 0), (-5, 1, 0), (10, 0, 5), (float("nan"), 1, 1), (10, float("inf"), 1), (10, 1, float("nan"))],
)
def test_figures_that_cannot_be_are_not_believed(figures: tuple[float, float, float]) -> None:
    fill(10, 5)
    pacing.learn("north", "stripe", *figures)
    row = RateBudget.objects.get()
    assert (row.capacity, row.per_second) == (10, 5)


def test_more_than_full_is_full() -> None:
    fill(10, level=50)
    assert RateBudget.objects.get().level == 10


def test_too_much_empties_it_for_as_long_as_the_vendor_wishes() -> None:
    fill(10, per_second=1)
    budgets.empty("north", "stripe", 30)
    assert budgets.take("north", "stripe", 1, write=True) == pytest.approx(31, abs=0.5)
    pass_time(29)
    assert took(1) == 0
    pass_time(2.5)
    assert took(1) == 1


def test_a_shorter_wish_does_not_cut_a_longer_one_short() -> None:
    fill(10, per_second=1)
    budgets.empty("north", "stripe", 60)
    budgets.empty("north", "stripe", 0)
    assert budgets.take("north", "stripe", 1, write=True) > 55


def test_a_wish_for_a_year_is_asked_again_after_an_hour() -> None:
    fill(10, per_second=1)
    budgets.empty("north", "stripe", 31_536_000)
    pass_time(3602)
    assert took(1) == 1


def test_a_vendor_without_a_budget_is_not_asked_at_all() -> None:
    with pytest.raises(InvalidArgs) as caught:
        budgets.take("north", "acme", 1, write=False)
    assert caught.value.code == "no_budget"


def test_a_shop_that_does_not_exist_asks_nobody() -> None:
    with pytest.raises(InvalidArgs) as caught:
        budgets.take("nowhere", "stripe", 1, write=False)
    assert caught.value.code == "no_shop"


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_cannot_take_more_than_there_is() -> None:
    fill(100)
    assert sum(at_once(lambda number: took(20))) == 100
    assert RateBudget.objects.get().level == pytest.approx(0, abs=0.001)


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_make_one_budget(north: Shop) -> None:
    assert sum(at_once(lambda number: took(2))) == 16
    assert RateBudget.objects.get().level < 25


@pytest.mark.django_db(transaction=True)
def test_eight_who_keep_asking_get_the_capacity_and_the_rate_and_no_more() -> None:
    fill(20, per_second=50)
    began = time.monotonic()

    def greedy(number: int) -> int:
        mine = 0
        while time.monotonic() < began + 2:
            mine += took(1)
        return mine

    total = sum(at_once(greedy))
    most = 20 + 50 * (time.monotonic() - began)
    assert 20 + 50 * 1.5 < total <= most


@pytest.mark.django_db(transaction=True)
def test_readers_at_once_still_leave_the_fifth() -> None:
    fill(100)
    assert sum(at_once(lambda number: took(20, write=False))) == 80
