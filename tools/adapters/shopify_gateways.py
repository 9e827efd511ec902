"""Which gateways Shopify pays back itself, and which move no money at all.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/OrderTransaction#field-OrderTransaction.fields.gateway
"""

from __future__ import annotations

import re

# Tenders that refundCreate pays back: cards, PayPal, Klarna and gift cards.
BY_SHOPIFY = frozenset({"shopify_payments", "paypal", "klarna", "gift_card"})
# Written down only: https://help.shopify.com/manual/payments/additional-payment-methods/manual-payments
MANUAL_GATEWAYS = frozenset(
    {
        "bank_deposit",
        "bank_transfer",
        "cash",
        "cash_on_delivery",
        "cash_on_delivery_cod",
        "manual",
        "money_order",
    }
)
# What a refund is written down under that another vendor has paid.
WRITTEN_DOWN = "manual"


def paid_back_by_shopify(gateway: str) -> bool:
    return _plain(gateway) in BY_SHOPIFY


def is_manual(gateway: str) -> bool:
    """Whether this is a known way to pay by hand: `Cash on Delivery (COD)` and `cash_on_delivery` are one."""
    return _plain(gateway) in MANUAL_GATEWAYS


def _plain(gateway: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", gateway.casefold()).strip("_")
