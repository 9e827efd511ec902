"""Stripe's objects, as replies and events carry them, and what they mean in our words.

https://docs.stripe.com/api/refunds/object, /charges/object, /disputes/object
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from tools.adapters.replies import Reply
from tools.snapshots import (
    ChargeSnapshot,
    DisputeSnapshot,
    FraudWarningSnapshot,
    RefundPartSnapshot,
    RefundSnapshot,
    RefundStatus,
)

REFUND_STATUS: dict[str | None, RefundStatus] = {
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}


class RefundObject(Reply):
    """A refund; a status of None means that it is on its way."""

    object: Literal["refund"]
    id: str
    amount: int
    charge: str
    currency: str
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
    fingerprint: str | None = None


class MethodDetails(Reply):
    card: Card | None = None


class Outcome(Reply):
    risk_level: str | None = None


class ChargeObject(Reply):
    """A charge, with the fingerprint of its card and Radar's level."""

    object: Literal["charge"]
    id: str
    amount: int
    amount_captured: int
    amount_refunded: int
    currency: str
    disputed: bool
    paid: bool
    livemode: bool
    metadata: dict[str, str]
    payment_method_details: MethodDetails | None = None
    outcome: Outcome | None = None


class EvidenceDetails(Reply):
    due_by: int | None


class DisputeObject(Reply):
    """A dispute; an unknown status is drift, since it decides whether the money may go back."""

    object: Literal["dispute"]
    id: str
    amount: int
    charge: str
    currency: str
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

    object: Literal["radar.early_fraud_warning"]
    id: str
    charge: str
    fraud_type: str
    actionable: bool


def moment(seconds: int) -> datetime:
    """Unix seconds as an aware UTC time."""
    return datetime.fromtimestamp(seconds, UTC)


def charge_snapshot(charge: ChargeObject) -> ChargeSnapshot:
    """A charge in our words; the order's number comes from the metadata that the checkout left."""
    card = charge.payment_method_details.card if charge.payment_method_details else None
    return ChargeSnapshot(
        external_id=charge.id,
        amount_minor=charge.amount,
        captured_minor=charge.amount_captured,
        refunded_minor=charge.amount_refunded,
        currency=charge.currency.upper(),
        disputed=charge.disputed,
        paid=charge.paid,
        instrument=(card and card.fingerprint) or "",
        risk_level=(charge.outcome and charge.outcome.risk_level) or "",
        order_external_id=charge.metadata.get("order_id", ""),
        livemode=charge.livemode,
    )


def refund_snapshot(made: RefundObject) -> RefundSnapshot:
    """A refund in our words; ours carries our key in its metadata."""
    part = RefundPartSnapshot(
        ref=made.id,
        gateway="stripe",
        payment_external_id=made.charge,
        amount_minor=made.amount,
        currency=made.currency.upper(),
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
        currency=dispute.currency.upper(),
        evidence_due_at=moment(due) if due else None,
    )


def warning_snapshot(warning: WarningObject) -> FraudWarningSnapshot:
    """An early fraud warning in our words."""
    return FraudWarningSnapshot(
        external_id=warning.id,
        charge=warning.charge,
        fraud_type=warning.fraud_type,
        actionable=warning.actionable,
    )
