"""A refund that the vendor has on its way: said once, never called done, and never forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from approvals.models import Decision
from audit.sources import Clock
from cases.message_templates import render
from cases.models import Case, Handoff, Message, Template
from cases.planner.protocol import Proposal
from cases.tasks import advance, execute, settle, sweep
from tests import factories
from tests.flow.turns import asks, decided, fresh, planner, says, states, wait_for, writes_again
from tests.flow.vendors import Vendors, refused, sums
from tests.flow.world import World, drain, forget_tasks, the_case
from tools.models import Order, ToolCall

pytestmark = pytest.mark.django_db

ON_ITS_WAY = "tell_on_its_way"


def pending(world: World, fake: Vendors) -> ToolCall:
    """A refund that Stripe has on its way; what the customer hears of it waits in the queue."""
    call = decided(world)
    fake.refund = fake.pending
    assert execute(call.pk) == "pending"
    return call


def heard() -> list[str]:
    """The texts that have left, in order."""
    rows = Message.objects.filter(direction="out", state="sent", template__isnull=False)
    return list(rows.order_by("at", "pk").values_list("template__key", flat=True))


def arrive(fake: Vendors, status: str = "succeeded") -> None:
    fake.refunds[0]["status"] = status


class TestMessage:
    def test_the_customer_hears_that_it_is_on_its_way(self, world: World, fake: Vendors) -> None:
        call = pending(world, fake)
        drain(only=["execute"])
        assert heard() == ["refund_on_its_way"]
        message = Message.objects.get(template__key="refund_on_its_way")
        assert call.money is not None
        assert call.money.format("en") in message.text

    def test_it_is_a_decision_of_its_own_by_the_system(self, world: World, fake: Vendors) -> None:
        pending(world, fake)
        row = Decision.objects.get(tool=ON_ITS_WAY)
        assert (row.by_kind, row.rule, row.outcome) == ("system", "message.template", "allow")

    def test_it_is_said_once_however_often_the_vendor_is_asked(self, world: World, fake: Vendors) -> None:
        call = pending(world, fake)
        for _ in range(3):
            drain(only=["execute"])
            assert settle(call.pk) == "pending"
        assert (heard(), Decision.objects.filter(tool=ON_ITS_WAY).count()) == (["refund_on_its_way"], 1)

    def test_an_answer_that_was_lost_and_read_as_pending_says_it_too(
        self, world: World, fake: Vendors
    ) -> None:
        call = decided(world)
        fake.refund = fake.made_and_lost
        execute(call.pk)
        arrive(fake, "pending")
        assert settle(call.pk) == "pending"
        drain(only=["execute"])
        assert heard() == ["refund_on_its_way"]

    def test_the_case_waits_on_and_says_refunded_only_when_it_is(self, world: World, fake: Vendors) -> None:
        call = pending(world, fake)
        drain(only=["execute"])
        assert (the_case().state, the_case().wait_reason) == ("waiting", "effect")
        arrive(fake)
        assert settle(call.pk) == "succeeded"
        drain()
        assert heard() == ["refund_on_its_way", "refund_done"]
        assert the_case().state == "closed"

    def test_what_is_done_before_the_message_left_is_not_called_on_its_way(
        self, world: World, fake: Vendors
    ) -> None:
        call = pending(world, fake)
        forget_tasks()
        arrive(fake)
        settle(call.pk)
        drain()
        told = ToolCall.objects.get(decision__tool=ON_ITS_WAY)
        execute(told.pk)
        assert (fresh(told).state, told.error) == ("cancelled", "refund.no_longer_on_its_way")
        assert (heard(), Handoff.objects.exists(), the_case().state) == (["refund_done"], False, "closed")

    def test_a_message_that_can_not_leave_brings_a_person_and_stops_no_money(
        self, world: World, fake: Vendors
    ) -> None:
        call = pending(world, fake)
        fake.message = refused
        drain(only=["execute"])
        assert (the_case().state, fresh(call).state) == ("handoff", "pending")
        arrive(fake)
        assert settle(call.pk) == "succeeded"

    def test_a_customer_who_can_not_be_told_of_orders_brings_a_person(
        self, world: World, fake: Vendors
    ) -> None:
        call = decided(world)
        factories.make_flag(the_case(), kind="legal")
        ToolCall.objects.filter(pk=call.pk).update(state="sending", first_sent_at=factories.now(), attempts=1)
        ToolCall.objects.filter(pk=call.pk).update(state="unknown")
        fake.refund = fake.pending
        fake.refunds = [
            {
                "object": "refund", "id": "re_1", "amount": call.amount_minor, "currency": "usd",
                "charge": call.payment.external_id if call.payment else "", "created": 1_790_000_000,
                "status": "pending", "metadata": {"call": str(call.idempotency_key)},
            }
        ]  # fmt: skip
        assert settle(call.pk) == "pending"
        assert (heard(), Handoff.objects.get().reason) == ([], "policy")

    @pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ja"])
    def test_it_is_there_in_five_languages_and_calls_nothing_done(self, world: World, language: str) -> None:
        row = Template.objects.get(key="refund_on_its_way", language=language, active=True)
        values = {"first_name": "Inês", "order_name": "#1001", "amount": "EUR 12.00", "shop_name": "North"}
        _subject, text = render(row, values)
        assert (row.order_data, "EUR 12.00" in text, "#1001" in text) == (True, True, True)


class TestNothingElseSaysDone:
    def thinks(self, wish: Proposal) -> None:
        """The agent has a turn all the same, and this is what its planner says."""
        due = factories.now() - timedelta(minutes=1)
        Case.objects.update(state="open", wait_reason="", wake_at=None, due_at=due)
        with planner(wish):
            advance(the_case().pk)
        drain(only=["execute"])

    def test_no_planner_may_say_refunded_while_it_is_on_its_way(self, world: World, fake: Vendors) -> None:
        pending(world, fake)
        drain(only=["execute"])
        self.thinks(says("already_refunded"))
        row = Decision.objects.filter(tool="send_message").latest("pk")
        assert (row.outcome, row.values[1]["values"]) == ("deny", {"problem": "refund.not_done"})
        assert "already_refunded" not in heard()

    def test_no_planner_may_ask_for_the_message(self, world: World, fake: Vendors) -> None:
        call = pending(world, fake)
        drain(only=["execute"])
        self.thinks(asks().model_copy(update={"tool": ON_ITS_WAY, "arguments": {"call_id": call.pk}}))
        assert Decision.objects.filter(tool=ON_ITS_WAY, outcome="deny", by_kind="agent").exists()
        assert heard().count("refund_on_its_way") == 1


class TestPatience:
    def test_a_day_on_its_way_is_no_persons_trouble(self, world: World, fake: Vendors, clock: Clock) -> None:
        pending(world, fake)
        for _ in range(3):
            drain()
            wait_for(clock, timedelta(hours=25))
            sweep()
        assert (the_case().state, the_case().wait_reason) == ("waiting", "effect")
        assert not Handoff.objects.exists()

    def test_who_writes_meanwhile_is_read_by_a_person_within_a_day(
        self, world: World, fake: Vendors, clock: Clock
    ) -> None:
        pending(world, fake)
        drain()
        writes_again(world, Order.objects.get(), "Where is my money?")
        wait_for(clock, timedelta(hours=25))
        sweep()
        assert Handoff.objects.get().reason == "stuck"

    def test_after_ten_days_a_person_looks(self, world: World, fake: Vendors, clock: Clock) -> None:
        call = pending(world, fake)
        drain()
        wait_for(clock, timedelta(days=10, minutes=1))
        settle(call.pk)
        assert (Handoff.objects.get().reason, fresh(call).state) == ("unknown", "pending")
        assert sums(call) == (call.amount_minor, 0)

    def test_it_is_asked_for_less_and_less_often(self, world: World, fake: Vendors, clock: Clock) -> None:
        call = pending(world, fake)
        rests = []
        for age in (timedelta(minutes=5), timedelta(hours=1), timedelta(days=3)):
            assert call.first_sent_at is not None or fresh(call)
            clock.at = fresh(call).first_sent_at + age
            settle(call.pk)
            rests.append(fresh(call).lease_until - clock.at)
        assert rests == [timedelta(seconds=30), timedelta(minutes=6), timedelta(minutes=15)]


def test_nothing_else_of_the_decision_has_begun(world: World, fake: Vendors) -> None:
    call = pending(world, fake)
    drain()
    later = ToolCall.objects.filter(decision=call.decision, position__gt=0)
    assert set(later.values_list("state", flat=True)) == {"reserved"}
    assert "succeeded" in states()
