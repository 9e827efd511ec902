"""Proving: each try in a transaction of its own, committed whatever the caller's page does afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _
from django_otp.models import Device

from approvals.errors import CodeRefused
from approvals.models import ApprovalRequest, Challenge, CodeAttempt, Purpose
from approvals.second_factor import attempts, challenges, passkeys, recovery, totp
from approvals.second_factor.attempts import GUESSABLE
from approvals.second_factor.proofs import Code, PasskeyAnswer, Proof, RecoveryCode
from audit import sources
from audit.actors import Actor

if TYPE_CHECKING:
    from cases.models import User

FRESH = timedelta(minutes=5)
Factor = CodeAttempt.Factor
KINDS = {Code: Factor.TOTP, PasskeyAnswer: Factor.PASSKEY, RecoveryCode: Factor.RECOVERY}


def prove(request: ApprovalRequest, user: User, proof: Proof | None, *, by: Actor) -> None:
    """Check a fresh factor for exactly this request's effect, and commit the try.

    Must be called outside a transaction: a rollback would give the tries back. Raises CodeRefused with the tries
    that are left. The person, their device and the challenge are locked, so nothing is good twice.
    """
    if not isinstance(proof, Code | PasskeyAnswer):
        proof = Code("")
    _try(user, proof, Purpose.APPROVAL, request, by)


def prove_sign_in(user: User, proof: Proof | RecoveryCode, *, by: Actor) -> Device:
    """The device with which this person has proven who they are, at sign-in or again later; the try is committed.

    Must be called outside a transaction. Raises CodeRefused with the tries that are left.
    """
    return _try(user, proof, Purpose.SIGN_IN, None, by)


def _try(
    user: User, proof: Proof | RecoveryCode, purpose: Purpose, request: ApprovalRequest | None, by: Actor
) -> Device:
    with transaction.atomic(durable=True):
        attempts.lock(user)
        left, kind = attempts.tries_left(user), KINDS[type(proof)]
        if kind in GUESSABLE and left <= 0:
            raise CodeRefused(_("Too many wrong codes. Wait fifteen minutes. Nothing was changed."), 0)
        challenge = _challenge(user, proof, purpose, request)
        if challenge is None and _needs_challenge(proof, purpose):
            raise CodeRefused(
                _(
                    "This page is older than five minutes, or was answered already. Read it again, then answer it."
                ),
                left,
            )
        device = _matches(user, proof, challenge)
        attempts.note(
            user, purpose, kind, accepted=device is not None, request=request, challenge=challenge, by=by
        )
    if device is None:
        left -= kind in GUESSABLE
        raise CodeRefused(_refusal(kind, left), left)
    return device


def _challenge(
    user: User, proof: Proof | RecoveryCode, purpose: Purpose, request: ApprovalRequest | None
) -> Challenge | None:
    if isinstance(proof, RecoveryCode) or proof.challenge is None:
        return None
    return challenges.take(proof.challenge, user=user, purpose=purpose, request=request)


def _needs_challenge(proof: Proof | RecoveryCode, purpose: Purpose) -> bool:
    return purpose == Purpose.APPROVAL or isinstance(proof, PasskeyAnswer)


def _matches(user: User, proof: Proof | RecoveryCode, challenge: Challenge | None) -> Device | None:
    if isinstance(proof, PasskeyAnswer):
        return passkeys.matches(user, proof.json, challenge) if challenge is not None else None
    if isinstance(proof, RecoveryCode):
        return recovery.matches(user, proof.text)
    return totp.matches(user, proof.text)


def spend(request: ApprovalRequest, user: User) -> bool:
    """Use up their fresh factor for this request's effect, in the caller's transaction; False if there is none."""
    fresh = CodeAttempt.objects.select_for_update(of=("self",)).filter(
        user=user,
        request=request,
        challenge__effect_hash=request.effect_hash,
        accepted=True,
        used_at__isnull=True,
        at__gte=sources.now() - FRESH,
    )
    attempt = fresh.order_by("-id").first()
    if attempt is None:
        return False
    attempt.used_at = sources.now()
    attempt.save(update_fields=["used_at"])
    return True


def _refusal(kind: CodeAttempt.Factor, left: int) -> str:
    if kind == Factor.PASSKEY:
        return _("That passkey doesn't fit. Nothing was changed. Try again, or enter a code.")
    if left <= 0:
        return _("That code is wrong or was used already. No tries left for fifteen minutes.")
    if kind == Factor.RECOVERY:
        return _("That recovery code is wrong or was used already, %(left)d tries left.") % {"left": left}
    return _("That code is wrong or was used already. Wait for the next one, %(left)d tries left.") % {
        "left": left
    }
