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
        amount_minor=draft.whole.amount_minor,
        currency=draft.money.currency,
        lines=lines_of(order, parts),
        duties=duties_of(order, parts) if not draft.goodwill_percent else (),
        shipping_minor=draft.shipping_minor,
        shipping_tax_minor=tax_on_top(order, draft.shipping_taxes),
        is_test=order.is_test,
    )


def wish_of(call: ToolCall, payment: Payment, body: Mapping[str, Any]) -> shopify.RefundRequest:
    """What a committed call asks the shop for."""
    order = payment.order
    return shopify.RefundRequest(
        order_external_id=order.external_id,
        lines=lines_of(order, body["lines"]),
        duties=duties_of(order, body["lines"]),
        shipping_minor=body["shipping_minor"],
        shipping_tax_minor=tax_on_top(order, body.get("shipping_taxes", ())),
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


def duties_of(order: Order, parts: Iterable[Mapping[str, Any]]) -> tuple[shopify.RefundedDuty, ...]:
    """The duties on the pieces that go back, each in the share of its line's pieces."""
    duties = dict(order.lines.values_list("pk", "duties"))
    return tuple(
        shopify.RefundedDuty(duty["external_id"])
        for part in parts
        if part["quantity"]
        for duty in duties[part["line"]]
        if duty["external_id"] and duty["amount_minor"]
    )


def tax_on_top(order: Order, shipping_taxes: Iterable[Mapping[str, Any]]) -> int:
    """The tax that the shop adds to its shipping by itself; none where its prices hold it or nobody has said so."""
    return 0 if order.taxes_included is not False else sum(tax["amount_minor"] for tax in shipping_taxes)
