"""Inbound mail through django-anymail: it knows each provider's form, we keep the raw body and one letter."""

from __future__ import annotations

import hashlib
import re
from email.utils import parseaddr

from anymail.exceptions import AnymailError
from anymail.inbound import AnymailInboundMessage
from anymail.signals import AnymailInboundEvent
from anymail.webhooks.base import AnymailBaseWebhookView
from anymail.webhooks.brevo import BrevoInboundWebhookView
from anymail.webhooks.mailjet import MailjetInboundWebhookView
from anymail.webhooks.postmark import PostmarkInboundWebhookView
from anymail.webhooks.sparkpost import SparkPostInboundWebhookView
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, SuspiciousOperation
from django.http import HttpRequest

from cases.intake.arrival import arrived_at
from cases.intake.messages import Letter, handle_letter
from cases.intake.receiving import Delivery, Handled, Unreadable
from cases.intake.vouching import vouched_for
from cases.models import Conversation, InboundEvent

HEADER_ID = re.compile(r"^<[\x21-\x3b\x3d\x3f-\x7e]{1,253}>$", re.ASCII)
# Providers that sign in with the user:password of the address: the secret is ours alone to check.
PROVIDERS: dict[str, type[AnymailBaseWebhookView]] = {
    "postmark": PostmarkInboundWebhookView,
    "mailjet": MailjetInboundWebhookView,
    "sparkpost": SparkPostInboundWebhookView,
    "brevo": BrevoInboundWebhookView,
}

# The last: what anymail raises where a provider is told to post something else here.
UNREADABLE = (AnymailError, ValueError, KeyError, TypeError, AttributeError, ImproperlyConfigured)
TOPIC = "inbound"
# Whoever brought a stored body had signed in: its secret is asked for no more, and anymail warns of none.
LET_IN = ("let:in",)


def verified(esp: str, request: HttpRequest, secrets: tuple[str, ...]) -> bool:
    """Whether the delivery signed in with one of the shop's secrets (`user:password`); no secret, no mail."""
    provider = PROVIDERS.get(esp)
    if provider is None or not secrets:
        return False
    try:
        provider(webhook_secret=list(secrets)).run_validators(request)
    except (PermissionDenied, SuspiciousOperation, AnymailError):
        return False
    return True


def deliveries(esp: str, request: HttpRequest, raw: bytes, secrets: tuple[str, ...]) -> list[Delivery]:
    """One delivery per mail. A body that can't be read is one dead letter, named by its digest."""
    request._body = raw
    digest = hashlib.sha256(raw).hexdigest()
    try:
        events = PROVIDERS[esp](webhook_secret=list(secrets)).parse_events(request)
        return [_delivery(event, esp, raw, digest, request) for event in events]
    except UNREADABLE as problem:
        return [_dead(f"no mail in it: {type(problem).__name__}", esp, raw, digest, request)]


def _delivery(
    event: AnymailInboundEvent, esp: str, raw: bytes, digest: str, request: HttpRequest
) -> Delivery:
    mail: AnymailInboundMessage = event.message
    letter = _letter(mail, esp)

    def handle(stored: InboundEvent) -> Handled:
        return handle_letter(stored, letter)

    if not letter.sender:
        return _dead("the mail names no sender", esp, raw, digest, request)
    return Delivery(
        source="email",
        account=str(mail.envelope_recipient or (mail.to[0].addr_spec if mail.to else ""))[:128].lower(),
        external_id=str(event.event_id or mail.get("Message-ID") or digest)[:255],
        topic=topic_of(esp),
        raw=raw,
        content_type=request.content_type or "",
        handle=handle,
    )


def _dead(reason: str, esp: str, raw: bytes, digest: str, request: HttpRequest) -> Delivery:
    def handle(stored: InboundEvent) -> Handled:
        raise Unreadable(reason)

    return Delivery("email", "", digest, topic_of(esp), raw, request.content_type or "", handle)


def topic_of(esp: str) -> str:
    """The event's topic, which keeps whose form the body has."""
    return f"{TOPIC}/{esp}"


def again(topic: str, raw: bytes, content_type: str) -> list[Delivery]:
    """The deliveries of a body that was let in before. Rows older than the provider's name in the topic try each."""
    esp = topic.removeprefix(TOPIC).strip("/")
    found: list[Delivery] = []
    for name in (esp,) if esp in PROVIDERS else PROVIDERS:
        request = HttpRequest()
        request.method, request.META["CONTENT_TYPE"] = "POST", content_type
        found += deliveries(name, request, raw, LET_IN)
    return found


def _letter(mail: AnymailInboundMessage, esp: str) -> Letter:
    name, address = parseaddr(str(mail.get("From", "")))
    return Letter(
        channel=Conversation.Channel.EMAIL,
        sender=address.strip().lower()[:254],
        name=name[:200],
        subject=str(mail.subject or ""),
        text=str(mail.stripped_text or mail.text or ""),
        verified=vouched_for(mail, address, esp),
        attachments=_attachments(mail),
        header_id=_header_id(mail),
        at=arrived_at(mail, esp),
    )


def _header_id(mail: AnymailInboundMessage) -> str:
    """The mail's own Message-ID, which our answer names; empty for one that no header could repeat (RFC 5322 3.6.4)."""
    given = str(mail.get("Message-ID", "")).strip()
    return given if HEADER_ID.match(given) else ""


def _attachments(mail: AnymailInboundMessage) -> int:
    """How many files came along; phones send their photos as images within the text."""
    return sum(part.is_attachment() or part.get_content_maintype() == "image" for part in mail.walk())
