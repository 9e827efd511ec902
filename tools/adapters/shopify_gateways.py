"""Which gateways Shopify pays back itself, and which move no money at all.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/OrderTransaction#field-OrderTransaction.fields.gateway
"""

from __future__ import annotations

# Tenders that refundCreate pays back: cards, PayPal, Klarna and gift cards.
BY_SHOPIFY = frozenset({"shopify_payments", "paypal", "klarna", "gift_card"})
# Written down only: https://help.shopify.com/manual/payments/additional-payment-methods/manual-payments
MANUAL = frozenset(
    {
        "bank deposit",
        "bank_deposit",
        "cash on delivery",
        "cash on delivery (cod)",
        "cash_on_delivery",
        "manual",
        "money order",
        "money_order",
    }
)
# What a refund is written down under that another vendor has paid.
WRITTEN_DOWN = "manual"


def paid_back_by_shopify(gateway: str) -> bool:
    return gateway.strip().lower() in BY_SHOPIFY


def is_manual(gateway: str) -> bool:
    """Whether the gateway is known to move no money; an unknown one isn't."""
    return gateway.strip().lower() in MANUAL
