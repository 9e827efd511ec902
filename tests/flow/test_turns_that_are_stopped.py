"""What a kill switch does to the agent's turn: it waits, goes on after the release, and doesn't wait for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.models import Decision, KillSwitch
from audit.sources import Clock
from cases.models import Handoff, Shop
from cases.tasks import sweep
from tests import factories
from tests.flow.turns import damaged, fresh, planner, refund, scripted_shop, wait_for
from tests.flow.vendors import Vendors
from tests.flow.world import World, drain, the_case
from tools.models import Order

pytestmark = pytest.mark.django_db

SCOPES = [("everything", ""), ("shop", ""), ("planner", "scripted")]


def engage(shop: Shop, scope: str = "everything", key: str = "", **fields: object) -> KillSwitch:
    which = {"shop": shop} if scope == "shop" else {}
    return factories.make_switch(factories.make_user(), scope=scope, key=key, **which, **fields)


def release(switch: KillSwitch) -> None:
    KillSwitch.objects.filter(pk=switch.pk).update(
        released_at=factories.now(), released_by=factories.make_user()
    )


@pytest.fixture
def world(world: World) -> World:
    scripted_shop(world)
    return world


@pytest.mark.parametrize(("scope", "key"), SCOPES)
def test_a_stopped_turn_waits_and_goes_on_after_the_release(
    world: World, clock: Clock, fake: Vendors, scope: str, key: str
) -> None:
    row = damaged(world)
    switch = engage(world.shop, scope, key, engaged_at=clock.at)
    with planner(refund(row)) as thinker:
        drain(only=["advance"])
        case = the_case()
        assert (case.state, case.attempts, Decision.objects.count()) == ("open", 0, 0)
        assert len(thinker.seen) == 0
        for _ in range(8):
            wait_for(clock, timedelta(minutes=5))
            sweep()
            drain(only=["advance"])
        assert (fresh(case).state, case.attempts, Handoff.objects.count()) == ("open", 0, 0)
        release(switch)
        wait_for(clock, timedelta(minutes=1))
        sweep()
        drain(only=["advance"])
    assert Decision.objects.get().outcome == "allow_after_undo"


def test_a_stop_that_outlasts_an_hour_is_no_pause(world: World, clock: Clock, fake: Vendors) -> None:
    row = damaged(world)
    engage(world.shop, engaged_at=clock.at - timedelta(minutes=61))
    with planner(refund(row)):
        drain(only=["advance"])
    handoff = Handoff.objects.get()
    assert (handoff.reason, handoff.detail, the_case().state) == ("stuck", "switch.engaged", "handoff")


def test_a_switch_of_another_planner_or_shop_stops_no_turn(world: World, fake: Vendors) -> None:
    row = damaged(world)
    engage(world.shop, "planner", "llm")
    engage(factories.make_shop("sakura"), "shop")
    with planner(refund(row)):
        drain(only=["advance"])
    assert Decision.objects.get().outcome == "allow_after_undo"


def test_a_shop_that_may_not_be_read_stops_the_turn_before_it_thinks(
    world: World, clock: Clock, fake: Vendors
) -> None:
    row = damaged(world)
    Order.objects.update(read_at=None)
    engage(world.shop, "vendor", "shopify", engaged_at=clock.at)
    with planner(refund(row)) as thinker:
        drain(only=["advance"])
    assert (the_case().state, the_case().attempts, len(thinker.seen)) == ("open", 0, 0)
