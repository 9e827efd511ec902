"""A person's own factors: what they have, adding one, taking one away. Never the last, and never by somebody else.

Adding to what is there, or taking away, is for a session that has shown a factor a moment ago; the page sees to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.errors import CodeRefused, Invalid
from approvals.models import CodeAttempt, Passkey, Purpose
from approvals.second_factor import attempts, challenges, passkeys, recovery, totp
from audit import sources
from audit.actors import Actor
from audit.models import Json
from audit.services import record as audit

if TYPE_CHECKING:
    from cases.models import User

MOST_PASSKEYS = 10


@dataclass(frozen=True, slots=True)
class Factors:
    """What somebody can show; recovery codes are none of it, they only let in."""

    authenticator: TOTPDevice | None
    passkeys: Sequence[Passkey]
    recovery_codes: int

    @property
    def count(self) -> int:
        return len(self.passkeys) + (self.authenticator is not None)


def factors(user: User) -> Factors:
    """What this person has now."""
    return Factors(
        TOTPDevice.objects.filter(user=user, confirmed=True).order_by("pk").first(),
        list(Passkey.objects.filter(user=user)),
        recovery.left(user),
    )


def has_factor(user: User) -> bool:
    """Whether this person can prove anything yet."""
    has_app = TOTPDevice.objects.filter(user=user, confirmed=True).exists()
    return bool(has_app or Passkey.objects.filter(user=user).exists())


def begin_authenticator(user: User, *, proven: bool) -> TOTPDevice:
    """A secret to scan; it proves nothing before `confirm_authenticator`. `proven` says that a factor was shown."""
    with transaction.atomic():
        _may_add(user, proven)
        return totp.draft(user)


def draft_of(user: User, draft: int | None) -> TOTPDevice | None:
    """The authenticator that this person is setting up under this id."""
    return TOTPDevice.objects.filter(user=user, confirmed=False, pk=draft).first()


def confirm_authenticator(
    user: User, draft: int | None, code: str, *, proven: bool, by: Actor
) -> tuple[TOTPDevice, list[str]]:
    """The new authenticator in place of an older one, and recovery codes where there were none.

    Raises CodeRefused where the app shows another code; it counts like any wrong one, so this must be called
    outside a transaction.
    """
    with transaction.atomic(durable=True):
        attempts.lock(user)
        left = attempts.tries_left(user)
        if left <= 0:
            raise CodeRefused(_("Too many wrong codes. Wait fifteen minutes. Nothing was changed."), 0)
        _may_add(user, proven)
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False, pk=draft).first()
        if device is None:
            raise Invalid(_("There is no authenticator to confirm. Begin again."))
        good = totp.shows(device, code)
        attempts.note(user, Purpose.ADD, CodeAttempt.Factor.TOTP, accepted=good, by=by)
        codes = _confirm(user, device, by) if good else []
    if not good:
        raise CodeRefused(
            _("The app shows another code. Wait for the next one, %(left)d tries left.") % {"left": left - 1},
            left - 1,
        )
    return device, codes


def _confirm(user: User, device: TOTPDevice, by: Actor) -> list[str]:
    TOTPDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    _tell("factor.added", user, by, {"factor": "totp"})
    return _first_codes(user, by)


def add_passkey(
    user: User, answer: str, *, challenge: int | None, name: str, proven: bool, by: Actor
) -> tuple[Passkey, list[str]]:
    """The passkey that answered the challenge, under a name of its own, and recovery codes where there were none.

    Raises Invalid where the answer doesn't hold, the name is taken, or there are ten already.
    """
    with transaction.atomic():
        attempts.lock(user)
        _may_add(user, proven)
        asked = challenges.take(challenge, user=user, purpose=Purpose.ADD, request=None)
        key = passkeys.read_new(answer, asked) if asked is not None else None
        if key is None:
            raise Invalid(_("The passkey was not added: read the page again and try once more."))
        key.user, key.name = user, _free_name(user, name)
        if Passkey.objects.filter(credential_id=key.credential_id).exists():
            raise Invalid(_("This passkey was added already."))
        key.save(force_insert=True)
        _tell("factor.added", user, by, {"factor": "passkey"})
        return key, _first_codes(user, by)


def _free_name(user: User, name: str) -> str:
    wanted = name.strip()[:60] or _("Passkey")
    taken = set(Passkey.objects.filter(user=user).values_list("name", flat=True))
    if len(taken) >= MOST_PASSKEYS:
        raise Invalid(_("Ten passkeys are the most. Remove one first."))
    numbered = (wanted if n == 1 else f"{wanted} {n}" for n in range(1, MOST_PASSKEYS + 2))
    return next(one for one in numbered if one not in taken)


def remove_passkey(user: User, passkey_id: int, *, by: Actor) -> None:
    """Take one of the person's own passkeys away. Raises Invalid where it is the last factor."""
    with transaction.atomic():
        attempts.lock(user)
        key = Passkey.objects.filter(user=user, pk=passkey_id).first()
        if key is None:
            raise Invalid(_("There is no such passkey."))
        _not_the_last(user)
        key.delete()
        _tell("factor.removed", user, by, {"factor": "passkey"})


def remove_authenticator(user: User, *, by: Actor) -> None:
    """Take the person's own authenticator away. Raises Invalid where it is the last factor."""
    with transaction.atomic():
        attempts.lock(user)
        if factors(user).authenticator is None:
            raise Invalid(_("There is no authenticator."))
        _not_the_last(user)
        TOTPDevice.objects.filter(user=user).delete()
        _tell("factor.removed", user, by, {"factor": "totp"})


def new_recovery_codes(user: User, *, by: Actor) -> list[str]:
    """Ten new codes, to be shown this once; the older ones are void."""
    with transaction.atomic():
        attempts.lock(user)
        if not has_factor(user):
            raise Invalid(_("Set up a second factor first."))
        codes = recovery.make(user)
        _tell("factor.recovery_codes_made", user, by, {"codes": len(codes)})
        return codes


def take_all(user: User) -> None:
    """Remove every factor and recovery code, in the caller's transaction: whoever is signed in with one is out."""
    attempts.lock(user)
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    Passkey.objects.filter(user=user).delete()


def _may_add(user: User, proven: bool) -> None:
    attempts.lock(user)
    if not proven and has_factor(user):
        raise Invalid(_("You have a second factor already: show it first. Nothing was changed."))


def _not_the_last(user: User) -> None:
    if factors(user).count <= 1:
        raise Invalid(_("This is your last second factor: add another one first. Nothing was changed."))


def _first_codes(user: User, by: Actor) -> list[str]:
    if recovery.left(user):
        return []
    codes = recovery.make(user)
    _tell("factor.recovery_codes_made", user, by, {"codes": len(codes)})
    return codes


def _tell(action: str, user: User, by: Actor, data: dict[str, Json]) -> None:
    audit(
        action,
        by=by,
        stream="staff",
        subject=user,
        shop_id=None,
        correlation_id=sources.random_id(),
        data=data,
    )
