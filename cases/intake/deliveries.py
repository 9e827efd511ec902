"""A vendor's body as deliveries: the same for its webhook, for a reading of the vendor, and for a second try."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial

from cases.drifting import topic_of_chat
from cases.intake import orders
from cases.intake.messages import Letter, handle_letter
from cases.intake.receiving import Delivery, Handled, Handler
from cases.intake.statuses import handle_status
from cases.models import Conversation, InboundEvent
from tools.adapters import shopify_webhooks, stripe_webhooks, whatsapp_webhooks
from tools.adapters.envelopes import Envelope
from tools.errors import ContractDrift
from tools.snapshots import MessageSnapshot, MessageStatusSnapshot, Snapshot


def shopify(headers: Mapping[str, str], raw: bytes, content_type: str) -> Delivery:
    """What Shopify delivered; its identity and topic stand in the headers alone."""
    try:
        found = shopify_webhooks.envelope(headers)
    except ContractDrift as drift:
        return dead("shopify", drift, raw, content_type)
    return shopify_named(found, raw, content_type)


def shopify_named(found: Envelope, raw: bytes, content_type: str) -> Delivery:
    """The same for a body whose identity and topic are known."""
    return _delivery("shopify", found, raw, content_type, lambda: shopify_webhooks.parse(found.topic, raw))


def stripe(raw: bytes, content_type: str) -> Delivery:
    """A Stripe event, which names itself, by whichever way it came."""
    try:
        found = stripe_webhooks.envelope(raw)
    except ContractDrift as drift:
        return dead("stripe", drift, raw, content_type)
    return _delivery("stripe", found, raw, content_type, lambda: stripe_webhooks.parse(raw))


def _delivery(
    source: str, found: Envelope, raw: bytes, content_type: str, parse: Callable[[], Snapshot | None]
) -> Delivery:
    """A delivery that is parsed by its handler, so that a body that can't be read is kept as a dead letter."""
    once = _Once(parse)

    def handle(event: InboundEvent) -> Handled:
        seen = once()
        return orders.handle(event, seen) if seen is not None else Handled()

    return Delivery(
        source, found.account, found.external_id, found.topic, raw, content_type, handle, glance=once
    )


class _Once:
    """A body is parsed when somebody wants to know, and what came of it is kept; what it raised is not."""

    def __init__(self, parse: Callable[[], Snapshot | None]) -> None:
        self.parse, self.is_known = parse, False
        self.seen: Snapshot | None = None

    def __call__(self) -> Snapshot | None:
        if not self.is_known:
            self.seen, self.is_known = self.parse(), True
        return self.seen


def dead(source: str, drift: ContractDrift, raw: bytes, content_type: str, topic: str = "") -> Delivery:
    """A body that doesn't even say what it is, named by its digest; `topic` is what it seems to hold."""

    def handle(event: InboundEvent) -> Handled:
        raise drift

    return Delivery(source, "", hashlib.sha256(raw).hexdigest(), topic, raw, content_type, handle)


def whatsapp(raw: bytes, content_type: str) -> list[Delivery]:
    """Messages and statuses of one body, each an event of its own; one that can't be read is one dead letter."""
    try:
        found, account = whatsapp_webhooks.parse(raw), whatsapp_webhooks.envelope(raw).account
    except ContractDrift as drift:
        return [dead("whatsapp", drift, raw, content_type, topic_of_chat(raw))]
    if not found:
        # A field that we don't read: kept all the same, since we answer 2xx.
        digest = hashlib.sha256(raw).hexdigest()
        return [Delivery("whatsapp", account, digest, "other", raw, content_type, None)]
    return [_whatsapp(seen, account, raw, content_type) for seen in found]


def _whatsapp(
    seen: MessageSnapshot | MessageStatusSnapshot, account: str, raw: bytes, content_type: str
) -> Delivery:
    handle: Handler
    if isinstance(seen, MessageStatusSnapshot):
        external_id, topic = f"{seen.external_id}:{seen.status}", "statuses"
        handle = partial(handle_status, seen=seen)
    else:
        external_id, topic = seen.external_id, "messages"
        handle = partial(handle_letter, letter=letter_of(seen))
    return Delivery("whatsapp", account, external_id, topic, raw, content_type, handle)


def letter_of(message: MessageSnapshot) -> Letter:
    """A WhatsApp message as a letter: WhatsApp itself vouches for who sent it, and when."""
    return Letter(
        channel=Conversation.Channel.WHATSAPP,
        sender=message.sender,
        name=message.name,
        subject="",
        text=message.text,
        verified=True,
        attachments=1 if message.media_id else 0,
        wa_id=message.wa_id,
        at=message.at,
    )
