"""The doors: /hooks/<shop>/<source>/. Raw bytes are verified first, then stored, then answered.

No session, no CSRF, no parsing by the framework: a signature over the raw body is the only way in. A forged or
unsigned body gets 401 without a reason, and is counted; a missing secret lets nobody in.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from audit import sources
from cases.intake import deliveries, mail
from cases.intake.receiving import Delivery, receive, refuse
from cases.models import Shop
from tools.adapters import shopify_webhooks, stripe_webhooks, whatsapp_webhooks
from tools.adapters.accounts import Account
from tools.errors import NotConfigured

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


class ShopifyHook(Hook):
    """https://shopify.dev/docs/apps/build/webhooks/subscribe/https"""

    source = "shopify"

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        account = Account.of(shop)
        signed = shopify_webhooks.verify_signature(raw, request.headers, account.shopify_webhook_secrets)
        return signed and shopify_webhooks.domain_matches(account, request.headers)

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        return [deliveries.shopify(request.headers, raw, request.content_type or "")]


class StripeHook(Hook):
    """https://docs.stripe.com/webhooks/signature"""

    source = "stripe"

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        secrets = Account.of(shop).stripe_webhook_secrets
        return stripe_webhooks.verify_signature(raw, request.headers, secrets, now=sources.now())

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        return [deliveries.stripe(raw, request.content_type or "")]


class WhatsAppHook(Hook):
    """https://developers.facebook.com/docs/graph-api/webhooks/getting-started"""

    source = "whatsapp"

    def get(self, request: Request, shop: str) -> HttpResponse:
        """Meta's one-time question whether the address is ours."""
        row = Shop.objects.filter(slug=shop).first()
        if row is None:
            return HttpResponse(status=404)
        try:
            answer = whatsapp_webhooks.challenge(request.query_params, Account.of(row))
        except NotConfigured:
            answer = ""
        return HttpResponse(answer, content_type="text/plain", status=200 if answer else 403)

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        return whatsapp_webhooks.verify_signature(raw, request.headers, Account.of(shop).whatsapp_app_secrets)

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        """One POST may carry several messages: each is an event of its own, under the message's id."""
        return deliveries.whatsapp(raw, request.content_type or "")


class EmailHook(Hook):
    """Inbound mail by any provider that django-anymail knows: https://anymail.dev/en/stable/inbound/"""

    source = "email"

    def verified(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> bool:
        return mail.verified(kwargs["esp"], request, Account.of(shop).anymail_webhook_secrets)

    def deliveries(self, shop: Shop, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery]:
        return mail.deliveries(kwargs["esp"], request, raw, Account.of(shop).anymail_webhook_secrets)
