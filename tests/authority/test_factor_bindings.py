"""A proof is for one person, one request, one effect, five minutes and one answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from datetime import timedelta
from functools import partial

import pytest
from django.db import DatabaseError, transaction
from django_otp.plugins.otp_static.models import StaticToken

from approvals import second_factor
from approvals.errors import CodeRefused
from approvals.models import ApprovalRequest, Challenge, CodeAttempt, Purpose
from approvals.second_factor import Code, PasskeyAnswer, RecoveryCode, challenges, own, passkeys
from audit import actors, sources
from audit.models import Entry
from cases.models import User
from tests import factories
from tests.authority.authenticator import passkey_of
from tests.authority.rows import code_of, device_of, failures, next_step, shown, signer, together, wrong_code

db = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)
OLD = "older than five minutes"


def large() -> tuple[ApprovalRequest, User]:
    request = factories.make_approval(large=True)
    return request, signer(request.shop, "finance approver")


def prove(request: ApprovalRequest, user: User, proof: second_factor.Proof | None) -> None:
    second_factor.prove(request, user, proof, by=actors.staff(user))


def enter(user: User, proof: second_factor.Proof | RecoveryCode) -> object:
    return second_factor.prove_sign_in(user, proof, by=actors.staff(user))


@db
def test_a_challenge_is_the_hash_of_nonce_approval_approver_and_effect() -> None:
    request, user = large()
    made = second_factor.challenge(request, user)
    ids = request.pk.to_bytes(8, "big") + user.pk.to_bytes(8, "big")
    asked = hashlib.sha256(bytes(made.nonce) + ids + bytes.fromhex(request.effect_hash)).digest()
    assert challenges.message(made) == asked
    assert len(bytes(made.nonce)) == 32
    assert challenges.message(second_factor.challenge(request, user)) != asked


@db
def test_a_code_without_the_pages_challenge_signs_nothing() -> None:
    request, user = large()
    with pytest.raises(CodeRefused, match=OLD):
        prove(request, user, Code(code_of(device_of(user))))
    assert not CodeAttempt.objects.exists()


@db
def test_showing_nothing_signs_nothing() -> None:
    request, user = large()
    device_of(user)
    with pytest.raises(CodeRefused):
        prove(request, user, None)


@db
@pytest.mark.parametrize("whose", ["another request", "another person", "signing in", "another effect"])
def test_a_challenge_made_for_something_else_is_none(whose: str) -> None:
    request, user = large()
    made = {
        "another request": lambda: second_factor.challenge(
            factories.make_approval(large=True, shop=request.shop), user
        ),
        "another person": lambda: second_factor.challenge(request, signer(request.shop, "finance approver")),
        "signing in": lambda: challenges.for_person(Purpose.SIGN_IN, user),
        "another effect": lambda: second_factor.challenge(request, user),
    }[whose]()
    if whose == "another effect":
        request.effect_hash = "e" * 64
    device = device_of(user)
    with pytest.raises(CodeRefused, match=OLD):
        prove(request, user, Code(code_of(device), made.pk))
    # Nor was the code used up by that.
    assert not CodeAttempt.objects.exists()
    prove(request, user, shown(request, user, code_of(device)))


@db
@pytest.mark.parametrize(("seconds", "good"), [(300, True), (301, False)])
def test_a_challenge_lasts_five_minutes(seconds: int, good: bool) -> None:
    request, user = large()
    device = device_of(user)
    with sources.frozen(sources.now()) as clock:
        proof = shown(request, user, code_of(device))
        clock.advance(timedelta(seconds=seconds))
        with nullcontext() if good else pytest.raises(CodeRefused, match=OLD):
            prove(request, user, proof)


@db
def test_a_challenge_is_answered_once_even_when_the_answer_was_wrong() -> None:
    request, user = large()
    device = device_of(user)
    made = second_factor.challenge(request, user)
    with pytest.raises(CodeRefused, match="wrong"):
        prove(request, user, Code(wrong_code(device), made.pk))
    with pytest.raises(CodeRefused, match=OLD):
        prove(request, user, Code(code_of(device), made.pk))


@db
def test_what_was_proven_for_one_effect_is_not_spent_on_another() -> None:
    request, user = large()
    prove(request, user, shown(request, user, code_of(device_of(user))))
    other = ApprovalRequest.objects.get(pk=request.pk)
    other.effect_hash = "e" * 64
    with transaction.atomic():
        assert not second_factor.spend(other, user)
        assert second_factor.spend(request, user)


@db
def test_each_signer_spends_what_they_have_shown_themselves() -> None:
    request, user = large()
    colleague = signer(request.shop, "finance approver")
    prove(request, user, shown(request, user, code_of(device_of(user))))
    with transaction.atomic():
        assert not second_factor.spend(request, colleague)
    prove(request, colleague, shown(request, colleague, code_of(device_of(colleague))))
    with transaction.atomic():
        assert [second_factor.spend(request, who) for who in (user, colleague, user)] == [True, True, False]


@db
def test_wrong_codes_at_sign_in_and_for_approvals_are_five_together() -> None:
    request, user = large()
    device = device_of(user)
    codes = own.new_recovery_codes(user, by=actors.staff(user))
    left, wrong = [], wrong_code(device)
    guesses: tuple[Callable[[], object], ...] = (
        lambda: prove(request, user, shown(request, user, wrong)),
        lambda: enter(user, Code(wrong)),
        lambda: enter(user, RecoveryCode("aaaa-aaaa-aaaa-aaaa")),
        lambda: enter(user, Code(wrong)),
        lambda: prove(request, user, shown(request, user, wrong)),
    )
    for guess in guesses:
        with pytest.raises(CodeRefused) as refused:
            guess()
        left.append(refused.value.tries_left)
    assert left == [4, 3, 2, 1, 0]
    for proof in (Code(code_of(device)), RecoveryCode(codes[0])):
        with pytest.raises(CodeRefused, match="Too many"):
            enter(user, proof)
    with pytest.raises(CodeRefused, match="Too many"):
        prove(request, user, shown(request, user, code_of(device)))


@db
def test_a_passkey_opens_where_somebody_used_the_tries_up() -> None:
    request, user = large()
    device, key = device_of(user), passkey_of(user)
    for _ in range(5):
        with pytest.raises(CodeRefused):
            enter(user, Code(wrong_code(device)))
    made = second_factor.challenge(request, user)
    prove(request, user, PasskeyAnswer(key.sign(passkeys.ask(user, made)), made.pk))
    assert second_factor.tries_left(user) == 0


@db
def test_a_code_that_signed_in_signs_no_refund() -> None:
    request, user = large()
    device = device_of(user)
    code = code_of(device)
    enter(user, Code(code))
    with pytest.raises(CodeRefused, match="used already"):
        prove(request, user, shown(request, user, code))
    next_step(device)
    prove(request, user, shown(request, user, code_of(device)))


@db
def test_a_recovery_code_signs_in_once_and_approves_nothing() -> None:
    request, user = large()
    device_of(user)
    code, other = own.new_recovery_codes(user, by=actors.staff(user))[:2]
    for proof in (Code(code), Code(other)):
        with pytest.raises(CodeRefused):
            prove(request, user, shown(request, user, proof.text))
    enter(user, RecoveryCode(code.upper().replace("-", " ")))
    with pytest.raises(CodeRefused, match="used already"):
        enter(user, RecoveryCode(code))
    with pytest.raises(CodeRefused):
        enter(signer(request.shop), RecoveryCode(other))


@db
def test_what_is_kept_of_a_recovery_code_does_not_open() -> None:
    user = factories.make_user()
    device_of(user)
    codes = own.new_recovery_codes(user, by=actors.staff(user))
    kept = list(StaticToken.objects.filter(device__user=user).values_list("token", flat=True))
    assert (len(set(codes)), set(kept) & set(codes)) == (10, set())
    with pytest.raises(CodeRefused):
        enter(user, RecoveryCode(kept[0]))


@db
def test_the_database_refuses_a_recovery_code_for_an_approval() -> None:
    request, user = large()
    with pytest.raises(DatabaseError, match="recovery_code_is_for_signing_in"), transaction.atomic():
        CodeAttempt.objects.create(
            user=user, request=request, factor="recovery", accepted=True, at=sources.now()
        )


@db
def test_a_challenge_of_an_approval_names_its_effect() -> None:
    user, now = factories.make_user(), sources.now()
    with pytest.raises(DatabaseError, match="challenge_names_the_effect"), transaction.atomic():
        Challenge.objects.create(
            user=user, purpose="approval", nonce=b"n" * 32, made_at=now, expires_at=now + timedelta(minutes=5)
        )


@db
def test_a_wrong_code_counts_although_the_page_rolls_back() -> None:
    request, user = large()
    device = device_of(user)
    refused: list[CodeRefused] = []

    def page() -> None:
        try:
            prove(request, user, shown(request, user, wrong_code(device)))
        except CodeRefused as error:
            refused.append(error)
        with transaction.atomic():
            Entry.objects.count()
            raise ValueError("the page fails after the try")

    with pytest.raises(ValueError, match="the page"):
        page()
    assert (len(refused), second_factor.tries_left(user)) == (1, 4)


@committed
@pytest.mark.parametrize("what", ["code", "recovery code", "passkey"])
def test_what_is_shown_in_eight_threads_at_once_is_good_once(what: str) -> None:
    request, user = large()
    device, key = device_of(user), passkey_of(user)
    made = second_factor.challenge(request, user)
    answer = PasskeyAnswer(key.sign(passkeys.ask(user, made)), made.pk)
    codes = own.new_recovery_codes(user, by=actors.staff(user))
    acts: dict[str, Callable[[], object]] = {
        "code": partial(enter, user, Code(code_of(device))),
        "recovery code": partial(enter, user, RecoveryCode(codes[0])),
        "passkey": partial(prove, request, user, answer),
    }
    assert failures(together(*[acts[what]] * 8)) == ["CodeRefused"] * 7
    assert CodeAttempt.objects.filter(accepted=True).count() == 1


@committed
def test_guessing_in_eight_threads_over_sign_in_and_approvals_is_five_tries() -> None:
    request, user = large()
    wrong = wrong_code(device_of(user))

    def approve() -> None:
        prove(request, user, shown(request, user, wrong))

    def sign_in() -> None:
        enter(user, Code(wrong))

    ended = together(*[approve, sign_in] * 4)
    assert failures(ended) == ["CodeRefused"] * 8
    assert CodeAttempt.objects.filter(accepted=False).count() == 5
