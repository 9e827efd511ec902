"""Shopify webhook bodies about what happens to an order: parcels, refunds, risk, disputes, returns, stock.

Shapes: https://shopify.dev/docs/api/webhooks/latest.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from opsagent.demo.money import decimal_text, minor
from opsagent.demo.script import Neutral
from opsagent.demo.shopify import address, both, line_item, stamp
from opsagent.demo.shops import SHOPS


def fulfilment_body(
    order: Neutral, parcel: Neutral, number: int, status: str | None, updated: str
) -> Neutral:
    """The body of fulfillments/create; `status` is the parcel's own, None before the carrier has it."""
    url = f"https://track.example.net/{parcel['tracking_number']}"
    return {
        "id": parcel["id"],
        "admin_graphql_api_id": f"gid://shopify/Fulfillment/{parcel['id']}",
        "order_id": order["id"],
        "name": f"{order['name']}.{number}",
        "email": order["customer"]["email"],
        "status": "success",
        "shipment_status": status,
        "created_at": parcel["created_at"],
        "updated_at": updated,
        "service": "manual",
        "location_id": SHOPS[order["shop"]].location_id,
        "origin_address": {
            "address1": "1 Dock Street",
            "city": "Troy",
            "country_code": SHOPS[order["shop"]].country,
            "province_code": "",
            "zip": "12180",
        },
        "receipt": {},
        "destination": address(order),
        "tracking_company": parcel["carrier"],
        "tracking_number": parcel["tracking_number"],
        "tracking_numbers": [parcel["tracking_number"]],
        "tracking_url": url,
        "tracking_urls": [url],
        "line_items": [
            line_item(order, line) | {"fulfillment_status": "fulfilled", "fulfillable_quantity": 0}
            for line in order["lines"]
            if line["id"] in parcel["line_ids"]
        ],
    }


_SCANS = {
    "in_transit": "Accepted at the carrier's hub",
    "out_for_delivery": "On the vehicle for delivery",
    "delivered": "Handed over at the address",
    "failure": "Delivery failed, parcel at the depot",
}


def fulfilment_event_body(
    order: Neutral, parcel: Neutral, event_id: int, status: str, at: datetime
) -> Neutral:
    """The body of fulfillment_events/create for one scan of the carrier."""
    place = order["shipping_address"]
    return {
        "id": event_id,
        "admin_graphql_api_id": f"gid://shopify/FulfillmentEvent/{event_id}",
        "fulfillment_id": parcel["id"],
        "order_id": order["id"],
        "shop_id": SHOPS[order["shop"]].number,
        "status": status,
        "message": _SCANS[status],
        "happened_at": stamp(at),
        "created_at": stamp(at),
        "updated_at": stamp(at),
        "estimated_delivery_at": None,
        "city": place["city"],
        "province": place.get("province", ""),
        "country": place["country_code"],
        "zip": place["zip"],
        "address1": None,
        "latitude": None,
        "longitude": None,
    }


def refund_body(order: Neutral, refund: Neutral, at: datetime) -> Neutral:
    """The body of refunds/create for a refund that somebody made by hand in the shop's own admin."""
    currency = order["currency"]
    zero = both(decimal_text(0, currency), currency)
    lines = {line["id"]: line for line in order["lines"]}
    number, rows = _digits(refund), []
    for place, part in enumerate(refund["lines"]):
        line = lines[part["id"]]
        value = minor(line["unit_price"], currency) * part["quantity"]
        exact: Any = value if currency == "JPY" else value / 100
        rows.append(
            {
                "id": number + place + 1,
                "line_item_id": line["id"],
                "line_item": line_item(order, line),
                "location_id": None,
                "quantity": part["quantity"],
                "restock_type": "no_restock",
                "subtotal": exact,
                "subtotal_set": both(decimal_text(value, currency), currency),
                "total_tax": 0,
                "total_tax_set": zero,
            }
        )
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/Refund/{number}",
        "order_id": order["id"],
        "created_at": stamp(at),
        "processed_at": stamp(at),
        "note": "agreed on the phone",
        "user_id": 548380009,
        "restock": False,
        "return": None,
        "duties": [],
        "order_adjustments": [],
        "refund_line_items": rows,
        "refund_shipping_lines": [],
        "total_duties_set": zero,
        "transactions": [_transaction(order, refund, at)],
    }


def _digits(refund: Neutral) -> int:
    return int("".join(sign for sign in refund["id"] if sign.isdigit()))


def _receipt(order: Neutral, refund: Neutral) -> Neutral:
    """What Stripe answered to Shopify, where the money went through Stripe."""
    if not order["charge"]:
        return {}
    return {"id": refund["id"], "object": "refund", "payment_intent_id": order["charge"]["payment_intent"]}


def _transaction(order: Neutral, refund: Neutral, at: datetime) -> Neutral:
    number = _digits(refund) + 50
    # The vendor names this field's currency otherwise than everywhere else.
    zero = {"amount": decimal_text(0, order["currency"]), "currency": order["currency"]}
    return {
        "id": number,
        "admin_graphql_api_id": f"gid://shopify/OrderTransaction/{number}",
        "order_id": order["id"],
        "parent_id": order["transaction_id"],
        "kind": "refund",
        "status": "success",
        "gateway": order["gateway"],
        "amount": refund["amount"],
        "amount_rounding": None,
        "currency": order["currency"],
        "authorization": refund["id"] if order["charge"] else None,
        "created_at": stamp(at),
        "processed_at": stamp(at),
        "device_id": None,
        "error_code": None,
        "location_id": None,
        "message": "Refunded",
        "payment_id": f"c{order['id']}.2",
        "receipt": _receipt(order, refund),
        "source_name": "1830279",
        "test": False,
        "user_id": None,
        "manual_payment_gateway": False,
        "total_unsettled_set": {"presentment_money": zero, "shop_money": dict(zero)},
    }


def risk_body(order: Neutral, level: str, at: datetime) -> Neutral:
    """The body of orders/risk_assessment_changed."""
    return {
        "admin_graphql_api_order_id": f"gid://shopify/Order/{order['id']}",
        "order_id": str(order["id"]),
        "created_at": stamp(at),
        "provider_id": None,
        "provider_title": "Shopify",
        "risk_level": level,
    }


def dispute_body(order: Neutral, dispute: Neutral, at: datetime) -> Neutral:
    """The body of disputes/create, for payments that Shopify itself takes."""
    return {
        "id": int(dispute["id"]),
        "order_id": order["id"],
        "type": "chargeback",
        "amount": dispute["amount"],
        "currency": order["currency"],
        "reason": dispute["reason"],
        "network_reason_code": "4837",
        "status": dispute["status"],
        "initiated_at": stamp(at),
        "evidence_due_by": dispute["evidence_due_by"],
        "evidence_sent_on": None,
        "finalized_on": None,
    }


def return_body(order: Neutral, wish: Neutral) -> Neutral:
    """The body of returns/request, sent when a customer asks in the shop's own portal."""
    rows = [
        {
            "id": int(wish["id"]) + place + 1,
            "admin_graphql_api_id": f"gid://shopify/ReturnLineItem/{int(wish['id']) + place + 1}",
            "quantity": part["quantity"],
            "return_reason": part["reason"],
            "customer_note": "",
            "fulfillment_line_item": {"line_item": {"id": part["id"]}},
        }
        for place, part in enumerate(wish["lines"])
    ]
    return {
        "id": wish["id"],
        "admin_graphql_api_id": f"gid://shopify/Return/{wish['id']}",
        "name": None,
        "status": "requested",
        "order": {"id": order["id"], "admin_graphql_api_id": f"gid://shopify/Order/{order['id']}"},
        "return_line_items": rows,
        "total_return_line_items": sum(part["quantity"] for part in wish["lines"]),
        "exchange_line_items": [],
        "total_exchange_line_items": 0,
        "return_shipping_fees": [],
    }


def stock_body(shop: str, variant_number: int, available: int, at: datetime) -> Neutral:
    """The body of inventory_levels/update."""
    item = 49_000_000 + variant_number
    return {
        "admin_graphql_api_id": f"gid://shopify/InventoryLevel/{SHOPS[shop].location_id}?inventory_item_id={item}",
        "inventory_item_id": item,
        "location_id": SHOPS[shop].location_id,
        "available": available,
        "updated_at": stamp(at),
    }
