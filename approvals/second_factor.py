"""The one-time code for a large refund: fresh, bound to one request, used once, five tries in fifteen minutes.

A TOTP code proves that somebody holds the secret and saw the time; it can't prove which amount they saw. So the
code is asked for on the page that shows the effect, and counts for that request alone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.errors import CodeRefused
from approvals.models import ApprovalRequest, CodeAttempt
from audit import sources
from audit.actors import Actor
from audit.services import record as audit

if TYPE_CHECKING:
    from cases.models import User

TRIES = 5
WINDOW = timedelta(minutes=15)
FRESH = timedelta(minutes=5)


def verify(request: ApprovalRequest, user: User, code: str, *, by: Actor) -> None:
    """Check a code and commit the try, whatever the caller's page does afterwards.

    Must be called outside a transaction: a rollback would give the tries back. Raises CodeRefused with the tries
    that are left; the device row is locked, so that one code is never good twice.
    """
    with transaction.atomic(durable=True):
        left = TRIES - _wrong_lately(user)
        if left <= 0:
            raise CodeRefused(_("Too many wrong codes. Wait fifteen minutes. Nothing was sent."), 0)
        accepted = _matches(user, code)
        attempt = CodeAttempt.objects.create(user=user, request=request, accepted=accepted, at=sources.now())
        audit(
            "code.accepted" if accepted else "code.refused",
            by=by,
            stream=f"case/{request.case_id}",
            subject=attempt,
            shop_id=request.shop_id,
            correlation_id=request.decision.correlation_id,
            data={"request": request.pk},
        )
    if not accepted:
        raise CodeRefused(_refusal(left - 1), left - 1)


def spend(request: ApprovalRequest, user: User) -> bool:
    """Use up this person's fresh accepted code for this request, in the caller's transaction; False where none is."""
    fresh = CodeAttempt.objects.select_for_update().filter(
        user=user, request=request, accepted=True, used_at__isnull=True, at__gte=sources.now() - FRESH
    )
    attempt = fresh.order_by("-id").first()
    if attempt is None:
        return False
    attempt.used_at = sources.now()
    attempt.save(update_fields=["used_at"])
    return True


def _wrong_lately(user: User) -> int:
    # The person's row is the lock: parallel sessions count one after the other. A signature that names this person
    # holds the request, which a try refers to, so it must not wait for the row as well.
    type(user)._default_manager.select_for_update(no_key=True).get(pk=user.pk)
    since = sources.now() - WINDOW
    return CodeAttempt.objects.filter(user=user, accepted=False, at__gte=since).count()


def _matches(user: User, code: str) -> bool:
    devices = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True)
    # One time step, not three: the default tolerance accepts the neighbours too.
    for device in devices:
        device.tolerance = 0
        device.throttle_reset(commit=False)
        if device.verify_token(code.strip().replace(" ", "")):
            return True
    return False


def _refusal(left: int) -> str:
    if left <= 0:
        return _(
            "That code is wrong or was used already. No tries left for fifteen minutes. Nothing was sent."
        )
    return _("That code is wrong or was used already. Wait for the next one, %(left)d tries left.") % {
        "left": left
    }
