"""Send one approved template to the order's own contact, on the channel that the case talks on."""

from __future__ import annotations

import json
from typing import Literal

from pydantic import Field

from tools.adapters import klaviyo, whatsapp
from tools.adapters.accounts import Account
from tools.base import Arguments, Effect, Kind, Outcome, Scope, Step, Tool
from tools.errors import InvalidArgs
from tools.models import OrderLine, StockLevel, SupplierItem, ToolCall

METRIC = "Opsagent message"
ABOUT_STOCK = ("in_stock_now", "back_in_stock_on")
BY_CHANNEL = {"email": "klaviyo", "whatsapp": "whatsapp"}

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

    Raises InvalidArgs for an item that the shop doesn't know, since its name goes out with the text.
    """
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


def message_effect(tool: str, template: str, scope: Scope, more: dict[str, str]) -> Effect:
    """The effect of sending `template` in the case; `more` goes into what is signed."""
    body = {"case": scope.case_id, "template": template, **more}
    return Effect(
        tool, Kind.MESSAGE, body, (message_step(template, scope, more.get("sku", "")),), template=template
    )


def message_step(template: str, scope: Scope, sku: str = "") -> Step:
    """The call that sends a template; its text is written to a Message when the call is made."""
    request = {"case": scope.case_id, "template": template, "sku": sku}
    return Step("send_message", BY_CHANNEL[scope.channel], request, template=template)


def send(call: ToolCall) -> Outcome:
    """Hand the message to the vendor of its channel."""
    message = call.message
    if message is None or message.conversation is None:
        raise ValueError("A messaging call carries its message.")
    if call.vendor == "whatsapp":
        return _by_whatsapp(call, message.text, message.language, message.conversation.person.whatsapp_id)
    return _by_email(call, message.subject, message.text, message.conversation.person.email)


def _by_email(call: ToolCall, subject: str, text: str, email: str) -> Outcome:
    """An event at Klaviyo, idempotent by `unique_id` (the call's key), triggers the flow that sends the mail.

    https://developers.klaviyo.com/en/reference/create_event
    """
    properties = {
        "template": json.loads(call.request)["template"],
        "subject": subject,
        "text": text,
        "case": call.case_id,
    }
    result = klaviyo.send_event(
        _account(call),
        METRIC,
        unique_id=call.idempotency_key,
        email=email,
        properties=properties,
        correlation_id=call.correlation_id,
    )
    return Outcome(result.ref)


def _by_whatsapp(call: ToolCall, text: str, language: str, to: str) -> Outcome:
    """One template of the shop's account, `opsagent_message`, whose only parameter is our text on one line.

    https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates
    """
    result = whatsapp.send_template(
        _account(call),
        to,
        "opsagent_message",
        language,
        [" ".join(text.split())],
        callback_data=str(call.idempotency_key),
        correlation_id=call.correlation_id,
    )
    return Outcome(result.ref)


def _account(call: ToolCall) -> Account:
    return Account(call.shop.slug, call.shop.env_prefix)


TOOL = Tool("send_message", Kind.MESSAGE, SendMessage, resolve, send)
