"""Passkeys: real answers of an authenticator in software, right ones and every wrong one that we can think of."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import second_factor
from approvals.errors import CodeRefused, Invalid
from approvals.models import ApprovalRequest, Challenge, CodeAttempt, Passkey, Purpose
from approvals.second_factor import PasskeyAnswer, challenges, own, passkeys
from audit import actors, sources
from audit.models import Entry
from cases.models import User
from cases.services import decide_approval
from tests import factories
from tests.authority.authenticator import Authenticator, decoded, encoded, kept, passkey_of
from tests.authority.rows import money_calls, signer

pytestmark = pytest.mark.django_db
Tamper = Callable[[dict[str, str]], None]


def large() -> tuple[ApprovalRequest, User, Authenticator]:
    request = factories.make_approval(large=True)
    user = signer(request.shop, "finance approver")
    return request, user, passkey_of(user)


def asked(request: ApprovalRequest, user: User) -> tuple[Challenge, str]:
    made = second_factor.challenge(request, user)
    return made, passkeys.ask(user, made)


def prove(request: ApprovalRequest, user: User, answer: str, made: Challenge) -> None:
    second_factor.prove(request, user, PasskeyAnswer(answer, made.pk), by=actors.staff(user))


def refused(request: ApprovalRequest, user: User, answer: str, made: Challenge) -> bool:
    with pytest.raises(CodeRefused):
        prove(request, user, answer, made)
    assert not CodeAttempt.objects.filter(accepted=True).exists()
    return True


def test_a_passkey_signs_a_large_refund() -> None:
    request, user, key = large()
    made, options = asked(request, user)
    proof = PasskeyAnswer(key.sign(options), made.pk)
    signed = decide_approval(request.pk, approve=True, proof=proof, reason="", by=actors.staff(user))
    assert (signed.state, money_calls() > 0) == ("approved", True)
    attempt = CodeAttempt.objects.get()
    assert (attempt.factor, attempt.challenge_id, attempt.used_at is not None) == ("passkey", made.pk, True)
    assert (kept(key).sign_count, kept(key).last_used_at is not None) == (1, True)
    assert Entry.objects.get(action="code.accepted").data["factor"] == "passkey"


def test_the_browser_is_asked_for_user_verification_and_own_keys_alone() -> None:
    request, user, key = large()
    passkey_of(signer(request.shop, "finance approver"))
    made, options = asked(request, user)
    said = json.loads(options)
    assert (said["userVerification"], said["rpId"]) == ("required", "localhost")
    assert decoded(said["challenge"]) == challenges.message(made)
    assert [decoded(one["id"]) for one in said["allowCredentials"]] == [key.credential_id]


@pytest.mark.parametrize(
    "wrong",
    [
        {"site": "https://localhost.evil.example"},
        {"site": "http://localhost:8001"},
        {"site": "https://localhost:8000"},
        {"rp_id": "evil.example"},
        {"verifies": False},
        {"credential_id": b"x" * 32},
    ],
    ids=lambda wrong: str(next(iter(wrong))),
)
def test_an_answer_from_elsewhere_or_without_verification_proves_nothing(wrong: dict[str, object]) -> None:
    request, user, key = large()
    made, options = asked(request, user)
    assert refused(request, user, replace(key, **wrong).sign(options), made)  # type: ignore[arg-type]  # a table


def test_a_key_that_others_added_proves_nothing_about_me() -> None:
    request, user, _key = large()
    others = passkey_of(signer(request.shop, "finance approver"))
    made, options = asked(request, user)
    assert refused(request, user, others.sign(options), made)


def test_another_key_under_the_same_id_proves_nothing() -> None:
    request, user, key = large()
    made, options = asked(request, user)
    thief = Authenticator(credential_id=key.credential_id)
    assert refused(request, user, thief.sign(options), made)


def test_an_answer_to_another_challenge_proves_nothing() -> None:
    request, user, key = large()
    _made, options = asked(request, user)
    later, _options = asked(request, user)
    assert refused(request, user, key.sign(options), later)


@pytest.mark.parametrize("what", ["webauthn.create", "payment.get"])
def test_an_answer_to_another_kind_of_question_proves_nothing(what: str) -> None:
    request, user, key = large()
    made, options = asked(request, user)
    assert refused(request, user, key.sign(options, type=what), made)


def test_an_answer_for_another_approver_or_effect_proves_nothing() -> None:
    """Each signed the challenge that the attacker asked for; the server works it out afresh from its own rows."""
    request, user, key = large()
    made, options = asked(request, user)
    answer = key.sign(options)
    Challenge.objects.filter(pk=made.pk).update(effect_hash="e" * 64)
    request.effect_hash = "e" * 64
    assert refused(request, user, answer, made)


def test_an_answer_is_good_once() -> None:
    request, user, key = large()
    made, options = asked(request, user)
    answer = key.sign(options)
    prove(request, user, answer, made)
    with pytest.raises(CodeRefused, match="answered already"):
        prove(request, user, answer, made)


def test_an_answer_comes_within_five_minutes() -> None:
    request, user, key = large()
    with sources.frozen(sources.now()) as clock:
        made, options = asked(request, user)
        clock.advance(timedelta(seconds=301))
        assert refused(request, user, key.sign(options), made)


@pytest.mark.parametrize("back", [0, 1, 5])
def test_a_counter_that_does_not_grow_is_a_copied_key(back: int) -> None:
    request, user, key = large()
    Passkey.objects.update(sign_count=7)
    made, options = asked(request, user)
    assert refused(request, user, replace(key, counter=6 - back).sign(options), made)
    assert kept(key).sign_count == 7


def test_a_key_that_counts_nothing_is_good_every_time() -> None:
    request = factories.make_approval(large=True)
    user = signer(request.shop, "finance approver")
    key = passkey_of(user, Authenticator(counts=False))
    for _ in range(2):
        made, options = asked(request, user)
        prove(request, user, key.sign(options), made)
    assert CodeAttempt.objects.filter(accepted=True).count() == 2


def _flip(name: str) -> Tamper:
    def tamper(response: dict[str, str]) -> None:
        data = bytearray(decoded(response[name]))
        data[-1] ^= 1
        response[name] = encoded(bytes(data))

    return tamper


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON"])
def test_an_answer_with_one_bit_changed_proves_nothing(part: str) -> None:
    request, user, key = large()
    made, options = asked(request, user)
    answer = json.loads(key.sign(options))
    _flip(part)(answer["response"])
    assert refused(request, user, json.dumps(answer), made)


PLACES = ("", "id", "rawId", "type", "response", "clientDataJSON", "signature")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_junk_is_refused_and_breaks_nothing() -> None:
    user = factories.make_user()
    key = passkey_of(user)

    @settings(max_examples=40, deadline=None)
    @given(junk=JSON, place=st.sampled_from(PLACES))
    def answered(junk: object, place: str) -> None:
        made = challenges.for_person(Purpose.SIGN_IN, user)
        answer: Any = json.loads(key.sign(passkeys.ask(user, made)))
        if not place:
            answer = junk
        elif place in answer:
            answer[place] = junk
        else:
            answer["response"][place] = junk
        with pytest.raises(CodeRefused):
            second_factor.prove_sign_in(
                user, PasskeyAnswer(json.dumps(answer), made.pk), by=actors.staff(user)
            )

    answered()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"x"', "{}" + " " * 30_000])
def test_what_is_no_answer_at_all_is_refused(text: str) -> None:
    request, user, _key = large()
    made, _options = asked(request, user)
    assert refused(request, user, text, made)


def added(user: User, key: Authenticator, **said: str) -> Passkey:
    made = challenges.for_person(Purpose.ADD, user)
    answer = key.create(passkeys.ask_new(user, made), **said)
    own.add_passkey(user, answer, challenge=made.pk, name="Laptop", proven=True, by=actors.staff(user))
    return kept(key)


def test_a_passkey_is_added_with_what_its_browser_said_of_it() -> None:
    user = factories.make_user()
    row = added(user, Authenticator())
    assert (row.user_id, row.name, row.transports, row.sign_count) == (user.pk, "Laptop", ["internal"], 0)
    assert Entry.objects.get(action="factor.added").data == {"factor": "passkey"}


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (Authenticator(site="https://evil.example"), {}),
        (Authenticator(rp_id="evil.example"), {}),
        (Authenticator(verifies=False), {}),
        (Authenticator(), {"type": "webauthn.get"}),
        (Authenticator(), {"challenge": encoded(b"another")}),
    ],
)
def test_a_passkey_of_elsewhere_or_without_verification_is_not_added(
    key: Authenticator, said: dict[str, str]
) -> None:
    with pytest.raises(Invalid):
        added(factories.make_user(), key, **said)
    assert not Passkey.objects.exists()


def test_a_passkey_is_added_by_the_person_whom_the_page_was_made_for() -> None:
    user, other, key = factories.make_user(), factories.make_user(), Authenticator()
    made = challenges.for_person(Purpose.ADD, other)
    answer = key.create(passkeys.ask_new(other, made))
    with pytest.raises(Invalid):
        own.add_passkey(user, answer, challenge=made.pk, name="", proven=True, by=actors.staff(user))


def test_one_credential_is_one_passkey_of_one_person() -> None:
    key = Authenticator()
    added(factories.make_user(), key)
    with pytest.raises(Invalid, match="already"):
        added(factories.make_user(), key)


def test_passkeys_of_one_name_are_told_apart() -> None:
    user = factories.make_user()
    assert [added(user, Authenticator()).name for _ in range(3)] == ["Laptop", "Laptop 2", "Laptop 3"]
