"""A refund through Stripe: of the charge itself, or by a credit note where the charge paid an invoice."""

from __future__ import annotations

from tools import invoices
from tools.adapters import stripe, stripe_invoices
from tools.adapters.accounts import Account
from tools.errors import ContractDrift, ReadOnly
from tools.models import Payment, ToolCall
from tools.snapshots import RefundResult

# https://docs.stripe.com/api/credit_notes/create#create_credit_note-reason
REASONS: dict[str, stripe_invoices.Reason] = {
    "damaged": "product_unsatisfactory",
    "wrong_item": "product_unsatisfactory",
    "goodwill": "product_unsatisfactory",
    "missing": "order_change",
    "lost": "order_change",
    "returned": "order_change",
    "cancelled": "order_change",
}


def send(call: ToolCall, payment: Payment, account: Account, reason: str) -> RefundResult:
    """One write under the call's key; what it refunds is settled before, and stays."""
    invoice = _invoice(call, payment, account)
    if invoice:
        return stripe_invoices.credit(
            account,
            invoice,
            call.amount_minor,
            call.currency,
            key=call.idempotency_key,
            case_id=str(call.case_id),
            reason=REASONS[reason],
            correlation_id=call.correlation_id,
            livemode=payment.livemode,
        )
    return stripe.refund(
        account,
        payment.external_id,
        call.amount_minor,
        call.currency,
        key=call.idempotency_key,
        case_id=str(call.case_id),
        correlation_id=call.correlation_id,
        livemode=payment.livemode,
    )


def _invoice(call: ToolCall, payment: Payment, account: Account) -> str:
    """Asks Stripe for the payment's intent only in a shop that uses invoices, and only where nobody told it."""
    if payment.invoice is not None:
        return payment.invoice
    intent = payment.payment_intent
    if not intent and invoices.used_by(payment.shop_id):
        try:
            intent = stripe.read_charge(
                account, payment.external_id, correlation_id=call.correlation_id
            ).payment_intent
        except ContractDrift as drift:
            # A reading, so nothing was sent: no doubt about the money.
            raise ReadOnly(drift.detail, vendor=drift.vendor, operation=drift.operation) from drift
    return invoices.settle_invoice(payment, intent)


def find(call: ToolCall, payment: Payment, account: Account) -> RefundResult | None:
    """What Stripe made under the call's key: the credit note's refund, or the refund of the charge."""
    key, correlation_id = call.idempotency_key, call.correlation_id
    if payment.invoice:
        found = stripe_invoices.find_credit(
            account, payment.invoice, payment.external_id, key=key, correlation_id=correlation_id
        )
        if found is not None:
            return found
    return stripe.find_refund(account, payment.external_id, key=key, correlation_id=correlation_id)
