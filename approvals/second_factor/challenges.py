"""Challenges: made with the page, answered once within five minutes, bound to one person and one effect."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from approvals.models import ApprovalRequest, Challenge, Purpose
from audit import sources

if TYPE_CHECKING:
    from cases.models import User

LASTS = timedelta(minutes=5)
NONCE_BYTES, ID_BYTES = 32, 8


def challenge(request: ApprovalRequest, user: User) -> Challenge:
    """What this person is asked to prove for exactly this request's effect, from now on for five minutes."""
    return _make(user, Purpose.APPROVAL, request)


def for_person(purpose: Purpose, user: User) -> Challenge:
    """What this person is asked to prove about themselves, to sign in or to add a passkey."""
    return _make(user, purpose, None)


def _make(user: User, purpose: Purpose, request: ApprovalRequest | None) -> Challenge:
    now = sources.now()
    # Pages that were opened and left leave nothing behind.
    Challenge.objects.filter(user=user, used_at__isnull=True, expires_at__lt=now).delete()
    return Challenge.objects.create(
        user=user,
        purpose=purpose,
        request=request,
        effect_hash=request.effect_hash if request else "",
        nonce=secrets.token_bytes(NONCE_BYTES),
        made_at=now,
        expires_at=now + LASTS,
    )


def message(challenge: Challenge) -> bytes:
    """What a passkey signs: SHA-256(nonce ‖ approval ‖ approver ‖ effect hash), the ids as 8 bytes, big-endian.

    Without an approval its id is 0, which no row has, and the hash of the purpose stands for the effect's.
    """
    effect = challenge.effect_hash or hashlib.sha256(challenge.purpose.encode()).hexdigest()
    parts = (
        bytes(challenge.nonce),
        (challenge.request_id or 0).to_bytes(ID_BYTES, "big"),
        challenge.user_id.to_bytes(ID_BYTES, "big"),
        bytes.fromhex(effect),
    )
    return hashlib.sha256(b"".join(parts)).digest()


def take(
    challenge_id: int | None, *, user: User, purpose: Purpose, request: ApprovalRequest | None
) -> Challenge | None:
    """Use up the challenge, in the caller's transaction; None where it is too old, used, or was made for another.

    Another person, another purpose, another request, or another effect of the same one.
    """
    if challenge_id is None:
        return None
    now = sources.now()
    rows = Challenge.objects.select_for_update(of=("self",)).filter(
        pk=challenge_id,
        user=user,
        purpose=purpose,
        request=request,
        used_at__isnull=True,
        expires_at__gte=now,
    )
    found = rows.filter(effect_hash=request.effect_hash if request else "").first()
    if found is not None:
        found.used_at = now
        found.save(update_fields=["used_at"])
    return found
