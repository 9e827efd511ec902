"""Money as vendors tell of it: payments, refunds and disputes, and what a shop reckons before a refund."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, NonNegativeInt, PositiveInt

from tools.snapshots.base import Snapshot

PaidBackBy = Literal["stripe", "shopify", "manual"]
RefundStatus = Literal["succeeded", "pending", "failed"]


class CaptureSnapshot(Snapshot):
    """Money that was really taken; `ref` is the vendor's id of this one capture."""

    ref: str
    amount_minor: PositiveInt


class PaymentSnapshot(Snapshot):
    """One tender of an order. `external_id` is the Stripe charge, or the Shopify transaction that was captured.

    `vendor` says who can pay it back: `manual` wherever we can't be sure, so that a person does it. `by_hand` is the
    shop's own word that no gateway moves this money; None where the message doesn't tell.
    """

    vendor: PaidBackBy
    gateway: str
    external_id: str
    instrument: str = ""
    by_hand: bool | None = None
    currency: str
    captures: tuple[CaptureSnapshot, ...]

    @property
    def captured_minor(self) -> int:
        """What all captures together took."""
        return sum(capture.amount_minor for capture in self.captures)


class RefundPartSnapshot(Snapshot):
    """What a refund gave back to one payment.

    `payment_external_id` is the charge (Stripe) or the captured transaction (Shopify), empty where not told; `ref`
    is the vendor's id of this movement of money.
    """

    ref: str
    gateway: str = ""
    payment_external_id: str = ""
    amount_minor: NonNegativeInt
    currency: str
    status: RefundStatus


class TaxSnapshot(Snapshot):
    """One tax of a line, a duty or of shipping, for all of its pieces; `rate_ppm` is in millionths, 190,000 for 19 %.

    The rate is None where the shop doesn't tell it; the amount is always told.
    """

    title: str = ""
    rate_ppm: NonNegativeInt | None = None
    amount_minor: NonNegativeInt


class DutySnapshot(Snapshot):
    """One customs duty, of a line for all its pieces or of a refund; the id is the shop's, empty where not told.

    A line's has its taxes in the amount. A refund tells the price alone, without taxes that came on top of it.
    """

    external_id: str = ""
    amount_minor: NonNegativeInt
    taxes: tuple[TaxSnapshot, ...] = ()


class RefundLineSnapshot(Snapshot):
    """Pieces of an order line that a refund covers; what they cost is our own order line's to say."""

    line_external_id: str
    quantity: PositiveInt


class RefundSnapshot(Snapshot):
    """A refund as a vendor told it; `call_key` is our idempotency key where the refund carries one."""

    vendor: Literal["stripe", "shopify"]
    external_id: str
    order_external_id: str = ""
    call_key: str = ""
    parts: tuple[RefundPartSnapshot, ...]
    lines: tuple[RefundLineSnapshot, ...] = ()
    shipping_minor: NonNegativeInt = 0
    duties: tuple[DutySnapshot, ...] = ()
    at: AwareDatetime


class DisputeSummary(Snapshot):
    """That an order's payment is questioned, and how far that is; the sums are in the dispute itself."""

    external_id: str
    status: str


class DisputeSnapshot(Snapshot):
    """A charge that the cardholder's bank questions; found by `charge` (Stripe) or `order_external_id` (Shopify)."""

    vendor: Literal["stripe", "shopify"]
    external_id: str
    charge: str = ""
    order_external_id: str = ""
    status: Literal[
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
    ]
    reason: str = ""
    amount_minor: NonNegativeInt
    currency: str
    evidence_due_at: AwareDatetime | None = None
    created_at: AwareDatetime | None = None


class FraudWarningSnapshot(Snapshot):
    """A card network's early warning that a charge was probably not the cardholder's."""

    external_id: str
    charge: str
    fraud_type: str
    actionable: bool
    created_at: AwareDatetime | None = None


class ChargeSnapshot(Snapshot):
    """A Stripe charge; `refunded_minor` is all that went back, by whomever.

    None means that the message doesn't tell; `review` is the id of Radar's look at it. Which invoice it pays is known
    by the payment intent alone.
    """

    external_id: str
    amount_minor: NonNegativeInt
    captured_minor: NonNegativeInt
    refunded_minor: NonNegativeInt
    currency: str
    disputed: bool | None = None
    paid: bool
    instrument: str = ""
    risk_level: str = ""
    risk_score: int | None = None
    review: str = ""
    order_external_id: str = ""
    payment_intent: str = ""
    livemode: bool | None = None
    created_at: AwareDatetime | None = None


class PaymentIntentSnapshot(Snapshot):
    """A Stripe payment as it was meant; `charge` is its latest try, `received_minor` what that brought."""

    external_id: str
    status: Literal[
        "canceled",
        "processing",
        "requires_action",
        "requires_capture",
        "requires_confirmation",
        "requires_payment_method",
        "succeeded",
    ]
    amount_minor: NonNegativeInt
    received_minor: NonNegativeInt | None
    currency: str
    charge: str = ""
    order_external_id: str = ""
    livemode: bool | None = None


class InvoiceSnapshot(Snapshot):
    """What is printed on an invoice; the number is empty while it is a draft."""

    invoice: str
    number: str
    issued_at: AwareDatetime


class InvoicePaymentSnapshot(Snapshot):
    """What paid an invoice at Stripe: a payment intent, or a charge that has none."""

    external_id: str
    invoice: str
    payment_intent: str = ""
    charge: str = ""


class RefundResult(Snapshot):
    """The answer to a refund: `refund()` calls never return `failed` (they raise Refused), readings may."""

    ref: str
    amount_minor: PositiveInt
    currency: str
    status: RefundStatus


class SuggestedPart(Snapshot):
    """What a shop would give back to one captured transaction; `maximum_minor` is all that it still could."""

    transaction_external_id: str
    gateway: str
    amount_minor: NonNegativeInt
    maximum_minor: NonNegativeInt | None


class SuggestedRefund(Snapshot):
    """What a shop itself reckons for a wish to refund: a bound for what we ask, never the amount that we send."""

    amount_minor: NonNegativeInt
    maximum_minor: NonNegativeInt
    currency: str
    is_test: bool
    parts: tuple[SuggestedPart, ...]
