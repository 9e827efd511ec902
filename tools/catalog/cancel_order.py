"""Cancel an order that hasn't left: at the shop first, then the money back, then word to the customer."""

from __future__ import annotations

import json
from typing import Any, Literal

from django.db.models import Prefetch

from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.adapters.shopify_changes import CancelReason
from tools.base import Arguments, Effect, Kind, Leaves, Outcome, Scope, Step, Tool
from tools.catalog.send_message import message_step
from tools.credit_notes.step import credit_note_step, issuer_of
from tools.errors import InvalidArgs
from tools.models import Order, OrderLine, Shipment, ToolCall
from tools.refunding import charges, quotes
from tools.refunding.composition import Draft, compose
from tools.refunding.steps import body_of, steps_of
from tools.refunding.tenders import tenders
from tools.wire import Reconcile

NAME = "cancel_order"
TEMPLATE = "order_cancelled"
REASON = "cancelled"
WORDS: dict[str, CancelReason] = {"customer": "CUSTOMER", "inventory": "INVENTORY", "other": "OTHER"}
NOT_LEFT = ("", "unfulfilled", "open", "pending_fulfillment")


class CancelOrder(Arguments):
    """Cancel the case's order as a whole, if nothing of it has left, and give back all that is still to be given."""

    order_id: int
    why: Literal["customer", "inventory", "other"] = "customer"


def resolve(arguments: CancelOrder, scope: Scope) -> Effect:
    """The cancellation and the refund of what is left, as one effect of its whole value.

    Raises InvalidArgs with a code for a foreign, cancelled or shipped order, where nothing can be given back, and
    where nobody can say who gives it back.
    """
    order, draft = _draft(arguments, scope)
    quoted = quotes.newest(order, draft, scope.decided_at) if quotes.is_needed(order, draft) else None
    found = tenders(list(order.payments.all()), draft.money, quoted)
    body = {**body_of(draft, found, REASON), "why": arguments.why}
    body["credit_note"] = issuer_of(order, body)
    issues = credit_note_step(order, body)
    steps = (
        Step(NAME, "shopify", {"order": order.pk, "why": arguments.why}),
        *steps_of(body),
        *((issues,) if issues else ()),
        message_step(TEMPLATE, scope),
    )
    return Effect(NAME, Kind.MONEY, body, steps, draft.money, found[0].payment)


def quote(arguments: CancelOrder, scope: Scope) -> None:
    """Asks the shop how it would split what is left, where its order was paid in several ways, and Stripe for charges.

    Raises ToolError.
    """
    order, draft = _draft(arguments, scope)
    if quotes.is_needed(order, draft):
        quotes.ask(order, draft, scope)
    charges.prove(order, scope)


def _draft(arguments: CancelOrder, scope: Scope) -> tuple[Order, Draft]:
    if arguments.order_id != scope.order_id:
        raise InvalidArgs(code="order.not_of_case")
    lines = Prefetch("lines", OrderLine.objects.order_by("id"))
    orders = Order.objects.select_related("shop").prefetch_related(lines, "payments", "returns", "shipments")
    order = orders.get(pk=arguments.order_id, shop_id=scope.shop_id)
    if order.cancelled_at is not None:
        raise InvalidArgs(code="order.cancelled_already")
    if has_left(order):
        raise InvalidArgs(code="order.has_left")
    pieces = [(line.pk, line.left) for line in order.lines.all() if line.left]
    return order, compose(order, pieces, shipping=True, goodwill_percent=0, reason=REASON)


def has_left(order: Order) -> bool:
    """Whether a parcel of the order is under way, or the shop says so; expects shipments prefetched or reads them."""
    parcels = [row for row in order.shipments.all() if row.status != Shipment.Status.CANCELLED]
    return bool(parcels) or order.fulfillment_status not in NOT_LEFT


def send(call: ToolCall) -> Outcome:
    """Asks the shop once; it does it later, in a job of its own, so that it is on its way until it is read.

    No money and no stock moves with it: both go with the refund, which is a step of its own.
    """
    body: dict[str, Any] = json.loads(call.request)
    job = shopify.cancel_order(
        Account.of(call.shop),
        _order(call, body).external_id,
        reason=WORDS[body["why"]],
        restock=False,
        refund=False,
        note=f"case {call.case_id}",
        correlation_id=call.correlation_id,
    )
    return Outcome(job, pending=True)


def find(call: ToolCall) -> Outcome | None:
    """Whether the order is cancelled by now; None where it isn't, and nobody knows of a job that would do it."""
    found = shopify.find_cancellation(
        Account.of(call.shop),
        _order(call, json.loads(call.request)).external_id,
        call.vendor_ref,
        correlation_id=call.correlation_id,
    )
    if found is None:
        return None
    return Outcome(found.ref, pending=found.status == "pending", failed=found.status == "failed")


def _order(call: ToolCall, body: dict[str, Any]) -> Order:
    return Order.objects.get(pk=body["order"], shop_id=call.shop_id)


TOOL = Tool(
    NAME,
    Kind.MONEY,
    CancelOrder,
    resolve,
    send,
    find,
    for_planner=False,
    sends_by=("shopify",),
    quote=quote,
    unsafe={"shopify": Reconcile.READING},
    leaves=Leaves.REFUND,
)
