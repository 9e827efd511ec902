"""Shopify's webhook bodies, which have the REST shapes of an order and its parts.

https://shopify.dev/docs/api/webhooks/latest (2026-07); each order is settled in its own currency, so shop money and
presentment money are the same.
"""

from tools.sandbox.exchange import Doc
from tools.sandbox.money import plain
from tools.sandbox.shopify_body_lines import (
    address,
    line,
    money_set,
    numeric,
    own_line,
    shipping_line,
)
from tools.sandbox.shopify_nodes import gid
from tools.sandbox.shopify_taxes import body as tax_body
from tools.sandbox.shopify_taxes import together
from tools.sandbox.shopify_view import OrderView

# Fields that a shop like ours leaves empty; Shopify sends them all the same.
EMPTY: Doc = {
    "app_id": None, "browser_ip": None, "buyer_accepts_marketing": False, "cart_token": None,
    "checkout_token": None, "client_details": None, "company": None, "confirmed": True,
    "current_total_additional_fees_set": None, "device_id": None, "discount_applications": [],
    "discount_codes": [], "duties_included": False, "estimated_taxes": False, "landing_site": None,
    "landing_site_ref": None, "line_item_groups": [], "location_id": None, "merchant_of_record_app_id": None,
    "merchant_business_entity_id": "MTU0ODM4MDAwOQ", "note_attributes": [],
    "original_total_additional_fees_set": None, "payment_terms": None, "po_number": None, "reference": None,
    "referring_site": None, "returns": [], "source_identifier": None, "source_name": "web", "source_url": None,
    "tax_exempt": False, "total_weight": 0, "user_id": None,
}  # fmt: skip


def order(view: OrderView) -> Doc:
    """orders/create, orders/updated, orders/cancelled."""
    doc, own = view.order, view.order.get("customer") or {}
    number = "".join(sign for sign in doc["name"] if sign.isdigit()) or "0"
    fulfilment = view.fulfilment_status()
    status = {"FULFILLED": "fulfilled", "PARTIALLY_FULFILLED": "partial"}.get(fulfilment)
    place = address(doc)
    return {
        **EMPTY,
        **_sums(view),
        "id": numeric(view.id),
        "admin_graphql_api_id": gid("Order", view.id),
        "name": doc["name"],
        "number": int(number),
        "order_number": int(number),
        "confirmation_number": None,
        "token": f"{numeric(view.id):032x}",
        "order_status_url": f"https://{view.shop}.myshopify.com/orders/{view.id}",
        "created_at": doc["created_at"],
        "processed_at": doc["created_at"],
        "updated_at": doc["updated_at"],
        "cancelled_at": doc.get("cancelled_at"),
        "cancel_reason": str(doc["cancel_reason"]).lower() if doc.get("cancel_reason") else None,
        "closed_at": None,
        "currency": view.currency,
        "presentment_currency": view.currency,
        "financial_status": view.financial_status().lower(),
        "fulfillment_status": status,
        "payment_gateway_names": view.gateways,
        "taxes_included": view.taxes_included,
        "test": bool(doc.get("test")),
        "email": own.get("email") or "",
        "contact_email": own.get("email") or "",
        "phone": own.get("phone"),
        "customer_locale": own.get("locale"),
        "note": doc.get("note"),
        "tags": ", ".join(view.tags()),
        "customer": _customer(view, place) if own else None,
        "billing_address": address(doc, "billing_address"),
        "shipping_address": place,
        "line_items": [own_line(view, name) for name in view.lines],
        "shipping_lines": [shipping_line(view)] if view.shipping else [],
        "tax_lines": [tax_body(tax, view.currency) for tax in together(view.all_taxes)],
        "fulfillments": [fulfilment_of(view, part) for part in view.fulfilments],
        "refunds": [refund(view, row) for row in view.refunds],
    }


def _sums(view: OrderView) -> Doc:
    currency = view.currency
    price, cut = sum(map(view.gross, view.lines.values())), view.discounts
    left = view.total - view.refunded
    sums = {
        "total_line_items_price": price, "total_discounts": cut, "current_total_discounts": cut,
        "subtotal_price": price - cut, "current_subtotal_price": max(0, price - cut - view.refunded),
        "total_price": view.total, "current_total_price": left, "total_tax": view.tax,
        "current_total_tax": view.tax,
    }  # fmt: skip
    made: Doc = {}
    for name, minor in sums.items():
        made[name] = plain(minor, currency)
        made[f"{name}_set"] = money_set(minor, currency)
    made |= {
        "total_shipping_price_set": money_set(view.shipping_listed, currency),
        "current_shipping_price_set": money_set(view.shipping - view.shipping_refunded, currency),
        "total_cash_rounding_payment_adjustment_set": money_set(0, currency),
        "total_cash_rounding_refund_adjustment_set": money_set(0, currency),
        "total_outstanding": plain(view.total - view.captured, currency),
        "total_tip_received": plain(0, currency),
        "current_total_duties_set": money_set(view.duties, currency) if view.duties else None,
        "original_total_duties_set": money_set(view.duties, currency) if view.duties else None,
    }
    return made


def _customer(view: OrderView, place: Doc) -> Doc:
    own = view.order["customer"]
    home = {**place, "country_name": place["country"], "customer_id": numeric(own["id"]), "default": True}
    return {
        "id": numeric(own["id"]),
        "admin_graphql_api_id": gid("Customer", own["id"]),
        "email": own.get("email"),
        "first_name": own.get("first_name"),
        "last_name": own.get("last_name"),
        "phone": own.get("phone"),
        "created_at": view.order["created_at"],
        "updated_at": view.order["updated_at"],
        "currency": view.currency,
        "state": "disabled",
        "note": None,
        "tags": "",
        "tax_exempt": False,
        "tax_exemptions": [],
        "verified_email": True,
        "multipass_identifier": None,
        "default_address": {**home, "id": numeric(own["id"]) + 1},
    }


def fulfilment_of(view: OrderView, part: Doc) -> Doc:
    """fulfillments/create and fulfillments/update."""
    status, number = str(part.get("status") or ""), part.get("tracking_number")
    cancelled = status == "cancelled"
    url = part.get("tracking_url")
    names = [str(name) for name in part.get("line_ids") or view.lines if str(name) in view.lines]
    return {
        "id": numeric(part["id"]),
        "admin_graphql_api_id": gid("Fulfillment", part["id"]),
        "order_id": numeric(view.id),
        "name": f"{view.order['name']}-F{part['id']}",
        "status": "cancelled" if cancelled else "success",
        "shipment_status": None if cancelled or not status else status,
        "service": "manual",
        "location_id": 1,
        "created_at": part["created_at"],
        "updated_at": view.moved(part),
        "tracking_company": part.get("carrier"),
        "tracking_number": number,
        "tracking_numbers": [number] if number else [],
        "tracking_url": url,
        "tracking_urls": [url] if url else [],
        "email": (view.order.get("customer") or {}).get("email") or "",
        "destination": address(view.order),
        "origin_address": {},
        "receipt": {},
        "line_items": [{**line(view, name), "quantity": view.lines[name]["quantity"]} for name in names],
    }


def refund(view: OrderView, row: Doc) -> Doc:
    """refunds/create."""
    doc, name = row["doc"], row["doc"]["shopify_id"]
    return {
        "id": numeric(name),
        "admin_graphql_api_id": gid("Refund", name),
        "order_id": numeric(view.id),
        "created_at": row["created_at"],
        "processed_at": row["created_at"],
        "note": doc.get("note") or "",
        "restock": any(one.get("restock", "NO_RESTOCK") != "NO_RESTOCK" for one in doc.get("lines", ())),
        "user_id": None,
        "return": None,
        "duties": [{"duty_id": numeric(duty["id"])} for duty in doc.get("duties", ())],
        "order_adjustments": [],
        "total_duties_set": money_set(doc.get("duties_minor", 0), view.currency),
        "refund_line_items": [
            _refund_line(view, one, f"{name}{place}") for place, one in enumerate(doc.get("lines", ()))
        ],
        "refund_shipping_lines": _refund_shipping(view, row),
        "transactions": [transaction(view, row, place) for place in range(len(view.moves(row)))],
    }


def _refund_line(view: OrderView, one: Doc, name: str) -> Doc:
    units, restock = int(one["quantity"]), str(one.get("restock", "NO_RESTOCK"))
    price, tax = view.line_refund(str(one["id"]), units, int(one.get("before", 0)))
    return {
        "id": numeric(name),
        "line_item_id": numeric(one["id"]),
        "quantity": units,
        "restock_type": restock.lower(),
        "location_id": 1 if restock != "NO_RESTOCK" else None,
        "subtotal": float(plain(price, view.currency)),
        "subtotal_set": money_set(price, view.currency),
        "total_tax": float(plain(tax, view.currency)),
        "total_tax_set": money_set(tax, view.currency),
        "line_item": line(view, str(one["id"])),
    }


def _refund_shipping(view: OrderView, row: Doc) -> list[Doc]:
    if not row["doc"].get("shipping_minor"):
        return []
    price, tax = view.shipping_back(row)
    amounts = {
        "subtotal_amount_set": money_set(price, view.currency),
        "tax_amount_set": money_set(tax, view.currency),
    }
    return [{"id": numeric(row["doc"]["shopify_id"]), **amounts, "shipping_line": shipping_line(view)}]


def transaction(view: OrderView, row: Doc, place: int) -> Doc:
    """order_transactions/create: one amount of a refund."""
    graph, move = view.refund_transactions(row)[place], view.moves(row)[place]
    name = graph["id"].rpartition("/")[2]
    unsettled = {"amount": plain(0, view.currency), "currency": view.currency}
    return {
        "id": numeric(name),
        "admin_graphql_api_id": graph["id"],
        "order_id": numeric(view.id),
        "parent_id": numeric(move["parent"]) if move.get("parent") else None,
        "kind": "refund",
        "status": graph["status"].lower(),
        "gateway": graph["gateway"],
        "amount": plain(move["minor"], view.currency),
        "amount_rounding": None,
        "currency": view.currency,
        "created_at": row["created_at"],
        "processed_at": row["created_at"],
        "payment_id": graph["paymentId"],
        "receipt": view.receipt(row),
        "authorization": row["id"],
        "message": None,
        "error_code": None,
        "device_id": None,
        "location_id": None,
        "user_id": None,
        "source_name": "web",
        "test": bool(view.order.get("test")),
        "manual_payment_gateway": graph["manualPaymentGateway"],
        "total_unsettled_set": {"presentment_money": unsettled, "shop_money": unsettled},
    }


def dispute(view: OrderView | None, doc: Doc) -> Doc:
    """disputes/create and disputes/update: a dispute of Shopify Payments."""
    inquiry = str(doc["status"]).startswith("warning_")
    return {
        "id": numeric(doc["id"]),
        "order_id": numeric(view.id) if view else None,
        "type": "inquiry" if inquiry else "chargeback",
        "amount": doc["amount"],
        "currency": view.currency if view else doc.get("currency", "USD"),
        "reason": doc["reason"],
        "network_reason_code": str(doc.get("network_reason_code", "10.4")),
        "status": str(doc["status"]).removeprefix("warning_"),
        "evidence_due_by": doc.get("evidence_due_by"),
        "evidence_sent_on": doc.get("evidence_sent_on"),
        "finalized_on": doc.get("finalized_on"),
        "initiated_at": doc["created_at"],
    }


def return_of(view: OrderView, doc: Doc) -> Doc:
    """returns/request, returns/approve and their like."""
    lines = [
        {
            "id": numeric(one["id"]),
            "admin_graphql_api_id": gid("ReturnLineItem", f"{doc['id']}{one['id']}"),
            "line_item": {"id": numeric(one["id"]), "admin_graphql_api_id": gid("LineItem", one["id"])},
            "quantity": int(one["quantity"]),
            "return_reason": str(one.get("reason", "unknown")).lower(),
        }
        for one in doc.get("lines", ())
    ]
    return {
        "id": numeric(doc["id"]),
        "admin_graphql_api_id": gid("Return", doc["id"]),
        "name": f"{view.order['name']}-R{doc['id']}",
        "status": str(doc.get("status", "open")).lower(),
        "order": {"id": numeric(view.id), "admin_graphql_api_id": gid("Order", view.id)},
        "return_line_items": lines,
        "exchange_line_items": [],
        "return_shipping_fees": [],
        "total_return_line_items": sum(one["quantity"] for one in lines),
        "total_exchange_line_items": 0,
    }


def risk(view: OrderView, at: str) -> Doc:
    """orders/risk_assessment_changed."""
    return {
        "order_id": view.id,
        "admin_graphql_api_order_id": gid("Order", view.id),
        "risk_level": str(view.order.get("risk", "none")).lower(),
        "provider_id": None,
        "provider_title": "Shopify",
        "created_at": at,
    }


def stock(variant: Doc, at: str) -> Doc:
    """inventory_levels/update."""
    return {
        "inventory_item_id": numeric(variant["id"]),
        "location_id": 1,
        "available": variant["available"],
        "updated_at": at,
        "admin_graphql_api_id": gid("InventoryLevel", f"{variant['id']}?inventory_item_id={variant['id']}"),
    }
