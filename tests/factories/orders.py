"""Rows of an order: its lines, payments and parcels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cases.models import (
    Shop,
)
from tests.factories.shops import (
    make_person,
    next_number,
    now,
)
from tools.models import (
    LedgerEntry,
    Order,
    OrderLine,
    Payment,
    Shipment,
    ShipmentLine,
)


def make_order(
    shop: Shop,
    lines: Sequence[tuple[str, int, int]] = (("Tent Fjord 2P", 1, 1500), ("Groundsheet", 1, 400)),
    *,
    shipping_minor: int = 490,
    vendor: str = "stripe",
    **fields: Any,
) -> Order:
    """A paid order; `lines` are (title, quantity, amount of the whole line in minor units)."""
    number = next_number()
    currency = fields.get("currency", shop.base_currency)
    total = sum(amount for _, _, amount in lines) + shipping_minor
    defaults: dict[str, Any] = {
        "external_id": str(5_000_000 + number),
        "name": f"#{10_000 + number}",
        "currency": currency,
        "total_minor": total,
        "shipping_minor": shipping_minor,
        "placed_at": now() - timedelta(days=5),
        "financial_status": "paid",
        "risk_level": Order.Risk.LOW,
        "country": "NO",
        "vendor_updated_at": now(),
        "read_at": now(),
    }
    if "person" not in fields:
        fields["person"] = make_person(shop)
    order = Order.objects.create(shop=shop, **{**defaults, **fields})
    for index, (title, quantity, amount) in enumerate(lines):
        OrderLine.objects.create(
            order=order,
            external_id=f"{order.external_id}-{index}",
            sku=f"SKU-{index}",
            title=title,
            quantity=quantity,
            total_minor=amount,
        )
    make_payment(order, vendor=vendor)
    return order


def make_payment(order: Order, **fields: Any) -> Payment:
    """The tender that paid the whole order, with its booking; Stripe has confirmed that it holds it, if it does."""
    number = next_number()
    defaults: dict[str, Any] = {
        "vendor": "stripe",
        "gateway": "stripe",
        "external_id": f"ch_{number}",
        "instrument": f"visa-{number}",
        "currency": order.currency,
        "captured_minor": order.total_minor,
        "livemode": False if fields.get("vendor", "stripe") == "stripe" else None,
    }
    payment = Payment.objects.create(shop=order.shop, order=order, **{**defaults, **fields})
    LedgerEntry.objects.create(
        shop=order.shop,
        payment=payment,
        kind=LedgerEntry.Kind.CAPTURED,
        amount_minor=payment.captured_minor,
        currency=payment.currency,
        vendor_ref=payment.external_id,
        at=now(),
    )
    return payment


def make_shipment(order: Order, **fields: Any) -> Shipment:
    """A parcel with all lines of the order, delivered yesterday."""
    defaults: dict[str, Any] = {
        "external_id": str(next_number()),
        "carrier": "DHL",
        "tracking_number": f"0034{next_number():08}",
        "status": Shipment.Status.DELIVERED,
        "shipped_at": now() - timedelta(days=3),
        "delivered_at": now() - timedelta(days=1),
    }
    shipment = Shipment.objects.create(shop=order.shop, order=order, **{**defaults, **fields})
    for line in order.lines.all():
        ShipmentLine.objects.create(shipment=shipment, line=line, quantity=line.quantity)
    return shipment
