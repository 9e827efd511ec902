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
from audit.actors import SYSTEM, Actor
from audit.services import record
from tools.base import canonical, digest
from tools.credit_notes.composing import lines_of, negated, totals_of
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


def issue(call: ToolCall) -> CreditNote:
    """The document of a refund, made once per call. Raises Refused (credit_note.no_seller, …does_not_add_up)."""
    body: Json = json.loads(call.request)
    entity = call.shop.legal_entity
    if not entity.may_issue:
        raise Refused(code="credit_note.no_seller")
    with transaction.atomic():
        sequence = _next_number(entity.pk)
        known = CreditNote.objects.filter(call=call).first()
        if known is not None:
            transaction.set_rollback(True)
            return known
        order = Order.objects.get(pk=body["order"], shop_id=call.shop_id)
        number = f"{entity.credit_note_prefix}{sequence:0{DIGITS}d}"
        at = sources.now()
        language = language_of(call.case.language)
        buyer = getattr(call, "personal_text", None)
        content = {
            **_amounts(body, order),
            **_head(number, _day(at, call), language, entity.block),
            "buyer": str(buyer.pk) if buyer else None,
            "original": _original(order, _day(order.placed_at, call)),
            "corrects": None,
            "reason": body["reason"],
            "words": "",
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
        _tell("credit_note.issued", note, SYSTEM)
    return note


def counter(note: CreditNote, *, words: str, by: Actor) -> CreditNote:
    """The document that takes back another one, with the next number. `words` is the reason, as a person gave it.

    The caller has checked the right. Raises AlreadyCorrected.
    """
    with transaction.atomic():
        sequence = _next_number(note.entity_id)
        if note.corrects_id is not None or CreditNote.objects.filter(corrects=note).exists():
            raise AlreadyCorrected
        number = f"{note.entity.credit_note_prefix}{sequence:0{DIGITS}d}"
        at = sources.now()
        day = at.astimezone(ZoneInfo(note.shop.time_zone)).date()
        content = {
            **negated(note.body),
            **_head(number, day, note.language, note.entity.block),
            "corrects": {"number": note.number, "date": note.issued_on.isoformat(), "sha256": note.sha256},
            "words": words,
        }
        made = _write(
            content,
            shop_id=note.shop_id,
            entity=note.entity,
            sequence=sequence,
            order=note.order,
            decision_id=note.decision_id,
            corrects=note,
            issued_at=at,
            buyer=note.buyer,
        )
        _tell("credit_note.corrected", made, by, corrects=note.number)
    return made


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
    }


def _head(number: str, day: date, language: str, seller: str) -> Json:
    return {"number": number, "issued_on": day.isoformat(), "language": language, "seller": seller}


def _original(order: Order, day: date) -> Json:
    """What the document refers to: Stripe's invoice where the order has one, else the order by its name."""
    invoices = order.payments.exclude(invoice=None).exclude(invoice="").order_by("pk")
    name = invoices.values_list("invoice", flat=True).first() or order.name
    return {"number": name, "date": day.isoformat()}


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
