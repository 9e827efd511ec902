"""Finds out what became of a call whose outcome is open: its vendor was asked, and nobody knows what came of it.

    take      txn     lock the open call, fencing token + 1
    look      no txn  the vendor's own word on it
    object    txn     no trace of it there: ask before_send once more
    send      no txn  the same key again
    record()  txn     the outcome, as `tools.execution` writes it

What can't be settled here stays open: the sweep comes back to it, and a person or a webhook may `conclude` it.
"""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import Q

from audit import sources
from tools import pacing
from tools.errors import OutcomeUnknown, ToolError
from tools.execution import LEASE, AfterOutcome, BeforeSend, attempt, left_open, locked, record, young
from tools.models import ToolCall
from tools.outcomes import Ended, after_answer
from tools.registry import TOOLS

log = structlog.get_logger()

State = ToolCall.State


def settle(call_id: int, *, before_send: BeforeSend, after_outcome: AfterOutcome) -> str | None:
    """Find out at the vendor what became of a pending or unknown call. Returns its state, None if it had ended.

    No trace at the vendor, an idempotent key, less than 20 hours and nothing that `before_send` objects to: the same
    key is sent again. Otherwise, or where the vendor can't be read, a later look or a person decides. So it is too
    where the vendor only tells the key's first error again.
    """
    call = _take_open(call_id)
    if call is None:
        return None
    find = TOOLS[call.tool].find
    try:
        # Many may wait for a vendor that is back: money whose fate nobody knows goes before what is only news.
        with pacing.for_a_write():
            found = find(call) if find else None
    except ToolError as error:
        log.warning(
            "call.not_settled", call=call.pk, code=error.code, correlation_id=str(call.correlation_id)
        )
        return _still_open(call)
    if found is not None:
        if found.pending and call.state == State.PENDING:
            return _still_open(call)
        return record(call, after_answer(found, ToolCall.Settled.READING), after_outcome)
    return _send_again(call, before_send, after_outcome)


def _take_open(call_id: int) -> ToolCall | None:
    """Claim an open call for one look, so that two lookers don't both send it."""
    with transaction.atomic():
        call = locked(Q(pk=call_id, state__in=[State.UNKNOWN, State.PENDING]))
        if call is not None:
            call.fence += 1
            call.attempts += 1
            call.lease_until = sources.now() + LEASE
            call.save(update_fields=["fence", "attempts", "lease_until"])
        return call


def _still_open(call: ToolCall) -> str:
    left_open(call)
    return call.state


def _send_again(call: ToolCall, before_send: BeforeSend, after_outcome: AfterOutcome) -> str | None:
    # Without a key at the vendor it would be done twice: whoever the tool names for it finds out.
    pointless = call.vendor in TOOLS[call.tool].unsafe or call.error == OutcomeUnknown.STORED
    if call.state == State.PENDING or pointless or not young(call, sources.now()):
        return _still_open(call)
    if _objected(call, before_send):
        return call.state
    ended = attempt(call)
    if ended.state not in (State.SUCCEEDED, State.PENDING):
        # The first sending may have been executed: a later no or silence doesn't take that back.
        ended = Ended(State.UNKNOWN, error=ended.error)
    return record(call, ended, after_outcome)


def _objected(call: ToolCall, before_send: BeforeSend) -> bool:
    """Whether something stops the second sending. The call stays open: the first one may have been executed."""
    with transaction.atomic():
        mine = locked(Q(pk=call.pk, fence=call.fence, state=State.UNKNOWN))
        if mine is None:
            return True
        stop = before_send(mine)
        if stop:
            left_open(mine, error=stop[:64])
        return bool(stop)
