"""A vendor that is given a rest: nothing is sent, nothing is burnt, nothing is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from audit.sources import Clock
from cases.models import Case, Handoff
from cases.planning import LONGEST_RETRY, MOST_ATTEMPTS, advance
from cases.tasks import execute
from tests.adapters.faking import NORTH
from tests.flow.turns import damaged, decided, fresh, planner, refund, told, wait_for
from tests.flow.vendors import sums, vendors
from tests.flow.world import World, the_case
from tools import circuits, execution, pacing
from tools.adapters import stripe_disputes as stripe
from tools.adapters.shopify_cost import cost
from tools.adapters.shopify_documents import ORDER
from tools.circuits import Line
from tools.errors import HeldBack
from tools.execution import HELD_AT_MOST
from tools.models import Circuit, Order, ToolCall

pytestmark = pytest.mark.django_db

SLOW = 1e-6
WRITES, READS = Circuit.Work.WRITE, Circuit.Work.READ


def open_circuit(vendor: str, work: Circuit.Work) -> None:
    for _ in range(circuits.OPENS_AFTER):
        circuits.failed(Line("north", vendor, work), probe=False)


def held(world: World) -> ToolCall:
    """A refund that was due while Stripe was given a rest."""
    call = decided(world)
    open_circuit("stripe", WRITES)
    with vendors() as fake:
        assert execute(call.pk) == "reserved"
        assert fake.writes() == []
    call.refresh_from_db()
    return call


class TestCalls:
    def test_what_is_held_back_was_never_sent(self, world: World, clock: Clock) -> None:
        call = held(world)
        assert (call.error, call.attempts, call.first_sent_at) == ("circuit_open", 0, None)
        assert call.held_since == clock.at
        assert sums(call) == (call.amount_minor, 0)

    def test_it_is_not_tried_before_the_vendor_may_be_asked(self, world: World, clock: Clock) -> None:
        call = held(world)
        assert call.not_before - clock.at == timedelta(seconds=circuits.FIRST_SECONDS)
        assert execute(call.pk) is None

    def test_it_is_sent_once_when_the_rest_is_over(self, world: World, clock: Clock) -> None:
        call = held(world)
        wait_for(clock, timedelta(seconds=31))
        with vendors() as fake:
            assert execute(call.pk) == "succeeded"
        assert (len(fake.writes()), fresh(call).attempts, call.held_since) == (1, 1, None)

    def test_it_can_still_be_undone(self, world: World, clock: Clock) -> None:
        call = held(world)
        assert execution.cancel(call.pk, reason="undone", after_outcome=lambda call: None)
        assert (fresh(call).state, sums(call)) == ("cancelled", (0, 0))

    def test_a_long_rest_is_told_once(self, world: World, clock: Clock) -> None:
        call = held(world)
        for _ in range(5):
            wait_for(clock, timedelta(seconds=40))
            self.rest_again(clock)
            with vendors():
                assert execute(call.pk) == "reserved"
        assert told(call) == ["call.reserved", "call.retrying"]
        assert call.not_before < fresh(call).not_before

    def test_each_change_of_state_is_told_where_the_gate_closes_after_the_claim(
        self, world: World, clock: Clock
    ) -> None:
        call = decided(world)
        # A share that would come within a worker's sleep; the clock stands, so it never does.
        pacing.learn("north", "stripe", 10, 0.1, 0.5)
        for _ in range(2):
            with vendors() as fake:
                assert execute(call.pk) == "reserved"
            wait_for(clock, timedelta(seconds=40))
            pacing.learn("north", "stripe", 10, 0.1, 0.5)
        assert (fake.asked, fresh(call).attempts, call.first_sent_at) == ([], 0, None)
        assert told(call) == ["call.reserved", *["call.sending", "call.retrying"] * 2]

    def test_no_number_of_rests_uses_the_attempts_up(self, world: World, clock: Clock) -> None:
        call = held(world)
        for _ in range(2 * 8):
            wait_for(clock, timedelta(seconds=40))
            self.rest_again(clock)
            with vendors() as fake:
                assert execute(call.pk) == "reserved"
                assert fake.writes() == []
        assert fresh(call).attempts == 0

    def test_after_twenty_hours_it_is_a_persons_and_the_money_is_free(
        self, world: World, clock: Clock
    ) -> None:
        call = held(world)
        wait_for(clock, HELD_AT_MOST)
        self.rest_again(clock)
        with vendors() as fake:
            assert execute(call.pk) == "cancelled"
        assert (fake.writes(), sums(call), fresh(call).error) == ([], (0, 0), "circuit_open")
        assert Handoff.objects.get().reason == "failed"

    def test_what_had_been_sent_and_not_executed_ends_as_failed(self, world: World, clock: Clock) -> None:
        call = held(world)
        ToolCall.objects.filter(pk=call.pk).update(first_sent_at=clock.at, attempts=1)
        wait_for(clock, HELD_AT_MOST)
        self.rest_again(clock)
        with vendors():
            assert execute(call.pk) == "failed"
        assert (fresh(call).attempts, sums(call)) == (1, (0, 0))

    def test_a_share_of_the_rate_is_waited_for_in_the_queue(self, world: World, clock: Clock) -> None:
        call = decided(world)
        pacing.learn("north", "stripe", 10, 0.1, 0)
        with vendors() as fake:
            assert execute(call.pk) == "reserved"
        assert (fake.asked, fresh(call).error) == ([], "rate_budget")
        assert timedelta(seconds=9) < call.not_before - clock.at < timedelta(seconds=11)

    def rest_again(self, clock: Clock) -> None:
        Circuit.objects.update(open_until=clock.at + timedelta(seconds=30))


class TestFacts:
    def test_a_shop_that_is_given_a_rest_burns_no_attempt_of_the_money(
        self, world: World, clock: Clock
    ) -> None:
        call = decided(world)
        wait_for_old_facts(clock)
        open_circuit("shopify", READS)
        with vendors() as fake:
            assert execute(call.pk) is None
        assert (fake.asked, fresh(call).attempts, call.error) == ([], 0, "circuit_open")
        assert call.not_before - clock.at == timedelta(seconds=circuits.FIRST_SECONDS)

    def test_facts_that_are_never_read_end_with_a_person(self, world: World, clock: Clock) -> None:
        call = decided(world)
        for _ in range(2):
            wait_for_old_facts(clock)
            open_circuit_until(clock.at + timedelta(seconds=30))
            with vendors():
                execute(call.pk)
            clock.advance(HELD_AT_MOST)
        assert (fresh(call).state, call.error) == ("cancelled", "facts.not_read")
        assert Handoff.objects.exists()


class TestCases:
    def test_a_case_waits_until_the_shop_may_be_asked(self, world: World, clock: Clock) -> None:
        damaged(world)
        stale()
        open_circuit("shopify", READS)
        with planner() as script, vendors() as fake:
            assert advance(the_case().pk) == "open"
        assert (fake.asked, script.seen) == ([], [])
        assert the_case().due_at == clock.at + timedelta(seconds=circuits.FIRST_SECONDS)

    def test_waiting_for_a_share_of_the_rate_never_ends_with_a_person(
        self, world: World, clock: Clock
    ) -> None:
        row = damaged(world)
        stale()
        pacing.learn("north", "shopify", 1000, SLOW, 0)
        with planner(refund(row)), vendors():
            for _ in range(MOST_ATTEMPTS + 3):
                assert advance(the_case().pk) == "open"
                clock.advance(LONGEST_RETRY)
        assert (the_case().attempts, Handoff.objects.exists()) == (0, False)


class TestTheShareOfWrites:
    """A shop whose readings have used up all but the fifth that is kept for writes."""

    def test_a_refund_leaves_while_readings_wait(self, world: World, clock: Clock) -> None:
        call = decided(world)
        pacing.learn("north", "stripe", 10, SLOW, 2)
        with vendors() as fake:
            with pytest.raises(HeldBack):
                stripe.list_disputes(NORTH, since=clock.at, correlation_id=call.correlation_id)
            assert fake.asked == []
            assert execute(call.pk) == "succeeded"

    def test_a_refund_reads_its_facts_while_the_agents_wait(self, world: World, clock: Clock) -> None:
        call = decided(world)
        damaged(world)
        wait_for_old_facts(clock)
        stale()
        pacing.learn("north", "shopify", 2000, SLOW, cost(ORDER) + 399)
        with planner(), vendors() as fake:
            assert advance(Case.objects.exclude(pk=call.case_id).get().pk) == "open"
            assert fake.asked == []
            execute(call.pk)
        assert {request.url.host for request in fake.asked} == {"north.example"}


def wait_for_old_facts(clock: Clock) -> None:
    clock.advance(timedelta(hours=1))


def open_circuit_until(moment: datetime) -> None:
    open_circuit("shopify", READS)
    Circuit.objects.update(open_until=moment)


def stale() -> None:
    """The shop has not been read for long."""
    Order.objects.update(read_at=None)
