"""Which payment pays an invoice at Stripe, so that its refund is a credit note and the invoice's books stay right."""

from __future__ import annotations

from django.db.models import Q

from tools.models import InvoicePayment, Payment
from tools.snapshots import InvoicePaymentSnapshot


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
