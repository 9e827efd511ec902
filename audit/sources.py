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
        self.at += by
        return self.at


class _Held:
    """What tests hold still; shared by all threads, since a worker that a test starts must see it too."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.clock: Clock | None = None
        self.random: random.Random | None = None


_held = _Held()


def now() -> datetime:
    """The database's present moment (not the transaction's beginning), aware, in UTC, to the microsecond."""
    with _held.lock:
        if _held.clock is not None:
            return _held.clock.at
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        at: datetime = cursor.fetchone()[0]
    return at.astimezone(UTC)


def held() -> datetime | None:
    """The moment at which a test holds the clock, for statements that read the database's own; else None."""
    with _held.lock:
        return None if _held.clock is None else _held.clock.at


def random_id() -> uuid.UUID:
    """A version 4 UUID; never derived from anything that is known about a person or an amount."""
    with _held.lock:
        if _held.random is not None:
            return uuid.UUID(int=_held.random.getrandbits(128), version=4)
    return uuid.uuid4()


@contextmanager
def frozen(at: datetime) -> Iterator[Clock]:
    """Hold the clock of every thread at one moment; the clock that is handed out can be advanced."""
    with _held.lock:
        before, _held.clock = _held.clock, Clock(at)
        clock = _held.clock
    try:
        yield clock
    finally:
        with _held.lock:
            _held.clock = before


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Make the ids of every thread come from one sequence that the seed decides."""
    with _held.lock:
        # Repeatable on purpose: these ids are labels, and secrets never come from here.
        before, _held.random = _held.random, random.Random(seed)  # noqa: S311
    try:
        yield
    finally:
        with _held.lock:
            _held.random = before
