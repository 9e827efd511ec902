"""A case may wait, always for something and until a date; a question is reminded of once, and then closed kindly."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.models import Entry
from audit.sources import Clock
from cases.models import Case, Handoff
from cases.tasks import sweep
from tests import factories
from tests.flow.breaking import broken
from tests.flow.turns import asks, damaged, planner, says, scripted_shop, writes_again
from tests.flow.vendors import Vendors
from tests.flow.world import World, drain, forget_tasks, queued, the_case
from tools.models import Order, ToolCall

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def sent() -> list[str]:
    """Keys of the templates that went out, in order."""
    calls = ToolCall.objects.filter(state="succeeded", message__isnull=False).order_by("pk")
    return [str(key) for key in calls.values_list("message__template__key", flat=True)]


def asked(world: World) -> Order:
    """The agent has asked the customer which item, and the question is out."""
    scripted_shop(world)
    row = damaged(world)
    with planner(asks()):
        drain()
    assert (the_case().state, the_case().wait_reason) == ("waiting", "customer")
    return row


def pass_time(clock: Clock, days: float) -> None:
    """Time passes, the sweep looks, and what it queues is done."""
    clock.advance(days * DAY)
    Order.objects.update(read_at=clock.at)
    sweep()
    drain()


class TestQuestions:
    def test_nothing_happens_before_the_date(self, world: World, clock: Clock, fake: Vendors) -> None:
        asked(world)
        pass_time(clock, 2.9)
        assert sent() == ["ask_which_item"]

    def test_an_unanswered_question_is_reminded_of_once(
        self, world: World, clock: Clock, fake: Vendors
    ) -> None:
        asked(world)
        for _ in range(3):
            pass_time(clock, 1.1)
        assert sent() == ["ask_which_item", "reminder"]
        assert (the_case().state, the_case().wait_reason, the_case().reminders) == ("waiting", "customer", 1)

    def test_after_the_reminder_the_case_closes_with_a_template(
        self, world: World, clock: Clock, fake: Vendors
    ) -> None:
        asked(world)
        for _ in range(10):
            pass_time(clock, 1.01)
        assert sent() == ["ask_which_item", "reminder", "closing_unanswered"]
        assert (the_case().state, the_case().closed_at is not None) == ("closed", True)

    def test_it_closes_not_before_a_week_has_passed(self, world: World, clock: Clock, fake: Vendors) -> None:
        asked(world)
        for _ in range(6):
            pass_time(clock, 1.01)
        assert the_case().state == "waiting"

    def test_an_answer_stops_the_reminding(self, world: World, clock: Clock, fake: Vendors) -> None:
        row = asked(world)
        writes_again(world, row, "The blue mug")
        with planner(says("still_on_the_way")):
            drain()
        for _ in range(5):
            pass_time(clock, 2)
        assert sent() == ["ask_which_item", "still_on_the_way"]

    def test_a_second_question_is_reminded_of_too(self, world: World, clock: Clock, fake: Vendors) -> None:
        row = asked(world)
        pass_time(clock, 3.1)
        writes_again(world, row, "The blue mug")
        with planner(asks("photo")):
            drain()
        pass_time(clock, 3.1)
        assert sent() == ["ask_which_item", "reminder", "ask_photo", "reminder"]

    def test_a_switch_that_stops_the_reminder_leaves_the_case_with_a_person(
        self, world: World, clock: Clock, fake: Vendors
    ) -> None:
        asked(world)
        factories.make_switch(factories.make_user())
        pass_time(clock, 3.1)
        assert (the_case().state, Handoff.objects.get().reason) == ("handoff", "policy")

    def test_two_sweeps_remind_once(self, world: World, clock: Clock, fake: Vendors) -> None:
        asked(world)
        clock.advance(3.1 * DAY)
        sweep()
        sweep()
        drain()
        assert sent() == ["ask_which_item", "reminder"]


class TestOtherWaits:
    @pytest.mark.parametrize("reason", ["parcel", "return", "snooze"])
    def test_the_date_wakes_a_case_for_the_agent(self, world: World, clock: Clock, reason: str) -> None:
        case = factories.make_case(
            order=factories.make_order(world.shop),
            state="waiting",
            wait_reason=reason,
            wake_at=clock.at + DAY,
        )
        clock.advance(2 * DAY)
        sweep()
        case.refresh_from_db()
        assert (case.state, case.wait_reason, case.wake_at) == ("open", "", None)
        assert queued() == [("advance", case.pk)]
        assert Entry.objects.filter(action="case.woken").count() == 1

    @pytest.mark.parametrize(
        ("then", "days"), [("wait_parcel", 7), ("wait_return", 30), ("wait_customer", 3)]
    )
    def test_a_message_may_leave_the_case_waiting(
        self, world: World, clock: Clock, fake: Vendors, then: str, days: int
    ) -> None:
        scripted_shop(world)
        damaged(world)
        with planner(says(then=then)):
            drain()
        assert the_case().wait_reason == then.removeprefix("wait_")
        assert the_case().wake_at == clock.at + days * DAY

    def test_an_effect_that_never_ends_is_a_persons(self, world: World, clock: Clock) -> None:
        case = factories.make_case(
            order=factories.make_order(world.shop),
            state="waiting",
            wait_reason="effect",
            wake_at=clock.at + DAY,
        )
        clock.advance(1.1 * DAY)
        sweep()
        case.refresh_from_db()
        assert (case.state, Handoff.objects.get().reason) == ("handoff", "stuck")

    def test_one_case_that_can_not_be_woken_hides_no_other(self, world: World, clock: Clock) -> None:
        first, second = (
            factories.make_case(
                order=factories.make_order(world.shop), state="waiting", wait_reason=reason, wake_at=clock.at
            )
            for reason in ("customer", "parcel")
        )
        request = factories.make_approval(expires_at=clock.at)
        Case.objects.filter(pk=request.case_id).update(due_at=None)
        clock.advance(DAY)
        forget_tasks()
        with broken("approvals_decision", f"NEW.case_id = {first.pk}"):
            sweep()
        for row in (first, second):
            row.refresh_from_db()
        assert (first.state, second.state) == ("waiting", "open")
        assert ("renew", request.pk) in queued()
