"""A refund that the payment vendor has, and that isn't done: the customer hears once that it is on its way."""

from __future__ import annotations

from datetime import timedelta

from approvals.deciding import Wish, decide
from approvals.models import Decision
from audit.actors import SYSTEM
from cases.composing import composer
from cases.handoff import hand_off, scope_of, situation
from cases.models import Case, Handoff
from cases.planner.factory import current_config
from cases.telling import ring
from tools.catalog.tell_on_its_way import NAME, OVER
from tools.ledger import lock_order
from tools.models import ToolCall

IN_HANDS = (Case.State.HANDOFF, Case.State.CLOSED)


def tell_once(call: ToolCall) -> None:
    """A decision of its own for the message, judged like every other; once for all that one refund is made of.

    Runs in the transaction that makes the call pending.
    """
    refund = ToolCall.objects.filter(decision_id=call.decision_id, amount_minor__gt=0)
    told = Decision.objects.filter(case_id=call.case_id, tool=NAME)
    if told.filter(action__call_id__in=list(refund.values_list("pk", flat=True))).exists():
        return
    lock_order(call.case.order_id)
    rows = Case.objects.select_for_update(of=("self",)).select_related(
        "shop", "order", "conversation__person"
    )
    case = rows.get(pk=call.case_id)
    config = current_config(case.shop)
    made = decide(
        Wish(NAME, {"call_id": call.pk}, config.pk),
        scope=scope_of(case),
        situation=situation(case, by=SYSTEM, planner=config.kind),
        undo=timedelta(0),
        compose=composer(case),
        by=SYSTEM,
    )
    for step in made.calls:
        ring("execute", step.pk)
    if not made.calls and case.state not in IN_HANDS:
        hand_off(case, Handoff.Reason.POLICY, by=SYSTEM, detail=made.decision.rule, decision=made.decision)


def outdated(call: ToolCall) -> str:
    """The code that stops the message of a refund that has ended before the message left; else an empty text."""
    if call.decision.tool != NAME:
        return ""
    refund = ToolCall.objects.get(pk=call.decision.action["call_id"])
    return "" if refund.state == ToolCall.State.PENDING else OVER
