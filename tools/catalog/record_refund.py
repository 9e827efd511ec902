"""Let the shop's order show a refund that Stripe or a person has paid; no money moves for it."""

from __future__ import annotations

import json
from typing import Any

from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.base import BY_HAND, Arguments, Effect, Kind, Leaves, Outcome, Scope, Tool
from tools.errors import InvalidArgs, OutcomeUnknown
from tools.models import Order, Payment, ToolCall
from tools.refunding.wishes import duties_of, lines_of, tax_on_top


class RecordRefund(Arguments):
    """Only ever a step of a refund, never an action of its own."""


def resolve(arguments: RecordRefund, scope: Scope) -> Effect:
    """Nobody can ask for this alone: raises InvalidArgs (tool.only_a_step)."""
    raise InvalidArgs(code="tool.only_a_step")


def send(call: ToolCall) -> Outcome:
    """One write under the call's key. Raises OutcomeUnknown where its answer doesn't prove that no money moved."""
    result = shopify.record_refund(
        Account.of(call.shop), _wish(call), key=call.idempotency_key, correlation_id=call.correlation_id
    )
    return Outcome(result.ref, pending=result.status == "pending")


def _wish(call: ToolCall) -> shopify.RecordedRefund:
    body: dict[str, Any] = json.loads(call.request)
    order = _order(call, body)
    taken = _manual_tender(body)
    return shopify.RecordedRefund(
        order_external_id=order.external_id,
        amount_minor=body["amount_minor"],
        currency=body["currency"],
        gateway=taken.gateway if taken else "",
        transaction_external_id=taken.external_id if taken else "",
        by_hand=bool(taken and taken.by_hand),
        lines=lines_of(order, body["lines"]),
        duties=duties_of(order, body["lines"]),
        shipping_minor=body["shipping_minor"],
        shipping_tax_minor=tax_on_top(order, body["shipping_taxes"]),
        note=f"case {call.case_id}",
        is_test=order.is_test,
    )


def _manual_tender(body: dict[str, Any]) -> Payment | None:
    """The one payment that was given back by hand; None where others had a part in it."""
    tenders = body["tenders"]
    if len(tenders) > 1 or tenders[0]["vendor"] != BY_HAND:
        return None
    return Payment.objects.get(pk=tenders[0]["payment"], order_id=body["order"])


def find(call: ToolCall) -> Outcome | None:
    """The refund in the shop's order that carries our key, or None.

    Raises OutcomeUnknown for another sum than was asked for, or where money moved: only a person knows then.
    """
    body: dict[str, Any] = json.loads(call.request)
    found = shopify.find_recorded_refund(
        Account.of(call.shop),
        _order(call, body).external_id,
        key=call.idempotency_key,
        correlation_id=call.correlation_id,
    )
    if found is None:
        return None
    if (found.amount_minor, found.currency) != (body["amount_minor"], body["currency"]):
        raise OutcomeUnknown(vendor=call.vendor, operation="find", code="echo_mismatch")
    return Outcome(found.ref, pending=found.status == "pending", failed=found.status == "failed")


def _order(call: ToolCall, body: dict[str, Any]) -> Order:
    return Order.objects.get(pk=body["order"], shop_id=call.shop_id)


TOOL = Tool(
    "record_refund",
    Kind.DOCUMENT,
    RecordRefund,
    resolve,
    send,
    find,
    for_planner=False,
    sends_by=("shopify",),
    leaves=Leaves.NOTHING,
)
