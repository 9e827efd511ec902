"""Tries: five wrong codes per person in fifteen minutes, over sign-in, all approvals and all sessions together."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from approvals.models import ApprovalRequest, Challenge, CodeAttempt, Purpose
from audit import sources
from audit.actors import Actor
from audit.services import record as audit

if TYPE_CHECKING:
    from cases.models import User

TRIES = 5
WINDOW = timedelta(minutes=15)
# A passkey can't be guessed, so a wrong one takes no try away, and a right one opens when others used the tries up.
GUESSABLE = (CodeAttempt.Factor.TOTP, CodeAttempt.Factor.RECOVERY)


def tries_left(user: User, now: datetime | None = None) -> int:
    """How many wrong codes this person may still enter."""
    since = (now or sources.now()) - WINDOW
    wrong = CodeAttempt.objects.filter(user=user, accepted=False, factor__in=GUESSABLE, at__gte=since)
    return max(0, TRIES - wrong.count())


def lock(user: User) -> None:
    """Parallel sessions of one person try one after the other, until the transaction ends.

    A signature that names this person holds the request, which a try refers to, so it must not wait for the row too.
    """
    type(user)._default_manager.select_for_update(no_key=True).get(pk=user.pk)


def note(
    user: User,
    purpose: Purpose,
    factor: CodeAttempt.Factor,
    *,
    accepted: bool,
    request: ApprovalRequest | None = None,
    challenge: Challenge | None = None,
    by: Actor,
) -> CodeAttempt:
    """Keep a try and tell of it, in the caller's transaction."""
    attempt = CodeAttempt.objects.create(
        user=user,
        purpose=purpose,
        factor=factor,
        request=request,
        challenge=challenge,
        accepted=accepted,
        at=sources.now(),
    )
    audit(
        "code.accepted" if accepted else "code.refused",
        by=by,
        stream=f"case/{request.case_id}" if request else "staff",
        subject=attempt,
        shop_id=request.shop_id if request else None,
        correlation_id=request.decision.correlation_id if request else sources.random_id(),
        data={"for": str(purpose), "factor": str(factor)} | ({"request": request.pk} if request else {}),
    )
    return attempt
