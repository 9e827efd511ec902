"""What becomes of a call that nobody sends just now: taken back, put off, forgotten, ended by somebody's word."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import transaction

from audit.sources import Clock
from cases.models import Shop
from tests import factories
from tests.executor.rows import Caller, lone, money, refund, step, told, vendor
from tests.flow.turns import fresh
from tools import circuits, execution
from tools.base import BY_HAND
from tools.circuits import Line
from tools.errors import HeldBack, ToolError, Unavailable
from tools.execution import HELD_AT_MOST, NUDGE
from tools.models import Circuit, LedgerEntry, ToolCall
from tools.outcomes import MOST_ATTEMPTS

SECOND = timedelta(seconds=1)


class TestCancel:
    def cancel(self, call: ToolCall, caller: Caller | None = None) -> bool:
        hear = (caller or Caller()).after_outcome
        return execution.cancel(call.pk, reason="undone", after_outcome=hear)

    def test_all_steps_end_with_the_one_that_is_taken_back(self, north: Shop, clock: Clock) -> None:
        call, caller = refund(north), Caller()
        assert self.cancel(call, caller) is True
        fresh(call)
        assert (call.state, call.error, call.ended_at) == ("cancelled", "undone", clock.at)
        assert (call.lease_until, money(call)) == (None, (0, 0))
        assert caller.after == [(0, "cancelled"), (1, "cancelled"), (2, "cancelled")]
        assert [told(step(call, place)) for place in range(3)] == [["call.reserved", "call.cancelled"]] * 3

    def test_a_step_before_it_ends_too_where_nobody_has_begun_it(self, north: Shop, clock: Clock) -> None:
        call, caller = refund(north), Caller()
        assert self.cancel(step(call, 1), caller)
        assert caller.after == [(1, "cancelled"), (0, "cancelled"), (2, "cancelled")]
        assert (fresh(call).error, money(call)) == ("step_before_failed", (0, 0))

    def test_a_step_before_it_that_has_begun_goes_on(self, north: Shop, clock: Clock) -> None:
        call, caller = refund(north), Caller()
        ToolCall.objects.filter(pk=call.pk).update(first_sent_at=clock.at)
        assert self.cancel(step(call, 1), caller)
        assert caller.after == [(1, "cancelled"), (2, "cancelled")]
        assert (fresh(call).state, money(call)) == ("reserved", (1500, 0))

    @pytest.mark.parametrize("state", ["sending", "pending", "unknown", "succeeded", "failed", "cancelled"])
    def test_what_has_gone_on_stays(self, north: Shop, clock: Clock, state: str) -> None:
        call, caller = lone(north, state=state), Caller()
        assert self.cancel(call, caller) is False
        assert (fresh(call).state, caller.after, told(call)) == (state, [], [])

    def test_what_was_begun_once_stays(self, north: Shop, clock: Clock) -> None:
        call = lone(north, first_sent_at=clock.at)
        assert self.cancel(call) is False
        assert fresh(call).state == "reserved"


class TestPostpone:
    def postpone(self, call: ToolCall, error: ToolError, caller: Caller | None = None) -> str | None:
        hear = (caller or Caller()).after_outcome
        return execution.postpone(call.pk, error=error, after_outcome=hear)

    def test_facts_that_can_not_be_read_count_as_an_attempt(self, north: Shop, clock: Clock) -> None:
        call = lone(north, not_before=clock.at, lease_until=clock.at, attempts=1, held_since=clock.at)
        assert self.postpone(call, Unavailable(code="http_503")) == "reserved"
        fresh(call)
        assert (call.attempts, call.error, call.held_since) == (2, "http_503", None)
        assert (call.not_before, call.lease_until) == (clock.at + 4 * SECOND, None)
        assert (told(call), money(call)) == ([], (1500, 0))

    def test_being_held_back_counts_as_none_and_is_dated(self, north: Shop, clock: Clock) -> None:
        call, begun = lone(north, attempts=5), clock.at
        lone(north)
        assert self.postpone(call, HeldBack(code="circuit_open", retry_after=30)) == "reserved"
        assert fresh(call).not_before == clock.at + 30 * SECOND
        clock.advance(SECOND)
        assert self.postpone(call, HeldBack(code="rate_budget")) == "reserved"
        fresh(call)
        assert (call.attempts, call.held_since, call.error) == (5, begun, "rate_budget")
        # As after a first attempt, however many there were.
        assert call.not_before == clock.at + 2 * SECOND

    def test_the_last_attempt_ends_it(self, north: Shop, clock: Clock) -> None:
        call, caller = lone(north, attempts=MOST_ATTEMPTS - 2), Caller()
        assert self.postpone(call, Unavailable(), caller) == "reserved"
        assert self.postpone(call, Unavailable(), caller) == "cancelled"
        fresh(call)
        assert (call.state, call.error, call.attempts) == ("cancelled", "facts.not_read", MOST_ATTEMPTS)
        assert (caller.after, told(call), money(call)) == ([(0, "cancelled")], ["call.cancelled"], (0, 0))

    @pytest.mark.parametrize(
        ("held", "state"), [(HELD_AT_MOST - SECOND, "reserved"), (HELD_AT_MOST, "cancelled")]
    )
    def test_twenty_hours_of_being_held_back_end_it(
        self, north: Shop, clock: Clock, held: timedelta, state: str
    ) -> None:
        call = lone(north, held_since=clock.at - held)
        assert self.postpone(call, HeldBack()) == state
        assert fresh(call).state == state

    @pytest.mark.parametrize("state", ["sending", "unknown", "succeeded", "cancelled"])
    def test_what_waits_for_nothing_is_not_put_off(self, north: Shop, clock: Clock, state: str) -> None:
        call = lone(north, state=state)
        assert self.postpone(call, Unavailable(code="http_503")) is None
        assert (fresh(call).error, call.attempts) == ("", 0)


class TestVoid:
    def test_what_is_set_aside_and_not_begun_is_given_back(self, north: Shop, clock: Clock) -> None:
        mine, begun, other = (lone(north, **more) for more in ({}, {"first_sent_at": clock.at}, {}))
        on_its_way, undone = lone(north, state="pending"), lone(north, state="cancelled", error="undone")
        named = (mine, begun, on_its_way, undone)
        caller, payments = Caller(), [call.payment_id or 0 for call in named]
        with transaction.atomic():
            assert execution.cancel_unsent(payments, after_outcome=caller.after_outcome) == 1
        assert (fresh(mine).state, mine.error) == ("cancelled", "refund.more_than_refundable")
        assert (money(mine), caller.after, told(mine)) == ((0, 0), [(0, "cancelled")], ["call.cancelled"])
        assert [fresh(call).state for call in (begun, on_its_way, other)] == [
            "reserved", "pending", "reserved",
        ]  # fmt: skip


class TestFailedLater:
    def sent(self, north: Shop) -> ToolCall:
        call, caller = refund(north), Caller()
        with vendor():
            execution.run(call.pk, before_send=caller.before_send, after_outcome=caller.after_outcome)
        return call

    @transaction.atomic
    def fail_later(self, call: ToolCall, caller: Caller) -> bool:
        return execution.fail_later(call.pk, after_outcome=caller.after_outcome)

    def test_a_success_that_is_taken_back_frees_the_money_and_ends_the_rest(
        self, north: Shop, clock: Clock
    ) -> None:
        call, caller = self.sent(north), Caller()
        assert self.fail_later(call, caller) is True
        assert (fresh(call).state, call.error, money(call)) == ("failed_later", "failed_later", (0, 0))
        assert caller.after == [(1, "cancelled"), (2, "cancelled")]
        assert told(call)[-1] == "call.failed_later"
        assert told(step(call, 1))[-1] == "call.cancelled"

    def test_what_has_ended_meanwhile_stays_ended(self, north: Shop, clock: Clock) -> None:
        call, caller = self.sent(north), Caller()
        done, other = step(call, 1), self.sent(north)
        ToolCall.objects.filter(pk=done.pk).update(state="succeeded", first_sent_at=clock.at)
        assert self.fail_later(call, caller)
        assert (fresh(done).state, caller.after) == ("succeeded", [(2, "cancelled")])
        assert fresh(other).state == "succeeded"

    def test_it_is_taken_back_once(self, north: Shop, clock: Clock) -> None:
        call = self.sent(north)
        assert [self.fail_later(call, Caller()) for _ in range(2)] == [True, False]
        assert told(call).count("call.failed_later") == 1

    @pytest.mark.parametrize("state", ["pending", "unknown", "failed"])
    def test_what_never_succeeded_does_not_fail_later(self, north: Shop, clock: Clock, state: str) -> None:
        call = lone(north, state=state)
        with transaction.atomic():
            assert execution.fail_later(call.pk) is False
        assert fresh(call).state == state


class TestDeadSenders:
    def test_a_lease_that_has_run_out_leaves_it_unknown(self, north: Shop, clock: Clock) -> None:
        dead = lone(north, state="sending", lease_until=clock.at - SECOND, error="old")
        alive = lone(north, state="sending", lease_until=clock.at)
        looked_at = lone(north, state="unknown", lease_until=clock.at - SECOND)
        assert execution.expire_leases() == [dead.pk]
        assert (fresh(dead).state, dead.error, dead.lease_until) == ("unknown", "sender_died", None)
        assert (told(dead), money(dead)) == (["call.unknown"], (1500, 0))
        assert (fresh(alive).state, told(alive), told(looked_at)) == ("sending", [], [])

    def test_they_are_told_case_by_case_and_a_hundred_at_a_time(self, north: Shop, clock: Clock) -> None:
        earlier, later = (factories.make_decision(factories.make_case(north)) for _ in range(2))
        first = factories.make_call(earlier, state="sending")
        ToolCall.objects.bulk_create(_copy(first, place) for place in range(1, 100))
        last = factories.make_call(later, state="sending")
        ToolCall.objects.update(lease_until=clock.at - SECOND)
        ended = execution.expire_leases()
        assert (len(ended), len(execution.expire_leases())) == (100, 1)
        assert ended == [*sorted(set(ended) - {last.pk}), last.pk]


def _copy(call: ToolCall, position: int) -> ToolCall:
    """Another step of the same decision that is being sent, without money."""
    found = ToolCall.objects.get(pk=call.pk)
    found.pk, found._state.adding = None, True
    found.idempotency_key, found.position = uuid.uuid4(), position
    found.payment, found.amount_minor = None, 0
    return found


class TestConclude:
    def conclude(
        self, call: ToolCall, *, succeeded: bool, caller: Caller | None = None, **more: str
    ) -> str | None:
        said = {"ref": "re_7", "settled_by": "webhook", **more}
        hear = (caller or Caller()).after_outcome
        return execution.conclude(call.pk, succeeded=succeeded, after_outcome=hear, **said)

    @pytest.mark.parametrize("state", ["unknown", "pending"])
    def test_a_yes_ends_it_and_takes_it_from_whoever_looks_at_it(
        self, north: Shop, clock: Clock, state: str
    ) -> None:
        call, caller = lone(north, state=state, fence=4, error="timeout"), Caller()
        assert self.conclude(call, succeeded=True, caller=caller, ref="r" * 130) == "succeeded"
        fresh(call)
        assert (call.fence, call.vendor_ref, call.settled_by) == (5, "r" * 128, "webhook")
        assert (call.error, caller.after, money(call)) == ("", [(0, "succeeded")], (0, 1500))

    def test_a_no_says_why_as_long_as_it_fits(self, north: Shop, clock: Clock) -> None:
        call, other = lone(north, state="pending"), lone(north, state="pending")
        assert self.conclude(call, succeeded=False, error="e" * 70) == "failed"
        assert (fresh(call).error, money(call)) == ("e" * 64, (0, 0))
        self.conclude(other, succeeded=False)
        assert fresh(other).error == "settled"

    @pytest.mark.parametrize("state", ["reserved", "sending", "succeeded", "failed", "cancelled"])
    def test_what_is_not_open_hears_nobodys_word(self, north: Shop, clock: Clock, state: str) -> None:
        call = lone(north, state=state)
        assert self.conclude(call, succeeded=True) is None
        assert (fresh(call).fence, call.state) == (0, state)


class TestDue:
    """What a sweep finds that nobody is known to look at."""

    def test_what_waits_comes_up_at_its_moment_and_once_per_nudge(self, north: Shop, clock: Clock) -> None:
        call = lone(north, not_before=clock.at + SECOND)
        assert execution.due() == []
        clock.advance(SECOND)
        assert execution.due() == [call.pk]
        assert (fresh(call).lease_until, execution.due()) == (clock.at + NUDGE, [])
        clock.advance(NUDGE)
        assert execution.due() == []
        clock.advance(SECOND)
        assert execution.due() == [call.pk]

    @pytest.mark.parametrize(("state", "found"), [("unknown", True), ("pending", True), ("sending", False)])
    def test_what_is_open_comes_up_at_any_time(
        self, north: Shop, clock: Clock, state: str, found: bool
    ) -> None:
        call = lone(north, state=state, not_before=clock.at + timedelta(hours=1))
        assert execution.due() == [call.pk] * found

    @pytest.mark.parametrize("state", ["sending", "succeeded", "failed", "cancelled", "failed_later"])
    def test_what_has_had_its_moment_does_not_come_up(self, north: Shop, clock: Clock, state: str) -> None:
        lone(north, state=state, not_before=clock.at - SECOND)
        assert execution.due() == []

    def test_what_a_person_pays_is_nobodys_to_look_at(self, north: Shop, clock: Clock) -> None:
        lone(north, state="pending", vendor=BY_HAND)
        unsent = lone(north, vendor=BY_HAND, not_before=clock.at)
        assert execution.due() == [unsent.pk]

    def test_the_oldest_come_first_and_only_so_many(self, north: Shop, clock: Clock) -> None:
        new, old = (lone(north, not_before=clock.at - age * SECOND) for age in (1, 2))
        assert execution.due(limit=1) == [old.pk]
        assert fresh(new).lease_until is None
        assert execution.due() == [new.pk]


class TestHeldTooLong:
    """A claim that finds its vendor at rest, told by when that began and whether anything had left before."""

    @pytest.mark.parametrize(("sent", "state"), [(False, "cancelled"), (True, "failed")])
    def test_twenty_hours_end_it(self, north: Shop, clock: Clock, sent: bool, state: str) -> None:
        call, caller = lone(north, not_before=clock.at, held_since=clock.at - HELD_AT_MOST), Caller()
        if sent:
            ToolCall.objects.filter(pk=call.pk).update(first_sent_at=clock.at - SECOND, attempts=1)
        for _ in range(circuits.OPENS_AFTER):
            circuits.failed(Line("north", "stripe", Circuit.Work.WRITE), probe=False)
        with vendor() as fake:
            ran = execution.run(call.pk, before_send=caller.before_send, after_outcome=caller.after_outcome)
        assert (ran, fake.asked, fresh(call).error) == (state, [], "circuit_open")
        assert (call.ended_at, caller.after, money(call)) == (clock.at, [(0, state)], (0, 0))
        assert told(call) == [f"call.{state}"]


class TestBooks:
    """Each movement leaves one entry with its sign, and none where there is no payment."""

    def test_a_refund_is_set_aside_and_gone(self, north: Shop, clock: Clock) -> None:
        call = TestFailedLater().sent(north)
        rows = LedgerEntry.objects.filter(call=call).order_by("pk")
        assert [(row.kind, row.amount_minor, row.currency) for row in rows] == [
            ("reserved", 1500, "EUR"),
            ("refunded", 1500, "EUR"),
        ]
        assert rows[1].vendor_ref == fresh(call).vendor_ref
        assert {(row.shop_id, row.payment_id) for row in rows} == {(north.pk, call.payment_id)}
        assert rows[1].at == clock.at

    def test_what_moves_no_money_books_nothing(self, north: Shop, clock: Clock) -> None:
        call = lone(north, payment=None, amount_minor=0, value_minor=0, currency="", tool="send_message")
        assert execution.cancel(call.pk, reason="undone", after_outcome=Caller().after_outcome)
        assert not LedgerEntry.objects.filter(call=call).exists()
