"""What follows when a vendor tells of a refund, by webhook or in a reading: ours settles, the rest must add up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from audit.actors import TRIAGE
from cases import following
from cases.handoff import hand_off
from cases.models import Case, Handoff, InboundEvent, Person, Shop
from cases.opening import case_for_order, open_again
from cases.telling import ring
from tools import execution
from tools.models import ToolCall
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
    # Before the order's first reading its payments aren't known: the reading brings the refund along.
    unplaced = bool(record.unplaced_minor) and record.order.payments.exists()
    too_much = record.exceeded or record.clamped or record.stray_duties_minor
    wrong = bool(failed_later or too_much or record.astray)
    if not (wrong or unplaced):
        return None
    if history and not (failed_later or record.astray):
        return None
    if not wrong and _was_told(record, made_at):
        return None
    if failed_later and ours is not None:
        return _reopened(ours, correlation_id, event, called_at)
    person = Person.objects.filter(pk=record.order.person_id).first() if record.order.person_id else None
    case = case_for_order(shop, record.order, Case.Subject.RISK, correlation_id, person)
    hand_off(case, Handoff.Reason.FAILED, by=TRIAGE, detail=DOES_NOT_ADD_UP, event=event, called_at=called_at)
    return case


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
