"""Runs one tool call: a transaction, the vendor's answer without one, a transaction.

    claim()   txn     lock the call, ask before_send, state `sending`, fencing token + 1
    send      no txn  one HTTP call with the call's key
    record()  txn     the outcome, the ledger, the audit entry, after_outcome

Whoever dies between the first and the last step leaves a call in `sending` with a lease that runs out; `expire_leases`
turns it into `unknown`, and `tools.settling` finds out what the vendor knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from audit import sources
from audit.actors import SYSTEM
from audit.services import record as audit
from tools import ledger, pacing, stops
from tools.base import BY_HAND
from tools.errors import HeldBack, ToolError
from tools.models import ToolCall
from tools.outcomes import MOST_ATTEMPTS, Ended, after_answer, after_error, wait_after
from tools.registry import TOOLS

log = structlog.get_logger()

LEASE = timedelta(seconds=90)
NUDGE = timedelta(seconds=15)
LONGEST_REST = timedelta(minutes=15)
SAME_KEY_FOR = timedelta(hours=20)
HELD_AT_MOST = timedelta(hours=20)
State = ToolCall.State

BeforeSend = Callable[[ToolCall], str]
AfterOutcome = Callable[[ToolCall], None]


@dataclass(frozen=True, slots=True)
class Claim:
    """A call taken for one try; `first` is its first."""

    call: ToolCall
    first: bool


def run(call_id: int, *, before_send: BeforeSend, after_outcome: AfterOutcome) -> str | None:
    """Send one call, once. Returns its new state, or None where there was nothing to do.

    `before_send` runs under the lock and answers with an empty text to go on, or with the code of what stops the
    call. `after_outcome` runs in the transaction that writes the outcome. Calling twice, late or at the same time
    changes nothing: the claim is on the row.
    """
    claim, state = _claim(call_id, before_send, after_outcome)
    if claim is None:
        return state
    ended = attempt(claim.call)
    if ended.held:
        return _put_back(claim, ended, after_outcome)
    return record(claim.call, ended, after_outcome)


def _claim(
    call_id: int, before_send: BeforeSend, after: AfterOutcome
) -> tuple[Claim, None] | tuple[None, str | None]:
    """The call taken for one try; or the state that it has without one, None where it isn't its turn."""
    with transaction.atomic():
        call = locked(Q(pk=call_id, state=State.RESERVED, not_before__lte=sources.now()))
        if call is None or not _its_turn(call):
            return None, None
        stop = before_send(call)
        if stop:
            _cancel(call, stop, after)
            return None, call.state
        held = pacing.held_back(call.shop.slug, call.vendor)
        if held is not None:
            return None, _hold(call, after_error(held, call.attempts), after)
        now, first = sources.now(), call.first_sent_at is None
        call.state, call.lease_until, call.error = State.SENDING, now + LEASE, ""
        call.first_sent_at = call.first_sent_at or now
        call.attempts += 1
        call.fence += 1
        call.save(update_fields=["state", "lease_until", "first_sent_at", "attempts", "fence", "error"])
        _tell("call.sending", call)
        return Claim(call, first), None


def _put_back(claim: Claim, ended: Ended, after: AfterOutcome) -> str | None:
    """A try that never left us is undone: it is no attempt, and what was never sent can still be cancelled."""
    with transaction.atomic():
        mine = locked(Q(pk=claim.call.pk, fence=claim.call.fence, state=State.SENDING), skip_locked=False)
        if mine is None:
            return None
        mine.attempts -= 1
        mine.first_sent_at = None if claim.first else mine.first_sent_at
        return _hold(mine, ended, after)


def _hold(call: ToolCall, ended: Ended, after: AfterOutcome) -> str:
    """The call waits until its vendor may be asked; told once, however often it is held back without being begun.

    After twenty hours of that it ends: cancelled, or failed where something had been sent and not executed.
    """
    now, again = sources.now(), call.state == State.RESERVED and call.held_since is not None
    call.held_since = call.held_since or now
    unsent = call.first_sent_at is None
    if now - call.held_since < HELD_AT_MOST and (unsent or young(call, now)):
        if again:
            # Reserved as before, so there is nothing to tell.
            _move(call, ended)
        else:
            _finish(call, ended, after)
    elif unsent:
        _cancel(call, ended.error, after)
    else:
        _finish(call, Ended(State.FAILED, error=ended.error), after)
    return call.state


def locked(condition: Q, *, skip_locked: bool = True) -> ToolCall | None:
    """The call of this condition, locked until the transaction ends, with what its outcome is written to.

    None where there is none, or where `skip_locked` passes over one that somebody else holds.
    """
    rows = ToolCall.objects.select_for_update(skip_locked=skip_locked, of=("self",))
    return (
        rows.select_related("shop", "payment__order", "message__conversation__person")
        .filter(condition)
        .first()
    )


def _its_turn(call: ToolCall) -> bool:
    """A step starts when the one before has succeeded."""
    earlier = ToolCall.objects.filter(decision_id=call.decision_id, position__lt=call.position)
    return not earlier.exclude(state=State.SUCCEEDED).exists()


def attempt(call: ToolCall) -> Ended:
    """What the vendor said, as the state that follows; no exception leaves a call without a state."""
    send = TOOLS[call.tool].send
    if send is None:
        return Ended(State.FAILED, error="tool.sends_nothing")
    try:
        with pacing.for_a_write(), stops.sending(call):
            outcome = send(call)
    except ToolError as error:
        return after_error(error, call.attempts)
    except Exception:
        # Sent or not, nobody can tell: only the vendor can.
        log.exception("call.crashed", call=call.pk, correlation_id=str(call.correlation_id))
        return Ended(State.UNKNOWN, error="crashed")
    return after_answer(outcome)


def record(call: ToolCall, ended: Ended, after_outcome: AfterOutcome) -> str | None:
    """Write the outcome, unless somebody else has taken the call over since."""
    with transaction.atomic():
        # Waits for whoever looks at the call just now: an answer must not be lost to an undo that came too late.
        mine = locked(
            Q(pk=call.pk, fence=call.fence, state__in=[State.SENDING, State.UNKNOWN, State.PENDING]),
            skip_locked=False,
        )
        if mine is None:
            return None
        if mine.state == ended.state:
            # Still as open as before: no change of state, so nothing to tell.
            left_open(mine, error=ended.error or mine.error)
            return mine.state
        _finish(mine, ended, after_outcome)
        return mine.state


def left_open(call: ToolCall, *, error: str | None = None) -> None:
    """Nobody looks at the call any more, and it is as open as before: when it is looked at again.

    What is unknown soon, at any age; what the vendor has on its way less and less often, since a webhook is quicker.
    """
    now = sources.now()
    age = now - call.first_sent_at if call.first_sent_at else timedelta(0)
    rest = min(max(NUDGE, age / 10), LONGEST_REST) if call.state == State.PENDING else NUDGE
    mine = ToolCall.objects.filter(pk=call.pk, fence=call.fence, state=call.state)
    mine.update(lease_until=now + rest, error=call.error if error is None else error)


def _finish(call: ToolCall, ended: Ended, after_outcome: AfterOutcome) -> None:
    """Write the outcome and what follows from it, and tell of all that changed."""
    rest = _move(call, ended)
    _follow(call, rest, after_outcome)
    _tell("call.retrying" if ended.state == State.RESERVED else f"call.{ended.state}", call)
    _tell_cancelled(rest)


def _move(call: ToolCall, ended: Ended) -> list[ToolCall]:
    """Write the new state with its booking; returns the later steps that end with it."""
    now = sources.now()
    call.state, call.error, call.lease_until = ended.state, ended.error, None
    call.vendor_ref = ended.ref or call.vendor_ref
    call.settled_by = ended.settled_by
    call.held_since = call.held_since if ended.held else None
    if ended.state in (State.SUCCEEDED, State.FAILED):
        call.ended_at = now
    elif ended.state == State.RESERVED:
        call.not_before = now + ended.wait
    else:
        call.lease_until = now + NUDGE
    call.save()
    ledger.own(call)
    if ended.state == State.SUCCEEDED:
        ledger.settle(call)
    elif ended.state == State.FAILED:
        ledger.release(call)
        return _cancel_rest(call)
    return []


def _cancel_rest(call: ToolCall) -> list[ToolCall]:
    """The steps after one that didn't happen will never have their turn, nor those before it that nobody has begun."""
    mine = ToolCall.objects.filter(decision_id=call.decision_id, state=State.RESERVED).order_by("position")
    later = mine.filter(position__gt=call.position).select_for_update()
    # One that somebody claims just now is passed over: before_send finds this one cancelled.
    unbegun = mine.filter(position__lt=call.position, first_sent_at__isnull=True)
    steps = [*unbegun.select_for_update(skip_locked=True), *later]
    for step in steps:
        step.state, step.error, step.ended_at = State.CANCELLED, "step_before_failed", sources.now()
        step.save(update_fields=["state", "error", "ended_at"])
        ledger.release(step)
    return steps


def _follow(call: ToolCall, rest: list[ToolCall], after: AfterOutcome) -> None:
    for ended in (call, *rest):
        after(ended)


def _tell_cancelled(calls: list[ToolCall]) -> None:
    # Written last: an entry holds its stream until the commit, and what follows locks the case before that.
    for call in calls:
        _tell("call.cancelled", call)


def _cancel(call: ToolCall, reason: str, after: AfterOutcome) -> None:
    call.state, call.error, call.ended_at, call.lease_until = State.CANCELLED, reason, sources.now(), None
    call.save(update_fields=["state", "error", "ended_at", "lease_until", "attempts", "first_sent_at"])
    ledger.release(call)
    rest = _cancel_rest(call)
    _follow(call, rest, after)
    _tell_cancelled([call, *rest])


def cancel(call_id: int, *, reason: str, after_outcome: AfterOutcome) -> bool:
    """Cancel a call that nobody has begun to send. False where it was too late: exactly one of both wins."""
    with transaction.atomic():
        call = _wait_for(call_id)
        if call.state != State.RESERVED or call.first_sent_at is not None:
            return False
        _cancel(call, reason, after_outcome)
        return True


def postpone(call_id: int, *, error: ToolError, after_outcome: AfterOutcome) -> str | None:
    """The facts that a call needs can't be read now: it is tried later, and cancelled when that never ends.

    Being held back ourselves counts as no attempt here either, for at most twenty hours.
    """
    with transaction.atomic():
        call = locked(Q(pk=call_id, state=State.RESERVED))
        if call is None:
            return None
        now, held = sources.now(), isinstance(error, HeldBack)
        call.attempts += not held
        call.held_since = (call.held_since or now) if held else None
        if call.attempts >= MOST_ATTEMPTS or (call.held_since and now - call.held_since >= HELD_AT_MOST):
            _cancel(call, "facts.not_read", after_outcome)
            return State.CANCELLED
        call.error, call.lease_until = error.code, None
        call.not_before = now + wait_after(error, 1 if held else call.attempts)
        call.save(update_fields=["attempts", "held_since", "error", "lease_until", "not_before"])
        return call.state


def cancel_unsent(payment_ids: Sequence[int], *, after_outcome: AfterOutcome) -> int:
    """Void what was set aside on these payments and not begun to be sent. Runs with their order locked.

    A call that somebody is claiming right now is skipped: that claim waits for the order and then sees the same sums.
    """
    rows = ToolCall.objects.select_for_update(skip_locked=True, of=("self",)).select_related("shop")
    unsent = list(rows.filter(payment_id__in=payment_ids, state=State.RESERVED, first_sent_at__isnull=True))
    for call in unsent:
        _cancel(call, "refund.more_than_refundable", after_outcome)
    return len(unsent)


def fail_later(call_id: int, *, after_outcome: AfterOutcome = lambda call: None) -> bool:
    """The vendor took back a success: the sums are turned back, so that the customer can be refunded again.

    The steps after it that nobody has begun end with it; `after_outcome` hears of those. Runs in the caller's
    transaction, with the order locked. False where the call isn't a success (any more).
    """
    call = locked(Q(pk=call_id, state=State.SUCCEEDED), skip_locked=False)
    if call is None:
        return False
    call.state, call.error = State.FAILED_LATER, "failed_later"
    call.save(update_fields=["state", "error"])
    ledger.reverse(call)
    rest = _cancel_rest(call)
    for step in rest:
        after_outcome(step)
    _tell("call.failed_later", call)
    _tell_cancelled(rest)
    return True


def _wait_for(call_id: int) -> ToolCall:
    return ToolCall.objects.select_for_update(of=("self",)).select_related("shop").get(pk=call_id)


def expire_leases() -> list[int]:
    """Calls whose sender died become `unknown`; their ids, to be settled."""
    with transaction.atomic():
        rows = ToolCall.objects.select_for_update(skip_locked=True).filter(
            state=State.SENDING, lease_until__lt=sources.now()
        )
        # Sorted by stream: two sweepers that write in opposite orders would block each other.
        calls = sorted(rows[:100], key=lambda call: (call.case_id, call.pk))
        for call in calls:
            call.state, call.error, call.lease_until = State.UNKNOWN, "sender_died", None
            call.save(update_fields=["state", "error", "lease_until"])
            _tell("call.unknown", call)
    return [call.pk for call in calls]


def conclude(
    call_id: int,
    *,
    succeeded: bool,
    ref: str,
    settled_by: str,
    after_outcome: AfterOutcome,
    error: str = "settled",
) -> str | None:
    """End an open call by somebody's word: a webhook's or a person's. None where it is not open (any more).

    `error` is the code of why it failed, where somebody said.
    """
    with transaction.atomic():
        call = locked(Q(pk=call_id, state__in=[State.UNKNOWN, State.PENDING]), skip_locked=False)
        if call is None:
            return None
        # Whoever is looking at it right now has lost it.
        call.fence += 1
        call.save(update_fields=["fence"])
    state = State.SUCCEEDED if succeeded else State.FAILED
    ended = Ended(state, ref=ref[:128], error="" if succeeded else error[:64], settled_by=settled_by)
    return record(call, ended, after_outcome)


def young(call: ToolCall, now: datetime) -> bool:
    """Vendors keep an idempotency key for about a day; after 20 hours the same key might pay twice."""
    return call.first_sent_at is not None and now - call.first_sent_at < SAME_KEY_FOR


def due(limit: int = 200) -> list[int]:
    """Calls that should be running and that nobody is known to look at; each is named once per 15 seconds."""
    now = sources.now()
    open_or_due = Q(state=State.RESERVED, not_before__lte=now) | Q(state__in=[State.UNKNOWN, State.PENDING])
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    with transaction.atomic():
        rows = ToolCall.objects.select_for_update(skip_locked=True).filter(open_or_due & free)
        # What a person pays ends with their tick: nobody has to look.
        rows = rows.exclude(state=State.PENDING, vendor=BY_HAND)
        ids = list(rows.order_by("not_before").values_list("pk", flat=True)[:limit])
        ToolCall.objects.filter(pk__in=ids).update(lease_until=now + NUDGE)
    return ids


def _tell(action: str, call: ToolCall) -> None:
    audit(
        action,
        by=SYSTEM,
        stream=f"case/{call.case_id}",
        subject=call,
        shop_id=call.shop_id,
        correlation_id=call.correlation_id,
        data={
            "tool": call.tool,
            "vendor": call.vendor,
            "attempt": call.attempts,
            "error": call.error,
            "ref": call.vendor_ref,
            "amount_minor": call.amount_minor,
            "currency": call.currency,
            "settled_by": call.settled_by,
        },
    )
