"""What Stripe's objects mean in our words."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.adapters.stripe_objects import (
    ChargeObject,
    DisputeObject,
    InvoicePaymentObject,
    Outcome,
    PaymentIntentObject,
    RefundObject,
    WarningObject,
)
from tools.errors import ContractDrift
from tools.snapshots import (
    ChargeSnapshot,
    DisputeSnapshot,
    FraudWarningSnapshot,
    InvoicePaymentSnapshot,
    PaymentIntentSnapshot,
    RefundPartSnapshot,
    RefundSnapshot,
)


def moment(seconds: int) -> datetime:
    """Unix seconds as an aware UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def whole(charge: ChargeObject, *, operation: str, field_path: str = "amount_captured") -> ChargeObject:
    """The charge, where it tells all that the pinned version tells; else ContractDrift."""
    if charge.amount_captured < 0:
        raise ContractDrift(
            "missing", vendor="stripe", operation=operation, field_path=field_path, finding="missing"
        )
    return charge


def charge_snapshot(charge: ChargeObject) -> ChargeSnapshot:
    """A charge in our words; the order's number comes from the metadata that the checkout left."""
    card = charge.payment_method_details.card if charge.payment_method_details else None
    judged = charge.outcome or Outcome()
    return ChargeSnapshot(
        external_id=charge.id,
        amount_minor=charge.amount,
        captured_minor=_captured(charge),
        refunded_minor=charge.amount_refunded,
        currency=charge.currency,
        disputed=charge.disputed,
        paid=charge.paid,
        instrument=(card and card.fingerprint) or "",
        risk_level=judged.risk_level or "",
        risk_score=judged.risk_score,
        review=charge.review or "",
        order_external_id=(charge.metadata or {}).get("order_id", ""),
        payment_intent=charge.payment_intent or "",
        livemode=charge.livemode,
        created_at=moment(charge.created) if charge.created else None,
    )


def _captured(charge: ChargeObject) -> int:
    """Where the sum isn't told, a captured charge was captured whole, and any other not at all."""
    if charge.amount_captured >= 0:
        return charge.amount_captured
    if charge.captured is None:
        whole(charge, operation="charges.retrieve")
    return charge.amount if charge.captured else 0


def intent_snapshot(intent: PaymentIntentObject) -> PaymentIntentSnapshot:
    """A payment intent in our words."""
    return PaymentIntentSnapshot(
        external_id=intent.id,
        status=intent.status,
        amount_minor=intent.amount,
        received_minor=intent.amount_received,
        currency=intent.currency,
        charge=intent.latest_charge or "",
        order_external_id=(intent.metadata or {}).get("order_id", ""),
        livemode=intent.livemode,
    )


def refund_snapshot(made: RefundObject, *, operation: str = "refunds.list") -> RefundSnapshot:
    """A refund in our words; ours carries our key in its metadata. ContractDrift where it doesn't say when."""
    if made.created is None:
        raise ContractDrift(
            "missing", vendor="stripe", operation=operation, field_path="created", finding="missing"
        )
    part = RefundPartSnapshot(
        ref=made.id,
        gateway="stripe",
        payment_external_id=made.charge or "",
        amount_minor=made.amount,
        currency=made.currency,
        status=made.outcome,
    )
    return RefundSnapshot(
        vendor="stripe",
        external_id=made.id,
        call_key=made.metadata_of("call"),
        parts=(part,),
        at=moment(made.created),
    )


def dispute_snapshot(dispute: DisputeObject) -> DisputeSnapshot:
    """A dispute in our words."""
    due = dispute.evidence_details.due_by
    return DisputeSnapshot(
        vendor="stripe",
        external_id=dispute.id,
        charge=dispute.charge,
        status=dispute.status,
        reason=dispute.reason,
        amount_minor=dispute.amount,
        currency=dispute.currency,
        evidence_due_at=moment(due) if due else None,
        created_at=moment(dispute.created) if dispute.created else None,
    )


def invoice_payment_snapshot(paid: InvoicePaymentObject) -> InvoicePaymentSnapshot | None:
    """What paid an invoice in our words; None where it was paid outside of Stripe."""
    if not (paid.payment.payment_intent or paid.payment.charge):
        return None
    return InvoicePaymentSnapshot(
        external_id=paid.id,
        invoice=paid.invoice,
        payment_intent=paid.payment.payment_intent or "",
        charge=paid.payment.charge or "",
    )


def warning_snapshot(warning: WarningObject) -> FraudWarningSnapshot:
    """An early fraud warning in our words."""
    return FraudWarningSnapshot(
        external_id=warning.id,
        charge=warning.charge,
        fraud_type=warning.fraud_type,
        actionable=warning.actionable,
        created_at=moment(warning.created) if warning.created else None,
    )
