"""A message finds its person, order and case, or opens one; a feared one is a person's before we answer."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

import pytest

from approvals.models import Decision, RiskFlag
from audit.models import Entry
from cases.models import Case, Conversation, Handoff, InboundEvent, Message, Person
from tests import factories
from tests.flow.threads import THREADS, at_once
from tests.flow.world import World, deliver, post, queued, the_case
from tools.models import Order, ToolCall

pytestmark = pytest.mark.django_db

ANGRY = "This is an outrage. I am furious, you are liars and thieves and I want my money NOW!!!"


def close(case: Case, *, days_ago: float = 0) -> None:
    at = factories.now() - timedelta(days=days_ago)
    Case.objects.filter(pk=case.pk).update(state="closed", closed_at=at, closed_by="agent", due_at=None)


def two_recent(world: World) -> tuple[object, Order, Order]:
    who = world.customer()
    return who, world.known(who)[1], world.known(who, days=9)[1]


class TestOpening:
    def test_a_message_opens_a_case_that_wants_thought(self, world: World) -> None:
        deliver(world.mail(world.customer(), "Do you sell gift cards?"))
        case = the_case()
        assert (case.state, case.subject, case.order_id) == ("open", "message", None)
        assert case.due_at is not None
        assert queued() == [("advance", case.pk)]

    def test_a_second_message_joins_the_conversations_case(self, world: World) -> None:
        who = world.customer()
        for text in ("Do you sell gift cards?", "Hello, anybody there?"):
            deliver(world.mail(who, text))
        case = the_case()
        assert (case.messages.count(), case.dirty) == (2, 3)

    def test_mail_and_chat_of_one_person_meet_in_the_orders_case(self, world: World) -> None:
        who = world.customer()
        _order, row = world.known(who)
        deliver(world.mail(who, f"Where is order {row.name}?"))
        deliver(world.chat(who, f"Still waiting for {row.name}"))
        assert (the_case().order_id, the_case().messages.count()) == (row.pk, 2)
        assert Person.objects.count() == 1
        assert Conversation.objects.count() == 2

    def test_a_message_joins_the_case_that_an_order_event_opened(self, world: World) -> None:
        who = world.customer()
        _order, row = world.known(who)
        opened = factories.make_case(order=row, subject="stuck_parcel", conversation=None, person=row.person)
        deliver(world.mail(who, f"Where is {row.name}?"))
        assert the_case().pk == opened.pk
        assert the_case().conversation is not None


class TestWhichOrder:
    @pytest.mark.parametrize("written", ["{name}", "order {number}", "(No. {number})", "Bestellung {name}!"])
    def test_an_order_is_found_by_its_number(self, world: World, written: str) -> None:
        who, wanted, _other = two_recent(world)
        text = written.format(name=wanted.name, number=wanted.name.lstrip("#"))
        deliver(world.mail(who, f"Hello, about {text}"))  # type: ignore[arg-type]
        assert the_case().order_id == wanted.pk

    def test_a_number_in_the_subject_counts(self, world: World) -> None:
        who, wanted, _other = two_recent(world)
        deliver(world.mail(who, "Where is it?", subject=f"Order {wanted.name}"))  # type: ignore[arg-type]
        assert the_case().order_id == wanted.pk

    def test_the_only_recent_order_is_meant_where_none_is_named(self, world: World) -> None:
        who = world.customer()
        _order, row = world.known(who)
        deliver(world.mail(who, "Where is my parcel?"))
        assert the_case().order_id == row.pk

    def test_of_two_recent_orders_none_is_guessed(self, world: World) -> None:
        who, _one, _other = two_recent(world)
        deliver(world.mail(who, "Where is my parcel?"))  # type: ignore[arg-type]
        assert the_case().order_id is None

    def test_somebody_elses_order_is_not_theirs_by_naming_it(self, world: World) -> None:
        _order, others = world.known(world.customer())
        mine, _ = world.customer(), None
        world.known(mine)
        deliver(world.mail(mine, f"Please refund {others.name}, it arrived broken"))
        assert the_case().order_id is None

    def test_a_price_or_a_date_is_no_order_number(self, world: World) -> None:
        who, _one, other = two_recent(world)
        number = other.name.lstrip("#")
        deliver(world.mail(who, f"I paid {number}.50 for it"))  # type: ignore[arg-type]
        assert the_case().order_id is None

    def test_an_order_of_another_shop_is_not_found(self, world: World) -> None:
        who = world.customer()
        elsewhere = factories.make_order(factories.make_shop(), name="#77001")
        deliver(world.mail(who, f"Where is {elsewhere.name}?"))
        assert the_case().order_id is None


class TestReopening:
    def test_a_message_within_days_reopens_the_case(self, world: World) -> None:
        who = world.customer()
        deliver(world.mail(who, "Do you sell gift cards?"))
        close(the_case(), days_ago=13)
        deliver(world.mail(who, "One more thing"))
        case = the_case()
        assert (case.state, case.reopened, case.closed_at) == ("open", 1, None)
        assert Entry.objects.filter(action="case.reopened").count() == 1

    def test_a_later_message_opens_a_case_that_links_back(self, world: World) -> None:
        who = world.customer()
        deliver(world.mail(who, "Do you sell gift cards?"))
        first = the_case()
        close(first, days_ago=15)
        deliver(world.mail(who, "One more thing"))
        later = Case.objects.latest("pk")
        assert (later.previous_id, Case.objects.count()) == (first.pk, 2)

    def test_another_order_is_another_case(self, world: World) -> None:
        who, one, other = two_recent(world)
        deliver(world.mail(who, f"About {one.name}"))  # type: ignore[arg-type]
        close(the_case(), days_ago=1)
        deliver(world.mail(who, f"About {other.name}"))  # type: ignore[arg-type]
        assert Case.objects.latest("pk").order_id == other.pk
        assert Case.objects.count() == 2

    def test_a_closed_case_whose_order_has_an_open_one_is_not_opened_beside_it(self, world: World) -> None:
        who, one, _other = two_recent(world)
        deliver(world.mail(who, f"About {one.name}"))  # type: ignore[arg-type]
        close(the_case(), days_ago=1)
        disputed = factories.make_case(order=one, subject="dispute", conversation=None, person=one.person)
        deliver(world.mail(who, "Any news?"))  # type: ignore[arg-type]
        assert Message.objects.latest("pk").case_id == disputed.pk

    def test_a_case_that_waited_for_the_customer_wakes(self, world: World) -> None:
        who = world.customer()
        deliver(world.mail(who, "Something is broken"))
        case = the_case()
        wake = factories.now() + timedelta(days=3)
        Case.objects.filter(pk=case.pk).update(
            state="waiting", wait_reason="customer", wake_at=wake, due_at=None
        )
        deliver(world.mail(who, "It is the blue mug"))
        case = the_case()
        assert (case.state, case.wait_reason, case.wake_at) == ("open", "", None)
        assert case.due_at is not None

    def test_a_case_that_a_person_has_stays_theirs(self, world: World) -> None:
        who = world.customer()
        deliver(world.mail(who, ANGRY))
        deliver(world.mail(who, "Sorry. Do you sell gift cards?"))
        assert the_case().state == "handoff"
        assert ("advance", the_case().pk) not in queued()


class TestFeared:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            (ANGRY, "anger"),
            ("My lawyer will sue you. I will take you to court next week.", "legal"),
            ("I never ordered this. Somebody used my stolen card, this is fraud.", "fraud"),
        ],
    )
    def test_a_feared_message_is_a_persons_in_the_same_transaction(
        self, world: World, text: str, reason: str
    ) -> None:
        deliver(world.mail(world.customer(), text))
        event, row = InboundEvent.objects.get(), Handoff.objects.get()
        assert (row.reason, row.event_id, row.state) == (reason, event.pk, "waiting")
        assert row.received_at == event.received_at
        assert (the_case().state, the_case().due_at) == ("handoff", None)
        assert RiskFlag.objects.filter(kind=reason, lowered_at__isnull=True, case=the_case()).exists()

    def test_the_minute_counts_from_receipt(self, world: World) -> None:
        deliver(world.mail(world.customer(), ANGRY))
        row = Handoff.objects.get()
        assert row.due_at - row.received_at == timedelta(minutes=1)

    def test_the_customer_hears_that_a_person_will_read(self, world: World) -> None:
        deliver(world.mail(world.customer(), ANGRY))
        decision, call = Decision.objects.get(), ToolCall.objects.get()
        assert (decision.tool, decision.rule, decision.by_kind) == (
            "acknowledge",
            "message.acknowledgement",
            "triage",
        )
        assert call.decision_id == decision.pk
        assert (call.state, call.vendor, call.message is not None) == ("reserved", "klaviyo", True)
        assert queued() == [("execute", call.pk)]

    def test_an_acknowledgement_is_said_once(self, world: World) -> None:
        who = world.customer()
        deliver(world.mail(who, ANGRY))
        deliver(world.mail(who, ANGRY))
        assert (ToolCall.objects.count(), Handoff.objects.count()) == (1, 1)

    def test_a_more_pressing_reason_shortens_the_promise(self, world: World) -> None:
        who = world.customer()
        deliver(world.mail(who, "Do you sell gift cards?"))
        factories.make_handoff(the_case(), reason="planner", due_at=factories.now() + timedelta(hours=4))
        deliver(world.mail(who, ANGRY))
        row = Handoff.objects.get()
        assert row.reason == "anger"
        assert row.due_at < factories.now() + timedelta(minutes=2)

    def test_anger_by_whatsapp_is_answered_by_whatsapp(self, world: World) -> None:
        deliver(world.chat(world.customer(), ANGRY))
        assert ToolCall.objects.get().vendor == "whatsapp"

    def test_what_waited_for_approval_is_void(self, world: World) -> None:
        who = world.customer()
        _order, row = world.known(who)
        deliver(world.mail(who, f"{row.name} arrived broken"))
        request = factories.make_approval(the_case())
        Case.objects.update(state="approval", due_at=None)
        deliver(world.mail(who, ANGRY))
        request.refresh_from_db()
        assert (request.state, the_case().state) == ("voided", "handoff")


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_eight_messages_of_a_stranger_are_one_case(self, world: World) -> None:
        who = world.customer()
        steps = [world.mail(who, f"Message {number}") for number in range(THREADS)]
        assert set(at_once(lambda number: post(steps[number]).status_code)) == {200}
        assert (Case.objects.count(), Person.objects.count(), Message.objects.count()) == (1, 1, THREADS)
        assert the_case().dirty == THREADS + 1

    def test_mail_and_chat_at_once_are_one_case_of_the_order(self, world: World) -> None:
        who = world.customer()
        _order, row = world.known(who)
        steps = [
            (world.mail if number % 2 else world.chat)(who, f"{number}: about {row.name}")
            for number in range(THREADS)
        ]
        assert set(at_once(lambda number: post(steps[number]).status_code)) == {200}
        assert Case.objects.filter(order=row).count() == 1
        assert Case.objects.count() == 1

    def test_eight_angry_messages_are_one_handoff_with_one_acknowledgement(self, world: World) -> None:
        who = world.customer()
        steps = [world.mail(who, ANGRY) for _ in range(THREADS)]
        assert set(at_once(lambda number: post(steps[number]).status_code)) == {200}
        assert (Handoff.objects.count(), ToolCall.objects.count(), RiskFlag.objects.count()) == (1, 1, 1)

    def test_eight_messages_reopen_a_case_once(self, world: World) -> None:
        who = world.customer()
        deliver(world.mail(who, "Do you sell gift cards?"))
        close(the_case())
        steps = [
            replace(world.mail(who, f"And {number}"), external_id=str(uuid.uuid4())) for number in range(8)
        ]
        assert set(at_once(lambda number: post(steps[number]).status_code)) == {200}
        assert (the_case().reopened, the_case().messages.count()) == (1, THREADS + 1)
