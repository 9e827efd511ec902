"""The one clock and the one source of random ids; domain code asks here, so tests can hold both still."""

import random
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import connection


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("A clock needs an aware datetime.")
        self.at = at.astimezone(UTC)

    def advance(self, by: timedelta) -> datetime:
        with _lock:
            self.at += by
            return self.at


# Module state and not contextvars: a worker thread that a test starts must see the test's clock.
_lock = threading.RLock()
_clock: Clock | None = None
_random: random.Random | None = None


def now() -> datetime:
    """The database's present moment (not the transaction's beginning), aware, in UTC, to the microsecond."""
    with _lock:
        if _clock is not None:
            return _clock.at
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at.astimezone(UTC)


def random_id() -> uuid.UUID:
    """A version 4 UUID; never derived from anything that is known about a person or an amount."""
    with _lock:
        if _random is not None:
            return uuid.UUID(int=_random.getrandbits(128), version=4)
    return uuid.uuid4()


@contextmanager
def frozen(at: datetime) -> Iterator[Clock]:
    """Hold the clock of every thread at one moment; the clock that is handed out can be advanced."""
    global _clock
    clock = Clock(at)
    with _lock:
        before, _clock = _clock, clock
    try:
        yield clock
    finally:
        with _lock:
            _clock = before


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make the ids of every thread come from one seeded sequence."""
    global _random
    with _lock:
        before, _random = _random, random.Random(seed)  # noqa: S311
    try:
        yield
    finally:
        with _lock:
            _random = before
