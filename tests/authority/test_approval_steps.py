"""What an approver does besides yes: another amount, a question, two signatures, and a no that sticks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from approvals.deciding import Made, Wish, decide
from approvals.eligibility import for_request
from approvals.errors import AlreadyDecided, Invalid, LeavesNobody, NotPermitted
from approvals.models import ApprovalRequest, Recusal, Signature
from approvals.signing import lost, take_back
from audit import actors
from audit.actors import AGENT, Actor
from cases.approving import ask_customer, edit_amount
from cases.composing import composer
from cases.handoff import scope_of, wants_thought
from cases.models import Case, User
from cases.services import decide_approval
from tests import factories
from tests.authority.rows import (
    acting,
    code_of,
    decide_refund,
    device_of,
    failures,
    money_calls,
    order_of,
    refundable_case,
    seen_by_agent,
    shown,
    signer,
    together,
)
from tests.refunding.test_bodies import mixed_case, quote
from tools.models import RefundQuote, ToolCall

db = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def approve(request: ApprovalRequest, by: Actor) -> ApprovalRequest:
    return decide_approval(request.pk, approve=True, proof=None, reason="", by=by)


def reject(request: ApprovalRequest) -> None:
    by = acting(request.shop)
    decide_approval(request.pk, approve=False, proof=None, reason="The photo shows another tent", by=by)


def asked(amount_minor: int = 6640) -> ApprovalRequest:
    """A request as the agent's own wish makes it, in a shop with an approver who has no hand in it."""
    case = refundable_case(amount_minor)
    signer(case.shop)
    made = decide_refund(case)
    assert made.request is not None
    Case.objects.filter(pk=case.pk).update(state=Case.State.APPROVAL)
    return made.request


def wish_again(case: Case, tool: str = "issue_refund", **changes: object) -> Made:
    arguments = {**factories.refund_wish(order_of(case)), **changes}
    with transaction.atomic():
        return decide(
            Wish(tool, arguments, factories.planner_config().pk),
            scope=scope_of(case),
            situation=replace(seen_by_agent(case), human_only=False),
            undo=factories.now() - factories.now(),
            compose=composer(case),
            by=AGENT,
        )


@db
@pytest.mark.parametrize("cents", [-1, 1])
def test_a_no_covers_a_cent_less_and_a_cent_more(cents: int) -> None:
    request = asked()
    reject(request)
    order = order_of(request.case)
    order.lines.update(total_minor=6640 + cents)
    order.payments.update(captured_minor=7000)
    again = decide_refund(Case.objects.get(pk=request.case_id))
    assert again.effect.digest != request.effect_hash
    assert (again.decision.rule, again.request) == ("case.refused_before", None)


@db
@pytest.mark.parametrize(
    "changes", [{"goodwill_percent": 10}, {"reason": "missing"}, {"shipping": True, "reason": "wrong_item"}]
)
def test_a_no_covers_the_same_piece_by_another_wish(changes: dict[str, Any]) -> None:
    request = asked()
    reject(request)
    assert wish_again(request.case, **changes).decision.rule == "case.refused_before"


@db
def test_a_no_follows_the_order_into_the_next_case() -> None:
    request = asked()
    reject(request)
    Case.objects.filter(pk=request.case_id).update(state=Case.State.CLOSED, closed_at=factories.now())
    later = factories.make_case(order=order_of(request.case))
    assert decide_refund(later).decision.rule == "case.refused_before"


@db
def test_a_no_about_one_piece_says_nothing_about_another() -> None:
    order = factories.make_order(factories.make_shop(), [("Tent Fjord 2P", 1, 6640), ("Stove", 1, 5000)])
    factories.make_shipment(order)
    case = factories.make_case(order=order)
    made = decide_refund(case)
    assert made.request is not None
    reject(made.request)
    case.handoffs.update(state="resolved", resolved_at=factories.now(), claimed_at=factories.now(),
                         claimed_by=factories.make_user())  # fmt: skip
    other = order.lines.get(title="Stove")
    found = wish_again(case, lines=[{"line_id": other.pk, "quantity": 1}])
    assert found.decision.rule != "case.refused_before"


@db
@pytest.mark.parametrize("amount_minor", [1000, 3000, 6639])
def test_another_amount_is_a_new_request_that_its_writer_cannot_sign(amount_minor: int) -> None:
    request, editor = asked(), signer(factories.make_shop())
    editor.shops.set([request.shop])
    new = edit_amount(request.pk, amount_minor=amount_minor, by=actors.staff(editor))
    request.refresh_from_db()
    assert (request.state, request.reason) == ("voided", "edited")
    assert (new.amount_minor, new.edited_from_id, new.state) == (amount_minor, request.decision_id, "pending")
    with pytest.raises(NotPermitted):
        approve(new, actors.staff(editor))
    assert approve(new, acting(request.shop)).state == "approved"
    assert sum(ToolCall.objects.values_list("amount_minor", flat=True)) == amount_minor


@db
def test_an_amount_within_the_automatic_line_still_needs_another_person() -> None:
    request = asked()
    new = edit_amount(request.pk, amount_minor=100, by=acting(request.shop))
    assert (new.decision.rule, new.tier, money_calls()) == ("refund.edited", "one_approver", 0)


@db
def test_more_is_judged_by_the_tier_of_the_larger_amount() -> None:
    case = refundable_case(30_000, quantity=2)
    device_of(signer(case.shop, "finance approver"))
    made = decide_refund(case)
    assert made.request is not None
    Case.objects.filter(pk=case.pk).update(state=Case.State.APPROVAL)
    new = edit_amount(made.request.pk, amount_minor=25_000, by=acting(case.shop))
    assert (made.request.tier, new.tier) == ("one_approver", "two_factor")


@db
@pytest.mark.parametrize(
    ("amount_minor", "shares"), [(3225, [1000, 2225]), (1, [0, 1]), (11_000, [3000, 8000])]
)
def test_several_payments_pay_another_amount_as_the_shop_split_the_first(
    amount_minor: int, shares: list[int]
) -> None:
    case = mixed_case()
    signer(case.shop)
    quote(case, 2000, 4450)
    made = decide_refund(case)
    assert made.request is not None
    Case.objects.filter(pk=case.pk).update(state=Case.State.APPROVAL)
    RefundQuote.objects.all().delete()
    new = edit_amount(made.request.pk, amount_minor=amount_minor, by=acting(case.shop))
    paid = [tender["amount_minor"] for tender in new.decision.effect["tenders"]]
    assert paid == [share for share in shares if share]
    assert sum(paid) == amount_minor


@db
def test_a_person_gives_no_more_goodwill_than_the_limits_allow() -> None:
    case = refundable_case(30_000)
    signer(case.shop)
    made = decide_refund(case, goodwill_percent=15, reason="goodwill")
    assert made.request is not None
    with pytest.raises(Invalid, match="goodwill"):
        edit_amount(made.request.pk, amount_minor=4501, by=acting(case.shop))
    assert edit_amount(made.request.pk, amount_minor=4000, by=acting(case.shop)).state == "pending"


@db
@pytest.mark.parametrize("amount_minor", [6641, 6640, 0])
def test_more_than_is_left_or_the_same_or_nothing_changes_nothing(amount_minor: int) -> None:
    request = asked()
    with pytest.raises(Invalid):
        edit_amount(request.pk, amount_minor=amount_minor, by=acting(request.shop))
    request.refresh_from_db()
    assert (request.state, Recusal.objects.count(), ApprovalRequest.objects.count()) == ("pending", 0, 1)


@db
def test_no_editor_without_the_right_to_sign() -> None:
    request = asked()
    with pytest.raises(NotPermitted):
        edit_amount(request.pk, amount_minor=3000, by=acting(request.shop, "agent"))


@db
def test_whoever_asks_the_customer_hands_the_approval_on() -> None:
    request, asker = asked(), signer(factories.make_shop())
    asker.shops.set([request.shop])
    ask_customer(request.pk, question="photo", by=actors.staff(asker))
    message = ToolCall.objects.get(tool="send_message").message
    assert message is not None
    assert message.template is not None
    assert message.template.key == "ask_photo"
    with pytest.raises(NotPermitted, match="asked the customer"):
        approve(request, actors.staff(asker))
    assert approve(request, acting(request.shop)).state == "approved"


@db
def test_who_asked_does_not_sign_the_request_that_follows_the_answer_either() -> None:
    request, asker = asked(), signer(factories.make_shop())
    asker.shops.set([request.shop])
    ask_customer(request.pk, question="photo", by=actors.staff(asker))
    wants_thought(Case.objects.get(pk=request.case_id))
    request.refresh_from_db()
    assert (request.state, request.reason) == ("voided", "news")
    made = decide_refund(Case.objects.get(pk=request.case_id))
    assert made.request is not None
    with pytest.raises(NotPermitted, match="asked the customer"):
        approve(made.request, actors.staff(asker))


STEPS: list[Callable[..., ApprovalRequest]] = [
    partial(edit_amount, amount_minor=3000),
    partial(ask_customer, question="photo"),
]


@db
@pytest.mark.parametrize("step", STEPS, ids=["edit", "ask"])
def test_the_only_approver_who_hands_it_on_says_that_nobody_is_left(
    step: Callable[..., ApprovalRequest],
) -> None:
    request = factories.make_approval()
    by = acting(request.shop)
    with pytest.raises(LeavesNobody, match="mid-size"):
        step(request.pk, by=by)
    request.refresh_from_db()
    assert (request.state, Recusal.objects.count(), ToolCall.objects.count()) == ("pending", 0, 0)
    step(request.pk, leaves_nobody_ok=True, by=by)
    assert Recusal.objects.count() == 1


@db
@pytest.mark.parametrize("step", STEPS, ids=["edit", "ask"])
def test_of_two_who_are_needed_neither_hands_it_on_without_a_third(
    step: Callable[..., ApprovalRequest],
) -> None:
    shop = factories.make_shop()
    factories.make_limits(
        shop, one_approver_up_to_minor=2000, two_people_above_minor=2000, auto_up_to_minor=1000
    )
    request = factories.make_approval(shop=shop, large=True, people_needed=2)
    people = [finance(request), finance(request)]
    for user in people:
        device_of(user)
    with pytest.raises(LeavesNobody, match="very large"):
        step(request.pk, by=actors.staff(people[0]))
    device_of(finance(request))
    assert step(request.pk, by=actors.staff(people[0])).people_needed == 2


@db
def test_who_has_signed_counts_among_those_who_are_left() -> None:
    request = two_people()
    sign(request, finance(request))
    asker, third = finance(request), finance(request)
    device_of(asker)
    with pytest.raises(LeavesNobody):
        ask_customer(request.pk, question="photo", by=actors.staff(asker))
    device_of(third)
    ask_customer(request.pk, question="photo", by=actors.staff(asker))
    people = for_request(request)
    assert (people.eligible, people.enough) == ([third], True)


@db
def test_only_a_template_question_is_asked() -> None:
    request = asked()
    with pytest.raises(Invalid):
        ask_customer(request.pk, question="send us your card number", by=acting(request.shop))
    assert (Recusal.objects.count(), ToolCall.objects.count()) == (0, 0)


def two_people() -> ApprovalRequest:
    return factories.make_approval(large=True, people_needed=2)


def sign(request: ApprovalRequest, user: User) -> ApprovalRequest:
    proof = shown(request, user, code_of(device_of(user)))
    return decide_approval(request.pk, approve=True, proof=proof, reason="", by=actors.staff(user))


def finance(request: ApprovalRequest) -> User:
    return signer(request.shop, "finance approver")


@db
def test_the_first_of_two_signatures_moves_nothing() -> None:
    request = two_people()
    assert (sign(request, finance(request)).state, money_calls()) == ("pending", 0)


@db
def test_the_same_person_is_not_two() -> None:
    request = two_people()
    user = finance(request)
    sign(request, user)
    with pytest.raises(NotPermitted, match="second person"):
        decide_approval(request.pk, approve=True, proof=None, reason="", by=actors.staff(user))


@db
def test_two_people_each_with_their_own_factor_release_it() -> None:
    request = two_people()
    sign(request, finance(request))
    assert sign(request, finance(request)).state == "approved"
    assert set(Signature.objects.values_list("factor", flat=True)) == {"totp"}
    assert (Signature.objects.count(), money_calls(), lost(request)) == (2, 1, False)


@db
def test_the_first_may_think_again() -> None:
    request = two_people()
    first = finance(request)
    sign(request, first)
    take_back(request.pk, by=actors.staff(first))
    assert sign(request, finance(request)).state == "pending"
    assert money_calls() == 0


@db
def test_nobody_takes_another_persons_signature_back() -> None:
    request = two_people()
    sign(request, finance(request))
    with pytest.raises(NotPermitted):
        take_back(request.pk, by=actors.staff(finance(request)))


@db
def test_a_first_signature_without_its_role_is_none() -> None:
    request = two_people()
    first = finance(request)
    sign(request, first)
    first.groups.clear()
    assert sign(request, finance(request)).state == "pending"
    assert money_calls() == 0


@db
def test_a_role_lost_by_either_of_two_stops_the_money_before_it_is_sent() -> None:
    request = two_people()
    first = finance(request)
    sign(request, first)
    sign(request, finance(request))
    first.groups.clear()
    assert lost(request)


@committed
def test_eight_edits_at_once_are_one() -> None:
    request = asked()
    people = [acting(request.shop) for _ in range(8)]
    ended = together(*[lambda by=by: edit_amount(request.pk, amount_minor=3000, by=by) for by in people])
    assert failures(ended) == ["AlreadyDecided"] * 7
    assert ApprovalRequest.objects.filter(state="pending").count() == 1


@db
def test_a_request_that_was_decided_is_not_edited_and_nobody_is_asked() -> None:
    request = asked()
    approve(request, acting(request.shop))
    steps: tuple[Callable[[Actor], object], ...] = (
        lambda by: edit_amount(request.pk, amount_minor=3000, by=by),
        lambda by: ask_customer(request.pk, question="photo", by=by),
    )
    for step in steps:
        with pytest.raises(AlreadyDecided):
            step(acting(request.shop))
