"""What no webhook told is found by reading, once, and told as found late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from approvals.models import RiskFlag
from audit import sources
from audit.models import Entry
from audit.sources import Clock
from cases.models import Case, Handoff, InboundEvent
from opsagent.demo.script import Neutral, Step
from tests import factories
from tests.flow.world import World, deliver
from tests.reconciling.turns import LATER, cursor, late, read, read_all
from tests.reconciling.vendors import Vendors
from tools.models import Dispute, Order, Payment

pytestmark = pytest.mark.django_db


def warned(world: World) -> tuple[Neutral, Step]:
    """An order that we don't know yet, and the warning about it that a webhook has told of."""
    order = world.sold(world.customer(), days=1)
    warning = world.warning_step(order)
    deliver(warning)
    return order, warning


def test_an_order_that_nobody_told_of_is_found(world: World, vendors: Vendors, clock: Clock) -> None:
    order = world.sold(world.customer(), days=0.01)
    vendors.happens(world.order_step(order), clock.at)
    assert read("orders", clock) == "done"
    row, [event] = Order.objects.get(), late()
    assert (row.name, row.person is not None) == (order["name"], True)
    assert (event.topic, event.found_late_seconds) == ("orders/read", LATER.total_seconds())
    assert cursor().found == 1
    [entry] = Entry.objects.filter(action="event.found_late")
    assert entry.subject_id == str(event.pk)


def test_what_webhooks_told_is_no_find(world: World, vendors: Vendors, clock: Clock) -> None:
    order = world.sold(world.customer(), days=2)
    steps = [world.order_step(order), world.charge_step(order), *world.parcel_steps(order)]
    for step in steps:
        vendors.happens(step, clock.at)
        deliver(step)
    before = InboundEvent.objects.count()
    read_all(clock)
    assert (late(), InboundEvent.objects.count()) == ([], before)
    assert [row.found for row in (cursor("orders"), cursor("events"))] == [0, 0]
    assert Order.objects.get().read_as_of == clock.at - LATER


def test_a_webhook_on_its_way_is_not_late(world: World, vendors: Vendors, clock: Clock) -> None:
    cursor()
    order = world.sold(world.customer(), days=0.01)
    for step in (world.order_step(order), world.charge_step(order)):
        vendors.happens(step, clock.at)
    for resource in ("orders", "events"):
        assert read(resource, clock, after=timedelta(seconds=50)) == "done"
    assert late() == []
    assert not any(asked.startswith("order ") for asked in vendors.asked)


def test_a_stripe_event_that_comes_after_it_was_found_changes_nothing(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    order = world.sold(world.customer(), days=1)
    deliver(world.order_step(order))
    charge = world.charge_step(order)
    vendors.happens(charge, clock.at)
    read("events", clock)
    before = Entry.objects.count()
    # Signed now, whatever the clock of the test says.
    with sources.frozen(datetime.now(UTC)):
        deliver(charge)
    event = InboundEvent.objects.get(external_id=charge.external_id)
    assert (event.duplicates, event.conflicts.count(), Entry.objects.count()) == (1, 0, before)
    assert Payment.objects.get().captured_minor == Order.objects.get().total_minor


def test_a_webhook_that_was_faster_is_not_counted_again(world: World, vendors: Vendors, clock: Clock) -> None:
    order = world.sold(world.customer(), days=1)
    charge = world.charge_step(order)
    vendors.happens(charge, clock.at)
    deliver(charge)
    for _ in range(2):
        read("events", clock, after=timedelta(minutes=3))
    event = InboundEvent.objects.get()
    assert (event.duplicates, event.found_late_seconds) == (0, None)
    assert Entry.objects.filter(action="event.found_late").count() == 0


def test_a_refund_made_by_hand_at_the_shop_is_found(world: World, vendors: Vendors, clock: Clock) -> None:
    order, row = world.known(world.customer())
    vendors.happens(world.order_step(order), clock.at)
    read("orders", clock)
    vendors.happens(world.refund_step(order, order["lines"][0]["unit_price"]), clock.at)
    read("orders", clock)
    [event] = late()
    assert event.topic == "orders/read"
    given_back = Payment.objects.get(order=row).elsewhere_minor
    assert given_back == int(order["lines"][0]["unit_price"].replace(".", ""))


def test_a_dispute_whose_event_is_long_gone_is_found_in_stripes_list(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    order, _row = world.known(world.customer(), days=50)
    step = world.dispute_step(order)
    vendors.happens(step, clock.at - timedelta(days=40))
    vendors.lists["events"].clear()
    for _ in range(2):
        assert read("disputes", clock) == "done"
    assert Dispute.objects.get().status == "needs_response"
    assert [event.topic for event in late()] == ["disputes/read"]
    assert Handoff.objects.get().reason == "dispute"


def test_a_warning_that_a_person_has_seen_is_not_opened_again(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    _order, warning = warned(world)
    who = factories.make_user()
    Handoff.objects.update(state="resolved", claimed_by=who, claimed_at=clock.at, resolved_at=clock.at)
    Case.objects.update(state="closed", closed_at=clock.at)
    vendors.happens(warning, clock.at)
    read("fraud_warnings", clock)
    assert (late(), Case.objects.count()) == ([], 1)


def test_a_reading_books_no_charge_a_second_time(world: World, vendors: Vendors, clock: Clock) -> None:
    order = world.sold(world.customer(), days=1)
    for step in (world.order_step(order), world.charge_step(order)):
        vendors.happens(step, clock.at)
        deliver(step)
    for _ in range(2):
        read("orders", clock)
        Order.objects.update(read_as_of=None)
    assert Payment.objects.get().captured_minor == Order.objects.get().total_minor


def test_a_warning_whose_order_comes_later_marks_the_order(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    order, warning = warned(world)
    for step in (world.order_step(order), world.charge_step(order), warning):
        vendors.happens(step, clock.at)
    for _ in range(2):
        read_all(clock)
    assert RiskFlag.objects.filter(order=Order.objects.get(), kind="fraud").count() == 1
    assert Case.objects.get(order__isnull=False).handoffs.get().reason == "fraud"
