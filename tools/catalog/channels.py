"""By which vendor a message leaves, and how each is handed one."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audit import sources
from tools import vendor_templates
from tools.adapters import email, klaviyo, whatsapp
from tools.adapters.accounts import Account
from tools.base import Outcome, Scope
from tools.credit_notes.attaching import attached
from tools.models import ToolCall
from tools.snapshots import SendResult
from tools.wire import Reconcile

METRIC = "Opsagent message"
# A person's own words; everything else is one of the shop's approved templates.
OWN_WORDS = "reply"
# WhatsApp takes free text for 24 hours after the customer's last message. Ours may wait in the queue for a while.
WINDOW = timedelta(hours=24) - timedelta(minutes=5)
REACHED = ("sent", "delivered", "read")


def vendor_of(scope: Scope) -> str:
    """WhatsApp answers on WhatsApp; e-mail leaves by the one vendor that the shop has for it.

    Decided once, when the effect is made: a call never leaves by a second vendor.
    """
    if scope.channel == "whatsapp":
        return "whatsapp"
    return Account("", scope.env_prefix).mailer


@dataclass(frozen=True)
class Words:
    """What one call says to one person. `template` is the key of ours, or OWN_WORDS; the rest is personal."""

    template: str
    language: str
    subject: str = field(repr=False)
    text: str = field(repr=False)
    email: str = field(repr=False)
    whatsapp_id: str = field(repr=False)
    answers: str = field(repr=False)
    last_inbound_at: datetime | None


def send(call: ToolCall) -> Outcome:
    """Hand the message to the vendor of its call."""
    result = BY_VENDOR[call.vendor](call, _words(call))
    return Outcome(result.ref, pending=result.pending)


def find(call: ToolCall) -> Outcome | None:
    """What WhatsApp's status said while its answer was on the way or lost; the other vendors tell nothing."""
    if call.vendor != "whatsapp" or call.message is None:
        return None
    if call.message.delivery in REACHED:
        return Outcome(call.vendor_ref)
    return Outcome(call.vendor_ref, failed=True) if call.message.delivery == "failed" else None


def window_is_open(last_inbound_at: datetime | None) -> bool:
    """Whether WhatsApp takes free text now."""
    return last_inbound_at is not None and sources.now() < last_inbound_at + WINDOW


def _words(call: ToolCall) -> Words:
    message = call.message
    if message is None or message.conversation is None:
        raise ValueError("A messaging call carries its message.")
    talk = message.conversation
    heard = talk.messages.filter(direction="in").exclude(header_id="").order_by("-id").first()
    return Words(
        template=str(json.loads(call.request)["template"]),
        language=message.language,
        subject=message.subject,
        text=message.text,
        email=talk.person.email,
        whatsapp_id=talk.person.whatsapp_id,
        answers=heard.header_id if heard else "",
        last_inbound_at=talk.last_inbound_at,
    )


def _by_klaviyo(call: ToolCall, words: Words) -> SendResult:
    """An event, idempotent by `unique_id` (the call's key), triggers the flow that sends the mail.

    https://developers.klaviyo.com/en/reference/create_event
    """
    return klaviyo.send_event(
        Account.of(call.shop),
        METRIC,
        unique_id=call.idempotency_key,
        email=words.email,
        properties={
            "template": words.template,
            "subject": words.subject,
            "text": words.text,
            "case": call.case_id,
        },
        correlation_id=call.correlation_id,
    )


def _by_email(call: ToolCall, words: Words) -> SendResult:
    mail = email.Mail(
        sender_name=call.shop.sender_name,
        sender_email=call.shop.sender_email,
        to=words.email,
        subject=words.subject,
        text=words.text,
        answers=words.answers,
        automatic=words.template != OWN_WORDS,
        # The only one of our vendors that carries files.
        attachments=attached(call),
    )
    return email.send_mail(
        Account.of(call.shop), mail, key=call.idempotency_key, correlation_id=call.correlation_id
    )


def _by_whatsapp(call: ToolCall, words: Words) -> SendResult:
    """A person's words as they are while the window is open; else our one template, whose only parameter is the text.

    https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-message-templates
    """
    key = str(call.idempotency_key)
    if words.template == OWN_WORDS and window_is_open(words.last_inbound_at):
        return whatsapp.send_text(
            Account.of(call.shop),
            words.whatsapp_id,
            words.text.strip(),
            callback_data=key,
            correlation_id=call.correlation_id,
        )
    return whatsapp.send_template(
        Account.of(call.shop),
        words.whatsapp_id,
        vendor_templates.TEMPLATE,
        vendor_templates.language_for(call.shop_id, words.language),
        [" ".join(words.text.split())],
        callback_data=key,
        correlation_id=call.correlation_id,
    )


BY_VENDOR: dict[str, Callable[[ToolCall, Words], SendResult]] = {
    "klaviyo": _by_klaviyo,
    "email": _by_email,
    "whatsapp": _by_whatsapp,
}
# These know no idempotency key, so somebody else must tell what became of a message whose answer was lost.
UNSAFE = {"email": Reconcile.PERSON, "whatsapp": Reconcile.STATUS_WEBHOOK}
