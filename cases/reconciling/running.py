"""The two ends of reconciliation: the watch that rings for what is due, and the task that reads it."""

from __future__ import annotations

import structlog
from django.db import transaction

from cases.models import Cursor
from cases.reconciling import cursors
from cases.reconciling.cursors import Turn
from cases.reconciling.table import RECONCILERS, Reconciler, reconciler
from cases.telling import ring
from tools.errors import HeldBack, InvalidArgs, Refused, ToolError, Unavailable

log = structlog.get_logger()

BATCH = 50
STOPPED_SECONDS = 30.0


def ring_due() -> int:
    """Queue a task for each cursor whose turn has come. Returns how many."""
    resources = [(one.source, one.resource) for one in RECONCILERS]
    cursors.open_missing(resources)
    with transaction.atomic():
        ids = cursors.take_due(resources, BATCH)
        for cursor_id in ids:
            ring("reconcile", cursor_id)
    return len(ids)


def reconcile(cursor_id: int) -> str | None:
    """One turn of one cursor: done, more, lost or an error's code; None where it wasn't this cursor's turn."""
    cursor = cursors.claim(cursor_id)
    found = reconciler(cursor.source, cursor.resource) if cursor else None
    if cursor is None or found is None:
        return None
    turn = cursors.turn_of(cursor, found.overlap)
    try:
        outcome = _read(turn, found)
    except ToolError as error:
        return _failed(turn, cursor, error)
    except Exception as problem:
        log.exception("reconcile.failed", **_facts(turn, found))
        cursors.fail(turn, f"failed:{type(problem).__name__}")
        return "failed"
    log.info("reconcile.read", outcome=outcome, **_facts(turn, found))
    return outcome


def _facts(turn: Turn, found: Reconciler | Cursor) -> dict[str, str]:
    """What every line of the log about a turn tells."""
    return {
        "shop": turn.shop.slug,
        "source": found.source,
        "resource": found.resource,
        "correlation_id": str(turn.correlation_id),
    }


def _read(turn: Turn, found: Reconciler) -> str:
    for part in found.read(turn):
        if not cursors.keep(turn, part):
            return "lost"
        if not part.after:
            return "done" if cursors.finish(turn, found.interval) else "lost"
        if turn.is_late:
            break
    return "more" if cursors.go_on_later(turn) else "lost"


def _failed(turn: Turn, cursor: Cursor, error: ToolError) -> str:
    """Kept on the row for staff, and tried again; where a place to go on from is refused, from the beginning."""
    log.warning("reconcile.not_read", code=error.code, **_facts(turn, cursor))
    retry_after = error.retry_after if isinstance(error, Unavailable) else None
    if error.code == HeldBack.RATE_BUDGET:
        # Our own share of the vendor's patience is used up, which is nobody's failure.
        return "more" if cursors.go_on_later(turn, wait=retry_after or 1) else "lost"
    if error.code == HeldBack.SWITCH:
        # Nor is a person's stop: what was not read then is read when it is over.
        return "more" if cursors.go_on_later(turn, wait=STOPPED_SECONDS) else "lost"
    restart = bool(turn.after) and isinstance(error, Refused | InvalidArgs)
    cursors.fail(turn, error.code, retry_after=retry_after, restart=restart)
    return error.code
