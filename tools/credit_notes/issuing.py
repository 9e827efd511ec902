"""Gives a document its number and writes it, in one transaction: a rollback gives the number back.

    counter locked ──▶ last + 1 ──▶ CreditNote ──▶ audit entry ──▶ commit

Whoever wants the next number of the same legal entity waits for that commit, so numbers have no gap and no double,
and stand in the order in which the documents came about.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F

from audit import sources
from audit.actors import Actor
from audit.services import record
from tools import invoices
from tools.base import canonical, digest
from tools.credit_notes.composing import lines_of, negated, totals_of
from tools.credit_notes.part import given_by
from tools.credit_notes.words import language_of
from tools.errors import Refused
from tools.models import CreditNote, CreditNoteCounter, Order, Payment, ToolCall

DIGITS = 6
Json = dict[str, Any]


class AlreadyCorrected(Exception):
    """The document has its counter-document, or is one itself."""


def credited_by_stripe(body: Json) -> bool:
    """Whether Stripe issues the document: the refund's payment paid an invoice there.

    Known once the refund was sent. Raises Refused (credit_note.partly_by_stripe) where that holds for one of several
    payments: which lines Stripe's own document is about, nobody can say.
    """
    ids = [tender["payment"] for tender in body["tenders"]]
    invoiced = [bool(row.invoice) for row in Payment.objects.filter(pk__in=ids)]
    if any(invoiced) and not all(invoiced):
        raise Refused(code="credit_note.partly_by_stripe")
    return any(invoiced)


def given_back(call: ToolCall) -> Json:
    """The refund that the document is about, as far as its money has gone back by now.

    Raises Refused (credit_note.nothing_given_back).
    """
    refunds = ToolCall.objects.filter(decision_id=call.decision_id, tool="issue_refund")
    paid = refunds.filter(state=ToolCall.State.SUCCEEDED).values_list("payment_id", flat=True)
    body = given_by(json.loads(call.request), set(paid))
    if not body["amount_minor"]:
        raise Refused(code="credit_note.nothing_given_back")
    return body


def issue(call: ToolCall, *, by: Actor) -> CreditNote:
    """The document of a refund, made once per call.

    Raises Refused (credit_note.no_seller, .nothing_given_back, .does_not_add_up).
    """
    entity = call.shop.legal_entity
    if not entity.may_issue:
        raise Refused(code="credit_note.no_seller")
    with transaction.atomic():
        sequence = _next_number(entity.pk)
        known = CreditNote.objects.filter(call=call).first()
        if known is not None:
            transaction.set_rollback(True)
            return known
        order = Order.objects.get(pk=json.loads(call.request)["order"], shop_id=call.shop_id)
        number = f"{entity.credit_note_prefix}{sequence:0{DIGITS}d}"
        at = sources.now()
        language = language_of(call.case.language)
        buyer = getattr(call, "personal_text", None)
        content = {
            **_amounts(given_back(call), order),
            **_head(number, _day(at, call), language, entity.block),
            "buyer": str(buyer.pk) if buyer else None,
            "original": _original(order, call),
        }
        note = _write(
            content,
            shop_id=call.shop_id,
            entity=entity,
            sequence=sequence,
            order=order,
            decision_id=call.decision_id,
            call=call,
            issued_at=at,
            buyer=buyer,
        )
        _tell("credit_note.issued", note, by)
    return note


def counter(note: CreditNote, *, words: str, by: Actor) -> CreditNote:
    """The document that takes back another one, with the next number. `words` is the reason, as a person gave it.

    The caller has checked the right. Raises AlreadyCorrected.
    """
    with transaction.atomic():
        sequence = _next_number(note.entity_id)
        if note.corrects_id is not None or CreditNote.objects.filter(corrects=note).exists():
            raise AlreadyCorrected
        content = {**negated(note.body), "corrects": _named(note), "replaces": None, "words": words}
        made = _after(note, sequence, content, corrects=note)
        _tell("credit_note.corrected", made, by, corrects=note.number)
    return made


def replace(note: CreditNote, *, by: Actor) -> CreditNote | None:
    """The document of what did arrive, in the place of one that was taken back; None where nothing did.

    The caller has checked the right, and taken the first one back in the same transaction.
    """
    call = ToolCall.objects.get(decision_id=note.decision_id, tool="issue_credit_note")
    try:
        body = given_back(call)
    except Refused:
        return None
    with transaction.atomic():
        sequence = _next_number(note.entity_id)
        content = {**note.body, **_amounts(body, note.order), "replaces": _named(note)}
        made = _after(note, sequence, content, replaces=note)
        _tell("credit_note.issued", made, by, replaces=note.number)
    return made


def _after(note: CreditNote, sequence: int, content: Json, **refers: CreditNote) -> CreditNote:
    """A further document of the same refund, of today and of the seller as it is now."""
    at = sources.now()
    day = at.astimezone(ZoneInfo(note.shop.time_zone)).date()
    number = f"{note.entity.credit_note_prefix}{sequence:0{DIGITS}d}"
    head = {"number": number, "issued_on": day.isoformat(), "seller": note.entity.block}
    return _write(
        {**content, **head},
        shop_id=note.shop_id,
        entity=note.entity,
        sequence=sequence,
        order=note.order,
        decision_id=note.decision_id,
        issued_at=at,
        buyer=note.buyer,
        **refers,
    )


def _named(note: CreditNote) -> Json:
    return {"number": note.number, "date": note.issued_on.isoformat(), "sha256": note.sha256}


def _next_number(entity_id: int) -> int:
    """The entity's next number, its counter locked until the transaction ends."""
    CreditNoteCounter.objects.bulk_create([CreditNoteCounter(entity_id=entity_id)], ignore_conflicts=True)
    row = CreditNoteCounter.objects.select_for_update().get(entity_id=entity_id)
    CreditNoteCounter.objects.filter(pk=row.pk).update(last=F("last") + 1)
    return row.last + 1


def _amounts(body: Json, order: Order) -> Json:
    try:
        lines = lines_of(body, dict(order.lines.values_list("pk", "title")))
    except (KeyError, ValueError) as error:
        raise Refused(code="credit_note.does_not_add_up") from error
    tax = sum(line.tax_minor for line in lines)
    return {
        "currency": body["currency"],
        "lines": [line.as_json() for line in lines],
        "totals": totals_of(lines),
        "net_minor": body["amount_minor"] - tax,
        "tax_minor": tax,
        "gross_minor": body["amount_minor"],
        "reason": body["reason"],
    }


def _head(number: str, day: date, language: str, seller: str) -> Json:
    return {
        "number": number,
        "issued_on": day.isoformat(),
        "language": language,
        "seller": seller,
        "corrects": None,
        "replaces": None,
        "words": "",
    }


def _original(order: Order, call: ToolCall) -> Json:
    """What the document refers to: Stripe's invoice where the order has one, else the order, by name and date."""
    named = invoices.of_order(order)
    number, at = (named.number, named.issued_at) if named else (order.name, order.placed_at)
    return {"number": number, "date": _day(at, call).isoformat()}


def _day(at: datetime, call: ToolCall) -> date:
    return at.astimezone(ZoneInfo(call.shop.time_zone)).date()


def _write(content: Json, **columns: Any) -> CreditNote:
    same = ("number", "language", "currency", "net_minor", "tax_minor", "gross_minor")
    return CreditNote.objects.create(
        **columns,
        **{name: content[name] for name in same},
        issued_on=date.fromisoformat(content["issued_on"]),
        content=canonical(content),
        sha256=digest(content),
    )


def _tell(action: str, note: CreditNote, by: Actor, **data: str) -> None:
    decision = note.decision
    record(
        action,
        by=by,
        stream=f"case/{decision.case_id}",
        subject=note,
        shop_id=note.shop_id,
        correlation_id=decision.correlation_id,
        data={
            "number": note.number,
            "decision": decision.pk,
            "sha256": note.sha256,
            "amount_minor": f"{note.gross_minor} {note.currency}",
            **data,
        },
    )
