"""Shopify's answers to what we change, each as its document asks for it: the payload of every mutation.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

# ruff: noqa: N815 - the fields bear the vendor's names

from __future__ import annotations

from tools.adapters.replies import Reply
from tools.adapters.shopify_call import Body, UserError
from tools.adapters.shopify_money_graph import Node, OrderOfRefund, Transaction
from tools.adapters.shopify_replies import Job, NotedOrder


class MadeTransactions(Reply):
    nodes: tuple[Transaction, ...]


class MadeRefund(Reply):
    id: str
    note: str | None
    order: OrderOfRefund
    transactions: MadeTransactions


class RefundPayload(Reply):
    refund: MadeRefund | None
    userErrors: tuple[UserError, ...]


class RefundData(Reply):
    refundCreate: RefundPayload


class RefundAnswer(Body):
    data: RefundData


class CancelError(Reply):
    code: str | None
    field: tuple[str, ...] | None
    message: str


class CancelPayload(Reply):
    job: Job | None
    orderCancelUserErrors: tuple[CancelError, ...]


class CancelData(Reply):
    orderCancel: CancelPayload


class CancelAnswer(Body):
    data: CancelData


class TagsPayload(Reply):
    node: Node | None
    userErrors: tuple[UserError, ...]


class TagsData(Reply):
    tagsAdd: TagsPayload


class TagsAnswer(Body):
    data: TagsData


class UpdatePayload(Reply):
    order: NotedOrder | None
    userErrors: tuple[UserError, ...]


class UpdateData(Reply):
    orderUpdate: UpdatePayload


class UpdateAnswer(Body):
    data: UpdateData
