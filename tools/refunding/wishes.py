"""A refund as the shop is asked for it: our lines, shipping and duties by the shop's own ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tools.adapters import shopify
from tools.models import Order, Payment, ToolCall
from tools.refunding.composition import Draft


def wish_of_shop(order: Order, draft: Draft) -> shopify.RefundRequest:
    """What the shop is asked to suggest a split for: the pieces, of goodwill too, since its split follows them."""
    parts = [{"line": line, "quantity": quantity} for line, quantity in draft.pieces]
    return shopify.RefundRequest(
        order_external_id=order.external_id,
        transaction_external_id="",
        gateway="",
        amount_minor=draft.money.amount_minor,
        currency=draft.money.currency,
        lines=lines_of(order, parts),
        shipping_minor=draft.shipping_minor,
        is_test=order.is_test,
    )


def wish_of(call: ToolCall, payment: Payment, body: Mapping[str, Any]) -> shopify.RefundRequest:
    """What a committed call asks the shop for."""
    order = payment.order
    return shopify.RefundRequest(
        order_external_id=order.external_id,
        lines=lines_of(order, body["lines"]),
        shipping_minor=body["shipping_minor"],
        amount_minor=call.amount_minor,
        currency=call.currency,
        transaction_external_id=payment.external_id,
        gateway=payment.gateway,
        note=f"case {call.case_id}",
        is_test=order.is_test,
    )


def lines_of(order: Order, parts: Iterable[Mapping[str, Any]]) -> tuple[shopify.RefundedLine, ...]:
    """The pieces by the shop's ids; a reduction of the price alone has none."""
    ids = dict(order.lines.values_list("pk", "external_id"))
    return tuple(
        shopify.RefundedLine(
            ids[part["line"]],
            part["quantity"],
            part.get("restock", "NO_RESTOCK"),
            part.get("location", ""),
        )
        for part in parts
        if part["quantity"]
    )
