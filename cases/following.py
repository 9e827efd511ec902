"""What follows when a call has an outcome, in the transaction that records it; and what is asked before it is sent."""

from __future__ import annotations

from datetime import timedelta

from approvals.recheck import stopped
from audit.actors import SYSTEM
from cases.composing import mark_sent
from cases.credit_notes import keep_buyer
from cases.fraud.screening import screen
from cases.handoff import after_failed_call, situation_of, wants_thought
from cases.models import Case
from cases.on_its_way import outdated, tell_once
from cases.opening import open_again
from cases.payment_tasks import open_task
from cases.telling import ring, tell
from cases.waiting import close, wait
from tools.base import BY_HAND
from tools.catalog import tell_on_its_way
from tools.ledger import lock_order
from tools.models import ToolCall

State = ToolCall.State

PARCEL_AT_MOST = timedelta(days=7)
RETURN_AT_MOST = timedelta(days=30)
# Another step has called a person already, or there is nothing left to say.
SILENT = ("step_before_failed", tell_on_its_way.OVER)


def before_send(call: ToolCall) -> str:
    """Under the call's lock: the code of what stops it now, or an empty text."""
    # The order before its case, as everywhere: see the lock order in tools.ledger.
    lock_order(call.case.order_id)
    rows = Case.objects.select_for_update(of=("self",)).select_related(
        "shop", "order", "conversation__person"
    )
    case = rows.get(pk=call.case_id)
    if call.value_minor:
        # The list may have grown since this was decided.
        screen(case, money=False)
    stop = outdated(call) or _voided(call) or stopped(call, situation_of(call.decision, case))
    if not stop and call.tool == "issue_credit_note":
        keep_buyer(call, case)
    return stop


def _voided(call: ToolCall) -> str:
    """The code that keeps a step from beginning where another one is void: what was decided can't happen as a whole."""
    others = ToolCall.objects.filter(decision_id=call.decision_id, state=State.CANCELLED)
    return "step_before_failed" if call.state == State.RESERVED and others.exists() else ""


def after_outcome(call: ToolCall) -> None:
    """Move the message and the case on; runs once per change of the call's state."""
    if call.state in (State.SUCCEEDED, State.FAILED, State.CANCELLED):
        mark_sent(call)
    if call.state == State.PENDING:
        _on_its_way(call)
    if call.state == State.SUCCEEDED:
        _next_step(call)
    elif call.state in (State.FAILED, State.CANCELLED):
        _stopped(call)


def _on_its_way(call: ToolCall) -> None:
    """A person pays it, or the vendor does, and then the customer hears so."""
    if call.vendor == BY_HAND:
        open_task(call)
    elif call.amount_minor:
        tell_once(call)


def _next_step(call: ToolCall) -> None:
    """The next call of the decision may start; after the last one the case goes on."""
    if call.decision.tool == tell_on_its_way.NAME:
        # The refund that it tells of is still under way, and moves the case on itself.
        return
    following = ToolCall.objects.filter(decision_id=call.decision_id, position__gt=call.position)
    step = following.order_by("position").first()
    if step is not None:
        ring("execute", step.pk)
        return
    case = _case(call)
    if case.state != Case.State.WAITING or case.wait_reason != Case.Wait.EFFECT:
        return
    if case.dirty > case.planned:
        # Somebody wrote while the effect ran: that is answered before anything is closed.
        _resume(case)
        return
    _go_on(case, call)


def _case(call: ToolCall) -> Case:
    rows = Case.objects.select_for_update(of=("self",)).select_related("shop", "order")
    return rows.get(pk=call.case_id)


def _resume(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(state=Case.State.OPEN, wait_reason="", wake_at=None)
    case.refresh_from_db()
    wants_thought(case)


def _go_on(case: Case, call: ToolCall) -> None:
    decision = call.decision
    if decision.tool == "request_information":
        # A new question is reminded of once more.
        Case.objects.filter(pk=case.pk).update(reminders=0)
        wait(case, Case.Wait.CUSTOMER, timedelta(days=case.shop.remind_after_days))
        return
    if decision.tool == "remind":
        _after_reminder(case, str(decision.action.get("template", "")))
        return
    then = decision.action.get("then", "close")
    if then == "wait_parcel":
        wait(case, Case.Wait.PARCEL, PARCEL_AT_MOST)
    elif then == "wait_return":
        wait(case, Case.Wait.RETURN, RETURN_AT_MOST)
    elif then == "wait_customer":
        wait(case, Case.Wait.CUSTOMER, timedelta(days=case.shop.remind_after_days))
    else:
        close(case, by_name="agent")


def _after_reminder(case: Case, template: str) -> None:
    if template == "closing_unanswered":
        close(case, by_name="agent")
        return
    left = case.shop.close_after_days - case.shop.remind_after_days
    wait(case, Case.Wait.CUSTOMER, timedelta(days=max(1, left)))


def _stopped(call: ToolCall) -> None:
    """Nothing was sent, or the vendor said no: a person looks, unless one has the case already.

    A closed case is opened again for money that did not move after all, or whose later steps did not.
    """
    if call.error in SILENT:
        return
    case = _case(call)
    if call.error == "undone":
        tell("case.undone", case, by=SYSTEM, subject=call)
    if case.state == Case.State.CLOSED and _leaves_work(call):
        case = open_again(case, call.correlation_id)
    if case.state not in (Case.State.CLOSED, Case.State.HANDOFF):
        after_failed_call(call, case)


def _leaves_work(call: ToolCall) -> bool:
    """Whether money was sent, by this step or one before it."""
    steps = ToolCall.objects.filter(decision_id=call.decision_id, position__lte=call.position)
    return steps.filter(amount_minor__gt=0, first_sent_at__isnull=False).exists()
