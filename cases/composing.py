"""Writes what goes to a customer: an approved template, filled by the server, in the customer's language."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from approvals.entitling import sending_back
from approvals.errors import Invalid
from audit import sources
from cases.message_templates import render
from cases.models import Case, Conversation, Message, Person, Template
from cases.people import conversation as conversation_with
from tools import vendor_templates
from tools.adapters import whatsapp
from tools.base import Step
from tools.catalog import channels
from tools.catalog.tell_on_its_way import OF_A_PART, TEMPLATE
from tools.models import Order, OrderLine, Shipment, SupplierItem, ToolCall
from tools.types import Money

FALLBACK = "en"
OF_RETURNS = ("return_instructions", "refund_done")


def recipient(case: Case) -> Person | None:
    """Who hears from us: whom the case talks with, else the order's own contact."""
    if case.conversation is not None:
        return case.conversation.person
    return case.order.person if case.order else None


def sender_is_contact(case: Case) -> bool:
    """Whether order data may be told: the recipient is the order's contact, and the channel vouches for them.

    A case that no message opened talks to the order's contact by itself.
    """
    person = recipient(case)
    if case.order is None or person is None or case.order.person_id != person.pk:
        return False
    return case.conversation is None or case.conversation.verified


def template(key: str, language: str) -> Template:
    """The version in use in the customer's language, English where there is none."""
    rows = {row.language: row for row in Template.objects.filter(key=key, active=True)}
    return rows.get(language) or rows[FALLBACK]


def composer(case: Case) -> Callable[[Step], int | None]:
    """What approvals calls to get the message of a messaging step written, in its own transaction."""

    def compose(step: Step) -> int | None:
        return write(case, step.template, sku=str(step.request.get("sku", ""))).pk

    return compose


def write(case: Case, key: str, *, sku: str = "") -> Message:
    """A queued message to the case's recipient; `sku` names the item of a template about stock."""
    row = template(key, case.language)
    subject, body = render(row, values(case, key, sku))
    return Message.objects.create(
        shop_id=case.shop_id,
        case=case,
        conversation=conversation_of(case),
        direction=Message.Direction.OUT,
        state=Message.State.QUEUED,
        author="agent",
        subject=subject,
        text=body,
        language=row.language,
        template=row,
        at=sources.now(),
    )


def conversation_of(case: Case) -> Conversation | None:
    """Where a message of this case goes: its conversation, else one with the order's contact by e-mail."""
    if case.conversation is not None:
        return case.conversation
    person = recipient(case)
    if person is None:
        return None
    # What we send vouches for nobody, and takes back no voucher either.
    known = person.conversations.filter(channel=Conversation.Channel.EMAIL).first()
    return known or conversation_with(person, Conversation.Channel.EMAIL, verified=False, at=sources.now())


def values(case: Case, key: str, sku: str = "") -> dict[str, str]:
    """Everything a template may name, as text in the customer's language."""
    person, order = recipient(case), case.order
    with override(case.language):
        return {
            "first_name": (person.name.split() or [""])[0] if person else "",
            "shop_name": case.shop.name,
            "order_name": order.name if order else "",
            "item": _item(case, sku),
            "amount": _amount(case, key),
            **_parcel(order),
            "date": _date(case, key, sku),
            **_return(case, key),
        }


def _item(case: Case, sku: str) -> str:
    if sku:
        line = OrderLine.objects.filter(order__shop_id=case.shop_id, sku=sku).first()
        item = SupplierItem.objects.filter(shop_id=case.shop_id, sku=sku).first()
        return line.title if line else item.title if item else ""
    lines = list(case.order.lines.all()[:2]) if case.order else []
    return lines[0].title if len(lines) == 1 else ""


def _amount(case: Case, key: str) -> str:
    """What the latest refund gives back, from all tenders together; of one on its way, what the vendor has by now."""
    call = case.calls.filter(amount_minor__gt=0).order_by("-id").first()
    if call is None:
        return ""
    calls = case.calls.filter(decision_id=call.decision_id)
    if key in (TEMPLATE, OF_A_PART):
        calls = calls.filter(state=ToolCall.State.PENDING)
    parts = calls.aggregate(minor=Sum("amount_minor", default=0))
    return Money(parts["minor"], call.currency).format(case.language)


def _return(case: Case, key: str) -> dict[str, str]:
    """Who pays for sending back: the fee of the shop's label, or the order's name where the customer pays a carrier.

    Of a refund as it was decided, of one that is still to be sent back as the terms say; else both are empty, and the
    lines that name them are left out.
    """
    payer, fee = "", 0
    if key not in OF_RETURNS:
        return {"return_fee": "", "return_at_own_cost": ""}
    if key == "return_instructions" and case.order is not None:
        payer, fee = sending_back(case.order)
    else:
        call = case.calls.filter(amount_minor__gt=0).select_related("decision").order_by("-id").first()
        if call is not None:
            said = call.decision.judged_under.get("entitlement") or {}
            payer = str(said.get("values", {}).get("return_shipping", ""))
            fee = call.decision.effect.get("return_fee_minor", 0)
    order = case.order
    return {
        "return_fee": Money(fee, order.currency).format(case.language) if order and fee else "",
        "return_at_own_cost": order.name if order and payer == "customer" else "",
    }


def _parcel(order: Order | None) -> dict[str, str]:
    parcel = (
        order.shipments.exclude(status=Shipment.Status.CANCELLED).order_by("-id").first() if order else None
    )
    return {
        "carrier": parcel.carrier if parcel else "",
        "tracking_number": parcel.all_numbers if parcel else "",
    }


def _date(case: Case, key: str, sku: str) -> str:
    """The date that the template speaks of: back in stock, delivered, or leaving by."""
    if key == "back_in_stock_on":
        items = SupplierItem.objects.filter(shop_id=case.shop_id, sku=sku, restock_on__isnull=False)
        item = items.order_by("restock_on").first()
        return date_format(item.restock_on, "DATE_FORMAT") if item and item.restock_on else ""
    if case.order is None:
        return ""
    arrived = case.order.shipments.filter(delivered_at__isnull=False).order_by("-delivered_at").first()
    if arrived is not None and arrived.delivered_at is not None:
        return date_format(arrived.delivered_at, "DATE_FORMAT")
    by = case.order.promised_at or case.order.placed_at + timedelta(days=case.shop.ships_within_days)
    return date_format(by, "DATE_FORMAT")


def mark_sent(call: ToolCall) -> None:
    """The message went out or didn't, with its call; what the channel told of it since then stands."""
    if call.message_id is None:
        return
    sent = call.state == ToolCall.State.SUCCEEDED
    state = Message.State.SENT if sent else Message.State.FAILED
    told = [Message.Delivery.FAILED] if sent else [Message.Delivery.DELIVERED, Message.Delivery.READ]
    Message.objects.filter(pk=call.message_id).exclude(delivery__in=told).update(
        state=state, at=sources.now()
    )


def window_closes_at(case: Case, *, now: datetime | None = None) -> datetime | None:
    """Until when WhatsApp takes a person's own words in this case; None on other channels or once it is over."""
    talk = case.conversation
    if talk is None or talk.channel != Conversation.Channel.WHATSAPP or talk.last_inbound_at is None:
        return None
    closes = talk.last_inbound_at + channels.WINDOW
    return closes if (now or sources.now()) < closes else None


def refuse_unsendable(case: Case, text: str) -> None:
    """Raises Invalid for a person's words that WhatsApp would not take, before anything is decided."""
    if case.conversation is None or case.conversation.channel != Conversation.Channel.WHATSAPP:
        return
    is_open = window_closes_at(case) is not None
    longest = whatsapp.LONGEST_TEXT if is_open else whatsapp.LONGEST_PARAMETER
    if len(text) > longest:
        raise Invalid(
            _("WhatsApp takes at most %(longest)s characters here. Shorten it. Nothing was sent.")
            % {"longest": number_format(longest)}
        )
    if not is_open and not vendor_templates.may_be_sent(case.shop_id, case.language):
        raise Invalid(
            _(
                "The customer wrote more than 24 hours ago, so WhatsApp takes only an approved template, and"
                " %(template)s is not approved in this language. Have it approved in WhatsApp Manager, or write by"
                " e-mail. Nothing was sent."
            )
            % {"template": vendor_templates.TEMPLATE}
        )
