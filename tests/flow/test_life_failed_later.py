"""Money that comes back days after it went: the case is open again, with a person, and the books are right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit.models import Entry
from cases.invariants import violations
from cases.models import Case, Handoff, Message
from cases.tasks import execute, settle
from opsagent.demo.script import Neutral
from tests import factories
from tests.flow.turns import decided, fresh, planner, refund, told, writes_again
from tests.flow.vendors import Vendors, sums
from tests.flow.world import World, deliver, drain
from tools.models import LedgerEntry, Order, ToolCall

pytestmark = pytest.mark.django_db


def done(world: World, fake: Vendors) -> ToolCall:
    """A refund that was done; its customer has heard so, and its case is closed."""
    call = decided(world)
    drain()
    assert (fresh(call).state, case_of(call).state) == ("succeeded", "closed")
    return call


def case_of(call: ToolCall) -> Case:
    return Case.objects.get(pk=call.case_id)


def neutral_of(world: World, call: ToolCall) -> Neutral:
    order = call.case.order
    assert order is not None
    return next(row for row in world.stage.orders if str(row["id"]) == order.external_id)


def fail_at_stripe(world: World, fake: Vendors, call: ToolCall, *, days: float = 4) -> None:
    """Stripe tells days later that the bank sent the money back."""
    fake.refunds[0]["status"] = "failed"
    thing: dict[str, Any] = {**fake.refunds[0], "failure_reason": "expired_or_canceled_card"}
    at = world.stage.start + timedelta(days=days)
    deliver(world.stage.stripe_step(neutral_of(world, call), "refund.failed", thing, at))


def handoff() -> Handoff:
    return Handoff.objects.exclude(state="resolved").get()


def outgoing() -> list[str]:
    rows = Message.objects.filter(direction="out", template__isnull=False)
    return list(rows.order_by("pk").values_list("template__key", flat=True))


class TestAfterSuccess:
    def test_the_closed_case_is_open_again_with_a_person(self, world: World, fake: Vendors) -> None:
        call = done(world, fake)
        fail_at_stripe(world, fake, call)
        assert fresh(call).state == "failed_later"
        assert (case_of(call).state, case_of(call).reopened) == ("handoff", 1)
        assert (handoff().reason, handoff().detail) == ("failed", "refund.failed_later")
        assert (handoff().case_id, handoff().decision_id) == (call.case_id, call.decision_id)

    def test_the_money_is_free_again_and_the_books_say_why(self, world: World, fake: Vendors) -> None:
        call = done(world, fake)
        fail_at_stripe(world, fake, call)
        assert sums(call) == (0, 0)
        kinds = list(LedgerEntry.objects.filter(call=call).order_by("pk").values_list("kind", "amount_minor"))
        assert kinds == [(kind, sign * call.amount_minor) for kind, sign in
                         (("reserved", 1), ("refunded", 1), ("reversed", -1))]  # fmt: skip
        assert violations() == []

    def test_the_customer_is_told_nothing_by_itself(self, world: World, fake: Vendors) -> None:
        call = done(world, fake)
        before = outgoing()
        fail_at_stripe(world, fake, call)
        drain()
        assert outgoing() == before

    def test_the_same_news_twice_is_one_hand_off(self, world: World, fake: Vendors) -> None:
        call = done(world, fake)
        for _ in range(3):
            fail_at_stripe(world, fake, call)
            drain()
        assert Handoff.objects.count() == 1
        assert told(call).count("call.failed_later") == 1
        assert LedgerEntry.objects.filter(call=call, kind="reversed").count() == 1

    def test_a_case_that_the_order_has_open_by_now_goes_on_instead(self, world: World, fake: Vendors) -> None:
        call = done(world, fake)
        newer = factories.make_case(order=call.case.order, state="open")
        fail_at_stripe(world, fake, call)
        assert (handoff().case_id, case_of(call).state) == (newer.pk, "closed")
        assert handoff().decision_id == call.decision_id

    def test_a_talk_about_another_order_does_not_hide_it(self, world: World, fake: Vendors) -> None:
        call = done(world, fake)
        other = factories.make_order(world.shop)
        factories.make_case(order=other, conversation=call.case.conversation, state="open")
        fail_at_stripe(world, fake, call)
        found = handoff().case
        assert (found.order_id, found.pk != call.case_id) == (call.case.order_id, True)
        assert Case.objects.exclude(state="closed").filter(order=call.case.order).count() == 1

    def test_steps_that_nobody_had_begun_end_with_it(self, world: World, fake: Vendors) -> None:
        call = decided(world)
        execute(call.pk)
        fail_at_stripe(world, fake, call)
        drain()
        later = ToolCall.objects.filter(decision=call.decision, position__gt=0)
        assert set(later.values_list("state", "error")) == {("cancelled", "step_before_failed")}
        assert "refund_done" not in [
            m.template.key for m in Message.objects.filter(state="sent") if m.template
        ]
        assert handoff().case_id == call.case_id


class TestWhileOnItsWay:
    def pending(self, world: World, fake: Vendors) -> ToolCall:
        call = decided(world)
        fake.refund = fake.pending
        execute(call.pk)
        drain(only=["execute"])
        return call

    def test_a_refund_that_never_arrived_goes_to_a_person(self, world: World, fake: Vendors) -> None:
        call = self.pending(world, fake)
        before = outgoing()
        fail_at_stripe(world, fake, call)
        drain()
        assert (fresh(call).state, call.settled_by, sums(call)) == ("failed", "reading", (0, 0))
        assert (handoff().reason, case_of(call).state) == ("failed", "handoff")
        assert outgoing() == before

    def test_it_opens_even_a_case_that_somebody_closed_meanwhile(self, world: World, fake: Vendors) -> None:
        call = self.pending(world, fake)
        Case.objects.update(state="closed", closed_at=factories.now(), wait_reason="", wake_at=None)
        fail_at_stripe(world, fake, call)
        drain()
        assert (case_of(call).state, case_of(call).reopened) == ("handoff", 1)
        assert Entry.objects.filter(action="case.reopened").count() == 1

    def test_or_the_one_that_the_order_has_open_by_now(self, world: World, fake: Vendors) -> None:
        call = self.pending(world, fake)
        Case.objects.update(state="closed", closed_at=factories.now(), wait_reason="", wake_at=None)
        newer = factories.make_case(order=call.case.order, state="open")
        fake.refunds[0]["status"] = "failed"
        settle(call.pk)
        assert (handoff().case_id, case_of(call).state) == (newer.pk, "closed")

    def test_the_customer_can_be_refunded_once_more(self, world: World, fake: Vendors) -> None:
        call = self.pending(world, fake)
        fail_at_stripe(world, fake, call)
        drain()
        fake.refund = fake.made
        Handoff.objects.update(state="resolved", resolved_at=factories.now(), claimed_by=factories.make_user(),
                               claimed_at=factories.now())  # fmt: skip
        Case.objects.update(state="open", due_at=factories.now())
        order = Order.objects.get()
        writes_again(world, order, "it arrived broken, where is my money?")
        with planner(refund(order)):
            drain()
        again = ToolCall.objects.filter(amount_minor__gt=0).latest("pk")
        assert (again.pk != call.pk, again.state) == (True, "succeeded")
        assert sums(call) == (0, call.amount_minor)
