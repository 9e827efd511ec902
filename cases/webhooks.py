"""The doors: /hooks/<shop>/<source>/. Raw bytes are verified first, then stored, then answered.

No session, no CSRF, no parsing by the framework: a signature over the raw body is the only way in. A forged or
unsigned body gets 401 without a reason, and is counted; a missing secret lets nobody in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from audit import sources
from cases.intake import mail, orders
from cases.intake.messages import Letter, handle_letter
from cases.intake.receiving import Delivery, Handled, receive, refuse
from cases.intake.statuses import handle_status
from cases.models import Conversation, InboundEvent, Shop
from tools.adapters import shopify_webhooks, stripe_webhooks, whatsapp_webhooks
from tools.adapters.accounts import Account
from tools.adapters.envelopes import Envelope
from tools.errors import ContractDrift, NotConfigured
from tools.snapshots import MessageSnapshot, MessageStatusSnapshot, Snapshot

LARGEST = {
    "shopify": 2 * 1024 * 1024,
    "stripe": 1024 * 1024,
    "whatsapp": 1024 * 1024,
    "email": 20 * 1024 * 1024,
}


class Hook(APIView):
    """One source's door. Parsing, authentication and rendering are the signature's and ours."""

    authentication_classes: list[type[BaseAuthentication]] = []
    parser_classes: list[type[BaseParser]] = []
    permission_classes = [AllowAny]
    # None: a vendor that is turned away too often gives up.
    throttle_classes: list[type[BaseThrottle]] = []
    source = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """No negotiation: the answer has no body."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """As it is: there is nothing to render."""
        return response

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Empty like all answers here, since the framework's own would want to be rendered."""
        return HttpResponseNotAllowed(self.allowed_methods)

    options = http_method_not_allowed

    def post(self, request: Request, shop: str, **kwargs: str) -> HttpResponse:
        """Verify, commit, answer."""
        row = Shop.objects.filter(slug=shop).first()
        if row is None:
            return HttpResponse(status=404)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > LARGEST[self.source]:
            refuse(row, self.source, "too_large")
            return HttpResponse(status=413)
        raw = request._request.read()
        if not self.verified(row, request._request, raw, **kwargs):
            refuse(row, self.source, "signature")
            return HttpResponse(status=401)
        for delivery in self.deliveries(row, request._request, raw, **kwargs):
            receive(row, delivery)
        return HttpResponse(status=200)

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        """Whether one of the shop's secrets signed these bytes."""
        raise NotImplementedError

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        """What the body carries; each is stored under its own id."""
        raise NotImplementedError


def _account(shop: Shop) -> Account:
    return Account(shop.slug, shop.env_prefix)


def _delivery(
    source: str,
    raw: bytes,
    request: HttpRequest,
    envelope: Callable[[], Envelope],
    parse: Callable[[str], Snapshot | None],
) -> Delivery:
    """A delivery that is parsed by its handler, so that a body that can't be read is kept as a dead letter."""
    content_type = request.content_type or ""
    try:
        found = envelope()
    except ContractDrift as drift:
        return _dead(source, drift, raw, content_type)

    def handle(event: InboundEvent) -> Handled:
        seen = parse(found.topic)
        return orders.handle(event, seen) if seen is not None else Handled()

    return Delivery(source, found.account, found.external_id, found.topic, raw, content_type, handle)


def _dead(source: str, drift: ContractDrift, raw: bytes, content_type: str) -> Delivery:
    def handle(event: InboundEvent) -> Handled:
        raise drift

    return Delivery(source, "", hashlib.sha256(raw).hexdigest(), "", raw, content_type, handle)


class ShopifyHook(Hook):
    """https://shopify.dev/docs/apps/build/webhooks/subscribe/https"""

    source = "shopify"

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        return shopify_webhooks.verify_signature(raw, request.headers, _account(shop).shopify_webhook_secrets)

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        return [
            _delivery(
                self.source,
                raw,
                request,
                lambda: shopify_webhooks.envelope(request.headers),
                lambda topic: shopify_webhooks.parse(topic, raw),
            )
        ]


class StripeHook(Hook):
    """https://docs.stripe.com/webhooks/signature"""

    source = "stripe"

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        secrets = _account(shop).stripe_webhook_secrets
        return stripe_webhooks.verify_signature(raw, request.headers, secrets, now=sources.now())

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        return [
            _delivery(
                self.source,
                raw,
                request,
                lambda: stripe_webhooks.envelope(raw),
                lambda _topic: stripe_webhooks.parse(raw),
            )
        ]


class WhatsAppHook(Hook):
    """https://developers.facebook.com/docs/graph-api/webhooks/getting-started"""

    source = "whatsapp"

    def get(self, request: Request, shop: str) -> HttpResponse:
        """Meta's one-time question whether the address is ours."""
        row = Shop.objects.filter(slug=shop).first()
        if row is None:
            return HttpResponse(status=404)
        try:
            answer = whatsapp_webhooks.challenge(request.query_params, _account(row))
        except NotConfigured:
            answer = ""
        return HttpResponse(answer, content_type="text/plain", status=200 if answer else 403)

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        return whatsapp_webhooks.verify_signature(raw, request.headers, _account(shop).whatsapp_app_secrets)

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        """One POST may carry several messages: each is an event of its own, under the message's id."""
        return whatsapp_deliveries(raw, request.content_type or "")


def whatsapp_deliveries(raw: bytes, content_type: str) -> list[Delivery]:
    """Messages and statuses of one body; a body that can't be read is one dead letter, named by its digest."""
    try:
        found, account = whatsapp_webhooks.parse(raw), whatsapp_webhooks.envelope(raw).account
    except ContractDrift as drift:
        return [_dead("whatsapp", drift, raw, content_type)]
    if not found:
        # A field that we don't read: kept all the same, since we answer 2xx.
        return [
            Delivery("whatsapp", account, hashlib.sha256(raw).hexdigest(), "other", raw, content_type, None)
        ]
    return [_whatsapp(seen, account, raw, content_type) for seen in found]


def _whatsapp(
    seen: MessageSnapshot | MessageStatusSnapshot, account: str, raw: bytes, content_type: str
) -> Delivery:
    if isinstance(seen, MessageStatusSnapshot):
        external_id = f"{seen.external_id}:{seen.status}"
        status = partial(handle_status, seen=seen)
        return Delivery("whatsapp", account, external_id, "statuses", raw, content_type, status)

    def handle(event: InboundEvent) -> Handled:
        return handle_letter(event, letter_of(seen))

    return Delivery("whatsapp", account, seen.external_id, "messages", raw, content_type, handle)


class EmailHook(Hook):
    """Inbound mail by any provider that django-anymail knows: https://anymail.dev/en/stable/inbound/"""

    source = "email"

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        return mail.verified(kwargs["esp"], request, _account(shop).anymail_webhook_secrets)

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        return mail.deliveries(kwargs["esp"], request, raw, _account(shop).anymail_webhook_secrets)


def letter_of(message: MessageSnapshot) -> Letter:
    """A WhatsApp message as a letter: WhatsApp itself vouches for who sent it."""
    return Letter(
        channel=Conversation.Channel.WHATSAPP,
        sender=message.sender,
        name=message.name,
        subject="",
        text=message.text,
        verified=True,
        attachments=1 if message.media_id else 0,
        wa_id=message.wa_id,
    )
