"""Give back another amount than was asked for: a person wrote it, and another one signs it."""

from __future__ import annotations

from typing import Literal

from django.db.models import Prefetch
from pydantic import Field

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Tool
from tools.catalog.issue_refund import RefundLine
from tools.catalog.send_message import message_step
from tools.credit_notes.step import credit_note_step, issuer_of
from tools.errors import InvalidArgs
from tools.models import Order, OrderLine
from tools.refunding import quotes
from tools.refunding.adjusting import compose_amount
from tools.refunding.steps import body_of, steps_of
from tools.refunding.tenders import tenders

NAME = "adjust_refund"


class Share(Arguments):
    """What a payment would have given back of the amount that is changed."""

    payment_id: int
    amount_minor: int = Field(ge=1)


class AdjustRefund(Arguments):
    """Refund exactly this amount over named lines of the case's order, as a reduction of their price.

    `split` is who would have paid the amount that is changed: several payments pay the new one in that proportion,
    which was the shop's own.
    """

    order_id: int
    lines: list[RefundLine] = Field(min_length=1)
    shipping: bool = False
    amount_minor: int = Field(ge=1)
    reason: Literal["damaged", "missing", "wrong_item", "lost", "returned", "goodwill"]
    split: list[Share] = Field(default_factory=list)


def resolve(arguments: AdjustRefund, scope: Scope) -> Effect:
    """Currency and payees from our own order graph; only the amount is a person's.

    Raises InvalidArgs with a code for a foreign order or line, more than is left of them, and an order that several
    payments could give back where nobody has said in which proportion.
    """
    if arguments.order_id != scope.order_id:
        raise InvalidArgs(code="order.not_of_case")
    lines = Prefetch("lines", OrderLine.objects.order_by("id"))
    orders = Order.objects.select_related("shop").prefetch_related(lines, "payments", "returns")
    order = orders.get(pk=arguments.order_id, shop_id=scope.shop_id)
    draft = compose_amount(
        order,
        [(wish.line_id, wish.quantity) for wish in arguments.lines],
        arguments.amount_minor,
        shipping=arguments.shipping,
        reason=arguments.reason,
    )
    weights = {share.payment_id: share.amount_minor for share in arguments.split}
    if quotes.is_needed(order, draft) and not weights:
        raise InvalidArgs(code="refund.several_tenders")
    found = tenders(list(order.payments.all()), draft.money, weights)
    body = body_of(draft, found, arguments.reason)
    body["credit_note"] = issuer_of(order, body)
    issues = credit_note_step(order, body)
    steps = (*steps_of(body), *((issues,) if issues else ()), message_step("refund_done", scope))
    return Effect(NAME, Kind.MONEY, body, steps, draft.money, found[0].payment)


# Sent by the steps of a refund, which are issue_refund's own.
TOOL = Tool(NAME, Kind.MONEY, AdjustRefund, resolve, for_planner=False, leaves=Leaves.REFUND)
