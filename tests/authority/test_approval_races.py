"""Several people and events at once: exactly one wins, and nobody's lock waits for another's in a circle."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction

from approvals.models import ApprovalRequest, RiskFlag
from audit.actors import TRIAGE
from audit.models import Entry
from cases.handoff import claim_handoff, hand_off, raise_flags
from cases.intake.messages import Letter, handle_letter
from cases.models import Case, Handoff
from cases.services import close_case, decide_approval, take_over
from tests import factories
from tests.authority.rows import (
    acting,
    decide_refund,
    failures,
    money_calls,
    order_of,
    refundable_case,
    together,
)
from tools.ledger import lock_order
from tools.models import LedgerEntry, Order, ToolCall

pytestmark = pytest.mark.django_db(transaction=True)


def yes(request: ApprovalRequest) -> Callable[[], object]:
    by = acting(request.shop)
    return lambda: decide_approval(request.pk, approve=True, proof=None, reason="", by=by)


def no(request: ApprovalRequest) -> Callable[[], object]:
    by = acting(request.shop)
    return lambda: decide_approval(request.pk, approve=False, proof=None, reason="Not ours", by=by)


LETTERS = {
    "legal": "I will sue you, my lawyer writes.",
    "fraud": "My card was stolen, I never placed this order. This is fraud!",
}


def a_letter(case: Case, text: str) -> Callable[[], object]:
    """What intake does with one more message of the case's customer, in its own transaction."""
    assert case.conversation is not None
    event = factories.make_event(case.shop, source="email", topic="message")
    sender = case.conversation.person.email
    letter = Letter("email", sender, "Inês", "My order", text, True)

    def deliver() -> object:
        with transaction.atomic():
            return handle_letter(event, letter)

    return deliver


def test_eight_approvers_at_once_pay_once() -> None:
    request = factories.make_approval()
    ended = together(*[yes(request) for _ in range(8)])
    assert failures(ended) == ["AlreadyDecided"] * 7
    assert list(ToolCall.objects.order_by("position").values_list("tool", flat=True)) == [
        "issue_refund",
        "record_refund",
        "send_message",
    ]
    assert order_of(request.case).payments.get().reserved_minor == 6640
    assert LedgerEntry.objects.filter(kind="reserved").count() == 1
    assert Entry.objects.filter(action="approval.approved").count() == 1


@pytest.mark.parametrize("_round", range(3))
def test_yes_and_no_at_once_are_one_answer(_round: int) -> None:
    request = factories.make_approval()
    ended = together(yes(request), no(request), yes(request), no(request))
    assert failures(ended) == ["AlreadyDecided"] * 3
    request.refresh_from_db()
    assert money_calls() == (1 if request.state == "approved" else 0)
    assert Handoff.objects.count() == (0 if request.state == "approved" else 1)


@pytest.mark.parametrize("kind", LETTERS)
@pytest.mark.parametrize("_round", range(2))
def test_a_signature_and_an_alarming_letter_at_once(kind: str, _round: int) -> None:
    request = factories.make_approval()
    ended = together(yes(request), a_letter(request.case, LETTERS[kind]))
    assert set(failures(ended)) <= {"AlreadyDecided", "EffectChanged"}
    assert RiskFlag.objects.filter(case=request.case, kind=kind).count() == 1
    request.refresh_from_db()
    assert (request.state, money_calls()) in (("approved", 1), ("voided", 0))
    assert request.case.handoffs.get().reason == kind


@pytest.mark.parametrize("other", [take_over, close_case])
def test_a_signature_and_a_colleague_who_ends_it_do_not_lock_each_other(other: Callable[..., object]) -> None:
    request = factories.make_approval()
    by = acting(request.shop, "agent")
    ended = together(yes(request), partial(other, request.case_id, by=by))
    assert set(failures(ended)) <= {"AlreadyDecided", "EffectChanged", "Invalid"}
    request.refresh_from_db()
    assert (request.state, money_calls()) in (("approved", 1), ("voided", 0))


def meeting(
    first: Callable[[threading.Barrier], object], second: Callable[[threading.Barrier], object]
) -> list[str]:
    """Two transactions that each hold their first lock before either asks for its second; what was raised."""
    met = threading.Barrier(2)

    def run(work: Callable[[threading.Barrier], object]) -> object:
        with transaction.atomic():
            return work(met)

    return failures(together(partial(run, first), partial(run, second)))


def test_a_hand_off_that_voids_a_request_waits_for_no_order() -> None:
    """Whoever hands over holds the case; whoever signs holds the order and waits for the case."""
    request = factories.make_approval()

    def hand_over(met: threading.Barrier) -> None:
        case = Case.objects.select_for_update(of=("self",)).get(pk=request.case_id)
        met.wait(10)
        hand_off(case, Handoff.Reason.ANGER, by=TRIAGE)

    def sign(met: threading.Barrier) -> None:
        lock_order(request.case.order_id)
        met.wait(10)
        Case.objects.select_for_update(of=("self",)).get(pk=request.case_id)

    assert meeting(hand_over, sign) == []
    request.refresh_from_db()
    assert request.state == "voided"


def test_a_claim_and_one_more_angry_message_do_not_lock_each_other() -> None:
    case = factories.make_case(state=Case.State.HANDOFF)
    row = factories.make_handoff(case)
    by = acting(case.shop, "agent")
    started = threading.Event()

    def write(met: threading.Barrier) -> None:
        locked = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
        met.wait(10)
        # The claim has its first lock by now, whichever that is.
        started.wait(0.5)
        hand_off(locked, Handoff.Reason.ANGER, by=TRIAGE)

    def claim(met: threading.Barrier) -> None:
        met.wait(10)
        claim_handoff(row.pk, by=by)

    assert meeting(write, claim) == []
    row.refresh_from_db()
    assert row.state == "claimed"


def test_a_flag_on_the_order_waits_for_no_order() -> None:
    """A flag refers to its order, which a signature holds while it waits for the case."""
    request = factories.make_approval()

    def suspect(met: threading.Barrier) -> None:
        case = Case.objects.select_for_update(of=("self",)).get(pk=request.case_id)
        met.wait(10)
        raise_flags(case, ("fraud",), source="triage.message", by=TRIAGE)

    def sign(met: threading.Barrier) -> None:
        lock_order(request.case.order_id)
        met.wait(10)
        Case.objects.select_for_update(of=("self",)).get(pk=request.case_id)

    assert meeting(suspect, sign) == []
    assert RiskFlag.objects.get().kind == "fraud"


def test_small_refunds_decided_at_once_for_one_customer_land_in_the_tier_of_their_sum() -> None:
    shop = factories.make_shop()
    person = factories.make_person(shop)
    cases = [refundable_case(600, shop=shop, person=person) for _ in range(8)]
    ended = together(*[partial(decide_refund, case) for case in cases])
    assert failures(ended) == []
    # 3 × 6.00 fit into 20.00; the others see them, committed or not.
    assert money_calls() == 3
    assert ApprovalRequest.objects.count() == 5


def test_small_refunds_to_one_card_of_several_people_add_up_too() -> None:
    shop = factories.make_shop()
    cases = [refundable_case(900, shop=shop) for _ in range(6)]
    for case in cases:
        order_of(case).payments.update(instrument="one-card")
    ended = together(*[partial(decide_refund, case) for case in cases])
    assert failures(ended) == []
    assert money_calls() == 2


def test_strangers_do_not_share_a_limit() -> None:
    shop = factories.make_shop()
    ended = together(*[partial(decide_refund, refundable_case(1500, shop=shop)) for _ in range(4)])
    assert failures(ended) == []
    assert money_calls() == 4
    assert Order.objects.count() == 4
