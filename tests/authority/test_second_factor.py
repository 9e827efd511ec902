"""The one-time code of a large refund: fresh, for one request, once, and counted whatever happens around it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.db import transaction

from approvals import second_factor
from approvals.errors import AlreadyDecided, CodeRefused, EffectChanged, NotPermitted
from approvals.models import ApprovalRequest, CodeAttempt
from audit import actors, sources
from audit.models import Entry
from cases.models import Shop, User
from cases.services import decide_approval
from tests import factories
from tests.authority.rows import (
    code_of,
    device_of,
    failures,
    money_calls,
    next_step,
    order_of,
    shown,
    signer,
    together,
    wrong_code,
)

db = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)


def sign(request: ApprovalRequest, user: User, code: str | None) -> ApprovalRequest:
    """As from a page that was made for them just now; without a code nothing is shown."""
    proof = None if code is None else shown(request, user, code)
    return decide_approval(request.pk, approve=True, proof=proof, reason="", by=actors.staff(user))


def large(shop: Shop | None = None) -> tuple[ApprovalRequest, User]:
    request = factories.make_approval(large=True, shop=shop)
    return request, signer(request.shop, "finance approver")


@db
def test_the_right_code_signs_a_large_refund() -> None:
    request, user = large()
    assert sign(request, user, code_of(device_of(user))).state == "approved"
    attempt = CodeAttempt.objects.get()
    assert (attempt.accepted, attempt.used_at is not None, attempt.request_id) == (True, True, request.pk)
    assert order_of(request.case).payments.get().reserved_minor == 124_900
    assert Entry.objects.filter(action="code.accepted").count() == 1


@db
def test_spaces_in_a_code_are_forgiven() -> None:
    request, user = large()
    code = code_of(device_of(user))
    assert sign(request, user, f" {code[:3]} {code[3:]} ").state == "approved"


@db
@pytest.mark.parametrize("code", ["", "abcdef", "12345", "-1", "0" * 40])
def test_what_is_no_code_is_a_wrong_code(code: str) -> None:
    request, user = large()
    device_of(user)
    with pytest.raises(CodeRefused) as refused:
        sign(request, user, code)
    assert (refused.value.tries_left, money_calls()) == (4, 0)


@db
def test_a_code_of_half_a_minute_ago_or_ahead_is_wrong() -> None:
    request, user = large()
    device = device_of(user)
    for steps in (-1, 1):
        with pytest.raises(CodeRefused):
            sign(request, user, code_of(device, steps))


@db
def test_another_persons_code_is_wrong() -> None:
    request, user = large()
    device_of(user)
    with pytest.raises(CodeRefused):
        sign(request, user, code_of(device_of(signer(request.shop, "finance approver"))))
    assert money_calls() == 0


@db
def test_a_device_that_was_never_confirmed_proves_nothing() -> None:
    request, user = large()
    device = device_of(user)
    device.confirmed = False
    device.save()
    with pytest.raises(CodeRefused):
        sign(request, user, code_of(device))


@db
def test_who_signs_mid_size_refunds_does_not_sign_large_ones() -> None:
    request, _ = large()
    user = signer(request.shop, "approver")
    code = code_of(device_of(user))
    with pytest.raises(NotPermitted):
        sign(request, user, code)
    # Nor was the code used up by asking.
    assert (CodeAttempt.objects.count(), money_calls()) == (0, 0)


@db
def test_a_code_signs_one_request_and_no_other() -> None:
    request, user = large()
    other = factories.make_approval(large=True, shop=request.shop)
    device = device_of(user)
    code = code_of(device)
    sign(request, user, code)
    with pytest.raises(CodeRefused):
        sign(other, user, code)
    next_step(device)
    assert sign(other, user, code_of(device)).state == "approved"


def accepted(request: ApprovalRequest, user: User, at: datetime) -> None:
    challenge = second_factor.challenge(request, user)
    CodeAttempt.objects.create(user=user, request=request, challenge=challenge, accepted=True, at=at)


@db
def test_a_code_accepted_for_one_request_is_not_spent_on_another() -> None:
    request, user = large()
    other = factories.make_approval(large=True, shop=request.shop)
    accepted(request, user, sources.now())
    with transaction.atomic():
        assert not second_factor.spend(other, user)
        assert not second_factor.spend(request, signer(request.shop, "finance approver"))
        assert second_factor.spend(request, user)
        assert not second_factor.spend(request, user)


@db
@pytest.mark.parametrize(("age", "good"), [(300, True), (301, False)])
def test_an_accepted_code_is_fresh_for_five_minutes(age: int, good: bool) -> None:
    request, user = large()
    now = sources.now()
    accepted(request, user, now - timedelta(seconds=age))
    with sources.frozen(now), transaction.atomic():
        assert second_factor.spend(request, user) is good


@db
def test_five_tries_over_all_requests_of_a_person() -> None:
    request, user = large()
    other = factories.make_approval(large=True, shop=request.shop)
    device = device_of(user)
    left = []
    for asked in (request, other, request, other, request):
        with pytest.raises(CodeRefused) as refused:
            sign(asked, user, wrong_code(device))
        left.append(refused.value.tries_left)
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(CodeRefused, match="Too many"):
        sign(other, user, code_of(device))
    assert (CodeAttempt.objects.filter(accepted=False).count(), money_calls()) == (5, 0)


@db
def test_the_tries_come_back_after_fifteen_minutes_each() -> None:
    request, user = large()
    device = device_of(user)
    now = sources.now()
    with sources.frozen(now) as clock:
        for _ in range(5):
            with pytest.raises(CodeRefused):
                sign(request, user, wrong_code(device))
        clock.advance(timedelta(minutes=15))
        with pytest.raises(CodeRefused, match="Too many"):
            sign(request, user, code_of(device))
        clock.advance(timedelta(microseconds=1))
        assert sign(request, user, code_of(device)).state == "approved"


@db
def test_one_persons_wrong_codes_lock_nobody_else_out() -> None:
    request, user = large()
    device = device_of(user)
    for _ in range(5):
        with pytest.raises(CodeRefused):
            sign(request, user, wrong_code(device))
    colleague = signer(request.shop, "finance approver")
    assert sign(request, colleague, code_of(device_of(colleague))).state == "approved"


@db
def test_a_right_code_does_not_save_a_request_whose_effect_changed() -> None:
    request, user = large()
    factories.make_flag(request.case, kind="fraud")
    with pytest.raises(EffectChanged):
        sign(request, user, code_of(device_of(user)))
    request.refresh_from_db()
    assert (request.state, money_calls()) == ("voided", 0)


@db
def test_a_code_is_asked_for_the_open_request_only() -> None:
    request, user = large()
    device = device_of(user)
    sign(request, user, code_of(device))
    next_step(device)
    with pytest.raises(AlreadyDecided):
        sign(request, user, code_of(device))
    assert CodeAttempt.objects.count() == 1


@committed
def test_a_code_is_never_checked_inside_a_callers_transaction() -> None:
    """Its rollback would give the tries back, so that is an error before anything is looked at."""
    request, user = large()
    device = device_of(user)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        sign(request, user, wrong_code(device))
    assert CodeAttempt.objects.count() == 0


@committed
def test_a_wrong_code_is_committed_before_the_page_hears_of_it() -> None:
    request, user = large()
    device = device_of(user)
    with pytest.raises(CodeRefused):
        sign(request, user, wrong_code(device))
    # Asked on another connection, which sees what is committed alone.
    assert together(CodeAttempt.objects.filter(user=user, accepted=False).count) == [1]
    assert Entry.objects.filter(action="code.refused").count() == 1


def tries(*pairs: tuple[ApprovalRequest, User, str]) -> list[Callable[[], object]]:
    return [partial(sign, *pair) for pair in pairs]


@committed
def test_the_same_code_for_two_requests_at_once_signs_one() -> None:
    request, user = large()
    other = factories.make_approval(large=True, shop=request.shop)
    code = code_of(device_of(user))
    ended = together(*tries((request, user, code), (other, user, code)))
    assert failures(ended) == ["CodeRefused"]
    assert money_calls() == 1


@committed
def test_the_same_code_eight_times_at_once_signs_once() -> None:
    request, user = large()
    code = code_of(device_of(user))
    ended = together(*tries(*[(request, user, code)] * 8))
    assert len(failures(ended)) == 7
    assert (money_calls(), CodeAttempt.objects.filter(accepted=True).count()) == (1, 1)


@committed
def test_eight_wrong_codes_at_once_are_five_tries() -> None:
    request, user = large()
    code = wrong_code(device_of(user))
    ended = together(*tries(*[(request, user, code)] * 8))
    assert failures(ended) == ["CodeRefused"] * 8
    assert CodeAttempt.objects.filter(accepted=False).count() == 5


@committed
def test_two_finance_approvers_with_good_codes_pay_once() -> None:
    request, user = large()
    colleague = signer(request.shop, "finance approver")
    codes = [(request, who, code_of(device_of(who))) for who in (user, colleague)]
    ended = together(*tries(*codes))
    assert len(failures(ended)) == 1
    assert money_calls() == 1
