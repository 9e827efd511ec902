"""Send one approved template to the order's own contact, on the channel that the case talks on."""

from __future__ import annotations

from typing import Literal

from django.db.models import Q
from pydantic import Field

from tools.base import Arguments, Effect, Kind, Leaves, Scope, Step, Tool
from tools.catalog import channels
from tools.errors import InvalidArgs
from tools.models import OrderLine, Payment, StockLevel, SupplierItem

ABOUT_STOCK = ("in_stock_now", "back_in_stock_on")

Template = Literal[
    "order_not_shipped_yet",
    "order_in_transit",
    "order_out_for_delivery",
    "order_delivered",
    "still_on_the_way",
    "outside_window",
    "outside_return_window",
    "already_refunded",
    "return_instructions",
    "final_sale",
    "in_stock_now",
    "back_in_stock_on",
    "delay_apology",
    "twin_order_question",
    "cannot_discuss_order",
    "takes_longer",
]


class SendMessage(Arguments):
    """Send the customer one of the shop's approved templates; the server fills in order data and recipient."""

    template: Template
    then: Literal["close", "wait_parcel", "wait_return", "wait_customer"]
    sku: str = Field(default="", max_length=64, description="Only for templates about stock: which item.")


def resolve(arguments: SendMessage, scope: Scope) -> Effect:
    """The recipient is the conversation's or the order's own contact: the planner has no say in it.

    Raises InvalidArgs for an item that the shop doesn't know, since its name goes out with the text, and for the word
    that a refund was made where none was, or one is still on its way.
    """
    if arguments.template == "already_refunded" and not _refunded(scope):
        raise InvalidArgs(code="refund.not_done")
    if arguments.sku and not (arguments.template in ABOUT_STOCK and _known(arguments.sku, scope.shop_id)):
        raise InvalidArgs(code="sku.unknown")
    return message_effect(
        "send_message", arguments.template, scope, {"then": arguments.then, "sku": arguments.sku}
    )


def _known(sku: str, shop_id: int) -> bool:
    return (
        OrderLine.objects.filter(order__shop_id=shop_id, sku=sku).exists()
        or StockLevel.objects.filter(shop_id=shop_id, sku=sku).exists()
        or SupplierItem.objects.filter(shop_id=shop_id, sku=sku).exists()
    )


def _refunded(scope: Scope) -> bool:
    """Whether money of the case's order has gone back, and none of ours is on its way."""
    payments = Payment.objects.filter(order=scope.order_id or 0, order__shop_id=scope.shop_id)
    back = payments.filter(Q(refunded_minor__gt=0) | Q(elsewhere_minor__gt=0))
    return back.exists() and not payments.filter(reserved_minor__gt=0).exists()


def message_effect(tool: str, template: str, scope: Scope, more: dict[str, str]) -> Effect:
    """The effect of sending `template` in the case; `more` goes into what is signed."""
    step = message_step(template, scope, more.get("sku", ""))
    body = {"case": scope.case_id, "template": template, "vendor": step.vendor, **more}
    return Effect(tool, Kind.MESSAGE, body, (step,), template=template)


def message_step(template: str, scope: Scope, sku: str = "") -> Step:
    """The call that sends a template; its text is written to a Message when the call is made."""
    request = {"case": scope.case_id, "template": template, "sku": sku}
    return Step("send_message", channels.vendor_of(scope), request, template=template)


TOOL = Tool(
    "send_message",
    Kind.MESSAGE,
    SendMessage,
    resolve,
    channels.send,
    channels.find,
    sends_by=tuple(channels.BY_VENDOR),
    unsafe=channels.UNSAFE,
    leaves=Leaves.NOTHING,
)
