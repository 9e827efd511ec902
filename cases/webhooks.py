"""The doors: /hooks/<shop>/<source>/. Raw bytes are verified first, then stored, then answered.

No session, no CSRF, no parsing by the framework: a signature over the raw body is the only way in. A forged or
unsigned body gets 401 without a reason, and is counted; a missing secret lets nobody in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import TextField
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views import View

from audit import sources
from cases.intake import deliveries, first_sight, mail
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


@dataclass(frozen=True, slots=True)
class Known:
    """A shop's row as this process has read it last; `version` is another one after any change of the row."""

    shop: Shop
    version: str


_remembered: dict[str, Known] = {}


def forget() -> None:
    """Makes this process know nothing, as after its start."""
    _remembered.clear()


def _read(slug: str) -> Known | None:
    """The shop as it is now; None where there is none of this name (any more)."""
    version = RawSQL(first_sight.VERSION, [], TextField())  # noqa: S611 - no word of a caller's
    row = Shop.objects.annotate(version=version).filter(slug=slug).first()
    if row is None:
        _remembered.pop(slug, None)
        return None
    _remembered[slug] = found = Known(row, row.version)
    return found


class Hook(View):
    """One source's door. Parsing, authentication and rendering are the signature's and ours."""

    source = ""

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Empty like all answers here."""
        allowed = [name.upper() for name in self.http_method_names if hasattr(self, name)]
        return HttpResponseNotAllowed(allowed)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Nobody asks a webhook's door what it can do."""
        return self.http_method_not_allowed(request)

    def post(self, request: HttpRequest, shop: str, **kwargs: str) -> HttpResponse:
        """Verify, commit, answer."""
        known = _remembered.get(shop) or _read(shop)
        if known is None:
            return HttpResponse(status=404)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > LARGEST[self.source]:
            return self._refused(shop, "too_large", 413)
        raw = request.read()
        found = self._found(known, request, raw, **kwargs)
        if found and first_sight.take(known.shop, known.version, found[0]) is not None:
            return HttpResponse(status=200)
        now = _read(shop)
        if now is not None and (found is None or now.version != known.version):
            # What was remembered lets nobody in, and keeps nobody out, that the row doesn't.
            found = self._found(now, request, raw, **kwargs)
        if now is None or found is None:
            return self._refused(shop, "signature", 401)
        for delivery in found:
            receive(now.shop, delivery)
        return HttpResponse(status=200)

    def _found(self, known: Known, request: HttpRequest, raw: bytes, **kwargs: str) -> list[Delivery] | None:
        """What the body carries; None where no secret of the shop signed it."""
        if not self.verified(known.shop, request, raw, **kwargs):
            return None
        return self.deliveries(known.shop, request, raw, **kwargs)

    def _refused(self, shop: str, reason: str, status: int) -> HttpResponse:
        now = _read(shop)
        if now is None:
            return HttpResponse(status=404)
        refuse(now.shop, self.source, reason)
        return HttpResponse(status=status)

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

    def get(self, request: HttpRequest, shop: str) -> HttpResponse:
        """Meta's one-time question whether the address is ours."""
        row = Shop.objects.filter(slug=shop).first()
        if row is None:
            return HttpResponse(status=404)
        try:
            answer = whatsapp_webhooks.challenge(request.GET, Account.of(row))
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
