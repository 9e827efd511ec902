"""The small parts of Shopify's webhook bodies: money sets, addresses, line items, shipping lines."""

from tools.sandbox.exchange import Doc
from tools.sandbox.money import plain, to_minor
from tools.sandbox.shopify_nodes import gid
from tools.sandbox.shopify_taxes import body as tax_body
from tools.sandbox.shopify_taxes import taxes_of
from tools.sandbox.shopify_view import OrderView


def numeric(name: object) -> int:
    """The id as a number; what isn't one gets a stable number of its own."""
    text = str(name)
    return int(text) if text.isdecimal() else int.from_bytes(text.encode()[-7:], "big")


def money_set(minor: int, currency: str) -> Doc:
    money = {"amount": plain(minor, currency), "currency_code": currency}
    return {"shop_money": money, "presentment_money": dict(money)}


def address(order: Doc, kind: str = "shipping_address") -> Doc:
    """An address of the order, where it ships to if it has no other; to its customer, where it names nobody."""
    own, place = order.get("customer") or {}, order.get(kind) or order.get("shipping_address") or {}
    first, last = own.get("first_name") or "", own.get("last_name") or ""
    return {
        "first_name": first,
        "last_name": last,
        "name": place.get("name") or f"{first} {last}".strip(),
        "company": place.get("company"),
        "address1": place.get("address1") or "",
        "address2": place.get("address2"),
        "city": place.get("city") or "",
        "province": place.get("province") or "",
        "province_code": place.get("province_code") or "",
        "zip": place.get("zip") or "",
        "country": place.get("country") or place.get("country_code") or "",
        "country_code": place.get("country_code") or "",
        "phone": own.get("phone") or "",
        "latitude": None,
        "longitude": None,
    }


def _duty(duty: Doc, currency: str) -> Doc:
    return {
        "id": numeric(duty["id"]),
        "admin_graphql_api_id": gid("Duty", duty["id"]),
        "harmonized_system_code": duty.get("harmonized_system_code"),
        "country_code_of_origin": duty.get("country_code"),
        "price_set": money_set(to_minor(duty["amount"], currency), currency),
        "tax_lines": [tax_body(tax, currency) for tax in taxes_of(duty, currency)],
    }


def line(view: OrderView, name: str) -> Doc:
    """A line as refunds and fulfilments quote it."""
    own, currency = view.lines[name], view.currency
    cut, taxes = view.gross(own) - view.discounted(own), view.taxes(own)
    price = view.minor(own["unit_price"])
    allocation = {"amount": plain(cut, currency), "amount_set": money_set(cut, currency)}
    done = name in view.fulfilled_lines()
    return {
        "id": int(name),
        "admin_graphql_api_id": gid("LineItem", name),
        "title": own["title"],
        "name": own["title"],
        "sku": own["sku"],
        "variant_id": int(own["variant_id"]),
        "variant_title": None,
        "variant_inventory_management": "shopify",
        "vendor": view.shop,
        "product_id": int(own["variant_id"]),
        "product_exists": True,
        "properties": [],
        "quantity": int(own["quantity"]),
        "fulfillable_quantity": 0 if done else int(own["quantity"]) - view.units_refunded(name),
        "fulfillment_service": "manual",
        "fulfillment_status": "fulfilled" if done else None,
        "gift_card": False,
        "grams": 0,
        "requires_shipping": True,
        "taxable": bool(taxes),
        "price": plain(price, currency),
        "price_set": money_set(price, currency),
        "total_discount": plain(0, currency),
        "total_discount_set": money_set(0, currency),
        "discount_allocations": [{**allocation, "discount_application_index": 0}] if cut else [],
        "duties": [_duty(duty, currency) for duty in own.get("duties", ())],
        "tax_lines": [tax_body(tax, currency) for tax in taxes],
    }


def own_line(view: OrderView, name: str) -> Doc:
    """A line as its order lists it."""
    left = int(view.lines[name]["quantity"]) - view.units_refunded(name)
    return {**line(view, name), "attributed_staffs": [], "current_quantity": left}


def shipping_line(view: OrderView) -> Doc:
    price, listed = plain(view.shipping, view.currency), plain(view.shipping_listed, view.currency)
    left = money_set(view.shipping - view.shipping_refunded, view.currency)
    return {
        "id": int(view.id) + 1,
        "title": "Standard",
        "code": "standard",
        "carrier_identifier": None,
        "source": "shopify",
        "phone": None,
        "requested_fulfillment_service_id": None,
        "is_removed": False,
        "price": listed,
        "price_set": money_set(view.shipping_listed, view.currency),
        "discounted_price": price,
        "discounted_price_set": money_set(view.shipping, view.currency),
        "current_discounted_price_set": left,
        "discount_allocations": [],
        "tax_lines": [tax_body(tax, view.currency) for tax in view.shipping_taxes],
    }
