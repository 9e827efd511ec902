"""Stripe's objects, as replies and events carry them, and what they mean in our words.

Strict in what decides, silent about what doesn't: amounts and currencies are ours after reading.
https://docs.stripe.com/api/refunds/object, /charges/object, /payment_intents/object, /disputes/object
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import BeforeValidator

from tools.adapters.replies import Reply
from tools.adapters.stripe_known import FIELDS
from tools.adapters.stripe_money import Currency, Minor
from tools.errors import ContractDrift
from tools.snapshots import (
    ChargeSnapshot,
    DisputeSnapshot,
    FraudWarningSnapshot,
    PaymentIntentSnapshot,
    RefundPartSnapshot,
    RefundSnapshot,
    RefundStatus,
)

REFUND_STATUS: dict[str | None, RefundStatus] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}


def _id(value: object) -> object:
    """The id of an object that came expanded: https://docs.stripe.com/api/expanding_objects."""
    return value.get("id") if isinstance(value, dict) else value


Id = Annotated[str, BeforeValidator(_id)]
MaybeId = Annotated[str | None, BeforeValidator(_id)]


class RefundObject(Reply):
    """A refund; a status of None means that it is on its way, a charge of None that it came from a balance."""

    also_known = FIELDS["refund"]

    object: Literal["refund"]
    id: str
    currency: Currency
    amount: Minor
    charge: MaybeId = None
    payment_intent: MaybeId = None
    created: int
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"] | None = None
    metadata: dict[str, str] | None = None
    failure_reason: str | None = None

    @property
    def outcome(self) -> RefundStatus:
        """The status as far as money is concerned."""
        return REFUND_STATUS.get(self.status, "pending")

    def metadata_of(self, name: str) -> str:
        """One value of the metadata, empty where there is none."""
        return (self.metadata or {}).get(name, "")


class Card(Reply):
    """The card's fingerprint is the same for all payments with it."""

    also_known = FIELDS["charge.payment_method_details.card"]

    fingerprint: str | None = None


class MethodDetails(Reply):
    """How it was paid."""

    also_known = FIELDS["charge.payment_method_details"]

    card: Card | None = None


class Outcome(Reply):
    """Radar's judgement; the score is told to Radar for Fraud Teams alone: https://docs.stripe.com/radar/risk-evaluation."""

    also_known = FIELDS["charge.outcome"]

    risk_level: str | None = None
    risk_score: int | None = None


class ChargeObject(Reply):
    """A charge, with the fingerprint of its card and Radar's level.

    `disputed`, `livemode` and `amount_captured` are in every charge of the pinned version; what stands in for Stripe
    may leave them out.
    """

    also_known = FIELDS["charge"]

    object: Literal["charge"]
    id: str
    currency: Currency
    amount: Minor
    amount_captured: Minor = -1
    amount_refunded: Minor
    captured: bool | None = None
    created: int | None = None
    disputed: bool | None = None
    paid: bool
    livemode: bool | None = None
    metadata: dict[str, str] | None = None
    payment_intent: MaybeId = None
    payment_method_details: MethodDetails | None = None
    outcome: Outcome | None = None
    review: MaybeId = None


class PaymentIntentObject(Reply):
    """A payment intent; an unknown status is drift, since it tells whether there is money."""

    also_known = FIELDS["payment_intent"]

    object: Literal["payment_intent"]
    id: str
    currency: Currency
    amount: Minor
    amount_received: Minor | None = None
    latest_charge: MaybeId = None
    livemode: bool | None = None
    metadata: dict[str, str] | None = None
    status: Literal[
        "canceled",
        "processing",
        "requires_action",
        "requires_capture",
        "requires_confirmation",
        "requires_payment_method",
        "succeeded",
    ]


class EvidenceDetails(Reply):
    """Until when the bank takes evidence; null where it takes none."""

    also_known = FIELDS["dispute.evidence_details"]

    due_by: int | None


class DisputeObject(Reply):
    """A dispute; an unknown status is drift, since it decides whether the money may go back."""

    also_known = FIELDS["dispute"]

    object: Literal["dispute"]
    id: str
    currency: Currency
    amount: Minor
    charge: Id
    created: int | None = None
    reason: str
    status: Literal[
        "appeal_needs_response",
        "appeal_under_review",
        "lost",
        "needs_response",
        "prevented",
        "under_review",
        "warning_closed",
        "warning_needs_response",
        "warning_under_review",
        "won",
    ]
    evidence_details: EvidenceDetails


class WarningObject(Reply):
    """Radar's early fraud warning."""

    also_known = FIELDS["radar.early_fraud_warning"]

    object: Literal["radar.early_fraud_warning"]
    id: str
    charge: Id
    created: int | None = None
    fraud_type: str
    actionable: bool


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


def refund_snapshot(made: RefundObject) -> RefundSnapshot:
    """A refund in our words; ours carries our key in its metadata."""
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


def warning_snapshot(warning: WarningObject) -> FraudWarningSnapshot:
    """An early fraud warning in our words."""
    return FraudWarningSnapshot(
        external_id=warning.id,
        charge=warning.charge,
        fraud_type=warning.fraud_type,
        actionable=warning.actionable,
        created_at=moment(warning.created) if warning.created else None,
    )
