"""How each vendor signs a webhook, and how long it tries again.

https://shopify.dev/docs/apps/build/webhooks/subscribe/https, https://docs.stripe.com/webhooks#verify-manually and
https://developers.facebook.com/docs/graph-api/webhooks/getting-started
"""

import base64
import hmac
from hashlib import sha256

from tools.sandbox.exchange import Doc

# Seconds between one try and the next: Shopify's 8 retries fill 4 hours, Stripe's fill 3 days, WhatsApp's 7 days.
PAUSES: dict[str, tuple[int, ...]] = {
    "shopify": (10, 60, 180, 600, 1200, 2400, 3600, 6350),
    "stripe": (60, 300, 1800, 7200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200, 23_040),
    "whatsapp": (10, 60, 300, 1800, 7200, 21_600, 86_400, 86_400, 86_400, 86_400, 86_400, 86_400, 55_430),
}
NO_PAUSE: tuple[int, ...] = ()
SHOPIFY_VERSION = "2026-07"


def pauses(vendor: str) -> tuple[int, ...]:
    return PAUSES.get(vendor, NO_PAUSE)


def headers(vendor: str, target: Doc, delivery: Doc, at: float) -> dict[str, str]:
    """What goes out with a delivery tried at `at` (seconds since 1970); only Stripe signs the instant too."""
    secret, body = str(target["secret"]).encode(), bytes(delivery["body"])
    if vendor == "shopify":
        digest = base64.b64encode(hmac.digest(secret, body, sha256)).decode()
        return {
            "X-Shopify-Topic": str(delivery["topic"]),
            "X-Shopify-Hmac-Sha256": digest,
            "X-Shopify-Shop-Domain": f"{target['shop']}.myshopify.com",
            "X-Shopify-API-Version": str(target.get("api_version", SHOPIFY_VERSION)),
            "X-Shopify-Webhook-Id": str(delivery["id"]),
            "X-Shopify-Event-Id": str(delivery["id"]),
            "X-Shopify-Triggered-At": str(delivery["triggered_at"]),
        }
    if vendor == "stripe":
        signed = hmac.new(secret, f"{int(at)}.".encode() + body, sha256).hexdigest()
        return {"Stripe-Signature": f"t={int(at)},v1={signed}"}
    return {"X-Hub-Signature-256": f"sha256={hmac.new(secret, body, sha256).hexdigest()}"}
