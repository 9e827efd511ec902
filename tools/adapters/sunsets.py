"""The days on which pinned versions of vendors' APIs stop answering, as the vendors publish them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Sunset:
    """`version` of a vendor's API is served until `on` (UTC); `then` is what happens after it."""

    vendor: str
    version: str
    on: date
    then: str
    source: str

    def days_left(self, today: date) -> int:
        """Days until then; negative once it has passed."""
        return (self.on - today).days


SHOPIFY = "https://shopify.dev/docs/api/usage/versioning"
KLAVIYO = "https://developers.klaviyo.com/en/docs/api_versioning_and_deprecation_policy"
META = "https://developers.facebook.com/docs/graph-api/changelog/versions/"
FORWARD = "served as the oldest supported version"
REFUSED = "refused"

SUNSETS: tuple[Sunset, ...] = (
    # A stable version is supported for twelve months at least.
    Sunset("shopify", "2026-01", date(2027, 1, 1), FORWARD, SHOPIFY),
    Sunset("shopify", "2026-04", date(2027, 4, 1), FORWARD, SHOPIFY),
    Sunset("shopify", "2026-07", date(2027, 7, 1), FORWARD, SHOPIFY),
    Sunset("shopify", "2026-10", date(2027, 10, 1), FORWARD, SHOPIFY),
    # A revision is stable for a year and deprecated for another.
    Sunset("klaviyo", "2024-10-15", date(2026, 10, 15), REFUSED, KLAVIYO),
    Sunset("klaviyo", "2025-10-15", date(2027, 10, 15), REFUSED, KLAVIYO),
    Sunset("klaviyo", "2026-07-15", date(2028, 7, 15), REFUSED, KLAVIYO),
    # A version lives for two years after its successor's release.
    Sunset("whatsapp", "v22.0", date(2027, 5, 20), FORWARD, META),
    Sunset("whatsapp", "v23.0", date(2027, 10, 8), FORWARD, META),
    Sunset("whatsapp", "v24.0", date(2028, 2, 18), FORWARD, META),
)

# Stripe keeps every version: https://docs.stripe.com/api/versioning
WITHOUT_SUNSET = frozenset({"stripe", "slack", "email"})


def sunset_of(vendor: str, version: str) -> Sunset | None:
    """When the pinned version of a vendor ends; None where no end is known."""
    return next((one for one in SUNSETS if (one.vendor, one.version) == (vendor, version)), None)
