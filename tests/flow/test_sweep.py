"""The queue is an alarm clock: lose every task, double every task, and nothing changes but the hour."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django_q.models import OrmQ

from approvals.models import ApprovalRequest
from audit.models import Entry
from audit.sources import Clock
from cases.invariants import violations
from cases.models import Case, Handoff
from cases.tasks import advance, execute, settle, sweep
from tests import factories
from tests.flow.turns import asks, damaged, decided, fresh, planner, refund, scripted_shop, states, wait_for
from tests.flow.vendors import Vendors, away, lost, sums
from tests.flow.world import World, drain, forget_tasks, queued, the_case
from tools.models import ToolCall

pytestmark = pytest.mark.django_db

LATER = timedelta(seconds=30)


def test_a_case_whose_task_was_lost_is_found(world: World, clock: Clock) -> None:
    damaged(world)
    forget_tasks()
    assert sweep() == 0
    clock.advance(LATER)
    assert sweep() == 1
    assert queued() == [("advance", the_case().pk)]


def test_a_case_is_asked_for_once_in_a_while(world: World, clock: Clock) -> None:
    damaged(world)
    forget_tasks()
    clock.advance(LATER)
    for _ in range(5):
        sweep()
    assert len(queued()) == 1


def test_a_case_in_a_turn_is_left_alone(world: World, clock: Clock) -> None:
    damaged(world)
    forget_tasks()
    Case.objects.update(lease_until=clock.at + timedelta(seconds=60))
    clock.advance(LATER)
    assert sweep() == 0


def test_a_call_whose_task_was_lost_is_found(world: World, clock: Clock) -> None:
    call = decided(world)
    forget_tasks()
    sweep()
    assert ("execute", call.pk) in queued()


def test_a_call_in_its_undo_window_is_left_alone(world: World, clock: Clock) -> None:
    call = decided(world)
    forget_tasks()
    ToolCall.objects.update(not_before=clock.at + timedelta(minutes=10))
    assert sweep() == 0
    clock.advance(timedelta(minutes=11))
    sweep()
    assert ("execute", call.pk) in queued()


@pytest.mark.parametrize("state", ["unknown", "pending"])
def test_an_open_outcome_is_looked_into(world: World, clock: Clock, fake: Vendors, state: str) -> None:
    call = decided(world)
    fake.refund = lost if state == "unknown" else fake.pending
    execute(call.pk)
    forget_tasks()
    clock.advance(LATER)
    sweep()
    assert ("settle", call.pk) in queued()


def test_a_sender_that_died_is_found_out(world: World, clock: Clock) -> None:
    call = decided(world)
    forget_tasks()
    ToolCall.objects.filter(pk=call.pk).update(
        state="sending", first_sent_at=clock.at, lease_until=clock.at + timedelta(seconds=90)
    )
    clock.advance(timedelta(seconds=91))
    sweep()
    assert fresh(call).state == "unknown"
    assert Entry.objects.filter(action="call.unknown").count() == 1


def test_an_approval_that_nobody_gave_is_a_persons(world: World, clock: Clock) -> None:
    scripted_shop(world)
    row = damaged(world, item=world.item("mid"))
    with planner(refund(row)):
        drain()
    clock.advance(timedelta(hours=23))
    sweep()
    assert not Handoff.objects.exists()
    factories.make_caps(world.shop, renewals=0)
    clock.advance(timedelta(hours=2))
    sweep()
    drain()
    assert (ApprovalRequest.objects.get().state, the_case().state) == ("expired", "handoff")
    assert Handoff.objects.get().reason == "expired"


def test_a_case_of_a_person_is_not_the_agents(world: World, clock: Clock) -> None:
    case = factories.make_case(
        order=factories.make_order(world.shop), human_only=True, due_at=clock.at - timedelta(hours=1)
    )
    sweep()
    assert queued() == []
    assert advance(case.pk) is None


def test_every_task_lost_at_every_step_only_takes_longer(world: World, clock: Clock, fake: Vendors) -> None:
    scripted_shop(world)
    row = damaged(world)
    with planner(refund(row)):
        for _ in range(20):
            forget_tasks()
            wait_for(clock, LATER)
            sweep()
            tasks = queued()
            forget_tasks()
            for name, row_id in tasks:
                {"advance": advance, "execute": execute, "settle": settle}[name](row_id)
    assert (states(), the_case().state) == (["succeeded"] * 3, "closed")
    assert (len(fake.writes()), violations()) == (1, [])


def test_every_task_ten_times_and_backwards_changes_nothing(
    world: World, clock: Clock, fake: Vendors
) -> None:
    scripted_shop(world)
    row = damaged(world)
    with planner(refund(row)):
        for _ in range(8):
            tasks = queued() * 10
            OrmQ.objects.all().delete()
            for name, row_id in reversed(tasks):
                {"advance": advance, "execute": execute, "settle": settle}[name](row_id)
    assert (states(), the_case().state) == (["succeeded"] * 3, "closed")
    assert (len(fake.writes()), violations()) == (1, [])


def test_a_vendor_that_is_away_for_a_while_costs_nothing_but_time(
    world: World, clock: Clock, fake: Vendors
) -> None:
    call = decided(world)
    fake.refund = away
    for _ in range(4):
        drain()
        wait_for(clock, LATER)
        sweep()
    fake.refund = fake.made
    wait_for(clock, timedelta(minutes=6))
    sweep()
    drain()
    assert (states(), len(fake.keys()), len(fake.bodies())) == (["succeeded"] * 3, 1, 1)
    assert sums(call) == (0, call.amount_minor)
    assert violations() == []


def test_a_healthy_shop_has_nothing_to_find(world: World, clock: Clock, fake: Vendors) -> None:
    scripted_shop(world)
    damaged(world)
    with planner(asks()):
        drain()
    clock.advance(timedelta(hours=1))
    assert sweep() == 0
    assert violations() == []
