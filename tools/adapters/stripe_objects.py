"""Stripe's objects, as replies and events carry them.

Strict in what decides, silent about what doesn't: amounts and currencies are ours after reading.
https://docs.stripe.com/api/refunds/object, /charges/object, /payment_intents/object, /disputes/object
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from tools.adapters.replies import Reply, Texts
from tools.adapters.stripe_known import FIELDS
from tools.adapters.stripe_money import Currency, Minor
from tools.snapshots import RefundStatus

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
    """A refund; a status of None means that it is on its way, a charge of None that it came from a balance.

    Stripe's own refunds don't tell their mode; what stands in for Stripe may, and is held to it. What it may leave out:
    `object`, since the path tells what a thing is, and `created`, which says nothing about the money.
    """

    also_known = FIELDS["refund"]

    object: Literal["refund"] = "refund"
    id: str
    currency: Currency
    amount: Minor
    charge: MaybeId = None
    payment_intent: MaybeId = None
    created: int | None = None
    livemode: bool | None = None
    status: Literal["pending", "requires_action", "succeeded", "failed", "canceled"] | None = None
    metadata: Texts | None = None
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

    object: Literal["charge"] = "charge"
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
    metadata: Texts | None = None
    payment_intent: MaybeId = None
    payment_method_details: MethodDetails | None = None
    outcome: Outcome | None = None
    review: MaybeId = None


class PaymentIntentObject(Reply):
    """A payment intent; an unknown status is drift, since it tells whether there is money."""

    also_known = FIELDS["payment_intent"]

    object: Literal["payment_intent"] = "payment_intent"
    id: str
    currency: Currency
    amount: Minor
    amount_received: Minor | None = None
    latest_charge: MaybeId = None
    livemode: bool | None = None
    metadata: Texts | None = None
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


class InvoicePaid(Reply):
    """What an invoice was paid with; a payment outside of Stripe names neither."""

    payment_intent: MaybeId = None
    charge: MaybeId = None


class InvoicePaymentObject(Reply):
    """The one place where the pinned version says which payment belongs to which invoice.

    https://docs.stripe.com/api/invoice-payment/object
    """

    object: Literal["invoice_payment"]
    id: str
    invoice: Id
    payment: InvoicePaid


class WarningObject(Reply):
    """Radar's early fraud warning."""

    also_known = FIELDS["radar.early_fraud_warning"]

    object: Literal["radar.early_fraud_warning"]
    id: str
    charge: Id
    created: int | None = None
    fraud_type: str
    actionable: bool
