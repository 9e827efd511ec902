"""Shopify's Admin GraphQL API: read an order whole, refund it, find a refund again, tag an order.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import structlog

from tools import wire
from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.replies import Reply, after_sending, canonical, read
from tools.adapters.shopify_graph import OrderReply, Transaction
from tools.adapters.shopify_orders import (
    gid,
    number,
    order_snapshot,
    refund_money,
)
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.snapshots import OrderSnapshot, RefundResult
from tools.types import to_decimal
from tools.wire import Answer, Call, Kind

log = structlog.get_logger(__name__)
VENDOR = "shopify"
# https://shopify.dev/docs/api/usage/response-codes
NEVER_RAN = frozenset({"THROTTLED"})
FINAL = frozenset({"ACCESS_DENIED", "SHOP_INACTIVE", "MAX_COST_EXCEEDED", "BAD_REQUEST"})


@dataclass(frozen=True)
class RefundRequest:
    """What to give back: `amount_minor` in all to one captured transaction, for these (line, quantity) and shipping.

    Amounts are minor units of `currency`, which is the currency that the customer paid in; `note` is for staff and
    holds no personal data.
    """

    order_external_id: str
    transaction_external_id: str
    gateway: str
    amount_minor: int
    currency: str
    lines: tuple[tuple[str, int], ...] = ()
    shipping_minor: int = 0
    note: str = ""


class _UserError(Reply):
    message: str
    field: tuple[str, ...] | None


class _Node(Reply):
    id: str


class _Transactions(Reply):
    nodes: tuple[Transaction, ...]


class _Refund(Reply):
    id: str
    note: str | None = None
    order: _Node
    transactions: _Transactions


class _RefundPayload(Reply):
    refund: _Refund | None
    userErrors: tuple[_UserError, ...]  # noqa: N815 - the vendor's name


class _TagsPayload(Reply):
    node: _Node | None
    userErrors: tuple[_UserError, ...]  # noqa: N815 - the vendor's name


class _RefundData(Reply):
    refundCreate: _RefundPayload  # noqa: N815 - the vendor's name


class _TagsData(Reply):
    tagsAdd: _TagsPayload  # noqa: N815 - the vendor's name


class _OrderData(Reply):
    order: OrderReply | None


class _RefundsOfOrder(Reply):
    refunds: tuple[_Refund, ...]


class _RefundsData(Reply):
    order: _RefundsOfOrder | None


class _OrderReply(Reply):
    data: _OrderData


class _RefundReply(Reply):
    data: _RefundData


class _RefundsReply(Reply):
    data: _RefundsData


class _TagsReply(Reply):
    data: _TagsData


def read_order(account: Account, order_external_id: str, *, correlation_id: UUID) -> OrderSnapshot:
    """The order with all its parts, as Shopify knows it now; Refused (not_found) where it knows none.

    https://shopify.dev/docs/api/admin-graphql/2026-07/queries/order
    """
    variables = {"id": gid("Order", order_external_id)}
    body = _graphql(account, "order", Kind.READ, documents.ORDER, variables, correlation_id)
    order = read(_OrderReply, body, vendor=VENDOR, operation="order").data.order
    if order is None:
        raise Refused(vendor=VENDOR, operation="order", code="not_found")
    return order_snapshot(order)


def refund(account: Account, request: RefundRequest, *, key: UUID, correlation_id: UUID) -> RefundResult:
    """Gives money back under an idempotency key, which the refund's note carries too, so that it is found again.

    Raises OutcomeUnknown where the answer doesn't name the order, amount and currency that were asked for: something
    was executed then, and a person must see what.
    https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/refundCreate
    """
    variables = {"input": _refund_input(request, key), "key": str(key)}
    body = _graphql(
        account, "refundCreate", Kind.IDEMPOTENT_WRITE, documents.REFUND_CREATE, variables, correlation_id
    )
    payload = after_sending(
        lambda: read(_RefundReply, body, vendor=VENDOR, operation="refundCreate").data.refundCreate
    )
    _refuse("refundCreate", payload.userErrors)
    if payload.refund is None:
        raise OutcomeUnknown(vendor=VENDOR, operation="refundCreate", code="no_refund")
    made = payload.refund
    result = after_sending(lambda: _result(made, "refundCreate"))
    asked = (request.order_external_id, request.amount_minor, request.currency)
    if (number(made.order.id), result.amount_minor, result.currency) != asked:
        raise OutcomeUnknown(vendor=VENDOR, operation="refundCreate", code="echo_mismatch")
    if result.status == "failed":
        raise Refused(vendor=VENDOR, operation="refundCreate", code="transaction_failed")
    return result


def find_refund(
    account: Account, order_external_id: str, *, key: UUID, correlation_id: UUID
) -> RefundResult | None:
    """The refund of this order that carries our key, to settle an unknown outcome; None where there is none."""
    variables = {"id": gid("Order", order_external_id)}
    body = _graphql(account, "refunds", Kind.READ, documents.REFUNDS, variables, correlation_id)
    order = read(_RefundsReply, body, vendor=VENDOR, operation="refunds").data.order
    if order is None:
        raise Refused(vendor=VENDOR, operation="refunds", code="not_found")
    if len(order.refunds) >= documents.PIECES:
        raise Refused(vendor=VENDOR, operation="refunds", code="order_too_long")
    return next((_result(made, "refunds") for made in order.refunds if str(key) in (made.note or "")), None)


def add_tags(account: Account, order_external_id: str, tags: Sequence[str], *, correlation_id: UUID) -> None:
    """Adds tags to an order; a tag that is there already stays one.

    https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/tagsAdd
    """
    variables = {"id": gid("Order", order_external_id), "tags": list(tags)}
    body = _graphql(account, "tagsAdd", Kind.IDEMPOTENT_WRITE, documents.TAGS_ADD, variables, correlation_id)
    payload = after_sending(lambda: read(_TagsReply, body, vendor=VENDOR, operation="tagsAdd").data.tagsAdd)
    _refuse("tagsAdd", payload.userErrors)
    if payload.node is None or payload.node.id != gid("Order", order_external_id):
        raise OutcomeUnknown(vendor=VENDOR, operation="tagsAdd", code="echo_mismatch")


def _refund_input(request: RefundRequest, key: UUID) -> dict[str, object]:
    if request.amount_minor <= 0 or request.shipping_minor < 0 or any(n <= 0 for _, n in request.lines):
        raise InvalidArgs("an amount or quantity is not positive", vendor=VENDOR, operation="refundCreate")
    order = gid("Order", request.order_external_id)
    wish: dict[str, object] = {
        "orderId": order,
        "currency": request.currency,
        "note": f"{request.note} [{key}]".strip(),
        "notify": False,
        "refundLineItems": [
            {"lineItemId": gid("LineItem", line), "quantity": quantity, "restockType": "NO_RESTOCK"}
            for line, quantity in request.lines
        ],
        "transactions": [
            {
                "orderId": order,
                "parentId": gid("OrderTransaction", request.transaction_external_id),
                "amount": str(to_decimal(request.amount_minor, request.currency)),
                "gateway": request.gateway,
                "kind": "REFUND",
            }
        ],
    }
    if request.shipping_minor:
        wish["shipping"] = {"amount": str(to_decimal(request.shipping_minor, request.currency))}
    return wish


def _result(made: _Refund, operation: str) -> RefundResult:
    parts = refund_money(made.transactions.nodes, operation)
    currencies, statuses = {part.currency for part in parts}, {part.status for part in parts}
    if len(currencies) != 1:
        raise ContractDrift(
            "no single currency", vendor=VENDOR, operation=operation, field_path="transactions"
        )
    status: Literal["failed", "pending", "succeeded"] = "succeeded"
    if statuses == {"failed"}:
        status = "failed"
    elif statuses != {"succeeded"}:
        status = "pending"
    amount = sum(part.amount_minor for part in parts)
    return RefundResult(ref=number(made.id), amount_minor=amount, currency=currencies.pop(), status=status)


def _refuse(operation: str, errors: Sequence[_UserError]) -> None:
    """Raises what userErrors mean: a no, unless they speak of the key, which may have been executed before."""
    if not errors:
        return
    if any("idempot" in error.message.lower() or "in progress" in error.message for error in errors):
        raise OutcomeUnknown(vendor=VENDOR, operation=operation, code="idempotency")
    path = ".".join(errors[0].field or ()) or "user_error"
    raise Refused(errors[0].message[:200], vendor=VENDOR, operation=operation, code=path)


def _graphql(
    account: Account,
    operation: str,
    kind: Kind,
    document: str,
    variables: Mapping[str, object],
    correlation_id: UUID,
) -> bytes:
    call = wire.Call(
        vendor=VENDOR,
        operation=operation,
        shop=account.slug,
        kind=kind,
        method="POST",
        url=f"{account.shopify_admin_url}/admin/api/{documents.VERSION}/graphql.json",
        correlation_id=correlation_id,
        headers={
            "Content-Type": "application/json",
            "X-Shopify-Access-Token": account.shopify_access_token,
        },
        content=canonical({"query": document, "variables": dict(variables)}),
        judge=_judge,
    )
    return wire.send(call).body


class _Extensions(Reply):
    code: str = ""


class _Error(Reply):
    message: str
    extensions: _Extensions = _Extensions()


class _Envelope(Reply):
    errors: tuple[_Error, ...] = ()


def _judge(call: Call, answer: Answer) -> ToolError | None:
    """Shopify answers 200 to nearly all; what went wrong stands in `errors` and in the version header."""
    if answer.status != 200:
        return None
    served = answer.headers.get("X-Shopify-API-Version", documents.VERSION)
    if served != documents.VERSION:
        # A write was executed all the same, and its answer is read with the same care.
        log.warning("shopify_version", served=served, asked=documents.VERSION, operation=call.operation)
        if call.kind is Kind.READ:
            return ContractDrift(
                served, vendor=VENDOR, operation=call.operation, field_path="X-Shopify-API-Version"
            )
    try:
        content = json.loads(answer.body)
    except ValueError:
        return wire.lost(call, "not_json")
    if not isinstance(content, dict) or "errors" not in content:
        return None
    return _top_level(call, answer.body, executed="data" in content)


def _top_level(call: Call, body: bytes, *, executed: bool) -> ToolError:
    """What errors beside `data` mean; without `data` nothing was executed (GraphQL specification, 7.1)."""
    try:
        errors = read(_Envelope, body, vendor=VENDOR, operation=call.operation).errors
    except ContractDrift:
        return wire.lost(call, "errors")
    code = errors[0].extensions.code if errors else ""
    if code in NEVER_RAN:
        return Unavailable(vendor=VENDOR, operation=call.operation, code=code, retry_after=1.0)
    if code in FINAL or not executed:
        return Refused(vendor=VENDOR, operation=call.operation, code=code or "graphql_error")
    return wire.lost(call, code or "graphql_error")
