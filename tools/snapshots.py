"""What any vendor said, in our words: ids as strings, money as minor units, times aware, nothing optional by accident.

Adapters and webhook parsers make these; tools.orders records them. Frozen, strict, no unknown fields.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, NonNegativeInt, PositiveInt

Risk = Literal["pending", "low", "medium", "high"]
PaidBackBy = Literal["stripe", "shopify", "manual"]
ParcelStatus = Literal["created", "in_transit", "out_for_delivery", "delivered", "failure", "cancelled"]
RefundStatus = Literal["succeeded", "pending", "failed"]


class Snapshot(BaseModel):
    """Base of all snapshots: a value that is compared, hashed and never changed."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class PastOrderSnapshot(Snapshot):
    """An order that the same customer placed, as a list of theirs tells it."""

    external_id: str
    name: str
    placed_at: AwareDatetime
    cancelled: bool
    total_minor: NonNegativeInt
    currency: str


class CustomerSnapshot(Snapshot):
    """Who bought, as the shop knows them; the only snapshot with personal data."""

    external_id: str
    email: str = ""
    phone: str = ""
    first_name: str = ""
    last_name: str = ""
    locale: str = ""
    orders_count: NonNegativeInt | None = None
    history: tuple[PastOrderSnapshot, ...] = ()


class LineSnapshot(Snapshot):
    """One order line; `total_minor` is for the whole quantity, after discounts, with tax, without duties.

    `unfulfilled` pieces have not left yet; `removed` ones are no longer part of the order, refunded or taken off it.
    Both are None where a message doesn't tell.
    """

    external_id: str
    sku: str = ""
    title: str
    quantity: PositiveInt
    total_minor: NonNegativeInt
    final_sale: bool = False
    discount_minor: NonNegativeInt = 0
    tax_minor: NonNegativeInt = 0
    duty_minor: NonNegativeInt = 0
    unfulfilled: NonNegativeInt | None = None
    removed: NonNegativeInt | None = None


class CaptureSnapshot(Snapshot):
    """Money that was really taken; `ref` is the vendor's id of this one capture."""

    ref: str
    amount_minor: PositiveInt


class PaymentSnapshot(Snapshot):
    """One tender of an order. `external_id` is the Stripe charge, or the Shopify transaction that was captured.

    `vendor` says who can pay it back: `manual` wherever we can't be sure, so that a person does it.
    """

    vendor: PaidBackBy
    gateway: str
    external_id: str
    instrument: str = ""
    currency: str
    captures: tuple[CaptureSnapshot, ...]

    @property
    def captured_minor(self) -> int:
        """What all captures together took."""
        return sum(capture.amount_minor for capture in self.captures)


class ShipmentLineSnapshot(Snapshot):
    """How many pieces of an order line travel in a parcel."""

    line_external_id: str
    quantity: PositiveInt


class ShipmentSnapshot(Snapshot):
    """One parcel; fields that a message doesn't tell are None or empty and overwrite nothing.

    A parcel in several pieces has several tracking numbers, and all its lines travel under all of them.
    """

    external_id: str
    order_external_id: str
    carrier: str = ""
    tracking_numbers: tuple[str, ...] = ()
    status: ParcelStatus | None = None
    shipped_at: AwareDatetime | None = None
    delivered_at: AwareDatetime | None = None
    moved_at: AwareDatetime
    lines: tuple[ShipmentLineSnapshot, ...] = ()


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
    at: AwareDatetime


class ReturnSnapshot(Snapshot):
    """Goods on their way back."""

    external_id: str
    order_external_id: str
    status: Literal["requested", "open", "closed", "canceled", "declined"]
    requested_at: AwareDatetime | None = None


class RiskSnapshot(Snapshot):
    """One assessment of an order; several providers may disagree, and the highest counts."""

    order_external_id: str
    level: Risk


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


class InvoicePaymentSnapshot(Snapshot):
    """What paid an invoice at Stripe: a payment intent, or a charge that has none."""

    external_id: str
    invoice: str
    payment_intent: str = ""
    charge: str = ""


class StockSnapshot(Snapshot):
    """Pieces that can be sold now; `sku` is empty where a message names the inventory item alone.

    A message is about one `location`; a reading is about all of them, and names it where there is only one.
    """

    inventory_item: str
    sku: str = ""
    location: str = ""
    available: int | None
    at: AwareDatetime


class OrderSnapshot(Snapshot):
    """An order as the shop knew it at `updated_at`.

    `complete` is True for a reading of the order with its payments, parcels, refunds and returns, and False for a
    webhook body, which tells of none or some of them.
    """

    external_id: str
    name: str
    currency: str
    total_minor: NonNegativeInt
    shipping_minor: NonNegativeInt = 0
    placed_at: AwareDatetime
    updated_at: AwareDatetime
    cancelled_at: AwareDatetime | None = None
    is_test: bool | None = None
    duties_minor: NonNegativeInt = 0
    location: str = ""
    financial_status: str = ""
    fulfillment_status: str = ""
    gateways: tuple[str, ...] = ()
    risk_level: Risk | None = None
    country: str = ""
    tags: tuple[str, ...] = ()
    customer: CustomerSnapshot | None = None
    lines: tuple[LineSnapshot, ...]
    payments: tuple[PaymentSnapshot, ...] = ()
    shipments: tuple[ShipmentSnapshot, ...] = ()
    refunds: tuple[RefundSnapshot, ...] = ()
    returns: tuple[ReturnSnapshot, ...] = ()
    disputes: tuple[DisputeSummary, ...] = ()
    complete: bool = False


class MessageSnapshot(Snapshot):
    """A message that a person sent us by WhatsApp; `sender` is the business-scoped user id or the wa_id."""

    external_id: str
    phone_number_id: str
    sender: str
    wa_id: str = ""
    name: str = ""
    kind: str
    text: str = ""
    media_id: str = ""
    reply_to: str = ""
    at: AwareDatetime


class MessageStatusSnapshot(Snapshot):
    """What became of a message that we sent; `callback_data` is what we gave it on the way.

    `error_code` is in our words where we have one (`template_not_approved`).
    """

    external_id: str
    status: Literal["sent", "delivered", "read", "played", "failed", "deleted"]
    callback_data: str = ""
    error_code: str = ""
    at: AwareDatetime


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


class CancelResult(Snapshot):
    """How far the cancellation of an order is; `ref` is the vendor's job, empty where it isn't known."""

    ref: str
    status: Literal["succeeded", "pending", "failed"]
    at: AwareDatetime | None = None


class ChangedOrder(Snapshot):
    """An order that changed, to be read whole."""

    external_id: str
    updated_at: AwareDatetime


class ChangedOrders(Snapshot):
    """One page, the oldest change first; `after` continues the list."""

    orders: tuple[ChangedOrder, ...]
    after: str
    has_more: bool


class SendResult(Snapshot):
    """The answer to a sent message: the vendor's id for it, or our own unique id where the vendor gives none.

    A `pending` one was taken and is held back; only the vendor's status tells whether it leaves.
    """

    ref: str
    pending: bool = False


class TemplateSnapshot(Snapshot):
    """A message template at WhatsApp in one language; `status` is the vendor's word, APPROVED being the only yes."""

    name: str
    language: str
    status: str
    category: str = ""
