"""Give money back through the tender that took it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from django.db.models import Prefetch
from pydantic import Field

from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.base import Arguments, Effect, Kind, Outcome, Scope, Step, Tool
from tools.catalog import stripe_refund
from tools.catalog.send_message import message_step
from tools.errors import InvalidArgs, OutcomeUnknown
from tools.models import Order, OrderLine, Payment, ToolCall
from tools.snapshots import RefundResult
from tools.types import Money

SENDS = ("stripe", "shopify")


class RefundLine(Arguments):
    """How many pieces of which line."""

    line_id: int
    quantity: int = Field(ge=1)


class IssueRefund(Arguments):
    """Refund named lines of the case's order, or a bounded share of them as goodwill, to the original payment."""

    order_id: int
    lines: list[RefundLine] = Field(min_length=1)
    shipping: bool = False
    goodwill_percent: int = Field(default=0, ge=0, le=100)
    reason: Literal["damaged", "missing", "wrong_item", "lost", "returned", "goodwill"]


def resolve(arguments: IssueRefund, scope: Scope) -> Effect:
    """Amount, currency and payee from our own order graph; locks nothing.

    Raises InvalidArgs with a code where the wish names a foreign order or line, more pieces than are left, or more
    money than one tender can still give back.
    """
    if arguments.order_id != scope.order_id:
        raise InvalidArgs(code="order.not_of_case")
    lines = Prefetch("lines", OrderLine.objects.order_by("id"))
    order = Order.objects.prefetch_related(lines, "payments", "returns").get(
        pk=arguments.order_id, shop_id=scope.shop_id
    )
    parts: list[dict[str, Any]] = [
        _part(order, wish, arguments.goodwill_percent) for wish in _merged(arguments.lines)
    ]
    shipping = _shipping(order) if arguments.shipping and not arguments.goodwill_percent else 0
    money = Money(sum(part["amount_minor"] for part in parts) + shipping, order.currency)
    if money.amount_minor <= 0:
        raise InvalidArgs(code="refund.nothing_left")
    payment = _payment(order, money)
    if payment.vendor == "shopify":
        parts = [part | _restock(order, part, arguments.reason) for part in parts]
    body = {
        "order": order.pk,
        "lines": parts,
        "shipping_minor": shipping,
        "goodwill_percent": arguments.goodwill_percent,
        "amount_minor": money.amount_minor,
        "currency": money.currency,
        "payment": payment.pk,
        "vendor": payment.vendor,
        "reason": arguments.reason,
    }
    refund = Step("issue_refund", payment.vendor, body, payment.pk, money)
    after = message_step("refund_done", scope)
    return Effect("issue_refund", Kind.MONEY, body, (refund, after), money, payment.pk)


def _merged(lines: list[RefundLine]) -> list[tuple[int, int]]:
    """One wish per line: naming a line twice is no way around its quantity."""
    wishes: dict[int, int] = {}
    for line in lines:
        wishes[line.line_id] = wishes.get(line.line_id, 0) + line.quantity
    return sorted(wishes.items())


def _part(order: Order, wish: tuple[int, int], goodwill_percent: int) -> dict[str, int]:
    line_id, quantity = wish
    line = next((line for line in order.lines.all() if line.pk == line_id), None)
    if line is None:
        raise InvalidArgs(code="line.not_of_order")
    if quantity > line.quantity - line.refunded_quantity:
        raise InvalidArgs(code="refund.more_than_bought")
    share = line.share_minor(quantity)
    if goodwill_percent:
        left = line.total_minor - line.refunded_minor
        return {"line": line_id, "quantity": 0, "amount_minor": min(share * goodwill_percent // 100, left)}
    return {"line": line_id, "quantity": quantity, "amount_minor": share}


def _restock(order: Order, part: Mapping[str, int], reason: str) -> dict[str, str]:
    """What becomes of the pieces: they never left, or came back, to the order's one location; else nothing is said.

    Nothing said is NO_RESTOCK, as in refunds that were signed before there was a choice.
    """
    if not order.location or not part["quantity"]:
        return {}
    line = next(line for line in order.lines.all() if line.pk == part["line"])
    left = line.quantity - line.refunded_quantity
    if line.unfulfilled_quantity is not None and line.unfulfilled_quantity >= left:
        return {"restock": "CANCEL", "location": order.location}
    back = any(row.status == "closed" for row in order.returns.all())
    return {"restock": "RETURN", "location": order.location} if reason == "returned" and back else {}


def _shipping(order: Order) -> int:
    return order.shipping_minor - order.shipping_refunded_minor


def _payment(order: Order, money: Money) -> Payment:
    payments = [payment for payment in order.payments.all() if payment.currency == money.currency]
    able = [payment for payment in payments if payment.refundable.amount_minor >= money.amount_minor]
    if not able:
        raise InvalidArgs(code="refund.more_than_refundable")
    if len(payments) > 1:
        raise InvalidArgs(code="refund.mixed_tenders")
    if able[0].vendor not in SENDS:
        raise InvalidArgs(code="refund.manual_tender")
    return able[0]


def send(call: ToolCall) -> Outcome:
    """One vendor call with the call's key; the vendor's answer is checked against what was asked."""
    body: dict[str, Any] = json.loads(call.request)
    if call.vendor == "stripe":
        result = stripe_refund.send(call, _of(call), Account.of(call.shop), body["reason"])
    else:
        result = _by_shopify(call, body)
    return Outcome(result.ref, pending=result.status == "pending")


def _by_shopify(call: ToolCall, body: dict[str, Any]) -> RefundResult:
    """Shopify is asked first what it would give back itself: a wish beyond that is refused before it is sent."""
    account, wish, correlation_id = Account.of(call.shop), _wish(call, body), call.correlation_id
    suggested = shopify.suggested_refund(account, wish, correlation_id=correlation_id)
    shopify.refuse_more_than(suggested, wish)
    return shopify.refund(account, wish, key=call.idempotency_key, correlation_id=correlation_id)


def _wish(call: ToolCall, body: dict[str, Any]) -> shopify.RefundRequest:
    payment = _of(call)
    ids = dict(payment.order.lines.values_list("pk", "external_id"))
    return shopify.RefundRequest(
        order_external_id=payment.order.external_id,
        lines=tuple(
            shopify.RefundedLine(
                ids[part["line"]],
                part["quantity"],
                part.get("restock", "NO_RESTOCK"),
                part.get("location", ""),
            )
            for part in body["lines"]
            if part["quantity"]
        ),
        shipping_minor=body["shipping_minor"],
        amount_minor=call.amount_minor,
        currency=call.currency,
        transaction_external_id=payment.external_id,
        gateway=payment.gateway,
        note=f"case {call.case_id}",
        is_test=payment.order.is_test,
    )


def find(call: ToolCall) -> Outcome | None:
    """What the vendor knows of this call, found by the key that we left in its metadata or note.

    Raises OutcomeUnknown where that is another sum than was asked for: only a person knows what has moved then.
    """
    payment, account = _of(call), Account.of(call.shop)
    key, correlation_id = call.idempotency_key, call.correlation_id
    if call.vendor == "stripe":
        found = stripe_refund.find(call, payment, account)
    else:
        external_id = payment.order.external_id
        found = shopify.find_refund(account, external_id, key=key, correlation_id=correlation_id)
    if found is None:
        return None
    if (found.amount_minor, found.currency) != (call.amount_minor, call.currency):
        raise OutcomeUnknown(vendor=call.vendor, operation="find", code="echo_mismatch")
    return Outcome(found.ref, pending=found.status == "pending", failed=found.status == "failed")


def _of(call: ToolCall) -> Payment:
    if call.payment is None:
        raise ValueError("A refund names its payment.")
    return call.payment


TOOL = Tool("issue_refund", Kind.MONEY, IssueRefund, resolve, send, find, sends_by=SENDS)
