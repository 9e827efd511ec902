"""Give money back through the tenders that took it."""

from __future__ import annotations

import json
from typing import Any, Literal

from django.db.models import Prefetch
from pydantic import Field

from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.base import BY_HAND, Arguments, Effect, Kind, Leaves, Outcome, Scope, Tool
from tools.catalog import stripe_refund
from tools.catalog.send_message import message_step
from tools.credit_notes.step import credit_note_step, issuer_of
from tools.errors import InvalidArgs, OutcomeUnknown
from tools.models import Order, OrderLine, Payment, ToolCall
from tools.refunding import charges, quotes
from tools.refunding.composition import Draft, compose
from tools.refunding.steps import body_of, steps_of
from tools.refunding.tenders import tenders
from tools.refunding.wishes import wish_of
from tools.snapshots import RefundResult

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
    """Amount, currency and payees from our own order graph; locks nothing.

    Raises InvalidArgs with a code where the wish names a foreign order or line, more pieces than are left, more money
    than the tenders can still give back, or where nobody can say who gives it back.
    """
    order, draft = _draft(arguments, scope)
    quoted = quotes.newest(order, draft, scope.decided_at) if quotes.is_needed(order, draft) else None
    found = tenders(list(order.payments.all()), draft.money, quoted)
    body = body_of(draft, found, arguments.reason)
    body["credit_note"] = issuer_of(order, body)
    issues = credit_note_step(order, body)
    steps = (*steps_of(body), *((issues,) if issues else ()), message_step("refund_done", scope))
    return Effect("issue_refund", Kind.MONEY, body, steps, draft.money, found[0].payment)


def quote(arguments: IssueRefund, scope: Scope) -> None:
    """Asks the shop how it would split the wish, where its order was paid in several ways, and Stripe for its charges.

    Raises ToolError.
    """
    order, draft = _draft(arguments, scope)
    if quotes.is_needed(order, draft):
        quotes.ask(order, draft, scope)
    charges.prove(order, scope)


def _draft(arguments: IssueRefund, scope: Scope) -> tuple[Order, Draft]:
    if arguments.order_id != scope.order_id:
        raise InvalidArgs(code="order.not_of_case")
    lines = Prefetch("lines", OrderLine.objects.order_by("id"))
    orders = Order.objects.select_related("shop").prefetch_related(lines, "payments", "returns")
    order = orders.get(pk=arguments.order_id, shop_id=scope.shop_id)
    draft = compose(
        order,
        [(wish.line_id, wish.quantity) for wish in arguments.lines],
        shipping=arguments.shipping,
        goodwill_percent=arguments.goodwill_percent,
        reason=arguments.reason,
        fee_minor=scope.return_fee_minor,
    )
    return order, draft


def send(call: ToolCall) -> Outcome:
    """One vendor call with the call's key; the vendor's answer is checked against what was asked.

    What a person pays moves here by nobody's hand yet: it is on its way until they tick it.
    """
    if call.vendor == BY_HAND:
        return Outcome("", pending=True)
    body: dict[str, Any] = json.loads(call.request)
    if call.vendor == "stripe":
        result = stripe_refund.send(call, _of(call), Account.of(call.shop), body["reason"])
    else:
        result = _by_shopify(call, body)
    return Outcome(result.ref, pending=result.status == "pending")


def _by_shopify(call: ToolCall, body: dict[str, Any]) -> RefundResult:
    """Shopify is asked first what it would give back itself: a wish beyond that is refused before it is sent."""
    account, wish, correlation_id = Account.of(call.shop), wish_of(call, _of(call), body), call.correlation_id
    suggested = shopify.suggested_refund(account, wish, correlation_id=correlation_id)
    shopify.refuse_more_than(suggested, wish)
    return shopify.refund(account, wish, key=call.idempotency_key, correlation_id=correlation_id)


def find(call: ToolCall) -> Outcome | None:
    """What the vendor knows of this call, found by the key that we left in its metadata or note.

    Raises OutcomeUnknown where that is another sum than was asked for: only a person knows what has moved then.
    """
    if call.vendor == BY_HAND:
        return Outcome("", pending=True)
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


TOOL = Tool(
    "issue_refund",
    Kind.MONEY,
    IssueRefund,
    resolve,
    send,
    find,
    sends_by=SENDS,
    quote=quote,
    leaves=Leaves.REFUND,
)
