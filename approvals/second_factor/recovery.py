"""Recovery codes: ten, shown once, each good for signing in once, and for nothing else."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b32encode
from typing import TYPE_CHECKING

from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

if TYPE_CHECKING:
    from cases.models import User

CODES = 10
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
GROUPS, GROUP = 4, 4
NAME = "recovery"


def make(user: User) -> list[str]:
    """Ten new codes in place of any older ones; what is kept can't be turned back into them."""
    device, _made = StaticDevice.objects.get_or_create(user=user, name=NAME)
    device.token_set.all().delete()
    codes = [_random() for _ in range(CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=_kept(user, code)) for code in codes)
    return codes


def left(user: User) -> int:
    """How many of the codes are unused."""
    return int(StaticToken.objects.filter(device__user=user).count())


def matches(user: User, text: str) -> StaticDevice | None:
    """The row behind a code that was never used, which is then gone. The caller holds the person's lock."""
    token = (
        StaticToken.objects.filter(device__user=user, token=_kept(user, text))
        .select_related("device")
        .first()
    )
    if token is None:
        return None
    token.delete()
    return token.device


def _random() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))


def _kept(user: User, code: str) -> str:
    # 79 random bits need no slow hash; the column holds 16 characters, which are 80 bits of it.
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return b32encode(hashlib.sha256(f"{user.pk}:{plain}".encode()).digest()[:10]).decode()
