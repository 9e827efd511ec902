"""Passwords can be guessed no faster than codes: five wrong ones in fifteen minutes for an account from one address.

An account that is tried from elsewhere still opens for its owner, so nobody can lock a colleague out. It is counted
alike whether or not there is such an account.
"""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from audit import sources
from cases.models import SignInTry

TRIES = 5
WINDOW = timedelta(minutes=15)


def begin(name: str, address: str) -> SignInTry | None:
    """A try, counted before the password is looked at so that many at once count too; None where it is one too many."""
    key, now = _key(name, address), sources.now()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"sign-in/{key}"])
        SignInTry.objects.filter(at__lt=now - WINDOW).delete()
        if SignInTry.objects.filter(key=key).count() >= TRIES:
            return None
        return SignInTry.objects.create(key=key, at=now)


def forgive(one: SignInTry) -> None:
    """The password was right: what was tried before it no longer counts."""
    SignInTry.objects.filter(key=one.key).delete()


def _key(name: str, address: str) -> str:
    return salted_hmac("cases.passwords", f"{name}\0{address}", algorithm="sha256").hexdigest()
