"""Credit notes where people come in: whom they name, which one needs its counter-document, and who issues that."""

from __future__ import annotations

from collections.abc import Iterable

from babel import Locale
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid
from approvals.services import person
from audit.actors import Actor
from cases import personal
from cases.addresses import buyer_block
from cases.models import Case
from tools import invoices
from tools.credit_notes import issuing
from tools.credit_notes.words import language_of
from tools.errors import ToolError
from tools.models import CreditNote, ToolCall
from tools.reasons import sentence

State = ToolCall.State
RIGHT = "tools.correct_creditnote"
ISSUE = "tools.issue_creditnote"
REFUND, DOCUMENT = "issue_refund", "issue_credit_note"
STOPPED = (State.FAILED, State.CANCELLED)
UNSETTLED = (State.RESERVED, State.SENDING, State.PENDING, State.UNKNOWN)
LONGEST_REASON = 300


def keep_buyer(call: ToolCall, case: Case) -> None:
    """Keeps whom the document will name, encrypted, before it is written. Runs in the claim's transaction."""
    order = case.order
    if order is None or order.person is None:
        return
    address, names = personal.address_of(order), Locale.parse(language_of(case.language)).territories
    code = address.country if address and address.country else order.country
    who = order.person.name.strip() or order.person.email
    personal.keep(order.person, buyer_block(who, names.get(code, code), address), call=call)


def stopped(calls: Iterable[ToolCall]) -> list[ToolCall]:
    """The steps of these calls that were to issue a document, and won't, though money of their refund has gone back.

    One query where there is such a step. Those whose refund isn't at its end yet are left out.
    """
    calls = list(calls)
    open_ = {call.decision_id for call in calls if call.tool == REFUND and call.state in UNSETTLED}
    paid = {call.decision_id for call in calls if call.tool == REFUND and call.state == State.SUCCEEDED}
    steps = [call for call in calls if call.tool == DOCUMENT and call.state in STOPPED]
    wanted = [call for call in steps if call.decision_id in paid - open_]
    written = CreditNote.objects.filter(call__in=[call.pk for call in wanted]) if wanted else ()
    done = {note.call_id for note in written}
    return [call for call in wanted if call.pk not in done]


def issue(call_id: int, *, by: Actor) -> CreditNote:
    """Issues, once, the document whose step was stopped, about what has gone back of its refund.

    Raises NotPermitted, AlreadyDecided, Invalid.
    """
    call = ToolCall.objects.select_related("shop__legal_entity").get(pk=call_id)
    person(by, ISSUE, call.shop_id)
    try:
        invoices.learn_name(call)
        return _issue(call_id, by)
    except ToolError as error:
        raise Invalid(sentence(error.code) or str(error.sentence)) from error


def _issue(call_id: int, by: Actor) -> CreditNote:
    with transaction.atomic():
        rows = ToolCall.objects.select_for_update(of=("self",)).select_related("shop__legal_entity")
        call = rows.get(pk=call_id)
        if CreditNote.objects.filter(call=call).exists() or call.state == State.SUCCEEDED:
            raise AlreadyDecided(_("The document of this refund is there already. Nothing was issued."))
        if not stopped(ToolCall.objects.filter(decision_id=call.decision_id)):
            raise Invalid(
                _(
                    "Nothing of this refund has gone back for good, or its steps still run. Nothing was issued."
                )
            )
        if issuing.credited_by_stripe(issuing.given_back(call)):
            raise Invalid(_("Stripe has issued the credit note of its own invoice. Nothing was issued."))
        keep_buyer(call, Case.objects.select_related("order__person").get(pk=call.case_id))
        return issuing.issue(ToolCall.objects.get(pk=call_id), by=by)


def correct(note_id: int, *, reason: str, by: Actor) -> CreditNote:
    """Issues the counter-document of a credit note, once; the first one stays as it is.

    Where only a part of its refund has arrived after all, the document of that part follows it. Raises NotPermitted,
    Invalid, AlreadyDecided.
    """
    words = " ".join(reason.split())
    if not words:
        raise Invalid(_("Say why it is taken back: the reason stands on the document."))
    if len(words) > LONGEST_REASON:
        raise Invalid(_("The reason stands on the document, so keep it under %(n)s characters.") % {"n": 300})
    note = CreditNote.objects.select_related("entity", "shop", "order", "decision", "buyer").get(pk=note_id)
    person(by, RIGHT, note.shop_id)
    try:
        with transaction.atomic():
            made = issuing.counter(note, words=words, by=by)
            if due(CreditNote.objects.filter(pk=note.pk), taken_back=True):
                issuing.replace(note, by=by)
            return made
    except issuing.AlreadyCorrected as error:
        raise AlreadyDecided(
            _("This document was taken back already, or takes back another. Nothing was issued.")
        ) from error


def due(notes: QuerySet[CreditNote], *, taken_back: bool = False) -> QuerySet[CreditNote]:
    """Those that tell of more money than has arrived, since the vendor took some back; without those taken back."""
    refunds = ToolCall.objects.filter(decision=OuterRef("decision"), tool=REFUND)
    arrived = refunds.filter(state=State.SUCCEEDED).values("decision").annotate(minor=Sum("amount_minor"))
    rows = notes.alias(arrived=Coalesce(Subquery(arrived.values("minor")), 0))
    rows = rows.filter(Exists(refunds.filter(state=State.FAILED_LATER)), gross_minor__gt=F("arrived"))
    return rows if taken_back else rows.filter(corrected_by__isnull=True)


def missing(case: Case, calls: Iterable[ToolCall]) -> bool:
    """Whether money went back in this case for which another system has to issue the document."""
    external = case.shop.credit_notes == case.shop.CreditNotes.EXTERNAL
    return external and any(call.tool == REFUND and call.state == State.SUCCEEDED for call in calls)
