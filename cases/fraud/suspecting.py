"""Fraud-suspect: the flag, and the case with a person at once; by what vendors tell, or in a colleague's words."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid
from approvals.facts import flags_up
from approvals.models import RiskFlag
from approvals.services import person
from audit import sources
from audit.actors import TRIAGE, Actor
from cases.handoff import hand_off, raise_flags
from cases.models import Case, Handoff, InboundEvent
from cases.opening import case_for_order
from tools.ledger import lock_order
from tools.models import Order

MARK = "approvals.add_riskflag"
BY_STAFF = "staff.marked"
FRAUD = RiskFlag.Kind.FRAUD


def call_person(
    order: Order,
    source: str,
    *,
    correlation_id: UUID,
    event: InboundEvent | None = None,
    called_at: datetime | None = None,
    by: Actor = TRIAGE,
) -> Case | None:
    """The order's case, flagged and with a person; None where this source has called for this order before.

    A person has it then, or has looked and lowered it: the same news is no new suspicion. Needs a transaction, with
    the order locked.
    """
    if RiskFlag.objects.filter(order=order, kind=FRAUD, source=source).exists():
        return None
    case = case_for_order(order.shop, order, Case.Subject.RISK, correlation_id, order.person)
    raise_flags(case, (FRAUD.value,), source=source, by=by)
    hand_off(case, Handoff.Reason.FRAUD, by=by, detail=source, event=event, called_at=called_at)
    return case


def mark_case(case_id: int, *, reason: str, by: Actor) -> Case:
    """A member of staff suspects fraud: nothing automatic touches the case or its order from now on."""
    with transaction.atomic():
        lock_order(Case.objects.values_list("order_id", flat=True).get(pk=case_id))
        rows = Case.objects.select_for_update(of=("self",)).select_related("shop", "order")
        case = rows.get(pk=case_id)
        person(by, MARK, case.shop_id)
        if case.state == Case.State.CLOSED:
            raise AlreadyDecided(_("The case is closed. Mark its order instead."))
        return _mark(case, reason, by)


def mark_order(order_id: int, *, reason: str, by: Actor) -> Case:
    """As `mark_case`, with a case opened for it where the order has none."""
    with transaction.atomic():
        lock_order(order_id)
        order = Order.objects.select_related("shop", "person").get(pk=order_id)
        person(by, MARK, order.shop_id)
        case = case_for_order(order.shop, order, Case.Subject.RISK, sources.random_id(), order.person)
        return _mark(case, reason, by)


def _mark(case: Case, reason: str, by: Actor) -> Case:
    if not reason.strip():
        raise Invalid(_("Say why you suspect fraud: the reason is kept with the flag."))
    if FRAUD in flags_up(case.pk, case.order):
        raise AlreadyDecided(_("This is marked as fraud-suspect already."))
    raise_flags(case, (FRAUD.value,), source=BY_STAFF, reason=reason.strip()[:500], by=by)
    hand_off(case, Handoff.Reason.FRAUD, by=by, detail=BY_STAFF)
    return case
