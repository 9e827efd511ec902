"""What a bank questions of a payment, held back until the dispute ends.

As in `tools.payments`: within the caller's transaction, without an audit entry, the order locked before its payments,
and the same end however often, late or in whatever order the facts come.
"""

from __future__ import annotations

from tools.elsewhere import book
from tools.models import Dispute, LedgerEntry, Order, Payment
from tools.payments import of_charge
from tools.snapshots import DisputeSnapshot

Kind = LedgerEntry.Kind
# A vendor may tell these in any order; the later stage wins, and lost is never taken back by a late message.
STAGES = (
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "appeal_needs_response",
    "appeal_under_review",
    "prevented",
    "charge_refunded",
    "won",
    "accepted",
    "lost",
)
# In these the money is the shop's again.
HOLDS_NOTHING = frozenset({"warning_closed", "prevented", "won"})


def record_dispute(shop_id: int, seen: DisputeSnapshot) -> Dispute | None:
    """Holds back what a bank questions; None where its payment isn't known yet or can't be told."""
    payment = _disputed_payment(shop_id, seen)
    if payment is None:
        return None
    due = {"evidence_due_at": seen.evidence_due_at} if seen.evidence_due_at else {}
    facts = {"status": seen.status, "amount_minor": seen.amount_minor, "currency": seen.currency, **due}
    dispute, created = Dispute.objects.select_for_update().get_or_create(
        shop_id=shop_id,
        external_id=seen.external_id,
        defaults={"payment": payment, "reason": seen.reason[:64], **facts},
    )
    if not created and _stage(seen.status) >= _stage(dispute.status):
        for name, value in facts.items():
            setattr(dispute, name, value)
        dispute.save(update_fields=list(facts))
    _hold(payment, dispute)
    return dispute


def _stage(status: str) -> int:
    return STAGES.index(status)


def _hold(payment: Payment, dispute: Dispute) -> None:
    """Makes the payment's disputed sum what its open disputes come to; in a foreign currency, all of it."""
    held = 0
    for row in payment.disputes.exclude(status__in=HOLDS_NOTHING):
        held += row.amount_minor if row.currency == payment.currency else payment.captured_minor
    if held != payment.disputed_minor:
        book(payment, Kind.DISPUTED, held - payment.disputed_minor, dispute.external_id)
        payment.disputed_minor = held
        payment.save(update_fields=["disputed_minor"])


def _disputed_payment(shop_id: int, seen: DisputeSnapshot) -> Payment | None:
    if seen.charge:
        return of_charge(shop_id, seen.charge)
    order = (
        Order.objects.select_for_update(no_key=True)
        .filter(shop_id=shop_id, external_id=seen.order_external_id)
        .first()
    )
    payments = Payment.objects.select_for_update().filter(order=order, vendor="shopify").order_by("pk")
    found = list(payments) if order else []
    return found[0] if len(found) == 1 else None
