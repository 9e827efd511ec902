"""The moment that a page is made at: one for the whole page, asked of the one clock, and only where it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from audit import sources

_held: ContextVar[list[datetime] | None] = ContextVar("moment_of_the_page", default=None)


@contextmanager
def one_moment() -> Iterator[None]:
    """Until the end it stays the same moment, so that a page of many rows asks the database's clock once."""
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def moment() -> datetime:
    """When the page is made, aware, in UTC; outside a page the present moment."""
    held = _held.get()
    if held is None:
        return sources.now()
    if not held:
        held.append(sources.now())
    return held[0]
