"""Every queued task, and the sweep that finds what the queue forgot.

A task carries one row id and claims its work on that row: losing, doubling or reordering every task changes nothing
but latency.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import F, Q

from approvals.deciding import Wish, decide
from approvals.models import ApprovalRequest
from audit import sources
from audit.actors import SYSTEM
from cases import cancelling, planning, renewing, stocking
from cases.composing import composer
from cases.following import after_outcome, before_send
from cases.handoff import hand_off, in_window, scope_of, situation, wants_thought
from cases.models import Case, Handoff, PaymentTask
from cases.opening import open_again
from cases.planner.factory import current_config
from cases.telling import ring, tell
from cases.waiting import EFFECT_AT_MOST, wait
from tools import execution, pacing, settling, stops
from tools.base import BY_HAND
from tools.catalog import cancel_order
from tools.drift import FACTS_DRIFTED, READ_ONLY, behind
from tools.errors import ContractDrift, HeldBack, ToolError
from tools.ledger import lock_order
from tools.models import ToolCall

State = Case.State
Wait = Case.Wait

FORGOTTEN = timedelta(seconds=10)
UNKNOWN_AT_MOST = timedelta(minutes=10)
# Banks take days; a refund that a vendor has had for longer is looked into by a person.
PENDING_AT_MOST = timedelta(days=10)
# Facts at most this old when money leaves.
MONEY_FACTS = timedelta(minutes=5)
BATCH = 100

log = structlog.get_logger()


def advance(case_id: int) -> str | None:
    """The agent's turn in a case."""
    return planning.advance(case_id)


def execute(call_id: int) -> str | None:
    """Send one tool call, if it is its time and nothing stops it.

    Money that waited for somebody is sent on facts read anew: a shop that can't be read now is asked again later.
    """
    if not _facts_are_fresh(call_id):
        return None
    return execution.run(call_id, before_send=before_send, after_outcome=after_outcome)


def _facts_are_fresh(call_id: int) -> bool:
    calls = ToolCall.objects.select_related("case__shop", "case__order", "case__conversation")
    about_money = Q(amount_minor__gt=0) | Q(tool=cancel_order.NAME)
    call = calls.filter(about_money, pk=call_id, state=ToolCall.State.RESERVED).first()
    if call is None or call.not_before > sources.now():
        return True
    try:
        with pacing.for_a_write(), stops.sending(call):
            planning.read_order(call.case, MONEY_FACTS)
    except ContractDrift as error:
        log.warning(
            "call.facts_drifted",
            call=call_id,
            field=error.field_path,
            correlation_id=str(call.correlation_id),
        )
        if not execution.cancel(call_id, reason=FACTS_DRIFTED, after_outcome=after_outcome):
            execution.postpone(call_id, error=error, after_outcome=after_outcome)
        return False
    except ToolError as error:
        log.warning(
            "call.facts_not_read",
            call=call_id,
            code=error.code,
            correlation_id=str(call.correlation_id),
        )
        # What a person has stopped ends here as everywhere, and comes to a person.
        stopped = error.code == HeldBack.SWITCH
        if not (stopped and execution.cancel(call_id, reason=error.code, after_outcome=after_outcome)):
            execution.postpone(call_id, error=error, after_outcome=after_outcome)
        return False
    return True


def take_back(case_id: int) -> int:
    """Cancel what waits in the case's undo window and is stopped by now, by a flag or by the person who has the case.

    Losing this changes nothing but the moment: it is asked again before anything is sent. Returns how many.
    """
    ids = list(in_window(case_id).order_by("pk").values_list("pk", flat=True))
    return sum(_taken_back(call_id) for call_id in ids)


def _taken_back(call_id: int) -> bool:
    with transaction.atomic():
        call = execution.locked(Q(pk=call_id, state=ToolCall.State.RESERVED))
        stop = before_send(call) if call is not None else ""
        if not stop.startswith(("risk.", "case.")):
            return False
        return execution.cancel(call_id, reason=stop, after_outcome=after_outcome)


def settle(call_id: int) -> str | None:
    """Find out what became of a call whose outcome is open; after ten minutes a person is told as well.

    Of money that the vendor says is on its way, after ten days.
    """
    state = settling.settle(call_id, before_send=before_send, after_outcome=after_outcome)
    if state in (ToolCall.State.UNKNOWN, ToolCall.State.PENDING):
        _tell_person(call_id)
    return state


def _tell_person(call_id: int) -> None:
    """A call whose outcome is open for too long is a person's; for one in a closed case that is opened, once."""
    with transaction.atomic():
        call = ToolCall.objects.select_related("decision", "case").get(pk=call_id)
        at_most = PENDING_AT_MOST if _on_its_way(call) else UNKNOWN_AT_MOST
        if call.first_sent_at is None or sources.now() - call.first_sent_at <= at_most:
            return
        # The order before its case, as everywhere.
        lock_order(call.case.order_id)
        rows = Case.objects.select_for_update(of=("self",)).select_related("shop", "order")
        case = rows.get(pk=call.case_id)
        if case.state == State.CLOSED and not _was_told(call):
            case = open_again(case, call.correlation_id)
        if case.state not in (State.HANDOFF, State.CLOSED):
            drift = behind(call.shop_id, call.tool, call.vendor, READ_ONLY)
            hand_off(
                case,
                Handoff.Reason.UNKNOWN,
                by=SYSTEM,
                detail=call.error,
                decision=call.decision,
                drift=drift,
            )


def _was_told(call: ToolCall) -> bool:
    """Whether a person has had the case for this, and has closed it."""
    return Handoff.objects.filter(decision_id=call.decision_id, reason=Handoff.Reason.UNKNOWN).exists()


def _on_its_way(call: ToolCall) -> bool:
    return call.state == ToolCall.State.PENDING and call.amount_minor > 0


def sweep() -> int:
    """Queue again whatever should be running and isn't. Returns how many things it found."""
    found = 0
    for job in (_died, _calls, _cases, _waits, _approvals, stocking.ring_due, cancelling.ring_due):
        found += job()
    return found


def _died() -> int:
    return len(execution.expire_leases())


def _calls() -> int:
    """Calls that are due: the undo window is over, the task was lost, or an outcome is still open."""
    with transaction.atomic():
        ids = execution.due(BATCH)
        states = dict(ToolCall.objects.filter(pk__in=ids).values_list("pk", "state"))
        for call_id, state in states.items():
            ring("execute" if state == ToolCall.State.RESERVED else "settle", call_id)
    return len(ids)


def _cases() -> int:
    """Cases that asked for thought and got none; each is asked for once per ten seconds."""
    now = sources.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    with transaction.atomic():
        rows = Case.objects.select_for_update(skip_locked=True, of=("self",))
        late = rows.filter(free, state=State.OPEN, human_only=False, due_at__lt=now - FORGOTTEN)
        ids = list(late.order_by("due_at").values_list("pk", flat=True)[:BATCH])
        Case.objects.filter(pk__in=ids).update(due_at=now)
        for case_id in ids:
            ring("advance", case_id)
    return len(ids)


def _each(ids: list[int], work: Callable[[int], None]) -> int:
    """Do the work for each row; one that can't be worked on must not hide all that come after it."""
    for row_id in ids:
        try:
            work(row_id)
        except Exception:
            log.exception("sweep.failed", work=work.__name__, row=row_id)
    return len(ids)


def _waits() -> int:
    """Waits whose date has come."""
    due = Case.objects.filter(state=State.WAITING, wake_at__lte=sources.now())
    return _each(list(due.order_by("wake_at").values_list("pk", flat=True)[:BATCH]), _wake)


def _wake(case_id: int) -> None:
    with transaction.atomic():
        rows = Case.objects.select_for_update(skip_locked=True, of=("self",))
        rows = rows.select_related("shop", "order", "conversation__person")
        case = rows.filter(pk=case_id, state=State.WAITING, wake_at__lte=sources.now()).first()
        if case is None:
            return
        reason = case.wait_reason
        if reason == Wait.EFFECT and _nothing_but_patience(case):
            wait(case, Wait.EFFECT, EFFECT_AT_MOST)
            return
        tell("case.woken", case, by=SYSTEM, reason=reason)
        if case.human_only:
            hand_off(case, Handoff.Reason.STAFF, by=SYSTEM, detail=f"woken.{reason}")
        elif reason == Wait.CUSTOMER:
            _unanswered(case)
        elif reason == Wait.EFFECT:
            hand_off(case, Handoff.Reason.STUCK, by=SYSTEM, detail=_what_is_late(case))
        else:
            wants_thought(case)


def _nothing_but_patience(case: Case) -> bool:
    """Whether the vendor has the money on its way, and nobody has written since."""
    since = sources.now() - PENDING_AT_MOST
    pending = case.calls.filter(state=ToolCall.State.PENDING, amount_minor__gt=0, first_sent_at__gt=since)
    return pending.exclude(vendor=BY_HAND).exists() and case.dirty <= case.planned


def _what_is_late(case: Case) -> str:
    """A payment that a person should have made by now, or an effect that doesn't end."""
    to_pay = PaymentTask.objects.filter(case=case, state=PaymentTask.State.OPEN).exists()
    return "payment.overdue" if to_pay else "effect"


def _unanswered(case: Case) -> None:
    """Remind once; after that close with a template."""
    template = "closing_unanswered" if case.reminders else "reminder"
    Case.objects.filter(pk=case.pk).update(reminders=F("reminders") + 1)
    config = current_config(case.shop)
    made = decide(
        Wish("remind", {"template": template}, config.pk),
        scope=scope_of(case),
        situation=situation(case, by=SYSTEM, planner=config.kind),
        undo=timedelta(0),
        compose=composer(case),
        by=SYSTEM,
    )
    if made.calls:
        wait(case, Wait.EFFECT, EFFECT_AT_MOST)
        ring("execute", made.calls[0].pk)
    else:
        hand_off(case, Handoff.Reason.POLICY, by=SYSTEM, detail=made.decision.rule, decision=made.decision)


def _approvals() -> int:
    """Requests that nobody decided in time: the same is asked again, or a person gets the case."""
    late = ApprovalRequest.objects.filter(state=ApprovalRequest.State.PENDING, expires_at__lte=sources.now())
    return _each(list(late.values_list("pk", flat=True)[:BATCH]), _ring_renewal)


def _ring_renewal(request_id: int) -> None:
    ring("renew", request_id)


def renew(request_id: int) -> bool:
    """One request that ran out; it reads the shop, so it is no part of the sweep itself."""
    return renewing.renew(request_id)
