"""One try of one call, to the last column: what it reads while the vendor works and after each kind of answer."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import httpx
import pytest
from django.db.models import Q
from pytest_django import DjangoAssertNumQueries
from structlog.testing import capture_logs

from audit.sources import Clock
from cases.models import Shop
from tests import factories
from tests.authority.rows import refunded
from tests.executor.rows import Caller, data_of, entries, lone, money, refund, step, told, vendor
from tests.flow.turns import fresh
from tools import execution
from tools.execution import LEASE, NUDGE
from tools.models import ToolCall
from tools.outcomes import Ended

# A wish that is too long to wait for it here and now.
BUSY = httpx.Response(429, headers={"Retry-After": "30"})


def run(call: ToolCall, caller: Caller | None = None) -> str | None:
    caller = caller or Caller()
    return execution.run(call.pk, before_send=caller.before_send, after_outcome=caller.after_outcome)


def test_while_the_vendor_works_the_row_says_who_has_it_and_until_when(north: Shop, clock: Clock) -> None:
    call, seen = refund(north), list[ToolCall]()

    def look(request: httpx.Request) -> httpx.Response:
        seen.append(ToolCall.objects.get(pk=call.pk))
        return refunded(request)

    ToolCall.objects.filter(pk=call.pk).update(error="unavailable")
    with vendor(look):
        run(call)
    (row,) = seen
    assert (row.state, row.attempts, row.fence, row.error) == ("sending", 1, 1, "")
    assert (row.first_sent_at, row.lease_until) == (clock.at, clock.at + LEASE)


def test_a_second_try_counts_and_keeps_the_moment_of_the_first(north: Shop, clock: Clock) -> None:
    call, begun = refund(north), clock.at
    with vendor(BUSY, refunded):
        assert run(call) == "reserved"
        clock.advance(timedelta(seconds=60))
        assert run(call) == "succeeded"
    fresh(call)
    assert (call.attempts, call.fence, call.first_sent_at) == (2, 2, begun)


def test_a_success_is_dated_and_asks_for_nothing_more(north: Shop, clock: Clock) -> None:
    call, caller = refund(north), Caller()
    with vendor():
        assert run(call, caller) == "succeeded"
    fresh(call)
    assert (call.ended_at, call.lease_until, call.held_since) == (clock.at, None, None)
    assert (call.error, call.settled_by) == ("", "")
    assert call.vendor_ref.startswith("re_")
    assert (caller.before, caller.after) == ([(0, "reserved")], [(0, "succeeded")])
    assert money(call) == (0, 1500)


def test_each_entry_says_what_was_done_for_whom_and_by_whom(north: Shop, clock: Clock) -> None:
    call = refund(north)
    with vendor():
        run(call)
    first, last = entries(call)[-2:]
    said = {"tool": "issue_refund", "vendor": "stripe", "attempt": 1, "error": "", "settled_by": ""}
    sum_of = {"amount_minor": 1500, "currency": "EUR"}
    assert data_of(first) == {**said, **sum_of, "ref": ""}
    assert data_of(last) == {**said, **sum_of, "ref": fresh(call).vendor_ref}
    for entry in (first, last):
        assert (entry.actor_kind, entry.stream) == ("system", f"case/{call.case_id}")
        assert (entry.shop_id, entry.correlation_id) == (north.pk, call.correlation_id)


def test_a_busy_vendor_is_asked_when_it_wishes(north: Shop, clock: Clock) -> None:
    call, caller = refund(north), Caller()
    with vendor(BUSY):
        assert run(call, caller) == "reserved"
    fresh(call)
    assert (call.not_before, call.lease_until) == (clock.at + timedelta(seconds=30), None)
    assert (call.ended_at, call.held_since, call.first_sent_at) == (None, None, clock.at)
    assert call.error
    assert (caller.after, told(call)[-1]) == ([(0, "reserved")], "call.retrying")
    assert money(call) == (1500, 0)


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (httpx.ReadTimeout("lost"), "unknown"),
        (lambda request: _pending(refunded(request)), "pending"),
    ],
)
def test_what_is_open_is_looked_at_soon(north: Shop, clock: Clock, answer: Exception, state: str) -> None:
    call = refund(north)
    with vendor(answer):
        assert run(call) == state
    fresh(call)
    assert (call.lease_until, call.ended_at) == (clock.at + NUDGE, None)
    assert money(call) == (1500, 0)
    assert step(call, 1).state == "reserved"


def _pending(answer: httpx.Response) -> httpx.Response:
    return httpx.Response(200, json={**answer.json(), "status": "pending"})


def test_a_no_ends_the_steps_that_would_have_followed_and_tells_of_each(north: Shop, clock: Clock) -> None:
    call, caller = refund(north), Caller()
    no = httpx.Response(400, json={"error": {"type": "invalid_request_error", "code": "charge_disputed"}})
    with vendor(no):
        assert run(call, caller) == "failed"
    fresh(call)
    assert (call.ended_at, call.lease_until, call.error) == (clock.at, None, "charge_disputed")
    assert caller.after == [(0, "failed"), (1, "cancelled"), (2, "cancelled")]
    for later in (step(call, 1), step(call, 2)):
        assert (later.state, later.error, later.ended_at) == ("cancelled", "step_before_failed", clock.at)
        assert told(later)[-1] == "call.cancelled"
    assert money(call) == (0, 0)


def test_what_is_stopped_is_never_asked_of_the_vendor(north: Shop, clock: Clock) -> None:
    call, caller = refund(north), Caller("switch.engaged")
    with vendor() as fake:
        assert run(call, caller) == "cancelled"
    fresh(call)
    assert (fake.asked, call.error, call.attempts, call.fence) == ([], "switch.engaged", 0, 0)
    assert (call.ended_at, call.lease_until, call.first_sent_at) == (clock.at, None, None)
    assert caller.after == [(0, "cancelled"), (1, "cancelled"), (2, "cancelled")]
    assert [told(step(call, place))[-1] for place in range(3)] == ["call.cancelled"] * 3


def test_a_call_without_a_sender_fails_by_name(north: Shop, clock: Clock) -> None:
    call = lone(north, tool="close_case", not_before=clock.at)
    with vendor() as fake:
        assert run(call) == "failed"
    assert (fake.asked, fresh(call).error) == ([], "tool.sends_nothing")


def test_a_crash_while_sending_leaves_it_open_and_in_the_log(north: Shop, clock: Clock) -> None:
    decision = factories.make_decision(factories.make_case(north))
    body = {name: decision.effect[name] for name in ("order", "lines", "shipping_minor")}
    call = factories.make_call(decision, request=json.dumps(body), not_before=clock.at)
    with capture_logs() as logs, vendor() as fake:
        assert run(call) == "unknown"
    assert fake.asked == []
    assert (fresh(call).error, money(call)) == ("crashed", (1500, 0))
    (said,) = [entry for entry in logs if entry["event"] == "call.crashed"]
    assert (said["call"], said["correlation_id"]) == (call.pk, str(call.correlation_id))
    assert said["log_level"] == "error"


def test_what_is_due_this_very_moment_is_sent(north: Shop, clock: Clock) -> None:
    call = lone(north, not_before=clock.at + timedelta(seconds=1))
    with vendor():
        assert run(call) is None
        clock.advance(timedelta(seconds=1))
        assert run(call) == "succeeded"


@pytest.mark.parametrize("state", ["sending", "pending", "unknown", "succeeded", "failed", "cancelled"])
def test_only_what_is_reserved_is_sent(north: Shop, clock: Clock, state: str) -> None:
    call, caller = lone(north, state=state, not_before=clock.at), Caller()
    with vendor() as fake:
        assert run(call, caller) is None
    assert (fake.asked, caller.before, caller.after) == ([], [], [])


def test_a_locked_call_brings_all_that_its_outcome_is_written_to(
    north: Shop, clock: Clock, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    case = factories.make_case(north)
    message = factories.make_message(case, direction="out")
    call = factories.make_call(factories.make_decision(case), message=message)
    with django_assert_num_queries(1):
        found = execution.locked(Q(pk=call.pk))
        assert found is not None
        assert found.payment is not None
        assert found.message is not None
        assert found.message.conversation is not None
        assert found.message.conversation.person is not None
        assert (found.shop.slug, found.payment.order.pk) == ("north", found.payment.order_id)


class TestTheAnswer:
    """`record`, told by whoever has the call at the moment."""

    def record(self, call: ToolCall, ended: Ended, caller: Caller | None = None) -> str | None:
        return execution.record(call, ended, (caller or Caller()).after_outcome)

    def test_who_has_lost_the_call_writes_nothing(self, north: Shop, clock: Clock) -> None:
        call = lone(north, state="sending", fence=3)
        stale = ToolCall.objects.get(pk=call.pk)
        ToolCall.objects.filter(pk=call.pk).update(fence=4)
        assert self.record(stale, Ended("succeeded", "re_1")) is None
        assert (fresh(call).state, told(call), money(call)) == ("sending", [], (1500, 0))

    @pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled", "reserved", "failed_later"])
    def test_what_has_ended_is_not_ended_again(self, north: Shop, clock: Clock, state: str) -> None:
        call = lone(north, state=state)
        assert self.record(call, Ended("succeeded", "re_1")) is None
        assert told(call) == []

    @pytest.mark.parametrize("state", ["sending", "unknown", "pending"])
    def test_what_is_open_ends_with_its_word(self, north: Shop, clock: Clock, state: str) -> None:
        call, caller = lone(north, state=state, vendor_ref="re_0"), Caller()
        lone(north, state=state)
        ended = Ended("succeeded", "", settled_by="reading")
        assert self.record(call, ended, caller) == "succeeded"
        assert (fresh(call).vendor_ref, call.settled_by, money(call)) == ("re_0", "reading", (0, 1500))
        assert (caller.after, told(call)) == ([(0, "succeeded")], ["call.succeeded"])

    def test_news_that_say_the_same_are_not_told(self, north: Shop, clock: Clock) -> None:
        call, caller = lone(north, state="unknown", error="timeout"), Caller()
        assert self.record(call, Ended("unknown"), caller) == "unknown"
        assert (fresh(call).error, call.lease_until) == ("timeout", clock.at + NUDGE)
        assert self.record(call, Ended("unknown", error="crashed"), caller) == "unknown"
        assert (fresh(call).error, caller.after, told(call)) == ("crashed", [], [])


class TestWhatStaysOpen:
    """When it is looked at again."""

    @pytest.mark.parametrize(
        ("state", "age", "rest"),
        [
            ("pending", timedelta(0), NUDGE),
            ("pending", timedelta(minutes=2), NUDGE),
            ("pending", timedelta(minutes=10), timedelta(minutes=1)),
            ("pending", timedelta(hours=10), timedelta(minutes=15)),
            ("unknown", timedelta(hours=10), NUDGE),
        ],
    )
    def test_what_is_on_its_way_less_and_less_often(
        self, north: Shop, clock: Clock, state: str, age: timedelta, rest: timedelta
    ) -> None:
        call = lone(north, state=state, first_sent_at=clock.at - age, error="before")
        execution.left_open(call)
        assert (fresh(call).lease_until, call.error) == (clock.at + rest, "before")
        execution.left_open(call, error="")
        assert fresh(call).error == ""

    @pytest.mark.parametrize("change", [{"fence": 9}, {"state": "succeeded"}])
    def test_what_somebody_else_has_by_now_is_left_alone(
        self, north: Shop, clock: Clock, change: dict[str, object]
    ) -> None:
        call = lone(north, state="unknown")
        other = lone(north, state="unknown")
        ToolCall.objects.filter(pk=call.pk).update(**change)
        execution.left_open(call, error="mine")
        assert (fresh(call).lease_until, call.error) == (None, "")
        assert fresh(other).lease_until is None


@pytest.mark.parametrize(
    ("age", "young"),
    [(timedelta(hours=20) - timedelta(microseconds=1), True), (timedelta(hours=20), False), (None, False)],
)
def test_a_key_is_good_for_less_than_twenty_hours(age: timedelta | None, young: bool) -> None:
    now = factories.now()
    assert execution.young(ToolCall(first_sent_at=_before(now, age)), now) is young


def _before(now: datetime, age: timedelta | None) -> datetime | None:
    return None if age is None else now - age
