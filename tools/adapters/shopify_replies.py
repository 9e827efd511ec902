"""Shopify's answers to what we read, each as its document asks for it.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

# ruff: noqa: N815 - the fields bear the vendor's names

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from tools.adapters.replies import Reply
from tools.adapters.shopify_call import Body
from tools.adapters.shopify_graph import (
    Cursor,
    DisputeStatus,
    Fulfillment,
    OrderReply,
    PageOfLines,
    WholeReturns,
)
from tools.adapters.shopify_money_graph import (
    Bag,
    Money,
    Node,
    Page,
    RefundReply,
)


class OrderData(Reply):
    order: OrderReply | None


class OrderAnswer(Body):
    data: OrderData


class LinesOfOrder(Reply):
    id: str
    lineItems: PageOfLines


class LinesData(Reply):
    order: LinesOfOrder | None


class LinesAnswer(Body):
    data: LinesData


class ParcelsOfOrder(Reply):
    id: str
    fulfillments: tuple[Fulfillment, ...]


class ParcelsData(Reply):
    order: ParcelsOfOrder | None


class ParcelsAnswer(Body):
    data: ParcelsData


class ReturnsOfOrder(Reply):
    id: str
    returns: WholeReturns


class ReturnsData(Reply):
    order: ReturnsOfOrder | None


class ReturnsAnswer(Body):
    data: ReturnsData


class RefundsOfOrder(Reply):
    id: str
    refunds: tuple[RefundReply, ...]


class RefundsData(Reply):
    order: RefundsOfOrder | None


class RefundsAnswer(Body):
    data: RefundsData


class ChangedOrderReply(Reply):
    id: str
    updatedAt: AwareDatetime


class ChangedOrdersReply(Reply):
    pageInfo: Cursor
    nodes: tuple[ChangedOrderReply, ...]


class ChangedOrdersData(Reply):
    orders: ChangedOrdersReply


class ChangedOrdersAnswer(Body):
    data: ChangedOrdersData


class SuggestedTransaction(Reply):
    gateway: str | None
    amountSet: Bag
    maximumRefundableSet: Bag | None
    parentTransaction: Node | None


class Suggestion(Reply):
    amountSet: Bag
    maximumRefundableSet: Bag
    suggestedTransactions: tuple[SuggestedTransaction, ...]


class SuggestionOfOrder(Reply):
    id: str
    test: bool
    suggestedRefund: Suggestion | None


class SuggestionData(Reply):
    order: SuggestionOfOrder | None


class SuggestionAnswer(Body):
    data: SuggestionData


class Job(Reply):
    id: str
    done: bool


class Cancellation(Reply):
    staffNote: str | None


class CancelledOrder(Reply):
    id: str
    test: bool
    cancelledAt: AwareDatetime | None
    cancelReason: Literal["CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "OTHER", "STAFF"] | None
    cancellation: Cancellation | None


class CancellationData(Reply):
    order: CancelledOrder | None


class CancellationAnswer(Body):
    data: CancellationData


class JobData(Reply):
    job: Job | None


class JobAnswer(Body):
    data: JobData


class NotedOrder(Reply):
    id: str
    note: str | None


class NoteData(Reply):
    order: NotedOrder | None


class NoteAnswer(Body):
    data: NoteData


class Quantity(Reply):
    name: Literal["available"]
    quantity: int


class Level(Reply):
    location: Node
    quantities: tuple[Quantity, ...]


class Levels(Reply):
    pageInfo: Page
    nodes: tuple[Level, ...]


class InventoryItem(Reply):
    id: str
    sku: str | None
    tracked: bool
    inventoryLevels: Levels


class InventoryData(Reply):
    inventoryItem: InventoryItem | None


class InventoryAnswer(Body):
    data: InventoryData


class DisputeReason(Reply):
    reason: str


class DisputeOfShop(Reply):
    id: str
    status: DisputeStatus
    type: Literal["CHARGEBACK", "INQUIRY"]
    initiatedAt: AwareDatetime
    evidenceDueBy: AwareDatetime | None
    amount: Money
    reasonDetails: DisputeReason
    order: Node | None


class DisputeData(Reply):
    dispute: DisputeOfShop | None


class DisputeAnswer(Body):
    data: DisputeData
