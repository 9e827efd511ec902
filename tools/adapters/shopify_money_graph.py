"""The money of an order as Shopify's graph tells it, in the vendor's own names: transactions and refunds.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/OrderTransaction and …/objects/Refund
"""

# ruff: noqa: N815 - the fields bear the vendor's names

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime

from tools.adapters.replies import Reply


class Money(Reply):
    amount: str
    currencyCode: str


class Bag(Reply):
    presentmentMoney: Money


class Node(Reply):
    id: str


class Page(Reply):
    hasNextPage: bool


class Piece(Reply):
    quantity: int
    lineItem: Node


class Pieces(Reply):
    pageInfo: Page
    nodes: tuple[Piece, ...]


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
    test: bool
    gateway: str | None
    amountSet: Bag
    parentTransaction: Node | None
    paymentId: str | None
    receiptJson: Any
    manualPaymentGateway: bool


class RefundDuty(Reply):
    amountSet: Bag
    originalDuty: Node | None


class RefundShipping(Reply):
    subtotalAmountSet: Bag
    taxAmountSet: Bag


class RefundShippings(Reply):
    pageInfo: Page
    nodes: tuple[RefundShipping, ...]


class Transactions(Reply):
    pageInfo: Page
    nodes: tuple[Transaction, ...]


class OrderOfRefund(Reply):
    id: str
    test: bool


class RefundReply(Reply):
    id: str
    processedAt: AwareDatetime
    note: str | None
    order: OrderOfRefund
    duties: tuple[RefundDuty, ...] | None
    refundLineItems: Pieces
    refundShippingLines: RefundShippings
    transactions: Transactions
