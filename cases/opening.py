"""Which case an event belongs to: the open one, a lately closed one, or a new one."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from audit import sources
from audit.actors import SYSTEM
from cases.models import Case, Conversation, Person, Shop
from cases.telling import tell
from cases.titles import opening_title
from tools.models import Order

Subject = Case.Subject


def case_for_message(
    shop: Shop, conversation: Conversation, order: Order | None, correlation_id: UUID, at: datetime
) -> Case:
    """The case that a message belongs to, locked. Opens or reopens one where needed."""
    for _attempt in range(3):
        try:
            with transaction.atomic():
                return _find_or_open(shop, conversation, order, correlation_id, at)
        except IntegrityError:
            # Another delivery opened the same case a moment ago: look again.
            continue
    return _find_or_open(shop, conversation, order, correlation_id, at)


def _find_or_open(
    shop: Shop, conversation: Conversation, order: Order | None, correlation_id: UUID, at: datetime
) -> Case:
    case = _locked(Q(conversation=conversation)) or (_locked(Q(order=order)) if order else None)
    if case is not None:
        return _join(case, conversation, order, correlation_id)
    before = _latest_closed(conversation, order)
    if before is not None and before.closed_at and at - before.closed_at <= timedelta(days=shop.reopen_days):
        # Its order may have another open case by now: then that one goes on.
        other = _locked(Q(order=before.order)) if before.order else None
        return _join(other, conversation, order, correlation_id) if other else _reopen(before, correlation_id)
    return open_case(
        shop,
        Subject.MESSAGE,
        correlation_id,
        order=order,
        conversation=conversation,
        person=conversation.person,
        previous=before,
    )


def _locked(which: Q) -> Case | None:
    rows = Case.objects.select_for_update(of=("self",)).select_related("shop", "order")
    return rows.filter(which).exclude(state=Case.State.CLOSED).first()


def _join(case: Case, conversation: Conversation, order: Order | None, correlation_id: UUID) -> Case:
    """What the newcomer knows and the case doesn't is added, unless another open case has it."""
    fields = ["correlation_id"]
    case.correlation_id = correlation_id
    if case.conversation_id is None:
        case.conversation, case.person = conversation, conversation.person
        fields += ["conversation", "person"]
    if case.order_id is None and order is not None and _locked(Q(order=order)) is None:
        case.order, case.title = order, opening_title(case.subject, order)
        fields += ["order", "title"]
    case.save(update_fields=fields)
    tell("case.joined", case, by=SYSTEM)
    return case


def open_again(case: Case, correlation_id: UUID) -> Case:
    """The case, locked and open: as it is, or reopened; where an open one stands in its way, its order's.

    Needs a transaction, with the order locked before the case.
    """
    found = Case.objects.select_for_update(of=("self",)).select_related("shop", "order").get(pk=case.pk)
    if found.state != Case.State.CLOSED:
        return found
    try:
        with transaction.atomic():
            return _reopen(found, correlation_id)
    except IntegrityError:
        # One order has one open case, and so has one conversation.
        if case.order is None:
            raise
        return case_for_order(case.shop, case.order, Subject.RISK, correlation_id, case.person)


def _latest_closed(conversation: Conversation, order: Order | None) -> Case | None:
    """The last case of this conversation about the same order; another order is another wish."""
    rows = Case.objects.select_for_update(of=("self",)).select_related("shop", "order")
    rows = rows.filter(conversation=conversation, state=Case.State.CLOSED)
    if order is not None:
        rows = rows.filter(Q(order=order) | Q(order__isnull=True))
    return rows.order_by("-closed_at").first()


def _reopen(case: Case, correlation_id: UUID) -> Case:
    case.state, case.closed_at, case.closed_by = Case.State.OPEN, None, ""
    case.correlation_id, case.human_only = correlation_id, False
    case.reopened += 1
    case.reminders = case.attempts = 0
    case.save()
    tell("case.reopened", case, by=SYSTEM, times=case.reopened)
    return case


def case_for_order(
    shop: Shop, order: Order, subject: str, correlation_id: UUID, person: Person | None
) -> Case:
    """The order's open case, locked, or a new one with this subject."""
    for _attempt in range(3):
        found = _locked(Q(order=order))
        if found is not None:
            found.correlation_id = correlation_id
            found.save(update_fields=["correlation_id"])
            tell("case.joined", found, by=SYSTEM)
            return found
        try:
            with transaction.atomic():
                return open_case(shop, subject, correlation_id, order=order, person=person)
        except IntegrityError:
            continue
    return Case.objects.exclude(state=Case.State.CLOSED).get(order=order)


def open_case(
    shop: Shop,
    subject: str,
    correlation_id: UUID,
    *,
    order: Order | None = None,
    conversation: Conversation | None = None,
    person: Person | None = None,
    previous: Case | None = None,
) -> Case:
    """A new case with the agent. Raises IntegrityError where the order or conversation has an open one."""
    language = (person.language if person else "") or shop.languages[0]
    case = Case.objects.create(
        shop=shop,
        subject=subject,
        title=opening_title(subject, order),
        order=order,
        conversation=conversation,
        person=person or (order.person if order else None),
        previous=previous,
        language=language,
        correlation_id=correlation_id,
        opened_at=sources.now(),
    )
    tell("case.opened", case, by=SYSTEM, subject=case, kind=subject, order=order.pk if order else None)
    return case
