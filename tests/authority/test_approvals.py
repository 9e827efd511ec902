"""A signature: whose counts, for what, and what voids it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from approvals.errors import AlreadyDecided, EffectChanged, Invalid, NotPermitted
from approvals.models import ApprovalRequest, KillSwitch
from audit import actors, sources
from audit.actors import AGENT, SYSTEM, TRIAGE, Actor
from audit.models import Entry
from cases import services, tasks
from cases.handoff import hand_off, raise_flags
from cases.models import Case, Handoff
from cases.services import decide_approval
from tests import factories
from tests.authority.rows import acting, decide_refund, money_calls, order_of, refundable_case, signer
from tools.models import Payment, ToolCall

pytestmark = pytest.mark.django_db


def approve(request: ApprovalRequest, by: Actor) -> ApprovalRequest:
    return decide_approval(request.pk, approve=True, proof=None, reason="", by=by)


def reject(
    request: ApprovalRequest, by: Actor, reason: str = "The photo shows another tent"
) -> ApprovalRequest:
    return decide_approval(request.pk, approve=False, proof=None, reason=reason, by=by)


def assert_nothing_moved(request: ApprovalRequest) -> None:
    assert money_calls() == 0
    assert order_of(request.case).payments.get().reserved_minor == 0


def assert_voided(request: ApprovalRequest, why: str) -> None:
    """Void, nothing sent, and the case with a person."""
    request.refresh_from_db()
    assert (request.state, request.reason) == ("voided", why)
    assert_nothing_moved(request)
    case = Case.objects.get(pk=request.case_id)
    assert case.state == Case.State.HANDOFF
    assert case.handoffs.get().decision_id == request.decision_id


def test_an_approver_signs_and_exactly_that_effect_is_reserved() -> None:
    request = factories.make_approval()
    by = acting(request.shop)
    assert approve(request, by).state == "approved"
    refund, record, message = ToolCall.objects.order_by("position")
    assert (refund.amount_minor, refund.currency, refund.decision_id) == (6640, "EUR", request.decision_id)
    assert (record.tool, record.amount_minor) == ("record_refund", 0)
    assert (message.amount_minor, message.message is not None) == (0, True)
    assert order_of(request.case).payments.get().reserved_minor == 6640
    case = Case.objects.get(pk=request.case_id)
    assert (case.state, case.wait_reason) == ("waiting", "effect")
    assert Entry.objects.filter(action="approval.approved", actor_id=by.id).count() == 1


def test_a_finance_approver_signs_mid_size_refunds_as_well() -> None:
    request = factories.make_approval()
    assert approve(request, acting(request.shop, "finance approver")).state == "approved"


@pytest.mark.parametrize("role", ["viewer", "agent", "limit author", "limit publisher", "auditor", "admin"])
def test_no_other_role_signs(role: str) -> None:
    request = factories.make_approval()
    by = acting(request.shop, role)
    for decide in (approve, reject):
        with pytest.raises(NotPermitted):
            decide(request, by)
    assert_nothing_moved(request)


def test_a_superuser_without_the_role_signs_nothing() -> None:
    request = factories.make_approval()
    root = factories.make_user(is_superuser=True, shops=[request.shop])
    with pytest.raises(NotPermitted):
        approve(request, actors.staff(root))
    assert_nothing_moved(request)


def test_a_permission_given_past_the_roles_signs_nothing() -> None:
    request = factories.make_approval()
    user = factories.make_user("approvals.approve_refund", shops=[request.shop])
    with pytest.raises(NotPermitted):
        approve(request, actors.staff(user))


def test_a_colleague_of_another_shop_signs_nothing() -> None:
    request = factories.make_approval()
    with pytest.raises(NotPermitted):
        approve(request, acting(factories.make_shop()))
    assert_nothing_moved(request)


def test_who_has_left_signs_nothing() -> None:
    request = factories.make_approval()
    user = signer(request.shop)
    by = actors.staff(user)
    user.is_active = False
    user.save()
    with pytest.raises(NotPermitted):
        approve(request, by)


def test_a_role_lost_a_second_ago_counts() -> None:
    request = factories.make_approval()
    user = signer(request.shop)
    by = actors.staff(user)
    user.groups.clear()
    with pytest.raises(NotPermitted):
        approve(request, by)


@pytest.mark.parametrize("by", [AGENT, TRIAGE, SYSTEM, Actor("vendor", "stripe", "Stripe")])
def test_nobody_but_staff_signs(by: Actor) -> None:
    request = factories.make_approval()
    with pytest.raises(NotPermitted):
        approve(request, by)
    assert_nothing_moved(request)


def test_no_actor_passes_for_staff_by_carrying_their_number() -> None:
    request = factories.make_approval()
    number = str(signer(request.shop).pk)
    for kind in ("agent", "system", "customer"):
        with pytest.raises(NotPermitted):
            approve(request, Actor(kind, number, "somebody"))


@pytest.mark.parametrize("hand", ["author", "published_by"])
def test_nobody_signs_under_limits_that_they_wrote_or_published(hand: str) -> None:
    shop = factories.make_shop()
    user = signer(shop)
    hands: dict[str, Any] = {hand: user}
    factories.make_limits(shop, **hands)
    request = factories.make_approval(shop=shop)
    with pytest.raises(NotPermitted, match="limits"):
        approve(request, actors.staff(user))
    assert approve(request, acting(shop)).state == "approved"


def test_nobody_signs_what_they_proposed() -> None:
    user = factories.make_user(roles=["approver"])
    case = refundable_case(6640)
    user.shops.set([case.shop])
    decision = factories.make_decision(
        case, amount_minor=6640, outcome="one_approver", by_kind="staff", by_id=str(user.pk)
    )
    request = factories.make_approval(case, decision=decision)
    with pytest.raises(NotPermitted, match="proposed"):
        approve(request, actors.staff(user))


def test_a_request_expires_to_the_moment() -> None:
    request = factories.make_approval()
    by = acting(request.shop)
    with sources.frozen(request.expires_at), pytest.raises(AlreadyDecided, match="expired"):
        approve(request, by)
    assert_nothing_moved(request)
    with sources.frozen(request.expires_at - timedelta(microseconds=1)):
        assert approve(request, by).state == "approved"


def test_a_request_that_nobody_decided_ends_with_a_person() -> None:
    request = factories.make_approval(expires_at=factories.now() - timedelta(seconds=1))
    factories.make_caps(request.shop, renewals=0)
    assert tasks.sweep() >= 1
    tasks.renew(request.pk)
    request.refresh_from_db()
    assert request.state == "expired"
    assert request.case.handoffs.get().reason == Handoff.Reason.EXPIRED


def test_the_second_yes_moves_no_money() -> None:
    request = factories.make_approval()
    approve(request, acting(request.shop))
    with pytest.raises(AlreadyDecided):
        approve(request, acting(request.shop))
    assert money_calls() == 1


def test_a_no_sticks_and_the_case_goes_to_a_person() -> None:
    request = factories.make_approval()
    by = acting(request.shop)
    assert reject(request, by).reason == "The photo shows another tent"
    assert request.case.handoffs.get().reason == Handoff.Reason.REFUSED
    with pytest.raises(AlreadyDecided):
        approve(request, by)
    assert_nothing_moved(request)


def test_a_no_says_why() -> None:
    request = factories.make_approval()
    with pytest.raises(Invalid):
        reject(request, acting(request.shop), reason="  ")
    request.refresh_from_db()
    assert request.state == "pending"


def test_the_same_effect_is_not_asked_for_again_after_a_no() -> None:
    case = refundable_case(6640)
    made = decide_refund(case)
    assert made.request is not None
    Case.objects.filter(pk=case.pk).update(state=Case.State.APPROVAL)
    reject(made.request, acting(case.shop))
    again = decide_refund(case)
    assert (again.decision.rule, again.request) == ("case.refused_before", None)


def test_a_line_refunded_meanwhile_voids_the_request() -> None:
    request = factories.make_approval()
    order_of(request.case).lines.update(refunded_quantity=1, refunded_minor=6640)
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, "refund.more_than_bought")


def test_a_line_that_got_cheaper_voids_the_request() -> None:
    request = factories.make_approval()
    order_of(request.case).lines.update(total_minor=6000)
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, "effect")


@pytest.mark.parametrize("column", ["elsewhere_minor", "disputed_minor", "refunded_minor", "reserved_minor"])
def test_money_that_is_gone_otherwise_voids_the_request(column: str) -> None:
    request = factories.make_approval()
    payment = order_of(request.case).payments.get()
    Payment.objects.filter(pk=payment.pk).update(**{column: payment.captured_minor - 6639})
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    request.refresh_from_db()
    assert (request.state, request.reason) == ("voided", "refund.more_than_refundable")
    assert money_calls() == 0
    assert request.case.handoffs.count() == 1


def test_the_last_cent_may_still_go_back() -> None:
    request = factories.make_approval()
    payment = order_of(request.case).payments.get()
    Payment.objects.filter(pk=payment.pk).update(elsewhere_minor=payment.captured_minor - 6640)
    assert approve(request, acting(request.shop)).state == "approved"


def test_a_capture_that_shrank_voids_the_request() -> None:
    request = factories.make_approval()
    order_of(request.case).payments.update(captured_minor=6639)
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, "refund.more_than_refundable")


def test_limits_lowered_meanwhile_void_the_request() -> None:
    request = factories.make_approval()
    factories.make_limits(request.shop, auto_up_to_minor=100, one_approver_up_to_minor=6639)
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, "refund.tier.two_factor")


def test_limits_raised_meanwhile_change_nothing() -> None:
    request = factories.make_approval(large=True)
    factories.make_limits(request.shop, auto_up_to_minor=10**7, one_approver_up_to_minor=10**8)
    with pytest.raises(NotPermitted):
        approve(request, acting(request.shop, "approver"))
    assert_nothing_moved(request)


@pytest.mark.parametrize("kind", ["fraud", "dispute", "legal", "distress", "anger"])
def test_a_flag_raised_meanwhile_voids_the_request(kind: str) -> None:
    request = factories.make_approval()
    factories.make_flag(request.case, kind=kind)
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, "risk.fraud" if kind in ("fraud", "dispute") else "risk.emotion")


@pytest.mark.parametrize("where", ["order", "person"])
def test_a_flag_counts_wherever_it_hangs(where: str) -> None:
    request = factories.make_approval()
    order = order_of(request.case)
    elsewhere = factories.make_case(shop=request.shop)
    hangs: dict[str, Any] = {"order": order} if where == "order" else {"person": order.person}
    factories.make_flag(elsewhere, kind="fraud", **hangs)
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, "risk.fraud")


def test_a_flag_of_a_stranger_stops_nobody_else() -> None:
    request = factories.make_approval()
    factories.make_flag(factories.make_case(shop=request.shop), kind="fraud")
    assert approve(request, acting(request.shop)).state == "approved"


@pytest.mark.parametrize(("risk", "rule"), [("high", "risk.fraud"), ("pending", "refund.risk_read")])
def test_a_risk_that_rose_meanwhile_voids_the_request(risk: str, rule: str) -> None:
    request = factories.make_approval()
    type(order_of(request.case)).objects.update(risk_level=risk)
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, rule)


def test_money_given_to_the_same_customer_meanwhile_voids_the_request() -> None:
    request = factories.make_approval()
    person = order_of(request.case).person
    other = refundable_case(14_000, shop=request.shop, person=person)
    decision = factories.make_decision(other, amount_minor=14_000)
    factories.make_call(decision, amount_minor=14_000)
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    request.refresh_from_db()
    assert (request.state, request.reason) == ("voided", "refund.tier.two_factor")


def test_a_kill_switch_voids_the_request() -> None:
    request = factories.make_approval()
    factories.make_switch(signer(request.shop, "agent"), scope=KillSwitch.Scope.TOOL, key="issue_refund")
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, "switch.engaged")


def test_a_sender_who_is_no_longer_known_voids_the_request() -> None:
    request = factories.make_approval()
    type(request.case.conversation).objects.update(verified=False)  # type: ignore[union-attr] # made with the case
    with pytest.raises(EffectChanged):
        approve(request, acting(request.shop))
    assert_voided(request, "refund.contact")


def test_a_case_that_somebody_took_over_needs_no_signature_any_more() -> None:
    request = factories.make_approval()
    services.take_over(request.case_id, by=acting(request.shop, "agent"))
    request.refresh_from_db()
    assert request.state == "voided"
    with pytest.raises(AlreadyDecided):
        approve(request, acting(request.shop))
    assert_nothing_moved(request)


def test_a_flag_raised_on_the_case_hands_it_over_and_voids_the_request() -> None:
    request = factories.make_approval()
    with transaction.atomic():
        raise_flags(request.case, ("legal",), source="triage.message", by=TRIAGE)
        hand_off(request.case, Handoff.Reason.LEGAL, by=TRIAGE)
    with pytest.raises(AlreadyDecided):
        approve(request, acting(request.shop))
    assert_nothing_moved(request)
