"""What follows a refund tells of money that is gone: only its own switches, or a person who speaks, keep it back."""

from __future__ import annotations

import pytest

from approvals.limits import engage_switch
from cases.models import Case
from cases.tasks import execute
from tests import factories
from tests.authority.rows import acting
from tests.flow.turns import decided
from tests.flow.vendors import Vendors
from tests.flow.world import World, the_case
from tools.models import ToolCall

pytestmark = pytest.mark.django_db
FOLLOWS = ("record_refund", "send_message")


def paid(world: World) -> None:
    """The refund's money has gone back; its record and the word to the customer are still to come."""
    execute(decided(world).pk)


def follow_up() -> dict[str, tuple[str, str]]:
    """Every later step runs; what became of each, and why."""
    for call in ToolCall.objects.filter(position__gt=0).order_by("position"):
        execute(call.pk)
    found = ToolCall.objects.filter(position__gt=0, tool__in=FOLLOWS)
    return {call.tool: (call.state, call.error) for call in found}


DONE = dict.fromkeys(FOLLOWS, ("succeeded", ""))


@pytest.mark.parametrize("kind", ["fraud", "legal", "anger"])
def test_a_flag_that_comes_after_the_money_leaves_nothing_untold(
    world: World, fake: Vendors, kind: str
) -> None:
    paid(world)
    factories.make_flag(the_case(), kind=kind)
    assert follow_up() == DONE


@pytest.mark.parametrize(("scope", "key"), [("planner", "scripted"), ("tool", "issue_refund")])
def test_a_switch_of_what_decided_or_paid_stops_nothing_that_only_tells_of_it(
    world: World, fake: Vendors, scope: str, key: str
) -> None:
    paid(world)
    switch(world, scope, key)
    assert follow_up() == DONE


@pytest.mark.parametrize(
    ("scope", "key"), [("tool", "record_refund"), ("vendor", "shopify"), ("everything", ""), ("shop", "")]
)
def test_a_switch_of_its_own_stops_a_step_and_what_comes_after(
    world: World, fake: Vendors, scope: str, key: str
) -> None:
    paid(world)
    switch(world, scope, key)
    assert follow_up()["record_refund"] == ("cancelled", "switch.engaged")
    assert follow_up()["send_message"][0] == "cancelled"
    assert the_case().state == "handoff"


def test_a_switch_of_messages_stops_the_message_alone(world: World, fake: Vendors) -> None:
    paid(world)
    switch(world, "tool", "send_message")
    assert follow_up() == {**DONE, "send_message": ("cancelled", "switch.engaged")}


def test_who_has_taken_the_case_over_tells_the_customer_themselves(world: World, fake: Vendors) -> None:
    paid(world)
    Case.objects.update(human_only=True)
    assert follow_up() == {**DONE, "send_message": ("cancelled", "case.taken_over")}


def switch(world: World, scope: str, key: str) -> None:
    shop = world.shop.pk if scope == "shop" else None
    by = acting(world.shop, "agent")
    engage_switch(scope=scope, key=key, shop_id=shop, reason="Something looks wrong.", by=by)
