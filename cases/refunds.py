"""What follows when a vendor tells of a refund, by webhook or in a reading: ours settles, the rest must add up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from approvals import services as authority
from approvals.models import ApprovalRequest
from approvals.today import undone_by_others
from audit.actors import SYSTEM, TRIAGE
from cases import following
from cases.handoff import hand_off
from cases.models import Case, Handoff, InboundEvent, Person, Shop
from cases.opening import case_for_order, open_again
from cases.telling import ring
from tools import execution, voiding
from tools.base import BY_HAND
from tools.models import Order, OrderLine, ToolCall
from tools.orders import RefundRecord

State = ToolCall.State
DOES_NOT_ADD_UP = "refund.does_not_add_up"
FAILED_LATER = "refund.failed_later"


def follow(
    record: RefundRecord,
    *,
    shop: Shop,
    correlation_id: UUID,
    made_at: datetime | None = None,
    history: bool = False,
    event: InboundEvent | None = None,
    called_at: datetime | None = None,
) -> Case | None:
    """The case that now has a person, or None where all adds up. Runs with the order locked.

    `made_at` is the vendor's time of the refund; one from before its source was connected (`history`) calls nobody,
    and binds our own money all the same.
    """
    ours = record.ours
    settle_ours(record)
    failed_later = ours is not None and record.status == "failed" and _take_back(ours)
    if record.exceeded:
        execution.cancel_unsent(record.exceeded, after_outcome=following.after_outcome)
    stopped = stop_ours(record.order) if ours is None else None
    # Before the order's first reading its payments aren't known: the reading brings the refund along.
    unplaced = bool(record.unplaced_minor) and record.order.payments.exists()
    too_much = record.exceeded or _is_over(record) or record.stray_duties_minor
    wrong = bool(
        failed_later or too_much or record.astray or (record.unnamed_minor and _is_being_paid(record))
    )
    if not (wrong or unplaced):
        return stopped
    if history and not (failed_later or record.astray):
        return stopped
    if not wrong and _was_told(record, made_at):
        return stopped
    if failed_later and ours is not None:
        return _reopened(ours, correlation_id, event, called_at)
    person = Person.objects.filter(pk=record.order.person_id).first() if record.order.person_id else None
    case = case_for_order(shop, record.order, Case.Subject.RISK, correlation_id, person)
    hand_off(case, Handoff.Reason.FAILED, by=TRIAGE, detail=DOES_NOT_ADD_UP, event=event, called_at=called_at)
    return case


def stop_ours(order: Order) -> Case | None:
    """What of ours, unsent or waiting for a signature, no longer fits what others did to the order: a person has it.

    Runs with the order locked; the case, or None where all still fits.
    """
    cases = [
        call.case_id
        for call in voiding.cancel_unfit(order, _judged_by, after_outcome=following.after_outcome)
    ]
    requests = ApprovalRequest.objects.filter(case__order=order, state=ApprovalRequest.State.PENDING)
    for request in requests.select_related("decision").order_by("pk"):
        why = undone_by_others(request.decision, reserved=False)
        if why and _void(request, why):
            cases.append(request.case_id)
    return Case.objects.get(pk=cases[0]) if cases else None


def _judged_by(call: ToolCall) -> int:
    decision = call.decision
    return voiding.last_entry(decision.judged_under, decision.effect["order"], decision.at)


def _void(request: ApprovalRequest, why: str) -> bool:
    """Give the case of a request that can't be signed any more to a person, and say why; whether it was pending."""
    rows = Case.objects.select_for_update(of=("self",)).select_related("shop", "order")
    case = rows.get(pk=request.case_id)
    if not authority.void(request.pk, why=why, by=SYSTEM):
        return False
    hand_off(case, Handoff.Reason.POLICY, by=SYSTEM, detail=why, decision=request.decision)
    return True


def _is_over(record: RefundRecord) -> bool:
    """Whether more pieces or shipping are gone than there were, now that what could be stopped of ours is."""
    order = record.order
    if record.freight_over:
        order.refresh_from_db(fields=["shipping_refunded_minor"])
        if order.shipping_refunded_minor + order.shipping_elsewhere_minor > order.shipping_minor:
            return True
    return any(line.is_over for line in OrderLine.objects.filter(pk__in=record.over))


def _is_being_paid(record: RefundRecord) -> bool:
    """Whether a person is about to pay money of this order by hand, which nobody can stop but them."""
    tasks = ToolCall.objects.filter(payment__order=record.order, vendor=BY_HAND, state=State.PENDING)
    return tasks.exists()


def _reopened(
    ours: ToolCall, correlation_id: UUID, event: InboundEvent | None, called_at: datetime | None
) -> Case:
    """The refund's own case, closed or not, with a person: the customer was told that the money is back."""
    own = Case.objects.select_related("shop", "order", "person").get(pk=ours.case_id)
    case = open_again(own, correlation_id)
    hand_off(
        case,
        Handoff.Reason.FAILED,
        by=TRIAGE,
        detail=FAILED_LATER,
        event=event,
        decision=ours.decision,
        called_at=called_at,
        acknowledge=False,
    )
    return case


def settle_ours(record: RefundRecord) -> None:
    """The vendor shows a refund of ours whose outcome is open: it is settled now."""
    if record.ours is not None and record.ours.state in (State.UNKNOWN, State.PENDING):
        ring("settle", record.ours.pk)


def took_back(record: RefundRecord) -> bool:
    """Whether the vendor shows as failed what it had told us was done."""
    ours = record.ours
    return ours is not None and record.status == "failed" and ours.state == State.SUCCEEDED


def _was_told(record: RefundRecord, made_at: datetime | None) -> bool:
    """Whether a person was called since the refund was made: each further reading tells of it again."""
    told = Handoff.objects.filter(case__order=record.order, detail=DOES_NOT_ADD_UP)
    return made_at is not None and told.filter(opened_at__gte=made_at).exists()


def _take_back(call: ToolCall) -> bool:
    """A success that the vendor took back: the money is with us again, and the customer has not got it."""
    return call.state == State.SUCCEEDED and execution.fail_later(
        call.pk, after_outcome=following.after_outcome
    )
