"""The cursor moves only over what is committed: killed, lost, doubled or cut short, nothing is passed over."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from approvals.models import KillSwitch
from audit.sources import Clock
from cases.models import Cursor, InboundEvent
from cases.reconciling import cursors
from cases.reconciling.running import reconcile, ring_due
from cases.reconciling.table import RECONCILERS
from tests import factories
from tests.flow.threads import THREADS, at_once
from tests.flow.vendors import away, busy, over
from tests.flow.world import World, forget_tasks, queued
from tests.reconciling.turns import cursor, late, read
from tests.reconciling.vendors import Vendors
from tools.models import Order
from tools.sandbox.server import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shop")]


def charges(world: World, vendors: Vendors, clock: Clock, count: int, apart: int = 1) -> set[str]:
    """Events that no webhook told of, so many seconds apart; their ids."""
    ids = set()
    for place in range(count):
        step = world.charge_step(world.sold(world.customer(), days=1))
        vendors.happens(step, clock.at + timedelta(seconds=place * apart))
        ids.add(step.external_id)
    return ids


def found_ids() -> set[str]:
    return {event.external_id for event in late()}


@pytest.mark.parametrize("apart", [0, 1])
def test_all_pages_are_read_though_events_share_a_second(
    world: World, vendors: Vendors, clock: Clock, apart: int
) -> None:
    ids = charges(world, vendors, clock, 10, apart)
    assert read("events", clock) == "done"
    assert found_ids() == ids
    assert (cursor("events").found, cursor("events").seen) == (10, 10)


def test_all_orders_are_read_though_they_changed_in_one_second(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    for _ in range(7):
        vendors.happens(world.order_step(world.sold(world.customer(), days=1)), clock.at)
    cursor()
    vendors.on_ask = lambda what: clock.advance(timedelta(seconds=3))
    assert read("orders", clock) == "done"
    assert Order.objects.count() == 7


@pytest.mark.parametrize("resource", ["events", "orders"])
def test_a_reading_that_is_too_long_goes_on_at_the_next_turn(
    world: World, vendors: Vendors, clock: Clock, resource: str
) -> None:
    for step in [world.order_step(world.sold(world.customer(), days=1)) for _ in range(7)]:
        vendors.happens(step, clock.at)
    charges(world, vendors, clock, 7)
    cursor()
    vendors.on_ask = lambda what: clock.advance(timedelta(seconds=30))
    outcomes = [read(resource, clock)]
    while outcomes[-1] == "more":
        row = cursor(resource)
        assert row.next_at <= clock.at
        outcomes.append(reconcile(row.pk))
    assert len(outcomes) > 1
    assert (outcomes[-1], len(late())) == ("done", 7)
    assert cursor(resource).resume_after == ""


def test_a_reading_that_somebody_stops_ends_at_its_page_and_goes_on_there(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    ids = charges(world, vendors, clock, 7)
    cursor()
    vendors.on_ask = lambda what: (
        KillSwitch.objects.exists()
        or factories.make_switch(factories.make_user(), scope="vendor", key="stripe")
    )
    assert read("events", clock) == "more"
    row, pages = cursor("events"), len(vendors.asked)
    assert (pages, row.error, row.failures) == (1, "", 0)
    clock.advance(timedelta(minutes=1))
    assert (reconcile(row.pk), len(vendors.asked)) == ("more", pages)
    KillSwitch.objects.update(released_at=clock.at, released_by=factories.make_user())
    clock.advance(timedelta(minutes=1))
    while reconcile(row.pk) == "more":
        assert len(vendors.asked) < 9
    assert found_ids() == ids


def test_what_happens_during_a_long_reading_is_for_the_next(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    first, second = charges(world, vendors, clock, 4), set[str]()
    cursor()

    def meanwhile(_what: str) -> None:
        if len(vendors.asked) == 2:
            clock.advance(timedelta(seconds=3))
            second.update(charges(world, vendors, clock, 1))

    vendors.on_ask = meanwhile
    assert read("events", clock) == "done"
    assert (len(vendors.asked), len(second), found_ids()) == (2, 1, first)
    read("events", clock)
    assert found_ids() == first | second


def test_a_place_that_the_vendor_has_forgotten_means_from_the_beginning(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    ids = charges(world, vendors, clock, 4)
    cursor()
    clock.advance(timedelta(minutes=5))
    Cursor.objects.filter(resource="events").update(resume_after="evt_gone", resume_until=clock.at)
    assert read("events") == "resource_missing"
    assert read("events", clock) == "done"
    assert found_ids() == ids


def test_a_late_comer_in_the_vendors_list_is_found(world: World, vendors: Vendors, clock: Clock) -> None:
    began = clock.at
    assert read("events", clock) == "done"
    assert cursor("events").read_until > began + timedelta(minutes=3)
    # It shows up in the list only now, with a time before the cursor.
    step = world.charge_step(world.sold(world.customer(), days=1))
    vendors.happens(step, began + timedelta(minutes=4))
    read("events", clock, after=timedelta(seconds=10))
    assert found_ids() == {step.external_id}


def test_a_vendor_that_is_away_is_asked_again_later_and_later(vendors: Vendors, clock: Clock) -> None:
    row = cursor("events")
    waits = []
    vendors.fault = away
    for _ in range(4):
        assert read("events", clock) == "ConnectError"
        row.refresh_from_db()
        waits.append(row.next_at - clock.at)
    assert row.error == "ConnectError"
    assert waits == sorted(waits)
    assert waits[0] < waits[-1] <= timedelta(hours=1)
    vendors.fault = None
    assert read("events", clock) == "done"
    row.refresh_from_db()
    assert (row.error, row.failures) == ("", 0)


def test_a_vendor_is_not_asked_before_it_wishes(vendors: Vendors, clock: Clock) -> None:
    vendors.fault = lambda request: httpx.Response(429, headers={"Retry-After": "7200"})
    read("events", clock)
    assert cursor("events").next_at - clock.at >= timedelta(hours=2)


def test_a_slip_of_the_vendors_silences_no_reading_for_years(vendors: Vendors, clock: Clock) -> None:
    vendors.fault = lambda request: httpx.Response(429, headers={"Retry-After": "999999999"})
    read("events", clock)
    assert cursor("events").next_at - clock.at <= timedelta(days=1)


def test_a_failed_reading_moves_nothing(world: World, vendors: Vendors, clock: Clock) -> None:
    ids = charges(world, vendors, clock, 7)
    before = cursor("events").read_until
    asked = iter(range(100))

    def second_page_fails(request: httpx.Request) -> httpx.Response:
        vendors.fault = None if next(asked) == 0 else busy
        answer = vendors(request)
        vendors.fault = second_page_fails
        return answer

    vendors.fault = second_page_fails
    assert read("events", clock) == "rate_limit"
    assert cursor("events").read_until == before
    vendors.fault = None
    assert read("events", clock) == "done"
    assert found_ids() == ids
    assert InboundEvent.objects.count() == 7


def test_a_shop_without_the_vendor_says_so_and_asks_nobody(
    vendors: Vendors, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NORTH_STRIPE_API_KEY")
    assert read("events", clock) == "not_configured"
    assert vendors.asked == []


def test_our_own_brake_is_no_failure_of_the_vendor(
    world: World, vendors: Vendors, clock: Clock, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The vendor's clock stands still with ours: the list and three readings leave too little for the next one's full
    # price and what is kept for writes, however slow the machine is.
    monkeypatch.setattr(sandbox, "clock", lambda: clock.at)
    limits = {"slug": "north", "bucket": 725, "restore_rate": 5}
    httpx.post(f"{sandbox.base_url}/_control/shops", json=limits).raise_for_status()
    for _ in range(8):
        vendors.happens(world.order_step(world.sold(world.customer(), days=1)), clock.at)
    assert read("orders", clock) == "more"
    row = cursor()
    assert (row.error, row.failures) == ("", 0)
    assert row.next_at > clock.at
    assert 0 < Order.objects.count() < 8
    turns = [read("orders", clock, after=timedelta(minutes=2)) for _ in range(4)]
    assert turns[-1] == "done"
    assert Order.objects.count() == 8


class TestTurns:
    def test_each_shop_has_a_cursor_for_everything_that_is_read(self, vendors: Vendors, clock: Clock) -> None:
        assert ring_due() == len(RECONCILERS)
        assert {row.resource for row in Cursor.objects.all()} == {one.resource for one in RECONCILERS}
        assert [name for name, _row in queued()] == ["reconcile"] * len(RECONCILERS)

    def test_what_was_asked_for_is_asked_again_only_after_a_minute(
        self, vendors: Vendors, clock: Clock
    ) -> None:
        ring_due()
        forget_tasks()
        assert ring_due() == 0
        clock.advance(timedelta(seconds=61))
        assert ring_due() == len(RECONCILERS)

    def test_a_reading_comes_round_after_the_interval(
        self, vendors: Vendors, clock: Clock, settings: object
    ) -> None:
        settings.RECONCILE_SECONDS = 120  # type: ignore[attr-defined]
        read("orders", clock)
        assert cursor().next_at == clock.at + timedelta(seconds=120)
        assert reconcile(cursor().pk) is None

    def test_a_worker_whose_lease_ran_out_writes_nothing_more(
        self, world: World, vendors: Vendors, clock: Clock
    ) -> None:
        ids = charges(world, vendors, clock, 4)
        row = cursor("events")
        second: list[str | None] = []

        def stalls(what: str) -> None:
            vendors.on_ask = lambda what: None
            clock.advance(cursors.LEASE + timedelta(seconds=1))
            second.append(reconcile(row.pk))

        vendors.on_ask = stalls
        assert read("events", clock) == "lost"
        assert second == ["done"]
        row.refresh_from_db()
        assert (row.fence, row.found, found_ids()) == (2, 4, ids)


def test_a_stale_worker_moves_nothing_that_another_reads_now(clock: Clock) -> None:
    row, turns = cursor("events"), []
    for _ in range(2):
        claimed = cursors.claim(row.pk)
        assert claimed is not None
        turns.append(cursors.turn_of(claimed, timedelta(minutes=5)))
        clock.advance(cursors.LEASE + timedelta(seconds=1))
    Cursor.objects.update(lease_until=clock.at + timedelta(minutes=1))
    stale, present = turns
    assert not cursors.keep(stale, cursors.Part(1, "evt_1"))
    assert not cursors.finish(stale, timedelta(minutes=5))
    assert not cursors.fail(stale, "http_500")
    assert cursors.finish(present, timedelta(minutes=5))


@pytest.mark.django_db(transaction=True)
def test_eight_workers_at_once_read_once(world: World, vendors: Vendors) -> None:
    row = cursor("events")
    Cursor.objects.update(next_at=row.read_until)

    def work(_number: int) -> str | None:
        with over(vendors):
            return reconcile(row.pk)

    assert sorted(map(str, at_once(work))) == ["None"] * (THREADS - 1) + ["done"]
    assert vendors.asked == ["events"]
