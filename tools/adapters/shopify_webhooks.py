"""Shopify's webhooks: signature, identity, and whose they are; what they tell is in shopify_news.

https://shopify.dev/docs/apps/build/webhooks/subscribe/https and https://shopify.dev/docs/api/webhooks/latest
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from pydantic import ValidationError

from tools.adapters.accounts import Account
from tools.adapters.envelopes import Envelope
from tools.adapters.replies import drift_of
from tools.adapters.shopify_call import VENDOR
from tools.adapters.shopify_news import PARSERS, ShopifySnapshot
from tools.adapters.signatures import header, matches, signed
from tools.errors import ContractDrift, NotConfigured

__all__ = ["PARSERS", "domain_matches", "envelope", "parse", "verify_signature"]

TOPIC = re.compile(r"^[a-z_]{1,40}/[a-z_]{1,40}$")
DOMAIN_HEADER = "X-Shopify-Shop-Domain"
SHOPIFYS_OWN = ".myshopify.com"


def verify_signature(raw: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
    """Whether Shopify signed these bytes under any of the app's secrets."""
    given = header(headers, "X-Shopify-Hmac-Sha256").encode()
    return matches([given], [base64.b64encode(signed(secret, raw)) for secret in secrets])


def domain_matches(account: Account, headers: Mapping[str, str]) -> bool:
    """Whether a delivery is of this shop, where its address at Shopify is known to us.

    An app's secret signs for all shops that installed it, and the header isn't signed: it keeps another shop's news
    out, not an attacker. One without the header goes on and is kept as a dead letter, since its form has changed.
    """
    told = header(headers, DOMAIN_HEADER).strip().lower()
    try:
        ours = (urlsplit(account.shopify_admin_url).hostname or "").lower()
    except (NotConfigured, ValueError):
        return True
    return not told or not ours.endswith(SHOPIFYS_OWN) or told == ours


def envelope(headers: Mapping[str, str]) -> Envelope:
    """The delivery's identity, which stands in its headers alone; ContractDrift where one is missing."""
    found = {}
    for name in (DOMAIN_HEADER, "X-Shopify-Webhook-Id", "X-Shopify-Topic"):
        found[name] = header(headers, name)
        if not found[name]:
            raise ContractDrift(
                "missing", vendor=VENDOR, operation="webhook", field_path=name, finding="missing"
            )
    domain, external_id, topic = found.values()
    if not TOPIC.match(topic):
        raise ContractDrift("not a topic", vendor=VENDOR, operation="webhook", field_path="X-Shopify-Topic")
    return Envelope(account=domain, external_id=external_id, topic=topic)


def parse(topic: str, raw: bytes) -> ShopifySnapshot | None:
    """The body in our words, None for a topic that we don't read; ContractDrift names a changed field."""
    parser = PARSERS.get(topic)
    if parser is None:
        return None
    try:
        return parser(topic, raw)
    except ValidationError as problem:
        drift = drift_of(problem, vendor=VENDOR, operation=topic)
    # Outside the handler: what pydantic says holds the input, and stays behind.
    raise drift
