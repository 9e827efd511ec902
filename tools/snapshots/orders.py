"""An order as a shop tells of it, with whose it is, where its goods are and what changed since the last look."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, NonNegativeInt, PositiveInt

from tools.snapshots.base import Snapshot
from tools.snapshots.money import DisputeSummary, DutySnapshot, PaymentSnapshot, RefundSnapshot, TaxSnapshot

Risk = Literal["pending", "low", "medium", "high"]
ParcelStatus = Literal["created", "in_transit", "out_for_delivery", "delivered", "failure", "cancelled"]


class PastOrderSnapshot(Snapshot):
    """An order that the same customer placed, as a list of theirs tells it."""

    external_id: str
    name: str
    placed_at: AwareDatetime
    cancelled: bool
    total_minor: NonNegativeInt
    currency: str


class AddressSnapshot(Snapshot):
    """To whom and where an order's bill goes; personal data."""

    name: str = ""
    company: str = ""
    address1: str = ""
    address2: str = ""
    zip: str = ""
    city: str = ""
    province: str = ""
    province_code: str = ""
    country: str = ""


class CustomerSnapshot(Snapshot):
    """Who bought, as the shop knows them; personal data."""

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
    taxes: tuple[TaxSnapshot, ...] = ()
    duties: tuple[DutySnapshot, ...] = ()
    unfulfilled: NonNegativeInt | None = None
    removed: NonNegativeInt | None = None


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


class ReturnLineSnapshot(Snapshot):
    """Pieces of an order line in a return; `processed` ones the shop has in its hands and dealt with."""

    line_external_id: str
    quantity: PositiveInt
    processed: NonNegativeInt = 0


class ReturnSnapshot(Snapshot):
    """Goods on their way back; `lines` is None where a message doesn't tell what they are."""

    external_id: str
    order_external_id: str
    status: Literal["requested", "open", "closed", "canceled", "declined"]
    requested_at: AwareDatetime | None = None
    lines: tuple[ReturnLineSnapshot, ...] | None = None


class RiskSnapshot(Snapshot):
    """One assessment of an order; several providers may disagree, and the highest counts."""

    order_external_id: str
    level: Risk


class OrderSnapshot(Snapshot):
    """An order as the shop knew it at `updated_at`.

    `shipping_minor` is after discounts and with tax; `taxes_included` tells whether the shop's prices are, None
    where a message doesn't say.

    `bill_to` is the billing address, or else where it ships to; None where a message doesn't tell.

    `complete` is True for a reading of the order with its payments, parcels, refunds and returns, and False for a
    webhook body, which tells of none or some of them.
    """

    external_id: str
    name: str
    currency: str
    total_minor: NonNegativeInt
    shipping_minor: NonNegativeInt = 0
    shipping_taxes: tuple[TaxSnapshot, ...] = ()
    taxes_included: bool | None = None
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
    bill_to: AddressSnapshot | None = None
    lines: tuple[LineSnapshot, ...]
    payments: tuple[PaymentSnapshot, ...] = ()
    shipments: tuple[ShipmentSnapshot, ...] = ()
    refunds: tuple[RefundSnapshot, ...] = ()
    returns: tuple[ReturnSnapshot, ...] = ()
    disputes: tuple[DisputeSummary, ...] = ()
    complete: bool = False


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
