"""Shopify's order graph as OpsOrder answers it, in the vendor's own names.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/Order
"""

# ruff: noqa: N815 - the fields bear the vendor's names

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime

from tools.adapters.replies import Reply

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


class Money(Reply):
    amount: str
    currencyCode: str


class Bag(Reply):
    presentmentMoney: Money


class Node(Reply):
    id: str


class Page(Reply):
    hasNextPage: bool


class TaxLine(Reply):
    priceSet: Bag


class Discount(Reply):
    allocatedAmountSet: Bag


class Line(Reply):
    id: str
    sku: str | None
    title: str
    quantity: int
    originalTotalSet: Bag
    discountAllocations: tuple[Discount, ...]
    taxLines: tuple[TaxLine, ...]


class Lines(Reply):
    pageInfo: Page
    nodes: tuple[Line, ...]


class Transaction(Reply):
    id: str
    kind: Literal[
        "AUTHORIZATION",
        "CAPTURE",
        "CHANGE",
        "EMV_AUTHORIZATION",
        "REFUND",
        "SALE",
        "SUGGESTED_REFUND",
        "VOID",
    ]
    status: Literal["AWAITING_RESPONSE", "ERROR", "FAILURE", "PENDING", "SUCCESS", "UNKNOWN"]
    gateway: str | None
    amountSet: Bag
    parentTransaction: Node | None
    paymentId: str | None
    receiptJson: Any


class PaymentTransaction(Transaction):
    manualPaymentGateway: bool


class Piece(Reply):
    quantity: int
    lineItem: Node


class Pieces(Reply):
    pageInfo: Page
    nodes: tuple[Piece, ...]


class RefundShipping(Reply):
    subtotalAmountSet: Bag
    taxAmountSet: Bag


class RefundShippings(Reply):
    nodes: tuple[RefundShipping, ...]


class Transactions(Reply):
    nodes: tuple[Transaction, ...]


class RefundReply(Reply):
    id: str
    processedAt: AwareDatetime
    note: str | None
    refundLineItems: Pieces
    refundShippingLines: RefundShippings
    transactions: Transactions


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


class Assessment(Reply):
    riskLevel: Literal["HIGH", "LOW", "MEDIUM", "NONE", "PENDING"]


class RiskReply(Reply):
    assessments: tuple[Assessment, ...]


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


class Address(Reply):
    countryCodeV2: str | None


class OrderReply(Reply):
    """The fields of Order that OpsOrder asks for."""

    id: str
    name: str
    createdAt: AwareDatetime
    updatedAt: AwareDatetime
    cancelledAt: AwareDatetime | None
    tags: tuple[str, ...]
    taxesIncluded: bool
    presentmentCurrencyCode: str
    displayFinancialStatus: str | None
    displayFulfillmentStatus: str
    paymentGatewayNames: tuple[str, ...]
    totalPriceSet: Bag
    totalShippingPriceSet: Bag
    email: str | None
    phone: str | None
    customerLocale: str | None
    customer: Customer | None
    shippingAddress: Address | None
    lineItems: Lines
    transactions: tuple[PaymentTransaction, ...]
    refunds: tuple[RefundReply, ...]
    fulfillments: tuple[Fulfillment, ...]
    returns: Returns
    risk: RiskReply
