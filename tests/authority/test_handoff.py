"""A case goes to a person: a row in the same transaction, the promise of its reason, and one who claims it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import httpx
import pytest
from django.db import IntegrityError, transaction

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from audit import actors, sources
from audit.actors import AGENT, TRIAGE, Actor
from audit.models import Entry
from cases import services, tasks
from cases.following import after_outcome
from cases.handoff import claim_handoff, hand_off, resolve_handoff, wants_thought
from cases.models import Case, Handoff, Shop
from cases.waiting import wait
from tests import factories
from tests.adapters.faking import Vendor
from tests.authority.rows import acting, decide_refund, failures, refundable_case, signer, together
from tools import wire
from tools.models import ToolCall

pytestmark = pytest.mark.django_db


def give(case: Case, reason: str = Handoff.Reason.PLANNER, **more: object) -> Handoff:
    with transaction.atomic():
        return hand_off(case, reason, by=TRIAGE, **more)  # type: ignore[arg-type] # one wish per test


@pytest.mark.parametrize(
    ("reason", "promise"),
    [
        ("legal", timedelta(minutes=1)),
        ("distress", timedelta(minutes=1)),
        ("anger", timedelta(minutes=1)),
        ("fraud", timedelta(minutes=15)),
        ("dispute", timedelta(hours=1)),
        ("planner", timedelta(hours=4)),
        ("failed", timedelta(hours=4)),
    ],
)
def test_each_reason_has_its_promise_from_the_moment_of_the_call(reason: str, promise: timedelta) -> None:
    called_at = factories.now() - timedelta(seconds=40)
    row = give(factories.make_case(), reason, called_at=called_at)
    assert (row.received_at, row.due_at) == (called_at, called_at + promise)


def test_a_hand_off_ends_whatever_the_case_waited_for() -> None:
    request = factories.make_approval()
    give(request.case)
    request.refresh_from_db()
    request.case.refresh_from_db()
    assert (request.state, request.reason) == ("voided", "handed_off")
    assert (request.case.state, request.case.due_at) == ("handoff", None)
    waiting = factories.make_case(state="waiting")
    give(waiting)
    assert (waiting.state, waiting.wait_reason, waiting.wake_at) == ("handoff", "", None)


def test_a_second_reason_opens_no_second_hand_off_and_only_shortens_the_promise() -> None:
    case = factories.make_case()
    first = give(case, "planner")
    assert give(case, "anger").pk == first.pk
    pressed = Handoff.objects.get()
    assert (pressed.reason, pressed.due_at < first.due_at) == ("anger", True)
    give(case, "failed")
    assert Handoff.objects.get().reason == "anger"


def test_a_claimed_hand_off_keeps_its_reason() -> None:
    case = factories.make_case()
    row = give(case, "planner")
    claim_handoff(row.pk, by=acting(case.shop, "agent"))
    give(case, "anger")
    assert Handoff.objects.get().reason == "planner"


def test_the_database_allows_one_open_hand_off_per_case() -> None:
    row = factories.make_handoff()
    with pytest.raises(IntegrityError, match="case_has_one_open_handoff"), transaction.atomic():
        factories.make_handoff(row.case)


@pytest.mark.parametrize(("reason", "told"), [("anger", 1), ("planner", 1), ("fraud", 0), ("dispute", 0)])
def test_the_customer_hears_that_a_person_reads_unless_fraud_is_feared(reason: str, told: int) -> None:
    case = factories.make_case()
    factories.make_message(case)
    give(case, reason)
    assert ToolCall.objects.filter(message__template__key="acknowledge_handoff").count() == told


def test_the_customer_hears_it_once_and_who_wrote_nothing_hears_nothing() -> None:
    silent = factories.make_case()
    give(silent, "anger")
    assert ToolCall.objects.count() == 0
    case = factories.make_case()
    factories.make_message(case)
    row = give(case, "anger")
    by = acting(case.shop, "agent")
    claim_handoff(row.pk, by=by)
    resolve_handoff(row.pk, close=False, by=by)
    give(Case.objects.get(pk=case.pk), "anger")
    assert ToolCall.objects.count() == 1


def test_a_claim_makes_the_case_somebodys_and_the_agent_silent() -> None:
    row = factories.make_handoff()
    user = signer(row.shop, "agent")
    claim_handoff(row.pk, by=actors.staff(user))
    case = Case.objects.get(pk=row.case_id)
    assert (case.assigned_to_id, case.human_only) == (user.pk, True)
    assert tasks.advance(case.pk) is None
    with pytest.raises(AlreadyDecided, match=user.first_name):
        claim_handoff(row.pk, by=acting(row.shop, "agent"))


def test_a_late_claim_says_so_in_the_log() -> None:
    row = factories.make_handoff()
    with sources.frozen(row.due_at + timedelta(microseconds=1)):
        claim_handoff(row.pk, by=acting(row.shop, "agent"))
    assert '"late":true' in Entry.objects.get(action="handoff.claimed").body.replace(" ", "")


@pytest.mark.parametrize("role", ["viewer", "auditor", "limit author", "limit publisher", "admin"])
def test_no_other_role_claims_or_resolves(role: str) -> None:
    row = factories.make_handoff()
    by = acting(row.shop, role)
    with pytest.raises(NotPermitted):
        claim_handoff(row.pk, by=by)
    claim_handoff(row.pk, by=acting(row.shop, "agent"))
    with pytest.raises(NotPermitted):
        resolve_handoff(row.pk, close=True, by=by)


def test_a_colleague_of_another_shop_claims_nothing() -> None:
    with pytest.raises(NotPermitted):
        claim_handoff(factories.make_handoff().pk, by=acting(factories.make_shop(), "agent"))


def test_a_hand_off_is_claimed_before_it_is_resolved_and_resolved_once() -> None:
    row = factories.make_handoff()
    by = acting(row.shop, "agent")
    with pytest.raises(AlreadyDecided, match="Claim it first"):
        resolve_handoff(row.pk, close=True, by=by)
    claim_handoff(row.pk, by=by)
    resolve_handoff(row.pk, close=True, by=by)
    assert Case.objects.get(pk=row.case_id).state == Case.State.CLOSED
    with pytest.raises(AlreadyDecided, match="resolved already"):
        resolve_handoff(row.pk, close=True, by=by)


def test_a_case_given_back_is_the_agents_again() -> None:
    row = factories.make_handoff()
    by = acting(row.shop, "agent")
    claim_handoff(row.pk, by=by)
    resolve_handoff(row.pk, close=False, by=by)
    case = Case.objects.get(pk=row.case_id)
    assert (case.state, case.human_only, case.assigned_to_id) == ("open", False, None)
    assert case.due_at is not None


def test_a_case_that_a_flag_is_up_on_comes_straight_back_to_a_person() -> None:
    case = refundable_case()
    factories.make_flag(case, kind="legal")
    assert decide_refund(case).decision.outcome == "human"


def test_a_case_with_money_on_its_way_is_not_closed_by_hand() -> None:
    case = refundable_case()
    decide_refund(case)
    with pytest.raises(Invalid, match="Money"):
        services.close_case(case.pk, by=acting(case.shop, "agent"))


def test_what_is_closed_is_not_closed_again() -> None:
    case = factories.make_case(state="closed")
    with pytest.raises(AlreadyDecided):
        services.close_case(case.pk, by=acting(case.shop, "agent"))


def test_taking_over_a_closed_case_opens_it_for_that_person() -> None:
    case = factories.make_case(state="closed")
    services.take_over(case.pk, by=acting(case.shop, "agent"))
    case.refresh_from_db()
    assert (case.state, case.human_only, case.closed_at) == ("handoff", True, None)


def test_a_closed_case_stays_closed_where_its_order_has_an_open_one() -> None:
    order = factories.make_order(factories.make_shop())
    case = factories.make_case(order.shop, order=order, state="closed")
    factories.make_case(order.shop, order=order)
    with pytest.raises(Invalid, match="open case"):
        services.take_over(case.pk, by=acting(case.shop, "agent"))


def test_a_waiting_approval_ends_with_its_case() -> None:
    request = factories.make_approval()
    services.close_case(request.case_id, by=acting(request.shop, "agent"))
    request.refresh_from_db()
    assert (request.state, Case.objects.get(pk=request.case_id).state) == ("voided", "closed")


@pytest.mark.parametrize(
    ("days", "good"), [(timedelta(0), False), (timedelta(days=90), True), (timedelta(days=91), False)]
)
def test_a_case_is_set_aside_for_at_most_ninety_days(days: timedelta, good: bool) -> None:
    case, now = factories.make_case(), factories.now()
    by = acting(case.shop, "agent")
    with sources.frozen(now):
        if good:
            assert services.snooze(case.pk, until=now + days, by=by).wake_at == now + days
        else:
            with pytest.raises(Invalid):
                services.snooze(case.pk, until=now + days, by=by)


def claimed_case() -> tuple[Case, Actor]:
    """A case that a person has, and that person: the agent is silent in it."""
    row = give(factories.make_case())
    by = acting(row.shop, "agent")
    claim_handoff(row.pk, by=by)
    return Case.objects.get(pk=row.case_id), by


def test_news_in_a_case_that_a_person_has_set_aside_comes_back_to_people() -> None:
    case, by = claimed_case()
    services.snooze(case.pk, until=factories.now() + timedelta(days=3), by=by)
    case.refresh_from_db()
    assert (case.state, case.human_only) == ("waiting", True)
    with transaction.atomic():
        wants_thought(case)
    assert (case.state, case.wait_reason, case.wake_at) == ("handoff", "", None)
    assert case.handoffs.exclude(state="resolved").get().reason == Handoff.Reason.STAFF


def test_news_while_a_persons_effect_runs_comes_to_people_when_it_has_ended() -> None:
    case, _by = claimed_case()
    case.handoffs.update(state="resolved", resolved_at=factories.now())
    Case.objects.filter(pk=case.pk).update(state="open")
    case.refresh_from_db()
    with transaction.atomic():
        wait(case, Case.Wait.EFFECT, timedelta(hours=1))
        wants_thought(case)
    assert (case.state, case.wait_reason) == ("waiting", "effect")
    call = factories.make_call(factories.make_decision(case), state="succeeded")
    with transaction.atomic():
        after_outcome(call)
    case.refresh_from_db()
    assert (case.state, case.handoffs.filter(state="waiting").count()) == ("handoff", 1)


def test_a_reply_takes_the_case_over_and_voids_what_waits_for_approval() -> None:
    request = factories.make_approval()
    by = acting(request.shop, "agent")
    services.reply(request.case_id, text="I am looking into it.", by=by)
    request.refresh_from_db()
    assert (request.state, Case.objects.get(pk=request.case_id).human_only) == ("voided", True)


@pytest.mark.parametrize("text", ["", "  ", "x" * 5001])
def test_a_reply_has_something_to_say_but_not_too_much(text: str) -> None:
    case = factories.make_case()
    with pytest.raises(Invalid):
        services.reply(case.pk, text=text, by=acting(case.shop, "agent"))
    assert ToolCall.objects.count() == 0


def test_a_refund_that_the_vendor_refuses_comes_to_a_person(north: Shop) -> None:
    case = refundable_case(shop=north)
    call = decide_refund(case).calls[0]
    no = Vendor(httpx.Response(402, json={"error": {"type": "card_error", "code": "expired_card"}}))
    with wire.transport_override(no.transport):
        assert tasks.execute(call.pk) == "failed"
    row = Handoff.objects.get()
    assert (row.reason, row.detail) == ("failed", "expired_card")


@pytest.mark.django_db(transaction=True)
def test_eight_colleagues_claim_once() -> None:
    row = factories.make_handoff()
    by = [acting(row.shop, "agent") for _ in range(8)]
    ended = together(*[partial(claim_handoff, row.pk, by=who) for who in by])
    assert failures(ended) == ["AlreadyDecided"] * 7
    assert Entry.objects.filter(action="handoff.claimed").count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_alarms_at_once_open_one_hand_off() -> None:
    case = factories.make_case()

    def alarm() -> Handoff:
        with transaction.atomic():
            locked = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
            return hand_off(locked, Handoff.Reason.ANGER, by=AGENT)

    assert failures(together(*[alarm] * 8)) == []
    assert Handoff.objects.count() == 1
