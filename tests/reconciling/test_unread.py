"""An order that can't be read hides no other, is seen by people, and is found as soon as it can be read."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from audit.sources import Clock
from cases.models import Case, InboundEvent
from cases.reconciling.from_shopify import MOST_UNREAD
from opsagent.demo.script import Neutral
from tests import factories
from tests.flow.vendors import Answer
from tests.flow.world import World, deliver
from tests.reconciling.turns import cursor, late, read
from tests.reconciling.vendors import Vendors
from tools.models import Order

pytestmark = pytest.mark.django_db

DEAD = InboundEvent.State.DEAD


def changed(request: httpx.Request) -> httpx.Response:
    """An order in a form that we don't know."""
    return httpx.Response(
        200, json={"data": {"order": {"id": 7}}}, headers={"X-Shopify-API-Version": "2026-07"}
    )


def denied(request: httpx.Request) -> httpx.Response:
    error = {"message": "Access denied", "extensions": {"code": "ACCESS_DENIED"}}
    return httpx.Response(200, json={"errors": [error]}, headers={"X-Shopify-API-Version": "2026-07"})


def orders(world: World, vendors: Vendors, clock: Clock, count: int) -> list[Neutral]:
    sold = [world.sold(world.customer(), days=1) for _ in range(count)]
    for order in sold:
        vendors.happens(world.order_step(order), clock.at)
    return sold


@pytest.mark.parametrize("answer", [changed, denied])
def test_one_that_cannot_be_read_hides_no_other(
    world: World, vendors: Vendors, clock: Clock, answer: Answer
) -> None:
    first, *others = orders(world, vendors, clock, 3)
    vendors.unreadable[str(first["id"])] = answer
    assert read("orders", clock) == "done"
    assert set(Order.objects.values_list("name", flat=True)) == {order["name"] for order in others}
    dead = InboundEvent.objects.get(state=DEAD)
    assert dead.dead_reason.startswith("the order could not be read: ")
    assert dead.found_late_seconds is None


def test_it_leaves_the_dead_letters_once_it_can_be_read(world: World, vendors: Vendors, clock: Clock) -> None:
    [order] = orders(world, vendors, clock, 1)
    vendors.unreadable[str(order["id"])] = changed
    for _ in range(2):
        read("orders", clock)
    assert InboundEvent.objects.filter(state=DEAD).count() == 1
    vendors.unreadable.clear()
    read("orders", clock)
    assert not InboundEvent.objects.filter(state=DEAD).exists()
    assert Order.objects.get().name == order["name"]
    assert [event.topic for event in late()] == ["orders/read"]


def test_a_vendor_that_changed_them_all_makes_no_flood(world: World, vendors: Vendors, clock: Clock) -> None:
    vendors.per_page = 100
    for order in orders(world, vendors, clock, MOST_UNREAD + 3):
        vendors.unreadable[str(order["id"])] = changed
    before = cursor().read_until
    vendors.on_ask = lambda what: clock.advance(timedelta(seconds=3))
    assert read("orders", clock) == "contract_drift"
    assert not InboundEvent.objects.exists()
    assert (cursor().read_until, cursor().error) == (before, "contract_drift")


def test_who_waits_for_a_parcel_goes_on_when_its_arrival_is_found(
    world: World, vendors: Vendors, clock: Clock
) -> None:
    order = world.sold(world.customer(), days=4)
    deliver(world.order_step(order))
    row = Order.objects.get()
    case = factories.make_case(order=row, state=Case.State.WAITING, wait_reason=Case.Wait.PARCEL)
    for step in (world.order_step(order), *world.parcel_steps(order)):
        vendors.happens(step, clock.at)
    read("orders", clock)
    case.refresh_from_db()
    assert case.state == Case.State.OPEN
    assert row.shipments.get().status == "delivered"


def test_a_high_risk_that_nobody_told_of_calls_a_person(world: World, vendors: Vendors, clock: Clock) -> None:
    order = world.sold(world.customer(), days=1, risk="HIGH")
    deliver(world.order_step(order))
    vendors.happens(world.order_step(order), clock.at)
    for _ in range(2):
        read("orders", clock)
    case = Case.objects.get()
    assert (case.subject, case.handoffs.get().reason) == ("risk", "fraud")
    assert len(late()) == 1
