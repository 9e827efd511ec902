"""An answer that was lost: the reservation stays, and only the vendor, asked with the same key, or a person knows."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from django.db import connections

from audit import sources
from cases.models import Handoff
from cases.tasks import execute, settle, sweep
from tests.flow.threads import at_once
from tests.flow.turns import damaged, decided, fresh, planner, says, scripted_shop, states, told
from tests.flow.vendors import Vendors, away, lost, over, refused, sums, vendors
from tests.flow.world import World, deliver, drain, forget_tasks, queued, the_case
from tools import execution
from tools.models import ToolCall
from tools.outcomes import MOST_ATTEMPTS

pytestmark = pytest.mark.django_db

HOURS = timedelta(hours=1)


def unknown(world: World, fake: Vendors, *, made: bool) -> ToolCall:
    """A refund whose answer was lost, whether the vendor made it or not."""
    call = decided(world)
    fake.refund = fake.made_and_lost if made else lost
    execute(call.pk)
    assert fresh(call).state == "unknown"
    forget_tasks()
    fake.asked.clear()
    fake.refund = fake.made
    return call


class TestReading:
    def test_what_the_vendor_has_done_is_found_and_not_sent_again(self, world: World) -> None:
        with vendors() as fake:
            call = unknown(world, fake, made=True)
            assert settle(call.pk) == "succeeded"
            assert fake.writes() == []
        assert (fresh(call).settled_by, sums(call)) == ("reading", (0, call.amount_minor))
        assert told(call)[-1] == "call.succeeded"
        assert told(call).count("call.succeeded") == 1

    def test_the_case_goes_on_afterwards(self, world: World) -> None:
        with vendors() as fake:
            call = unknown(world, fake, made=True)
            settle(call.pk)
            drain()
        assert (states(), the_case().state) == (["succeeded"] * 3, "closed")

    def test_somebody_elses_refund_of_the_same_amount_is_not_ours(self, world: World) -> None:
        with vendors() as fake:
            call = unknown(world, fake, made=True)
            fake.refunds[0]["metadata"] = {"call": "by hand"}
            fake.refund = lost
            assert settle(call.pk) == "unknown"
        assert sums(call) == (call.amount_minor, 0)

    @pytest.mark.parametrize("lie", [{"amount": 1}, {"currency": "eur"}, {"charge": "ch_other"}])
    def test_a_refund_of_ours_over_another_sum_or_charge_is_no_success(
        self, world: World, lie: dict[str, object]
    ) -> None:
        with vendors() as fake:
            call = unknown(world, fake, made=True)
            fake.refunds[0].update(lie)
            assert settle(call.pk) == "unknown"
            assert fake.writes() == []
        assert sums(call) == (call.amount_minor, 0)

    def test_a_refund_that_failed_at_the_vendor_is_no_success(self, world: World) -> None:
        with vendors() as fake:
            call = decided(world)
            fake.refund = fake.pending
            execute(call.pk)
            fake.refunds[0]["status"] = "failed"
            settle(call.pk)
        assert (fresh(call).state, sums(call)) == ("failed", (0, 0))
        assert Handoff.objects.get().reason == "failed"
        assert ToolCall.objects.get(position=1, decision=call.decision_id).state == "cancelled"

    def test_a_pending_refund_ends_when_the_vendor_says_so(self, world: World) -> None:
        with vendors() as fake:
            call = decided(world)
            fake.refund = fake.pending
            execute(call.pk)
            assert settle(call.pk) == "pending"
            fake.refunds[0]["status"] = "succeeded"
            assert settle(call.pk) == "succeeded"
        assert sums(call) == (0, call.amount_minor)

    def test_a_webhook_about_our_refund_has_it_looked_up(self, world: World) -> None:
        with vendors() as fake:
            call = unknown(world, fake, made=True)
            order = next(
                order
                for order in world.stage.orders
                if order["name"] == the_case().order.name  # type: ignore[union-attr]
            )
            thing = {**fake.refunds[0], "currency": "usd"}
            deliver(world.stage.stripe_step(order, "refund.created", thing, world.stage.start))
            assert ("settle", call.pk) in queued()
            drain()
        assert fresh(call).state == "succeeded"
        assert call.payment is not None
        assert call.payment.elsewhere_minor == 0


class TestSendingAgain:
    def test_what_left_no_trace_is_sent_again_with_the_same_key_and_bytes(self, world: World) -> None:
        with vendors() as fake:
            call = decided(world)
            fake.refund = lost
            execute(call.pk)
            fake.refund = fake.made
            assert settle(call.pk) == "succeeded"
        assert (len(fake.keys()), len(fake.bodies())) == (1, 1)
        assert sums(call) == (0, call.amount_minor)

    @pytest.mark.parametrize(("hours", "writes"), [(19, 1), (21, 0)])
    def test_after_twenty_hours_the_key_may_have_been_forgotten(
        self, world: World, hours: int, writes: int
    ) -> None:
        with vendors() as fake, sources.frozen(sources.now()) as clock:
            call = unknown(world, fake, made=False)
            clock.advance(hours * HOURS)
            settle(call.pk)
        assert len(fake.writes()) == writes
        assert (fresh(call).state == "succeeded") == bool(writes)

    def test_after_twenty_hours_a_person_has_it_and_the_money_stays_set_aside(self, world: World) -> None:
        with vendors() as fake, sources.frozen(sources.now()) as clock:
            call = unknown(world, fake, made=False)
            clock.advance(21 * HOURS)
            settle(call.pk)
        assert (Handoff.objects.get().reason, sums(call)) == ("unknown", (call.amount_minor, 0))

    @pytest.mark.parametrize("answer", [refused, away, lost])
    def test_a_later_no_does_not_take_the_doubt_back(self, world: World, answer: object) -> None:
        with vendors() as fake:
            call = unknown(world, fake, made=False)
            fake.refund = answer  # type: ignore[assignment]
            ToolCall.objects.filter(pk=call.pk).update(attempts=MOST_ATTEMPTS - 1)
            for _ in range(3):
                assert settle(call.pk) == "unknown"
        assert sums(call) == (call.amount_minor, 0)
        assert len(fake.keys()) == 1

    def test_what_is_pending_is_never_sent_again(self, world: World) -> None:
        with vendors() as fake:
            call = decided(world)
            fake.refund = fake.pending
            execute(call.pk)
            fake.refunds.clear()
            settle(call.pk)
        assert (len(fake.writes()), fresh(call).state) == (1, "pending")

    def test_a_vendor_that_can_not_be_read_is_asked_later(self, world: World) -> None:
        with vendors() as fake:
            call = unknown(world, fake, made=True)
        with over(away):
            assert settle(call.pk) == "unknown"
        assert sums(call) == (call.amount_minor, 0)

    def test_a_person_hears_of_it_after_ten_minutes(self, world: World) -> None:
        with vendors() as fake, sources.frozen(sources.now()) as clock:
            call = unknown(world, fake, made=False)
            fake.refund = lost
            settle(call.pk)
            assert not Handoff.objects.exists()
            clock.advance(timedelta(minutes=11))
            settle(call.pk)
        assert (Handoff.objects.get().reason, fresh(call).state) == ("unknown", "unknown")


class TestMessages:
    def test_a_lost_mail_is_sent_again_under_its_own_id(self, world: World) -> None:
        scripted_shop(world)
        damaged(world)
        with planner(says()), vendors() as fake:
            fake.message = lost
            drain()
            fake.message = lambda request: httpx.Response(202)
            settle(ToolCall.objects.get().pk)
        assert len({request.content for request in fake.writes("klaviyo.example")}) == 1
        assert (states(), the_case().state) == (["succeeded"], "closed")

    def test_a_chat_message_is_never_sent_again(self, world: World) -> None:
        scripted_shop(world)
        who = world.customer()
        _order, row = world.known(who)
        deliver(world.chat(who, f"Where is {row.name}?"))
        with planner(says()), vendors() as fake, sources.frozen(sources.now()) as clock:
            fake.chat = lost
            drain()
            assert states() == ["unknown"]
            clock.advance(timedelta(minutes=11))
            for _ in range(3):
                settle(ToolCall.objects.get(tool="send_message", position=0, decision__by_kind="agent").pk)
        asked = [request for request in fake.asked if request.url.host == "graph.example"]
        assert len({request.content for request in asked}) == len(asked)
        assert (states()[0], Handoff.objects.get().reason) == ("unknown", "unknown")


class TestDeath:
    def test_a_sender_that_died_leaves_an_open_outcome(self, world: World) -> None:
        call = decided(world)
        now = sources.now()
        ToolCall.objects.filter(pk=call.pk).update(
            state="sending", first_sent_at=now, attempts=1, fence=1, lease_until=now - timedelta(seconds=1)
        )
        assert execution.expire_leases() == [call.pk]
        assert (fresh(call).state, call.error, sums(call)) == (
            "unknown",
            "sender_died",
            (call.amount_minor, 0),
        )

    def test_a_living_sender_keeps_its_lease(self, world: World) -> None:
        call = decided(world)
        now = sources.now()
        ToolCall.objects.filter(pk=call.pk).update(
            state="sending", first_sent_at=now, attempts=1, lease_until=now + timedelta(seconds=30)
        )
        assert execution.expire_leases() == []
        assert fresh(call).state == "sending"

    def test_a_sender_that_comes_late_tells_what_it_knows(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake, sources.frozen(sources.now()) as clock:

            def slow() -> None:
                clock.advance(timedelta(minutes=5))
                execution.expire_leases()

            fake.on_send = slow
            assert execute(call.pk) == "succeeded"
        assert (fresh(call).state, sums(call)) == ("succeeded", (0, call.amount_minor))

    def test_a_sender_that_was_overtaken_writes_nothing(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake, sources.frozen(sources.now()) as clock:

            def overtaken() -> None:
                fake.on_send = lambda: None
                clock.advance(timedelta(minutes=5))
                execution.expire_leases()
                assert settle(call.pk) == "succeeded"

            fake.on_send = overtaken
            assert execute(call.pk) is None
        assert (len(fake.refunds), sums(call)) == (1, (0, call.amount_minor))
        assert told(call).count("call.succeeded") == 1


@pytest.mark.django_db(transaction=True)
class TestKilled:
    def test_a_worker_killed_between_answer_and_record_pays_once(self, world: World) -> None:
        call = decided(world)
        connections.close_all()
        # Forked, so that the child has the test's database; it stops for good while the vendor answers.
        child = multiprocessing.get_context("fork").Process(target=_send_and_hang, args=(call.pk,))
        child.start()
        assert _soon(lambda: fresh(call).state == "sending")
        time.sleep(0.2)
        assert child.pid
        os.kill(child.pid, signal.SIGKILL)
        child.join(5)
        with vendors() as fake, sources.frozen(datetime.now(UTC) + timedelta(minutes=3)):
            sweep()
            assert fresh(call).state == "unknown"
            sweep()
            drain()
        assert (len(fake.refunds), states()) == (1, ["succeeded"] * 3)
        assert sums(call) == (0, call.amount_minor)

    def test_two_who_look_at_once_pay_once(self, world: World) -> None:
        with vendors() as first:
            call = unknown(world, first, made=False)
        fake = Vendors()

        def look(_number: int) -> str | None:
            with over(fake):
                return settle(call.pk)

        at_once(look)
        assert (len(fake.refunds), len(fake.keys())) == (1, 1)
        if fresh(call).state != "succeeded":
            look(0)
        assert sums(call) == (0, call.amount_minor)
        assert told(call).count("call.succeeded") == 1


def _send_and_hang(call_id: int) -> None:
    with vendors() as fake:
        fake.on_send = lambda: time.sleep(60)
        execute(call_id)


def _soon(done: object, seconds: float = 10) -> bool:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if done():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False
