"""Which payment pays an invoice at Stripe, so that its refund is a credit note and the invoice's books stay right."""

from __future__ import annotations

import json

from django.db.models import Q, QuerySet

from tools.adapters import stripe_invoices
from tools.adapters.accounts import Account
from tools.errors import ContractDrift, ReadOnly, Refused
from tools.models import InvoicePayment, Order, Payment, ToolCall
from tools.snapshots import InvoicePaymentSnapshot, InvoiceSnapshot


def record_invoice_payment(shop_id: int, seen: InvoicePaymentSnapshot) -> None:
    """Keeps what paid an invoice; telling it twice changes nothing."""
    InvoicePayment.objects.get_or_create(
        shop_id=shop_id, invoice=seen.invoice, payment_intent=seen.payment_intent, charge=seen.charge
    )


def used_by(shop_id: int) -> bool:
    """Whether the shop has ever been paid for an invoice at Stripe."""
    return InvoicePayment.objects.filter(shop_id=shop_id).exists()


def settle_invoice(payment: Payment, payment_intent: str) -> str:
    """The invoice that a payment pays, empty for none; once settled it stays, whatever is told later.

    A second try of a refund must not become a credit note under the same key.
    """
    same = Q(charge=payment.external_id)
    if payment_intent:
        same |= Q(payment_intent=payment_intent)
    paid = InvoicePayment.objects.filter(same, shop_id=payment.shop_id)
    names = set(paid.values_list("invoice", flat=True))
    # A payment of two invoices is nobody's credit for sure: the charge itself is refunded.
    found = names.pop() if len(names) == 1 else ""
    Payment.objects.filter(pk=payment.pk, invoice=None).update(invoice=found)
    payment.refresh_from_db(fields=["invoice"])
    return payment.invoice or ""


def learn_name(call: ToolCall) -> None:
    """Reads number and date of the invoice that the order of a document has at Stripe, where nobody knows them yet.

    One network call at most, so never inside a transaction. Raises ToolError where Stripe can't be read now; an invoice
    that it doesn't know stays without a name.
    """
    paid = _paid_by(Payment.objects.filter(order_id=json.loads(call.request)["order"], shop_id=call.shop_id))
    invoice = paid.filter(issued_at=None).values_list("invoice", flat=True).first()
    if invoice is None:
        return
    try:
        seen = stripe_invoices.read_invoice(
            Account.of(call.shop), invoice, correlation_id=call.correlation_id
        )
    except Refused:
        return
    except ContractDrift as drift:
        raise ReadOnly(drift.detail, vendor=drift.vendor, operation=drift.operation) from drift
    if seen.number:
        InvoicePayment.objects.filter(shop_id=call.shop_id, invoice=invoice).update(
            number=seen.number, issued_at=seen.issued_at
        )


def of_order(order: Order) -> InvoiceSnapshot | None:
    """The invoice at Stripe that the order has, by what is printed on it; None where it has none that we could read."""
    row = _paid_by(order.payments.all()).exclude(issued_at=None).first()
    if row is None or row.issued_at is None:
        return None
    return InvoiceSnapshot(invoice=row.invoice, number=row.number, issued_at=row.issued_at)


def _paid_by(payments: QuerySet[Payment]) -> QuerySet[InvoicePayment]:
    """The invoices that these payments pay, the first payment's first."""
    named = payments.exclude(invoice=None).exclude(invoice="").order_by("pk").values("shop_id", "invoice")[:1]
    found = list(named)
    rows = InvoicePayment.objects.order_by("pk")
    return rows.filter(**found[0]) if found else rows.none()
