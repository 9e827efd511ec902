"""A call that is due while its vendor is given a rest, and the steps that wait for one another."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.sources import Clock
from cases.models import Shop
from tests.executor.rows import Caller, lone, money, refund, step, told, vendor
from tests.flow.turns import fresh
from tools import circuits, execution, pacing
from tools.circuits import Line
from tools.execution import HELD_AT_MOST, SAME_KEY_FOR
from tools.models import Circuit, ToolCall

SECOND = timedelta(seconds=1)
REST = timedelta(seconds=circuits.FIRST_SECONDS)


def rest(vendor_name: str = "stripe") -> None:
    for _ in range(circuits.OPENS_AFTER):
        circuits.failed(Line("north", vendor_name, Circuit.Work.WRITE), probe=False)


def run(call: ToolCall, caller: Caller) -> str | None:
    with vendor() as fake:
        state = execution.run(call.pk, before_send=caller.before_send, after_outcome=caller.after_outcome)
    assert fake.asked == []
    return state


def test_it_waits_as_it_was_and_is_told_once(north: Shop, clock: Clock) -> None:
    call, caller, begun = lone(north, not_before=clock.at), Caller(), clock.at
    rest()
    assert run(call, caller) == "reserved"
    fresh(call)
    assert (call.held_since, call.not_before, call.error) == (begun, begun + REST, "circuit_open")
    assert (call.attempts, call.fence, call.first_sent_at, call.ended_at) == (0, 0, None, None)
    assert (caller.after, told(call)) == ([(0, "reserved")], ["call.retrying"])
    clock.advance(REST - SECOND)
    ToolCall.objects.update(not_before=clock.at)
    assert run(call, caller) == "reserved"
    assert (fresh(call).held_since, call.not_before) == (begun, clock.at + 2 * SECOND)
    assert (caller.after, told(call)) == ([(0, "reserved")], ["call.retrying"])
    assert money(call) == (1500, 0)


def test_what_was_sent_before_and_may_still_be_sent_waits_too(north: Shop, clock: Clock) -> None:
    begun = clock.at - SAME_KEY_FOR + SECOND
    call, caller = lone(north, not_before=clock.at, first_sent_at=begun, attempts=2), Caller()
    rest()
    assert run(call, caller) == "reserved"
    assert (fresh(call).first_sent_at, call.attempts) == (begun, 2)


def test_what_may_not_be_sent_again_ends_however_short_the_rest(north: Shop, clock: Clock) -> None:
    begun = clock.at - SAME_KEY_FOR
    call, caller = lone(north, not_before=clock.at, first_sent_at=begun, attempts=2), Caller()
    rest()
    assert run(call, caller) == "failed"
    assert (fresh(call).error, money(call), caller.after) == ("circuit_open", (0, 0), [(0, "failed")])


def test_a_second_before_twenty_hours_it_still_waits(north: Shop, clock: Clock) -> None:
    held = clock.at - HELD_AT_MOST + SECOND
    call, caller = lone(north, not_before=clock.at, held_since=held), Caller()
    rest()
    assert run(call, caller) == "reserved"


@pytest.mark.parametrize("begun", [None, timedelta(minutes=1)])
def test_a_gate_that_closes_after_the_claim_undoes_the_try(
    north: Shop, clock: Clock, begun: timedelta | None
) -> None:
    first = None if begun is None else clock.at - begun
    call, caller = lone(north, not_before=clock.at, first_sent_at=first, attempts=3), Caller()
    # A share that would come within a worker's sleep; the clock stands, so it never does.
    pacing.learn("north", "stripe", 10, 0.1, 0.5)
    assert run(call, caller) == "reserved"
    fresh(call)
    assert (call.attempts, call.fence, call.first_sent_at) == (3, 1, first)
    assert (call.error, call.lease_until, call.held_since) == ("rate_budget", None, clock.at)
    assert (told(call), caller.after) == (["call.sending", "call.retrying"], [(0, "reserved")])


def test_after_a_rest_it_is_held_by_nobody(north: Shop, clock: Clock) -> None:
    call, caller = lone(north, not_before=clock.at, held_since=clock.at - REST), Caller()
    with vendor():
        assert execution.run(call.pk, before_send=caller.before_send, after_outcome=caller.after_outcome)
    assert fresh(call).held_since is None


def test_a_step_waits_for_those_before_it_and_for_nobody_elses(north: Shop, clock: Clock) -> None:
    call, caller = refund(north), Caller()
    lone(north)
    message = step(call, 2)
    assert run(step(call, 1), caller) is None
    with vendor():
        for place in (0, 1):
            ToolCall.objects.filter(pk=step(call, place).pk).update(state="succeeded", first_sent_at=clock.at)
        assert execution.run(
            message.pk, before_send=caller.before_send, after_outcome=caller.after_outcome
        ) == "succeeded"  # fmt: skip


@pytest.mark.parametrize("state", ["sending", "pending", "unknown", "failed", "cancelled", "failed_later"])
def test_a_step_after_one_that_has_not_succeeded_has_no_turn(north: Shop, clock: Clock, state: str) -> None:
    call, caller = refund(north), Caller()
    ToolCall.objects.filter(pk=call.pk).update(state=state, first_sent_at=clock.at)
    assert run(step(call, 1), caller) is None
    assert caller.before == []
