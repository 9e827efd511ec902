"""Every operation of every vendor, as one literal table: what isn't here is neither probed nor checked."""

from __future__ import annotations

from tools.adapters import email, klaviyo, shopify_operations, slack, stripe_operations, whatsapp
from tools.adapters.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *shopify_operations.OPERATIONS,
    *stripe_operations.OPERATIONS,
    *klaviyo.OPERATIONS,
    *email.OPERATIONS,
    *whatsapp.OPERATIONS,
    *slack.OPERATIONS,
)


def named(vendor: str, name: str) -> Operation | None:
    """The operation, or None for one that the table doesn't hold (a webhook's topic)."""
    return next((one for one in OPERATIONS if (one.vendor, one.name) == (vendor, name)), None)
