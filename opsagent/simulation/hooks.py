"""Where the run meets the database and the queue: every commit and every enqueued task passes a point."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.db import connections
from django_q.signing import SignedPackage

from cases import webhooks
from opsagent.broker import Broker
from opsagent.simulation.points import business
from tools import new_fields, upstreams

if TYPE_CHECKING:
    from opsagent.simulation.points import Trace

WRITES = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|WITH\b.*\b(INSERT|UPDATE|DELETE)\b)", re.IGNORECASE | re.DOTALL
)


@contextmanager
def watched(trace: Trace) -> Iterator[None]:
    """Every commit of this thread's connection is a point, with or without a transaction around it."""
    real: Any = connections["default"]
    plain = real._commit

    def commit() -> Any:
        return at(business(), plain)

    def at(cause: str, do: Callable[[], Any]) -> Any:
        # What the play itself writes is no part of it.
        return trace.around(f"commit:{cause}{trace.context}", do) if cause else do()

    def statement(
        execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        trace.must_live()
        if real.in_atomic_block or not WRITES.match(str(sql)):
            return execute(sql, params, many, context)
        return at(business(), lambda: execute(sql, params, many, context))

    real._commit = commit
    try:
        with real.execute_wrapper(statement):
            yield
    finally:
        del real._commit


@contextmanager
def queue_watched(trace: Trace) -> Iterator[None]:
    """Every task that is queued is a point."""
    real: Any = Broker
    plain = Broker.enqueue

    def enqueue(broker: Broker, task: str) -> int:
        name = SignedPackage.loads(task)["func"].rpartition(".")[2]
        trace.play.queued = True
        pk: int = trace.around(f"enqueue:{name}", lambda: plain(broker, task))
        return pk

    real.enqueue = enqueue
    try:
        yield
    finally:
        real.enqueue = plain


def revive() -> None:
    """A process that was killed is started again: its connection, and all that hung on it, is new."""
    real = connections["default"]
    real.in_atomic_block = False
    real.savepoint_ids, real.atomic_blocks, real.run_on_commit = [], [], []
    real.needs_rollback = real.closed_in_transaction = False
    _renew(real)
    forget()


def _renew(real: Any) -> None:
    """What a dead client held is let go; its server process stays, since one that knows the tables is dear.

    So do the statements that were prepared there, of which both sides know as long as the connection lives.
    """
    session = real.connection
    if session is None or session.closed or session.broken:
        real.close()
        return
    session.rollback()
    session.autocommit = True
    session.execute("SELECT pg_advisory_unlock_all()")
    real.autocommit = True


def forget() -> None:
    """What a process remembers between its tasks is gone, so that nothing hangs on what was played in it before."""
    webhooks.forget()
    upstreams.forget()
    new_fields.forget()
