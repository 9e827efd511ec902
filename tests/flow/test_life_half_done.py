"""An action that stops half-way: nothing after it runs, a person has it, and reads what ran and what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from approvals.admin.half_done import half_done
from audit.sources import Clock
from cases.models import Handoff, LegalEntity, Message, Shop
from cases.tasks import execute, settle, sweep
from tests import factories
from tests.flow.turns import decided, fresh
from tests.flow.vendors import Vendors, lost, refused, sums
from tests.flow.world import World, drain, forget_tasks, the_case
from tests.signing import signed_in
from tools.models import CreditNote, ToolCall

pytestmark = pytest.mark.django_db

STEPS = ("issue_refund", "record_refund", "send_message")


def steps(call: ToolCall) -> dict[str, str]:
    """The state of each step of the decision, in order."""
    rows = ToolCall.objects.filter(decision=call.decision).order_by("position")
    return dict(rows.values_list("tool", "state"))


def refuses(request: httpx.Request) -> httpx.Response:
    """Shopify says no."""
    error = {"field": ["orderId"], "message": "Order cannot be refunded"}
    return httpx.Response(200, json={"data": {"refundCreate": {"refund": None, "userErrors": [error]}}})


def breaks(fake: Vendors, tool: str, answer: Callable[[httpx.Request], httpx.Response]) -> None:
    """From now on the vendor of this step answers so."""
    if tool == "issue_refund":
        fake.refund = answer
    elif tool == "record_refund":
        fake.record = refuses if answer is refused else answer
    else:
        fake.message = answer


def up_to(call: ToolCall, tool: str) -> None:
    """Everything before this step is done."""
    for step in ToolCall.objects.filter(decision=call.decision).order_by("position"):
        if step.tool == tool:
            return
        execute(step.pk)
    forget_tasks()


def page(address: str) -> str:
    answer = signed_in(factories.make_user(roles=["viewer"])).get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("tool", STEPS)
class TestEachPosition:
    def after(self, call: ToolCall, tool: str) -> set[str]:
        found = steps(call)
        names = list(found)
        assert {found[name] for name in names[: names.index(tool)]} <= {"succeeded"}
        return {found[name] for name in names[names.index(tool) + 1 :]}

    def test_a_no_ends_what_comes_after_and_calls_a_person(
        self, world: World, fake: Vendors, tool: str
    ) -> None:
        call = decided(world)
        breaks(fake, tool, refused)
        drain(only=["execute"])
        assert steps(call)[tool] == "failed"
        assert self.after(call, tool) <= {"cancelled"}
        assert (the_case().state, Handoff.objects.get().reason) == ("handoff", "failed")
        assert Handoff.objects.get().decision_id == call.decision_id

    def test_a_kill_switch_before_it_ends_it_and_what_comes_after(
        self, world: World, fake: Vendors, tool: str
    ) -> None:
        call = decided(world)
        up_to(call, tool)
        factories.make_switch(factories.make_user())
        for step in ToolCall.objects.filter(decision=call.decision, state="reserved").order_by("position"):
            execute(step.pk)
        assert steps(call)[tool] == "cancelled"
        assert self.after(call, tool) <= {"cancelled"}
        assert Handoff.objects.get().reason == "failed"

    def test_an_answer_that_was_lost_lets_nothing_start(
        self, world: World, fake: Vendors, clock: Clock, tool: str
    ) -> None:
        call = decided(world)
        breaks(fake, tool, lost)
        drain(only=["execute"])
        assert steps(call)[tool] == "unknown"
        assert self.after(call, tool) <= {"reserved"}
        clock.advance(timedelta(minutes=11))
        settle(ToolCall.objects.get(decision=call.decision, tool=tool).pk)
        assert (Handoff.objects.get().reason, steps(call)[tool]) == ("unknown", "unknown")
        assert self.after(call, tool) <= {"reserved"}

    def test_refunded_is_not_said(self, world: World, fake: Vendors, tool: str) -> None:
        call = decided(world)
        breaks(fake, tool, refused)
        drain()
        message = Message.objects.get(template__key="refund_done")
        assert message.state == "failed"
        moved = tool != "issue_refund"
        assert sums(call) == (0, call.amount_minor if moved else 0)


class TestTheDocument:
    """The refund has run, and its credit note can't be written, or its record at the shop has failed before."""

    @pytest.fixture
    def call(self, world: World, fake: Vendors) -> ToolCall:
        world.shop.credit_notes = Shop.CreditNotes.OURS
        world.shop.save(update_fields=["credit_notes"])
        return decided(world)

    def test_a_document_that_can_not_be_written_stops_what_comes_after(
        self, call: ToolCall, fake: Vendors
    ) -> None:
        LegalEntity.objects.update(address="")
        drain()
        assert list(steps(call).values()) == ["succeeded", "succeeded", "failed", "cancelled"]
        assert (the_case().state, Handoff.objects.get().reason) == ("handoff", "failed")
        assert Message.objects.get(template__key="refund_done").state == "failed"
        html = page(f"/admin/cases/case/{call.case_id}/change/")
        told = [
            "Give the money back",
            "Show the refund in the shop",
            "Issue the credit note",
            "Tell the customer",
        ]
        places = [html.find(words, html.index("Stopped half-way")) for words in told]
        assert places == sorted(places)
        assert -1 not in places
        assert html.count("Nothing: it is done.") == 2
        assert "There is no credit note" in html
        assert "Write to them in the case" in html

    def test_nothing_of_it_starts_again_by_itself(self, call: ToolCall, fake: Vendors, clock: Clock) -> None:
        LegalEntity.objects.update(address="")
        drain()
        before, asked = steps(call), len(fake.asked)
        LegalEntity.objects.update(address="Bryggegata 1")
        for _ in range(3):
            clock.advance(timedelta(hours=1))
            sweep()
            drain(only=["execute", "settle"])
        assert (steps(call), CreditNote.objects.count()) == (before, 0)
        assert not any("refund" in str(request.url).lower() for request in fake.asked[asked:])

    def test_a_record_that_failed_leaves_no_document_and_says_so(self, call: ToolCall, fake: Vendors) -> None:
        breaks(fake, "record_refund", refused)
        drain()
        assert list(steps(call).values()) == ["succeeded", "failed", "cancelled", "cancelled"]
        html = page(f"/admin/cases/case/{call.case_id}/change/")
        assert html.count("Nothing: it is done.") == 1
        assert "Enter the refund there by hand" in html
        assert "There is no credit note" in html


class TestPanel:
    @pytest.mark.parametrize(
        ("tool", "words"),
        [
            ("record_refund", "Enter the refund there by hand"),
            ("send_message", "The customer has not been told"),
        ],
    )
    def test_case_and_decision_show_what_ran_and_what_to_do(
        self, world: World, fake: Vendors, tool: str, words: str
    ) -> None:
        call = decided(world)
        breaks(fake, tool, refused)
        drain()
        for address in (
            f"/admin/cases/case/{call.case_id}/change/",
            f"/admin/approvals/decision/{call.decision_id}/change/",
        ):
            html = page(address)
            assert "Stopped half-way" in html
            assert words in html
            assert "Nothing: it is done." in html

    def test_an_action_that_ran_whole_shows_none(self, world: World, fake: Vendors) -> None:
        call = decided(world)
        drain()
        assert "Stopped half-way" not in page(f"/admin/cases/case/{call.case_id}/change/")

    def test_an_action_that_never_began_shows_none(self, world: World, fake: Vendors) -> None:
        call = decided(world)
        fake.refund = refused
        drain()
        assert fresh(call).state == "failed"
        assert half_done(ToolCall.objects.filter(decision=call.decision)) == []

    def test_of_two_tenders_the_one_that_is_still_owed_is_named(self) -> None:
        order = factories.make_order(factories.make_shop())
        decision = factories.make_decision(factories.make_case(order=order))
        first = factories.make_call(decision, state="succeeded", amount_minor=1000)
        factories.make_payment(order, vendor="shopify", external_id="31", gateway="gift_card")
        gift = order.payments.get(external_id="31")
        factories.make_call(decision, state="failed", amount_minor=500, payment=gift, position=1, error="no")
        (found,) = half_done(ToolCall.objects.filter(decision=decision))
        assert [(step.call.amount_minor, bool(step.remedy)) for step in found.steps] == [
            (1000, False),
            (500, True),
        ]
        assert first.pk == found.steps[0].call.pk

    def test_money_that_came_back_is_named_first(self) -> None:
        call = factories.make_call(state="failed_later")
        (found,) = half_done([call])
        assert "took it back" in found.steps[0].remedy
