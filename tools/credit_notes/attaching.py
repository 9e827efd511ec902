"""The document that goes along with the message which tells of its refund."""

from __future__ import annotations

from tools.adapters.email import Attachment
from tools.credit_notes.sheet import sheet_of
from tools.models import CreditNote, ToolCall

PDF = "application/pdf"


def attached(call: ToolCall) -> tuple[Attachment, ...]:
    """The credit note of an earlier step of the same decision, as PDF; nothing for a message about anything else."""
    rows = CreditNote.objects.select_related("buyer__key")
    note = rows.filter(call__decision_id=call.decision_id, call__position__lt=call.position).first()
    if note is None:
        return ()
    # It loads fonts, which only few processes ever need.
    from tools.credit_notes.pdf import pdf_of

    return (Attachment(file_name(note), pdf_of(sheet_of(note), note.issued_at), PDF),)


def file_name(note: CreditNote) -> str:
    """What the PDF is saved as: its number, with slashes as hyphens."""
    return f"{note.number.replace('/', '-')}.pdf"
