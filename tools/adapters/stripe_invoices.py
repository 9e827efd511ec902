"""Money back for what an invoice was paid with: a credit note makes the refund, so that the invoice's books stay right.

In the pinned version neither charge nor payment intent names its invoice; the invoice's payments name the intent.
https://docs.stripe.com/api/credit_notes and https://docs.stripe.com/api/invoice-payment
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote
from uuid import UUID

from tools.adapters import stripe
from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.replies import Reply, Texts
from tools.adapters.stripe_known import FIELDS
from tools.adapters.stripe_lists import Listing, ListReply
from tools.adapters.stripe_money import Currency, Minor, to_stripe
from tools.adapters.stripe_objects import Id, MaybeId
from tools.adapters.stripe_wire import VENDOR, Value, get, post, refuse_other_mode, same_mode
from tools.adapters.stripe_words import moment
from tools.errors import InvalidArgs, OutcomeUnknown
from tools.snapshots import InvoiceSnapshot, RefundResult

Reason = Literal["duplicate", "fraudulent", "order_change", "product_unsatisfactory"]


class NoteRefund(Reply):
    """A refund that belongs to a credit note; its amount is in Stripe's units."""

    also_known = FIELDS["credit_note.refunds"]

    amount_refunded: int
    refund: MaybeId = None


class CreditNoteObject(Reply):
    """A credit note; one that moved no money has no refunds."""

    also_known = FIELDS["credit_note"]

    object: Literal["credit_note"]
    id: str
    currency: Currency
    amount: Minor
    invoice: Id
    livemode: bool | None = None
    metadata: Texts | None = None
    refunds: tuple[NoteRefund, ...]
    status: Literal["issued", "void"]

    def metadata_of(self, name: str) -> str:
        """One value of the metadata, empty where there is none."""
        return (self.metadata or {}).get(name, "")


class InvoiceTimes(Reply):
    """When an invoice went on, in Unix seconds."""

    also_known = FIELDS["invoice.status_transitions"]

    finalized_at: int | None = None


class InvoiceObject(Reply):
    """An invoice; a draft has no number yet. `effective_at` is the date that is printed on it."""

    also_known = FIELDS["invoice"]

    object: Literal["invoice"]
    id: str
    number: str | None = None
    created: int
    effective_at: int | None = None
    status_transitions: InvoiceTimes


class CreditNoteList(ListReply):
    """A page of credit notes."""

    data: tuple[CreditNoteObject, ...]


NOTES = Listing(
    "credit_notes.list", "/v1/credit_notes", CreditNoteList, lambda page: page.data, lambda note: note.id
)


def read_invoice(account: Account, invoice: str, *, correlation_id: UUID) -> InvoiceSnapshot:
    """What is printed on an invoice: its number and its date.

    https://docs.stripe.com/api/invoices/retrieve
    """
    path = f"/v1/invoices/{quote(invoice, safe='')}"
    call = get(account, "invoices.retrieve", path, {}, correlation_id=correlation_id)
    return ask(call, InvoiceObject, _named)


def _named(found: InvoiceObject) -> InvoiceSnapshot:
    at = found.effective_at or found.status_transitions.finalized_at or found.created
    return InvoiceSnapshot(invoice=found.id, number=found.number or "", issued_at=moment(at))


def note_fields(
    invoice: str,
    amount_minor: int,
    currency: str,
    *,
    key: UUID,
    case_id: str,
    reason: Reason,
    correlation_id: UUID,
) -> dict[str, Value]:
    """What is asked of Stripe: a credit note over the amount, all of it refunded, and no e-mail by Stripe.

    https://docs.stripe.com/api/credit_notes/create
    """
    if amount_minor <= 0 or not invoice:
        raise InvalidArgs("no invoice or no amount", vendor=VENDOR, operation="credit_notes.create")
    amount = to_stripe(amount_minor, currency, operation="credit_notes.create")
    return {
        "amount": amount,
        "email_type": "none",
        "invoice": invoice,
        "metadata": {"call": str(key), "case": case_id, "correlation": str(correlation_id)},
        "reason": reason,
        "refund_amount": amount,
    }


def credit(
    account: Account,
    invoice: str,
    amount_minor: int,
    currency: str,
    *,
    key: UUID,
    case_id: str,
    reason: Reason,
    correlation_id: UUID,
    livemode: bool | None = None,
) -> RefundResult:
    """Credits a paid invoice and gives the amount back, in minor units; `ref` is the refund that Stripe made for it.

    Always `pending`, since a credit note doesn't tell how far its refund is. Raises OutcomeUnknown where the answer
    names another invoice, amount, currency, mode or key of ours, or refunds anything but the amount.
    """
    fields = note_fields(
        invoice,
        amount_minor,
        currency,
        key=key,
        case_id=case_id,
        reason=reason,
        correlation_id=correlation_id,
    )
    refuse_other_mode(account, livemode, operation="credit_notes.create")
    call = post(
        account,
        "credit_notes.create",
        "/v1/credit_notes",
        fields,
        key=str(key),
        correlation_id=correlation_id,
    )
    note = ask(call, CreditNoteObject, lambda answered: answered)
    asked = (invoice, amount_minor, currency, str(key), "issued")
    got = (note.invoice, note.amount, note.currency, note.metadata_of("call") or str(key), note.status)
    refunded = [(part.amount_refunded, bool(part.refund)) for part in note.refunds]
    if asked != got or not same_mode(account, note.livemode) or refunded != [(fields["amount"], True)]:
        raise OutcomeUnknown(vendor=VENDOR, operation="credit_notes.create", code="echo_mismatch")
    return _result(note, "pending")


def _result(note: CreditNoteObject, status: Literal["succeeded", "pending", "failed"]) -> RefundResult:
    return RefundResult(
        ref=note.refunds[0].refund or "", amount_minor=note.amount, currency=note.currency, status=status
    )


def find_credit(
    account: Account, invoice: str, charge: str, *, key: UUID, correlation_id: UUID
) -> RefundResult | None:
    """What became of the credit note that carries our key: the status of its refund; None where there is none.

    Raises OutcomeUnknown where the note is there and its refund isn't among the charge's.
    """
    notes = NOTES.all(account, {"invoice": invoice}, correlation_id=correlation_id)
    note = next((note for note in notes if note.metadata_of("call") == str(key)), None)
    if note is None:
        return None
    made = {part.refund for part in note.refunds if part.refund}
    refunds = stripe.REFUNDS.all(account, {"charge": charge}, correlation_id=correlation_id)
    found = next((refund for refund in refunds if refund.id in made), None)
    if found is None:
        raise OutcomeUnknown(vendor=VENDOR, operation="credit_notes.list", code="refund_not_found")
    return stripe.refund_result(found)
