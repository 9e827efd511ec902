"""Shopify's webhook bodies in the vendor's own names, narrowed to what we read.

https://shopify.dev/docs/api/webhooks/latest (2026-07)
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime

from tools.adapters.replies import Reply


class Money(Reply):
    amount: str
    currency_code: str


class Bag(Reply):
    presentment_money: Money


class TaxLine(Reply):
    title: str = ""
    rate: float | None = None
    price_set: Bag


class Discount(Reply):
    amount_set: Bag


class Duty(Reply):
    """A duty of a line; bodies of some topics hold its amount without a set around it."""

    id: int | str
    price_set: Bag | None = None
    presentment_money: Money | None = None
    tax_lines: tuple[TaxLine, ...] = ()


class Line(Reply):
    id: int
    sku: str | None
    title: str
    quantity: int
    price_set: Bag
    discount_allocations: tuple[Discount, ...]
    tax_lines: tuple[TaxLine, ...]
    duties: tuple[Duty, ...] = ()


class ShippingLine(Reply):
    discounted_price_set: Bag
    is_removed: bool = False
    tax_lines: tuple[TaxLine, ...] = ()


class Customer(Reply):
    id: int
    email: str | None = None
    phone: str | None = None
    first_name: str | None = None
    last_name: str | None = None


class Address(Reply):
    country_code: str | None = None


class Order(Reply):
    """orders/create, orders/updated and their like."""

    id: int
    name: str
    created_at: AwareDatetime
    updated_at: AwareDatetime
    cancelled_at: AwareDatetime | None
    financial_status: str | None
    fulfillment_status: str | None
    presentment_currency: str
    taxes_included: bool
    total_price_set: Bag
    total_shipping_price_set: Bag
    payment_gateway_names: tuple[str, ...]
    line_items: tuple[Line, ...]
    shipping_lines: tuple[ShippingLine, ...] | None = None
    customer: Customer | None = None
    email: str | None = None
    phone: str | None = None
    customer_locale: str | None = None
    shipping_address: Address | None = None
    test: bool | None = None
    tags: str = ""


class Piece(Reply):
    id: int
    quantity: int


class Fulfillment(Reply):
    """fulfillments/create and fulfillments/update."""

    id: int
    order_id: int
    status: Literal["pending", "open", "success", "cancelled", "error", "failure"]
    shipment_status: (
        Literal[
            "attempted_delivery",
            "carrier_picked_up",
            "confirmed",
            "delayed",
            "delivered",
            "failure",
            "in_transit",
            "label_printed",
            "label_purchased",
            "out_for_delivery",
            "picked_up",
            "ready_for_pickup",
        ]
        | None
    )
    created_at: AwareDatetime
    updated_at: AwareDatetime
    tracking_company: str | None
    tracking_number: str | None
    tracking_numbers: tuple[str, ...] = ()
    line_items: tuple[Piece, ...]


class FulfillmentEvent(Reply):
    """fulfillment_events/create: one scan of the carrier."""

    fulfillment_id: int
    order_id: int
    status: Literal[
        "attempted_delivery",
        "carrier_picked_up",
        "confirmed",
        "delayed",
        "delivered",
        "failure",
        "in_transit",
        "label_printed",
        "label_purchased",
        "out_for_delivery",
        "picked_up",
        "ready_for_pickup",
    ]
    happened_at: AwareDatetime


class RefundLine(Reply):
    line_item_id: int
    quantity: int


class RefundShipping(Reply):
    subtotal_amount_set: Bag
    tax_amount_set: Bag | None = None


class Transaction(Reply):
    id: int
    kind: str
    status: Literal["pending", "awaiting_response", "success", "failure", "error", "unknown"]
    gateway: str
    amount: str
    currency: str
    parent_id: int | None
    authorization: str | None = None
    receipt: Any = None


class Refund(Reply):
    """refunds/create."""

    id: int
    order_id: int
    note: str | None
    created_at: AwareDatetime
    refund_line_items: tuple[RefundLine, ...]
    refund_shipping_lines: tuple[RefundShipping, ...] = ()
    transactions: tuple[Transaction, ...]


class Dispute(Reply):
    """disputes/create and disputes/update, of Shopify Payments."""

    id: int
    order_id: int | None
    type: Literal["chargeback", "inquiry"]
    amount: str
    currency: str
    reason: str
    status: Literal[
        "accepted", "charge_refunded", "lost", "needs_response", "prevented", "under_review", "won"
    ]
    evidence_due_by: AwareDatetime | None
    initiated_at: AwareDatetime | None = None


class RiskAssessment(Reply):
    """orders/risk_assessment_changed."""

    order_id: str | None
    admin_graphql_api_order_id: str | None
    risk_level: str


class OrderName(Reply):
    id: int


class Return(Reply):
    """returns/request and the rest of returns/."""

    id: int
    status: str
    order: OrderName
    created_at: AwareDatetime | None = None


class InventoryLevel(Reply):
    """inventory_levels/update."""

    inventory_item_id: int
    location_id: int
    available: int | None
    updated_at: AwareDatetime
