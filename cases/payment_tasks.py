"""A refund that no machine can pay becomes a person's payment task, in the transaction that finds out."""

from __future__ import annotations

from datetime import timedelta

from audit import sources
from audit.actors import SYSTEM
from cases.models import Case, PaymentTask
from cases.telling import tell
from cases.waiting import wait
from tools.models import ToolCall

# What a customer who paid in cash or by transfer is promised.
DUE = timedelta(days=3)


def open_task(call: ToolCall) -> PaymentTask:
    """The task of a call that waits for a person's payment, made once; its case waits for it.

    Runs in the transaction that makes the call pending. A case that nobody pays for in time comes to a person.
    """
    rows = Case.objects.select_for_update(of=("self",)).select_related("shop", "order")
    case = rows.get(pk=call.case_id)
    now = sources.now()
    task, made = PaymentTask.objects.get_or_create(
        call=call,
        defaults={
            "shop_id": call.shop_id,
            "case": case,
            "amount_minor": call.amount_minor,
            "currency": call.currency,
            "gateway": call.payment.gateway if call.payment else "",
            "payee_reference": case.order.name if case.order else f"#{case.pk}",
            "opened_at": now,
            "due_at": now + DUE,
        },
    )
    if made and case.state == Case.State.WAITING and case.wait_reason == Case.Wait.EFFECT:
        wait(case, Case.Wait.EFFECT, DUE)
    if made:
        amount = f"{task.amount_minor} {task.currency}"
        tell("payment_task.opened", case, by=SYSTEM, subject=task, call=call.pk, amount_minor=amount)
    return task
