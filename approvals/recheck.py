"""Asked again under the lock, right before a call is sent: flags, switches, roles and limits, the stricter of both."""

from __future__ import annotations

from dataclasses import replace

from approvals import exposure
from approvals.again import changed
from approvals.facts import Situation, flags_up, switches_on
from approvals.models import ApprovalRequest
from approvals.signing import lost
from approvals.switches import has_paid, names_of
from approvals.today import asks_more, undone_by_others, verdict_now
from tools.base import Effect, Kind
from tools.catalog import cancel_order
from tools.drift import READ_ONLY, drifting
from tools.models import Order, Payment, ToolCall
from tools.types import Money

# Steps that only write down what the steps before them have done.
FOLLOWS_MONEY = frozenset({"record_refund", "issue_credit_note"})


def stopped(call: ToolCall, situation: Situation) -> str:
    """The code of what stops this call now; an empty text where it may go."""
    by, paid = call.decision.by_kind, has_paid(call)
    keys = names_of(call, tells=paid)
    if switches_on(call.shop_id, keys):
        return "switch.engaged"
    if drifting(call.shop_id, [(call.tool, call.vendor)]):
        return READ_ONLY
    if call.tool in FOLLOWS_MONEY:
        # The money has moved by now: a flag or a person in the case is no reason to leave its document out.
        return ""
    if by == "triage" or (by == "staff" and "amount_minor" not in call.decision.effect):
        # Triage tells a customer that a person will read: the flag is its reason, not its stop.
        return ""
    if by == "staff" or _signed(call):
        # A person wants this effect, or said yes to it: that one has the case by now is no reason against it.
        situation = replace(situation, human_only=False)
    if situation.human_only:
        return "case.taken_over"
    flag = "" if paid else _flag(call)
    if flag:
        return f"risk.{flag}"
    # The order isn't cancelled where its money would not be given back after that.
    return _money(call, situation) if call.value_minor or call.tool == cancel_order.NAME else ""


def _signed(call: ToolCall) -> bool:
    return ApprovalRequest.objects.filter(
        decision_id=call.decision_id, state=ApprovalRequest.State.APPROVED
    ).exists()


def _flag(call: ToolCall) -> str:
    order = Order.objects.filter(pk=call.case.order_id).first() if call.case.order_id else None
    if order is not None and order.risk_level == Order.Risk.HIGH:
        return "fraud"
    return next(iter(sorted(flags_up(call.case_id, order))), "")


def _money(call: ToolCall, situation: Situation) -> str:
    """What the payment, policy and the signer's role say today, about all that was decided and not this call alone."""
    decision, effect = call.decision, _effect(call)
    exposure.lock(effect)
    tenders = [tender["payment"] for tender in effect.body.get("tenders", [])]
    paying = [call.payment_id] if call.payment_id else tenders
    if any(_overdrawn(payment_id) for payment_id in sorted(paying)):
        return "refund.more_than_refundable"
    others = undone_by_others(decision, reserved=True)
    if others:
        return others
    verdict = verdict_now(decision, effect, situation)
    if asks_more(decision, verdict):
        return verdict.rule
    request = ApprovalRequest.objects.filter(decision=decision).first()
    if request is not None and lost(request):
        return "approver.lost_role"
    return changed(decision)


def _effect(call: ToolCall) -> Effect:
    """What was decided, with all that leaves by its calls."""
    body = call.decision.effect
    money = Money(body["amount_minor"], body["currency"]) if "amount_minor" in body else None
    calls = ToolCall.objects.filter(decision_id=call.decision_id, value_minor__gt=0)
    worth = [(each.value_minor, each.currency) for each in calls]
    value = Money(sum(minor for minor, _currency in worth), worth[0][1]) if worth else None
    payment = call.payment_id or body.get("payment")
    return Effect(call.decision.tool, Kind.MONEY, body, money=money, payment_id=payment, value=value)


def _overdrawn(payment_id: int) -> bool:
    """Whether a refund made elsewhere or a dispute has taken what was set aside here."""
    row = Payment.objects.select_for_update().get(pk=payment_id)
    ours = row.reserved_minor + row.refunded_minor
    return ours + row.elsewhere_minor + row.disputed_minor > row.captured_minor
