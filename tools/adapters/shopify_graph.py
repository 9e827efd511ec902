"""Shopify's order graph as OpsOrder answers it, in the vendor's own names.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Order
"""

# ruff: noqa: N815 - the fields bear the vendor's names

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from tools.adapters.replies import Reply
from tools.adapters.shopify_money_graph import Bag, Node, Page, Pieces, RefundReply, Transaction

DisplayStatus = Literal[
    "ATTEMPTED_DELIVERY",
    "CANCELED",
    "CARRIER_PICKED_UP",
    "CONFIRMED",
    "DELAYED",
    "DELIVERED",
    "FAILURE",
    "FULFILLED",
    "IN_TRANSIT",
    "LABEL_PRINTED",
    "LABEL_PURCHASED",
    "LABEL_VOIDED",
    "MARKED_AS_FULFILLED",
    "NOT_DELIVERED",
    "OUT_FOR_DELIVERY",
    "PICKED_UP",
    "READY_FOR_PICKUP",
    "SUBMITTED",
]


class TaxLine(Reply):
    title: str
    rate: float | None
    ratePercentage: float | None
    priceSet: Bag


class Discount(Reply):
    allocatedAmountSet: Bag


class Duty(Reply):
    """A duty of a line, its taxes in the price where the order's prices hold theirs."""

    id: str
    price: Bag
    taxLines: tuple[TaxLine, ...]


class Line(Reply):
    id: str
    sku: str | None
    title: str
    quantity: int
    currentQuantity: int
    unfulfilledQuantity: int
    originalTotalSet: Bag
    discountAllocations: tuple[Discount, ...]
    duties: tuple[Duty, ...]
    taxLines: tuple[TaxLine, ...]


class Lines(Reply):
    pageInfo: Page
    nodes: tuple[Line, ...]


class ShippingLine(Reply):
    """All shipping of the order: its price after discounts, with tax where the order's prices are."""

    discountedPriceSet: Bag
    taxLines: tuple[TaxLine, ...]


class Cursor(Reply):
    hasNextPage: bool
    endCursor: str | None


class PageOfLines(Reply):
    pageInfo: Cursor
    nodes: tuple[Line, ...]


class Tracking(Reply):
    company: str | None
    number: str | None


class Fulfillment(Reply):
    id: str
    displayStatus: DisplayStatus | None
    createdAt: AwareDatetime
    updatedAt: AwareDatetime
    deliveredAt: AwareDatetime | None
    trackingInfo: tuple[Tracking, ...]
    fulfillmentLineItems: Pieces


class ReturnReply(Reply):
    id: str
    status: Literal["CANCELED", "CLOSED", "DECLINED", "OPEN", "REQUESTED"]
    createdAt: AwareDatetime


class Returns(Reply):
    pageInfo: Page
    nodes: tuple[ReturnReply, ...]


class SentBack(Reply):
    lineItem: Node


class ReturnLine(Reply):
    """Pieces of a return; of what no order line is known by, the shop tells none."""

    quantity: int
    processedQuantity: int
    fulfillmentLineItem: SentBack | None = None


class ReturnLines(Reply):
    pageInfo: Page
    nodes: tuple[ReturnLine, ...]


class WholeReturn(ReturnReply):
    returnLineItems: ReturnLines


class WholeReturns(Reply):
    pageInfo: Page
    nodes: tuple[WholeReturn, ...]


class Assessment(Reply):
    riskLevel: Literal["HIGH", "LOW", "MEDIUM", "NONE", "PENDING"]


class RiskReply(Reply):
    assessments: tuple[Assessment, ...]


class Location(Reply):
    location: Node | None


class FulfillmentOrder(Reply):
    assignedLocation: Location


class FulfillmentOrders(Reply):
    pageInfo: Page
    nodes: tuple[FulfillmentOrder, ...]


DisputeStatus = Literal[
    "ACCEPTED", "CHARGE_REFUNDED", "LOST", "NEEDS_RESPONSE", "PREVENTED", "UNDER_REVIEW", "WON"
]


class DisputeReply(Reply):
    id: str
    status: DisputeStatus


class PastOrder(Reply):
    id: str
    name: str
    createdAt: AwareDatetime
    cancelledAt: AwareDatetime | None
    totalPriceSet: Bag


class PastOrders(Reply):
    nodes: tuple[PastOrder, ...]


class Email(Reply):
    emailAddress: str


class Phone(Reply):
    phoneNumber: str


class Customer(Reply):
    id: str
    firstName: str | None
    lastName: str | None
    locale: str
    numberOfOrders: str
    defaultEmailAddress: Email | None
    defaultPhoneNumber: Phone | None
    orders: PastOrders


class Address(Reply):
    name: str | None
    company: str | None
    address1: str | None
    address2: str | None
    zip: str | None
    city: str | None
    province: str | None
    provinceCode: str | None
    countryCodeV2: str | None


class OrderReply(Reply):
    """The fields of Order that OpsOrder asks for."""

    id: str
    name: str
    createdAt: AwareDatetime
    updatedAt: AwareDatetime
    cancelledAt: AwareDatetime | None
    test: bool
    tags: tuple[str, ...]
    taxesIncluded: bool
    presentmentCurrencyCode: str
    displayFinancialStatus: str | None
    displayFulfillmentStatus: str
    paymentGatewayNames: tuple[str, ...]
    totalPriceSet: Bag
    shippingLine: ShippingLine | None
    currentTotalDutiesSet: Bag | None
    email: str | None
    phone: str | None
    customerLocale: str | None
    customer: Customer | None
    shippingAddress: Address | None
    billingAddress: Address | None
    lineItems: Lines
    transactions: tuple[Transaction, ...]
    refunds: tuple[RefundReply, ...]
    fulfillments: tuple[Fulfillment, ...]
    fulfillmentOrders: FulfillmentOrders
    returns: Returns
    risk: RiskReply
    disputes: tuple[DisputeReply, ...]
