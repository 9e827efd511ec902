"""Reads what a planner may know of a case: a pure read in a constant number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast
from uuid import UUID

from django.db.models import Count, Prefetch, Q, Sum
from django.db.models.functions import Coalesce

from approvals.models import ApprovalRequest, Decision, RiskFlag
from approvals.terms import Terms, matches
from approvals.terms_in_force import terms_for, terms_of
from audit import sources
from cases.composing import sender_is_contact
from cases.models import Case, Message
from cases.planner.facts import (
    CaseFacts,
    DeniedFact,
    Direction,
    MessageFact,
    OrderFact,
    PersonFact,
    ShopFact,
    TermsFact,
)
from cases.planner.graph import order_fact
from cases.planner.reading import read
from cases.planner.stock import stock_facts
from tools.models import OPEN_STATES, LedgerEntry, Order, ShipmentLine, ToolCall

OTHER_ORDERS = 5
NEWEST_MESSAGES = 60
# The longest run of a weekend and public holidays, after which a period by law ends.
LATER_BY_LAW = 5
MONEY_BACK = (*OPEN_STATES, ToolCall.State.SUCCEEDED)


def gather(case: Case) -> CaseFacts:
    """Everything about one case that a planner sees, as of now; writes and locks nothing."""
    now = sources.now()
    verified = case.conversation is not None and case.conversation.verified
    person_id = case.conversation.person_id if case.conversation and verified else None
    terms = _promised(case)
    orders = _orders(case, person_id, terms)
    own = next((order for order in orders if order.id == case.order_id), None)
    denied, questions = _decided(case)
    facts = CaseFacts(
        case_id=case.pk,
        shop=ShopFact(
            slug=case.shop.slug,
            languages=tuple(case.shop.languages),
            base_currency=case.shop.base_currency,
            time_zone=case.shop.time_zone,
        ),
        subject=case.subject,
        language=case.language,
        now=now,
        messages=_messages(case),
        order=own,
        other_orders=tuple(order for order in orders if order is not own)[:OTHER_ORDERS],
        person=_person(case),
        sender_is_contact=sender_is_contact(case),
        flags=_flags(case),
        terms=_terms(case, terms),
        denied=denied,
        questions_asked=questions,
    )
    reading = read(facts)
    if reading is None or not (reading.wants("stock") or reading.wants("product")):
        return facts
    return facts.model_copy(update={"stock": stock_facts(case.shop_id, reading.text.raw)})


def _messages(case: Case) -> tuple[MessageFact, ...]:
    rows = case.messages.exclude(direction=Message.Direction.MACHINE).select_related("template")
    newest = list(rows.order_by("-id")[:NEWEST_MESSAGES])
    return tuple(
        MessageFact(
            id=row.pk,
            direction=cast(Direction, row.direction),
            text=row.text,
            subject=row.subject,
            language=row.language,
            at=row.at,
            attachments=row.attachments,
            template_key=row.template.key if row.template else None,
        )
        for row in reversed(newest)
    )


def _orders(case: Case, person_id: UUID | None, terms: Sequence[Terms]) -> list[OrderFact]:
    """The case's order and the newest others of the verified person, with all that hangs on them."""
    which = Q(pk=case.order_id)
    if person_id is not None:
        recent = Order.objects.filter(shop_id=case.shop_id, person_id=person_id).order_by("-placed_at")
        which |= Q(pk__in=recent.values("pk")[: OTHER_ORDERS + 1])
    elsewhere = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.ELSEWHERE)
    ours = ToolCall.objects.filter(amount_minor__gt=0, state__in=MONEY_BACK)
    rows = (
        Order.objects.filter(which, shop_id=case.shop_id)
        .order_by("-placed_at", "-pk")
        .prefetch_related(
            "lines",
            "returns",
            "shipments",
            Prefetch("shipments__contents", ShipmentLine.objects.order_by("pk")),
            Prefetch("payments__entries", elsewhere, to_attr="refunds_elsewhere"),
            Prefetch("payments__calls", ours, to_attr="refunds_ours"),
        )
    )
    # Only of the case's own order it is told what held on its day.
    return [
        order_fact(row, _final_sale(row, terms if row.pk == case.order_id else terms[:1])) for row in rows
    ]


def _person(case: Case) -> PersonFact | None:
    """The customer's history in numbers; refunds that are on their way count."""
    person_id = case.order.person_id if case.order else case.person_id
    if person_id is None:
        return None
    rows = (
        ToolCall.objects.filter(
            shop_id=case.shop_id,
            payment__order__person_id=person_id,
            amount_minor__gt=0,
            state__in=MONEY_BACK,
        )
        .values("currency")
        .annotate(total=Coalesce(Sum("amount_minor"), 0), number=Count("decision", distinct=True))
        .order_by("currency")
    )
    sums = {row["currency"]: (row["total"], row["number"]) for row in rows}
    return PersonFact(
        orders_count=Order.objects.filter(shop_id=case.shop_id, person_id=person_id).count(),
        refunds_count=sum(number for _total, number in sums.values()),
        refunded_minor={currency: total for currency, (total, _number) in sums.items()},
    )


def _flags(case: Case) -> tuple[str, ...]:
    """Kinds of flags that nobody has lowered, on the case, its order or the order's customer."""
    on = Q(case_id=case.pk)
    if case.order is not None:
        on |= Q(order_id=case.order.pk)
        on |= Q(person_id=case.order.person_id) if case.order.person_id else Q()
    kinds = RiskFlag.objects.filter(on, lowered_at__isnull=True).values_list("kind", flat=True)
    return tuple(sorted(set(kinds)))


def _promised(case: Case) -> list[Terms]:
    """Today's terms, and those that the case's order was placed under where they were others."""
    if case.order is not None:
        return [terms for _row, terms in terms_for(case.order)]
    row = terms_of(case.shop_id)
    return [row.promises] if row else []


def _terms(case: Case, promised: Sequence[Terms]) -> TermsFact:
    """The longest of each window: whichever terms give it, the customer has it."""
    if not promised:
        return TermsFact()
    country, currency = (case.order.country, case.order.currency) if case.order else ("", "")
    by_law = max((days for terms in promised if (days := terms.withdrawal.get(country))), default=None)
    return TermsFact(
        # What the law gives longer than the shop is no reason to say no; it may end after a weekend and holidays.
        return_days=max(*(terms.return_days for terms in promised), by_law + LATER_BY_LAW if by_law else 0),
        damage_days=max(terms.damage_days for terms in promised),
        wrong_item_days=max(terms.wrong_item_days for terms in promised),
        missing_days=max(terms.missing_days for terms in promised),
        withdrawal_days=by_law,
        photo_above_minor=promised[0].photo_above.get(currency),
    )


def _final_sale(order: Order, promised: Sequence[Terms]) -> set[int]:
    """Lines that the shop takes back neither by choice nor by law, by any of the terms."""
    if any(order.country in terms.withdrawal for terms in promised):
        return set()
    lists = [terms.final_sale for terms in promised]
    return {
        line.pk
        for line in order.lines.all()
        if line.final_sale or (lists and all(matches(line.sku, patterns) for patterns in lists))
    }


def _decided(case: Case) -> tuple[tuple[DeniedFact, ...], tuple[str, ...]]:
    """What was denied or rejected in this case, and which questions were asked."""
    rows = (
        Decision.objects.filter(case_id=case.pk)
        .order_by("pk")
        .values_list("tool", "rule", "outcome", "action", "approval__state")
    )
    denied, questions = [], []
    for tool, rule, outcome, action, approval in rows:
        if outcome == Decision.Outcome.DENY:
            denied.append(DeniedFact(tool=tool, rule=rule))
        elif approval == ApprovalRequest.State.REJECTED:
            denied.append(DeniedFact(tool=tool, rule=rule, by="approver"))
        elif tool == "request_information" and isinstance(action, dict):
            questions.append(str(action.get("question", "")))
    return tuple(denied), tuple(questions)
