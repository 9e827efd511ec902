"""Credit notes where people come in: whom they name, which one needs its counter-document, and who issues that."""

from __future__ import annotations

from collections.abc import Iterable

from babel import Locale
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid
from approvals.services import person
from audit.actors import Actor
from cases import personal
from cases.models import Case
from tools.credit_notes import issuing
from tools.credit_notes.words import language_of
from tools.models import CreditNote, ToolCall

RIGHT = "tools.correct_creditnote"
LONGEST_REASON = 300


def keep_buyer(call: ToolCall, case: Case) -> None:
    """Keeps whom the document will name, encrypted, before it is written. Runs in the claim's transaction."""
    buyer = case.order.person if case.order else None
    if buyer is None or case.order is None:
        return
    names = Locale.parse(language_of(case.language)).territories
    personal.keep(
        buyer, personal.buyer_block(buyer, names.get(case.order.country, case.order.country)), call=call
    )


def correct(note_id: int, *, reason: str, by: Actor) -> CreditNote:
    """Issues the counter-document of a credit note, once; the first one stays as it is.

    Raises NotPermitted, Invalid, AlreadyDecided.
    """
    words = " ".join(reason.split())
    if not words:
        raise Invalid(_("Say why it is taken back: the reason stands on the document."))
    if len(words) > LONGEST_REASON:
        raise Invalid(_("The reason stands on the document, so keep it under %(n)s characters.") % {"n": 300})
    note = CreditNote.objects.select_related("entity", "shop", "order", "decision", "buyer").get(pk=note_id)
    person(by, RIGHT, note.shop_id)
    try:
        return issuing.counter(note, words=words, by=by)
    except issuing.AlreadyCorrected as error:
        raise AlreadyDecided(
            _("This document was taken back already, or takes back another. Nothing was issued.")
        ) from error


def due(notes: QuerySet[CreditNote]) -> QuerySet[CreditNote]:
    """Those whose refund the vendor took back afterwards, and that nobody has taken back yet."""
    failed = ToolCall.objects.filter(tool="issue_refund", state=ToolCall.State.FAILED_LATER)
    return notes.filter(
        decision__in=failed.values("decision"), corrects__isnull=True, corrected_by__isnull=True
    )


def missing(case: Case, calls: Iterable[ToolCall]) -> bool:
    """Whether money went back in this case for which another system has to issue the document."""
    external = case.shop.credit_notes == case.shop.CreditNotes.EXTERNAL
    return external and any(
        call.tool == "issue_refund" and call.state == ToolCall.State.SUCCEEDED for call in calls
    )
