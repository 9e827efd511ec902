"""Shopify webhook headers and order bodies, API version 2026-07, built from a neutral order.

Shapes: https://shopify.dev/docs/api/webhooks/latest. Each market is settled in its own currency, so shop
money and presentment money are the same amount.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opsagent.demo.money import decimal_text, minor
from opsagent.demo.script import Neutral
from opsagent.demo.shops import SHOPS

VERSION = "2026-07"
COUNTRY_NAMES = {
    "US": "United States",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "DE": "Germany",
    "FR": "France",
    "ES": "Spain",
    "JP": "Japan",
}


def stamp(at: datetime) -> str:
    """The instant as the vendor writes it, in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def headers(topic: str, shop: str, webhook_id: str, event_id: str, at: datetime) -> dict[str, str]:
    """The delivery's headers but for the signature, which the player adds."""
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": SHOPS[shop].domain,
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Event-Id": event_id,
        "X-Shopify-API-Version": VERSION,
        "X-Shopify-Triggered-At": stamp(at),
    }


def both(amount: str, currency: str) -> Neutral:
    """An amount as shop money and as presentment money."""
    money = {"amount": amount, "currency_code": currency}
    return {"shop_money": money, "presentment_money": dict(money)}


def address(order: Neutral, kind: str = "shipping_address") -> Neutral:
    """The customer's address as orders and parcels carry it."""
    customer, place = order["customer"], order[kind]
    return {
        "first_name": customer["first_name"],
        "last_name": customer["last_name"],
        "name": f"{customer['first_name']} {customer['last_name']}",
        "company": place.get("company"),
        "address1": place["address1"],
        "address2": None,
        "city": place["city"],
        "province": place.get("province", ""),
        "province_code": place.get("province_code", ""),
        "zip": place["zip"],
        "country": COUNTRY_NAMES[place["country_code"]],
        "country_code": place["country_code"],
        "phone": f"+{customer['phone'].lstrip('+')}" if customer["phone"] else "",
        "latitude": None,
        "longitude": None,
    }


def _customer(order: Neutral) -> Neutral:
    who = order["customer"]
    home = address(order) | {"id": who["id"] + 1, "customer_id": who["id"], "default": True}
    return {
        "id": who["id"],
        "admin_graphql_api_id": f"gid://shopify/Customer/{who['id']}",
        "email": who["email"],
        "first_name": who["first_name"],
        "last_name": who["last_name"],
        "phone": who["phone"],
        "created_at": order["created_at"],
        "updated_at": order["created_at"],
        "currency": order["currency"],
        "state": "disabled",
        "note": None,
        "tags": "",
        "tax_exempt": False,
        "tax_exemptions": [],
        "verified_email": True,
        "multipass_identifier": None,
        "default_address": home | {"country_name": home["country"]},
    }


def _tax_lines(taxes: Sequence[Neutral], currency: str) -> list[Neutral]:
    """One for each title and rate."""
    sums: dict[tuple[str, str], int] = {}
    for tax in taxes:
        named = (tax["title"], tax["rate"])
        sums[named] = sums.get(named, 0) + minor(tax["amount"], currency)
    return [
        {
            "title": title,
            "rate": float(rate),
            "price": decimal_text(amount, currency),
            "price_set": both(decimal_text(amount, currency), currency),
            "channel_liable": False,
        }
        for (title, rate), amount in sums.items()
    ]


def _duty(duty: Neutral, currency: str) -> Neutral:
    return {
        "id": duty["id"],
        "admin_graphql_api_id": f"gid://shopify/Duty/{duty['id']}",
        "harmonized_system_code": duty["harmonized_system_code"],
        "country_code_of_origin": duty["country_code"],
        "price_set": both(duty["amount"], currency),
        "tax_lines": _tax_lines(duty["taxes"], currency),
    }


def line_item(order: Neutral, line: Neutral) -> Neutral:
    """A line as fulfilments and refunds quote it; an order's own line has three fields more."""
    currency = order["currency"]
    zero, cut = decimal_text(0, currency), []
    if minor(line["discount"], currency):
        cut.append(
            {
                "amount": line["discount"],
                "amount_set": both(line["discount"], currency),
                "discount_application_index": 0,
            }
        )
    return {
        "id": line["id"],
        "admin_graphql_api_id": f"gid://shopify/LineItem/{line['id']}",
        "title": line["title"],
        "name": line["title"],
        "sku": line["sku"],
        "variant_id": line["variant_id"],
        "product_id": line["variant_id"] - 5_000_000,
        "product_exists": True,
        "variant_title": None,
        "variant_inventory_management": "shopify",
        "vendor": SHOPS[order["shop"]].name,
        "quantity": line["quantity"],
        "fulfillable_quantity": line["quantity"],
        "fulfillment_service": "manual",
        "fulfillment_status": None,
        "requires_shipping": True,
        "gift_card": False,
        "grams": 400,
        "taxable": True,
        "properties": [],
        "duties": [_duty(duty, currency) for duty in line["duties"]],
        "price": line["unit_price"],
        "price_set": both(line["unit_price"], currency),
        "total_discount": zero,
        "total_discount_set": both(zero, currency),
        "discount_allocations": cut,
        "tax_lines": _tax_lines(line["taxes"], currency),
    }


def _shipping_line(order: Neutral) -> Neutral:
    price, currency = order["shipping"], order["currency"]
    return {
        "id": order["id"] + 7,
        "title": "Standard",
        "code": "Standard",
        "source": "shopify",
        "phone": None,
        "carrier_identifier": None,
        "requested_fulfillment_service_id": None,
        "is_removed": False,
        "price": price,
        "price_set": both(price, currency),
        "discounted_price": price,
        "discounted_price_set": both(price, currency),
        "current_discounted_price_set": both(price, currency),
        "discount_allocations": [],
        "tax_lines": _tax_lines(order["shipping_taxes"], currency),
    }


def _discount_applications(order: Neutral) -> list[Neutral]:
    if not any(minor(line["discount"], order["currency"]) for line in order["lines"]):
        return []
    return [
        {
            "type": "discount_code",
            "code": "WELCOME10",
            "value": "10.0",
            "value_type": "percentage",
            "allocation_method": "across",
            "target_selection": "all",
            "target_type": "line_item",
        }
    ]


def _totals(order: Neutral) -> Neutral:
    currency, lines = order["currency"], order["lines"]
    goods = sum(minor(line["unit_price"], currency) * line["quantity"] for line in lines)
    discounts = sum(minor(line["discount"], currency) for line in lines)
    dues = [duty for line in lines for duty in line["duties"]]
    taxed = [*(tax for one in (*lines, *dues) for tax in one["taxes"]), *order["shipping_taxes"]]
    tax = decimal_text(sum(minor(one["amount"], currency) for one in taxed), currency)
    owed = sum(minor(duty["amount"], currency) for duty in dues)
    duties = both(decimal_text(owed, currency), currency) if owed else None
    amounts = {
        "subtotal_price": decimal_text(goods - discounts, currency),
        "current_subtotal_price": decimal_text(goods - discounts, currency),
        "total_line_items_price": decimal_text(goods, currency),
        "total_discounts": decimal_text(discounts, currency),
        "current_total_discounts": decimal_text(discounts, currency),
        "total_price": order["total"],
        "current_total_price": order["total"],
        "total_tax": tax,
        "current_total_tax": tax,
    }
    zero = both(decimal_text(0, currency), currency)
    shipping = both(order["shipping"], currency)
    return (
        amounts
        | {f"{name}_set": both(amount, currency) for name, amount in amounts.items()}
        | {
            "total_shipping_price_set": shipping,
            "current_shipping_price_set": shipping,
            "total_cash_rounding_payment_adjustment_set": zero,
            "total_cash_rounding_refund_adjustment_set": zero,
            "total_outstanding": decimal_text(0, currency),
            "total_tip_received": decimal_text(0, currency),
            "total_weight": 400 * len(lines),
            "current_total_additional_fees_set": None,
            "current_total_duties_set": duties,
            "original_total_additional_fees_set": None,
            "original_total_duties_set": duties,
            "tax_lines": _tax_lines(taxed, currency),
            "taxes_included": order["taxes_included"],
        }
    )


# Fields of an order that a plain web order leaves empty, with the value that they then have.
_PLAIN: Neutral = {
    "app_id": 580111,
    "browser_ip": None,
    "buyer_accepts_marketing": False,
    "cancel_reason": None,
    "cancelled_at": None,
    "client_details": None,
    "closed_at": None,
    "company": None,
    "confirmed": True,
    "device_id": None,
    "discount_codes": [],
    "duties_included": False,
    "estimated_taxes": False,
    "fulfillment_status": None,
    "fulfillments": [],
    "landing_site": "/",
    "landing_site_ref": None,
    "line_item_groups": [],
    "location_id": None,
    "merchant_business_entity_id": "MTEyMjMzNDQ",
    "merchant_of_record_app_id": None,
    "note": None,
    "note_attributes": [],
    "payment_terms": None,
    "po_number": None,
    "reference": None,
    "referring_site": None,
    "refunds": [],
    "returns": [],
    "source_identifier": None,
    "source_name": "web",
    "source_url": None,
    "tax_exempt": False,
    "test": False,
    "user_id": None,
}


def gateways(order: Neutral) -> list[str]:
    """By what the order was paid."""
    return [part["gateway"] for part in order["tenders"]] or [order["gateway"]]


def order_body(order: Neutral, updated: datetime | None = None) -> Neutral:
    """The body of orders/create, or of orders/updated when `updated` says when."""
    number, who = int(order["name"].lstrip("#")), order["customer"]
    return (
        _PLAIN
        | _totals(order)
        | {
            "id": order["id"],
            "admin_graphql_api_id": f"gid://shopify/Order/{order['id']}",
            "name": order["name"],
            "number": number - 1000,
            "order_number": number,
            "confirmation_number": f"C{order['id'] % 100_000_000:08d}",
            "token": f"{order['id'] * 7919:032x}",
            "cart_token": f"{order['id'] * 104_729:032x}",
            "checkout_token": f"{order['id'] * 1_299_709:032x}",
            "order_status_url": f"https://{SHOPS[order['shop']].slug}.example.com/orders/{order['id']}",
            "created_at": order["created_at"],
            "processed_at": order["created_at"],
            "updated_at": stamp(updated) if updated else order["created_at"],
            "currency": order["currency"],
            "presentment_currency": order["currency"],
            "financial_status": "paid",
            "payment_gateway_names": gateways(order),
            "email": who["email"],
            "contact_email": who["email"],
            "phone": who["phone"],
            "customer": _customer(order),
            "customer_locale": who["locale"],
            "billing_address": address(order, "billing_address"),
            "shipping_address": address(order),
            "shipping_lines": [_shipping_line(order)],
            "discount_applications": _discount_applications(order),
            "tags": ", ".join(order["tags"]),
            "line_items": [
                line_item(order, line)
                | {
                    "current_quantity": line["quantity"],
                    "attributed_staffs": [],
                    "sales_line_item_group_id": None,
                }
                for line in order["lines"]
            ],
        }
    )
