"""What staff do with a payment task: say that they have paid, or that they will not."""

from __future__ import annotations

from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import Decision
from approvals.services import conflict, person
from audit import sources
from audit.actors import Actor
from cases import following
from cases.models import PaymentTask
from cases.telling import tell
from tools import execution
from tools.models import ToolCall

State = PaymentTask.State


def pay(task_id: int, *, paid_on: date, reference: str, by: Actor) -> PaymentTask:
    """Tick a task as paid, once: its refund counts as done from now on, and the customer hears so.

    Takes the right to approve money of that size, from somebody who didn't propose it and didn't write its limits.
    Raises NotPermitted, Invalid, AlreadyDecided.
    """
    if not reference.strip():
        raise Invalid(_("Write down the reference of the payment: the bank's, or the receipt's number."))
    return _end(task_id, State.PAID, by=by, paid_on=paid_on, reference=reference.strip()[:128])


def drop(task_id: int, *, reason: str, by: Actor) -> PaymentTask:
    """Say that this will not be paid: its money is no longer set aside, and a person has the case."""
    if not reason.strip():
        raise Invalid(_("Say why it isn't paid: the reason is kept with the task."))
    return _end(task_id, State.DROPPED, by=by, reference=reason.strip()[:128])


def _end(
    task_id: int, state: PaymentTask.State, *, by: Actor, reference: str, paid_on: date | None = None
) -> PaymentTask:
    task = PaymentTask.objects.select_related("call__decision__limits", "shop").get(pk=task_id)
    decision = task.call.decision
    large = decision.outcome == Decision.Outcome.TWO_FACTOR
    user = person(by, "approvals.approve_large_refund" if large else "approvals.approve_refund", task.shop_id)
    why = conflict(decision, user)
    if why:
        raise NotPermitted(why)
    if paid_on is not None:
        _refuse_other_days(task, paid_on)
    with transaction.atomic():
        # Locks the call first, then what its outcome is written to: the second to come finds it ended.
        ended = execution.conclude(
            task.call_id,
            succeeded=state == State.PAID,
            ref=f"payment-task/{task.pk}" if state == State.PAID else "",
            settled_by=ToolCall.Settled.PERSON,
            after_outcome=following.after_outcome,
            error="payment.dropped",
        )
        changed = PaymentTask.objects.filter(pk=task_id, state=State.OPEN).update(
            state=state, ended_by=user, ended_at=sources.now(), paid_on=paid_on, reference=reference
        )
        if ended is None or not changed:
            raise AlreadyDecided(_("This payment was ticked already. Nothing was changed."))
        task.refresh_from_db()
        amount = f"{task.amount_minor} {task.currency}"
        tell(f"payment_task.{state}", task.case, by=by, subject=task, call=task.call_id, amount_minor=amount)
    return task


def _refuse_other_days(task: PaymentTask, paid_on: date) -> None:
    """A payment lies between the day before its task, for whoever was quick, and today."""
    today = timezone.localtime(sources.now()).date()
    opened = timezone.localtime(task.opened_at).date()
    if not opened.toordinal() - 1 <= paid_on.toordinal() <= today.toordinal():
        raise Invalid(_("Choose the day on which it was paid: not before the task, and not after today."))
