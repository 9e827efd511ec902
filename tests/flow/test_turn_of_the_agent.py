"""The agent's turn in a case: one at a time, with fresh facts, judged, and never ending in nothing."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from approvals.models import ApprovalRequest, Decision
from audit import actors, sources
from cases.handoff import claim_handoff, resolve_handoff
from cases.models import Case, Handoff, Message, Shop
from cases.planner.factory import scripted
from cases.planner.facts import CaseFacts
from cases.planner.protocol import Proposal
from cases.planner.scripted import ScriptedPlanner
from cases.planning import LONGEST_RETRY, MOST_ATTEMPTS, advance, read_order
from cases.tasks import sweep
from tests import factories
from tests.adapters import shopify_answers as told
from tests.flow.threads import at_once
from tests.flow.turns import asks, damaged, fresh, planner, refund, says, scripted_shop, writes_again
from tests.flow.vendors import over, vendors
from tests.flow.world import World, drain, forget_tasks, queued, the_case
from tools import wire
from tools.models import Order, RateBudget, ToolCall

pytestmark = pytest.mark.django_db

LATER = timedelta(minutes=2)


@pytest.fixture
def world(world: World) -> World:
    scripted_shop(world)
    return world


def agents() -> Decision:
    """The agent's own decision; triage decides that the customer hears of a hand-off."""
    return Decision.objects.get(by_kind="agent")


def stale(order: Order) -> None:
    """Nobody has read the order lately."""
    Order.objects.filter(pk=order.pk).update(read_at=None)


class TestOutcomes:
    def test_a_small_refund_is_allowed_and_queued(self, world: World) -> None:
        row = damaged(world)
        with planner(refund(row)):
            drain(only=["advance"])
        decision = Decision.objects.get()
        assert (decision.outcome, decision.rule) == ("allow_after_undo", "refund.tier.automatic")
        assert (decision.entitled_by, decision.by_kind) == ("terms.damaged", "agent")
        assert (the_case().state, the_case().wait_reason, the_case().due_at) == ("waiting", "effect", None)
        assert queued() == [("execute", ToolCall.objects.get(position=0).pk)]

    @pytest.mark.parametrize(("size", "tier"), [("mid", "one_approver"), ("large", "two_factor")])
    def test_a_larger_refund_waits_for_people(self, world: World, size: str, tier: str) -> None:
        row = damaged(world, item=world.item(size))
        with planner(refund(row)):
            drain(only=["advance"])
        assert (ApprovalRequest.objects.get().tier, the_case().state) == (tier, "approval")
        assert not ToolCall.objects.exists()
        assert queued() == []

    def test_what_policy_leaves_to_people_is_a_handoff(self, world: World) -> None:
        row = damaged(world)
        with planner(refund(row, reason="lost")):
            drain(only=["advance"])
        assert (agents().rule, Handoff.objects.get().reason) == ("refund.entitled", "policy")

    @pytest.mark.parametrize(
        "wish",
        [
            Proposal(tool="transfer_money", arguments={"to": "me"}),
            Proposal(tool="issue_refund", arguments={"amount": 100}),
            Proposal(tool="acknowledge"),
            Proposal(tool="reply", arguments={"message_id": 1}),
            Proposal(tool="lookup_order", arguments={"order_id": 1}),
        ],
    )
    def test_a_denied_wish_is_a_handoff(self, world: World, wish: Proposal) -> None:
        damaged(world)
        with planner(wish):
            drain(only=["advance"])
        assert (agents().outcome, Handoff.objects.get().reason) == ("deny", "denied")
        assert the_case().state == "handoff"

    def test_an_order_of_another_case_is_denied(self, world: World) -> None:
        other = factories.make_order(world.shop)
        damaged(world)
        with planner(refund(other)):
            drain(only=["advance"])
        assert agents().outcome == "deny"
        assert not ToolCall.objects.filter(amount_minor__gt=0).exists()

    def test_a_question_waits_for_the_customer_once_it_is_sent(self, world: World) -> None:
        damaged(world)
        with planner(asks()), vendors() as fake:
            drain()
        assert len(fake.writes("klaviyo.example")) == 1
        assert (the_case().state, the_case().wait_reason) == ("waiting", "customer")

    def test_an_escalation_names_why(self, world: World) -> None:
        damaged(world)
        with planner(Proposal(tool="escalate", arguments={"reason": "legal"}, note="They name a court.")):
            drain(only=["advance"])
        row = Handoff.objects.get()
        assert (row.reason, row.decision_id) == ("legal", agents().pk)
        assert Message.objects.get(direction="machine").text == "They name a court."

    def test_marked_fraud_raises_a_flag(self, world: World) -> None:
        row = damaged(world)
        with planner(Proposal(tool="mark_fraud", arguments={"order_id": row.pk, "reason": "stolen_card"})):
            drain(only=["advance"])
        assert Handoff.objects.get().reason == "fraud"
        assert row.flags.get().kind == "fraud"

    def test_nothing_to_do_closes(self, world: World) -> None:
        damaged(world)
        with planner(Proposal(tool="close_case", arguments={"reason": "nothing_to_do"})):
            drain()
        assert (the_case().state, the_case().closed_by) == ("closed", "agent")


class TestClaiming:
    def test_a_case_that_nothing_happened_in_is_not_thought_about(self, world: World) -> None:
        damaged(world)
        with planner(asks()) as script, vendors():
            drain()
            assert advance(the_case().pk) is None
        assert len(script.seen) == 1

    def test_a_task_that_comes_ten_times_is_one_turn(self, world: World) -> None:
        row = damaged(world)
        with planner(refund(row)) as script:
            results = [advance(the_case().pk) for _ in range(10)]
        assert (results[1:], len(script.seen)) == ([None] * 9, 1)

    def test_attempts_are_counted_before_the_work(self, world: World) -> None:
        damaged(world)
        seen: list[int] = []

        def look(facts: CaseFacts) -> Proposal:
            seen.append(the_case().attempts)
            return asks()

        with scripted(ScriptedPlanner(look)):
            drain(only=["advance"])
        assert (seen, the_case().attempts) == ([1], 0)

    def test_who_lost_the_fence_writes_nothing(self, world: World) -> None:
        row = damaged(world)

        def overtaken(facts: CaseFacts) -> Proposal:
            Case.objects.update(fence=99)
            return refund(row)

        with scripted(ScriptedPlanner(overtaken)):
            assert advance(the_case().pk) is None
        assert not Decision.objects.exists()

    def test_a_person_who_takes_over_while_it_thinks_silences_it(self, world: World) -> None:
        row = damaged(world)

        def taken(facts: CaseFacts) -> Proposal:
            Case.objects.update(state="handoff", human_only=True, due_at=None)
            return refund(row)

        with scripted(ScriptedPlanner(taken)):
            assert advance(the_case().pk) is None
        assert not Decision.objects.exists()

    def test_a_message_that_comes_while_it_thinks_makes_it_think_again(self, world: World) -> None:
        row = damaged(world)
        asked: list[int] = []

        def think(facts: CaseFacts) -> Proposal:
            asked.append(len(facts.messages))
            if len(asked) == 1:
                writes_again(world, row, "Wait, it was the other one!")
            return refund(row)

        with scripted(ScriptedPlanner(think)):
            drain(only=["advance"])
        assert (asked, Decision.objects.count()) == ([1, 2], 1)

    def test_a_message_that_comes_while_the_effect_runs_is_answered_before_the_end(
        self, world: World
    ) -> None:
        row = damaged(world)
        with planner(refund(row), says("still_on_the_way")) as script, vendors():
            drain(only=["advance"])
            writes_again(world, row, "And where is the rest?")
            drain()
        assert (len(script.seen), the_case().state) == (2, "closed")


def read_with_a_refund_elsewhere(world: World) -> Case:
    """A case whose order was refunded on a card that we don't know, as its reading tells."""
    order = factories.make_order(world.shop, external_id="1001", currency="USD")
    case = factories.make_case(world.shop, order=order)
    read_again(case)
    return case


def read_again(case: Case) -> None:
    moves = told.page(told.back(gateway="gift_card", parentTransaction=None))
    assert case.order is not None
    stale(case.order)
    # As after a while: the shop may be asked again.
    RateBudget.objects.all().delete()
    case = Case.objects.select_related("shop", "order").get(pk=case.pk)
    seen = told.order(refunds=[told.refund(transactions=moves)])
    with wire.transport_override(told.shop(OpsOrder={"order": seen}).transport):
        read_order(case, timedelta(0))


class TestReading:
    def test_a_stale_order_is_read_at_the_shop_first(self, world: World) -> None:
        row = damaged(world)
        stale(row)
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.host)
            return httpx.Response(200, json={"data": {"order": None}})

        with planner(), over(answer):
            advance(the_case().pk)
        assert asked == ["north.example"]

    def test_an_order_that_the_shop_does_not_know_is_a_persons(self, world: World) -> None:
        stale(damaged(world))
        with planner(), over(lambda request: httpx.Response(200, json={"data": {"order": None}})):
            assert advance(the_case().pk) == "handoff"
        assert (Handoff.objects.get().reason, Handoff.objects.get().detail) == ("stuck", "not_found")

    def test_a_changed_contract_is_never_guessed_at(self, world: World) -> None:
        stale(damaged(world))
        with planner(), over(lambda request: httpx.Response(200, json={"data": {"order": {"id": 5}}})):
            assert advance(the_case().pk) == "handoff"
        handoff = Handoff.objects.get()
        assert (handoff.reason, handoff.detail) == ("drift", "shopify order data.order.id")

    def test_a_refund_of_no_known_payment_calls_a_person_once_for_all_readings(self, world: World) -> None:
        case = read_with_a_refund_elsewhere(world)
        handoff = Handoff.objects.get(detail="refund.does_not_add_up")
        by = actors.staff(factories.make_user(roles=["agent"]))
        claim_handoff(handoff.pk, by=by)
        resolve_handoff(handoff.pk, close=False, by=by)
        for _ in range(3):
            read_again(case)
        assert Handoff.objects.filter(detail="refund.does_not_add_up").count() == 1

    def test_a_refund_from_before_the_connection_calls_nobody_when_it_is_read(self, world: World) -> None:
        Shop.objects.update(cutover_at=factories.now())
        read_with_a_refund_elsewhere(world)
        assert not Handoff.objects.exists()

    def test_a_shop_that_is_away_is_read_later(self, world: World) -> None:
        row = damaged(world)
        stale(row)
        with planner(refund(row)) as script, sources.frozen(sources.now()) as clock:
            with over(lambda request: httpx.Response(503)):
                assert advance(the_case().pk) == "open"
            assert script.seen == []
            assert the_case().due_at is not None
            Order.objects.update(read_at=clock.advance(LATER))
            forget_tasks()
            sweep()
            drain(only=["advance"])
        assert Decision.objects.count() == 1

    def test_a_shop_that_stays_away_is_a_persons(self, world: World) -> None:
        stale(damaged(world))
        with planner(), sources.frozen(sources.now()) as clock:
            for _ in range(MOST_ATTEMPTS + 1):
                with over(lambda request: httpx.Response(503)):
                    advance(the_case().pk)
                clock.advance(LONGEST_RETRY)
        assert (the_case().state, Handoff.objects.get().reason) == ("handoff", "stuck")


class TestCrash:
    def test_a_planner_that_crashes_loses_no_case(self, world: World) -> None:
        damaged(world)
        with planner(), sources.frozen(sources.now()) as clock:
            for _ in range(MOST_ATTEMPTS):
                forget_tasks()
                with pytest.raises(AssertionError):
                    advance(the_case().pk)
                assert the_case().state == "open"
                Order.objects.update(read_at=clock.advance(LATER))
            assert advance(the_case().pk) == "handoff"
        assert (Handoff.objects.get().reason, Handoff.objects.get().detail) == ("stuck", "attempts")

    def test_a_crash_is_tried_again_by_the_sweep(self, world: World) -> None:
        row = damaged(world)
        forget_tasks()
        with sources.frozen(sources.now()) as clock:
            with planner(), pytest.raises(AssertionError):
                advance(the_case().pk)
            Order.objects.update(read_at=clock.advance(LATER))
            sweep()
            with planner(refund(row)):
                drain(only=["advance"])
        assert Decision.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_two_workers_have_one_turn(self, world: World) -> None:
        row = damaged(world)
        case_id = the_case().pk
        script = ScriptedPlanner(lambda facts: refund(row))
        with scripted(script):
            results = at_once(lambda _: advance(case_id))
        assert sorted(results, key=str) == [*[None] * 7, "waiting"]
        assert (len(script.seen), Decision.objects.count()) == (1, 1)
        assert fresh(the_case()).fence == 1
