"""Webhook bodies in the vendors' shapes, the shortest that are whole."""

import json
from typing import Any


def both(amount: str, currency: str = "EUR") -> dict[str, Any]:
    """A price that differs between shop and customer, so that a mix-up shows."""
    return {
        "shop_money": {"amount": "999.99", "currency_code": "USD"},
        "presentment_money": {"amount": amount, "currency_code": currency},
    }


def raw(body: object) -> bytes:
    return json.dumps(body).encode()


def shopify_order(**changes: Any) -> dict[str, Any]:
    """Two lamps at 12.00, 4.00 off, 1.52 tax on top, shipping 4.90."""
    line = {
        "id": 11,
        "sku": "LAMP",
        "title": "Lamp",
        "quantity": 2,
        "price_set": both("12.00"),
        "discount_allocations": [{"amount_set": both("4.00")}],
        "tax_lines": [{"price_set": both("1.52")}],
    }
    order = {
        "id": 5001001,
        "name": "#1001",
        "created_at": "2026-11-01T10:00:00+01:00",
        "updated_at": "2026-11-01T10:05:00Z",
        "cancelled_at": None,
        "financial_status": "paid",
        "fulfillment_status": "partial",
        "presentment_currency": "EUR",
        "taxes_included": False,
        "total_price_set": both("26.42"),
        "total_shipping_price_set": both("4.90"),
        "payment_gateway_names": ["stripe"],
        "line_items": [line],
        "customer": {
            "id": 7,
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Lund",
            "phone": None,
        },
        "email": "ada@work.example",
        "phone": None,
        "customer_locale": "de-DE",
        "shipping_address": {"country_code": "DE"},
        "tags": "vip, gift",
        "a_field_of_next_year": {"is": "no drift"},
    }
    return {**order, **changes}


def fulfillment(**changes: Any) -> dict[str, Any]:
    parcel = {
        "id": 900,
        "order_id": 5001001,
        "status": "success",
        "shipment_status": "in_transit",
        "created_at": "2026-11-02T10:00:00Z",
        "updated_at": "2026-11-02T12:00:00Z",
        "tracking_company": "DHL",
        "tracking_number": "JD01",
        "line_items": [{"id": 11, "quantity": 2}],
    }
    return {**parcel, **changes}


def refund(**changes: Any) -> dict[str, Any]:
    moved = {
        "id": 77,
        "kind": "refund",
        "status": "success",
        "gateway": "shopify_payments",
        "amount": "12.76",
        "currency": "EUR",
        "parent_id": 31,
        "authorization": None,
        "receipt": {},
    }
    made = {
        "id": 880,
        "order_id": 5001001,
        "note": "agreed on the phone",
        "created_at": "2026-11-03T10:00:00Z",
        "refund_line_items": [{"line_item_id": 11, "quantity": 1}],
        "refund_shipping_lines": [],
        "transactions": [moved],
    }
    return {**made, **changes}


def shopify_dispute(**changes: Any) -> dict[str, Any]:
    dispute = {
        "id": 66,
        "order_id": 5001001,
        "type": "chargeback",
        "amount": "26.42",
        "currency": "EUR",
        "reason": "fraudulent",
        "status": "needs_response",
        "evidence_due_by": "2026-11-20T00:00:00Z",
        "initiated_at": "2026-11-05T10:00:00Z",
    }
    return {**dispute, **changes}


def stripe_event(topic: str, thing: dict[str, Any]) -> bytes:
    return raw(
        {"object": "event", "id": "evt_1", "type": topic, "livemode": False, "data": {"object": thing}}
    )


def stripe_refund(**changes: Any) -> dict[str, Any]:
    made = {
        "object": "refund",
        "id": "re_1",
        "amount": 1276,
        "charge": "ch_1",
        "currency": "eur",
        "created": 1793700000,
        "status": "succeeded",
        "metadata": {"call": "00000000-0000-4000-8000-000000000001", "case": "5"},
    }
    return {**made, **changes}


def stripe_dispute(**changes: Any) -> dict[str, Any]:
    dispute = {
        "object": "dispute",
        "id": "dp_1",
        "amount": 2642,
        "charge": "ch_1",
        "currency": "eur",
        "reason": "fraudulent",
        "status": "needs_response",
        "evidence_details": {"due_by": 1795000000},
    }
    return {**dispute, **changes}


def stripe_charge(**changes: Any) -> dict[str, Any]:
    charge = {
        "object": "charge",
        "id": "ch_1",
        "amount": 2642,
        "amount_captured": 2642,
        "amount_refunded": 0,
        "currency": "eur",
        "disputed": False,
        "paid": True,
        "livemode": False,
        "metadata": {"order_id": "5001001"},
        "payment_method_details": {"type": "card", "card": {"fingerprint": "fp_1"}},
        "outcome": {"risk_level": "normal"},
    }
    return {**charge, **changes}


def whatsapp(*changes: dict[str, Any]) -> bytes:
    entry = {"id": "1022", "changes": [{"field": "messages", "value": value} for value in changes]}
    return raw({"object": "whatsapp_business_account", "entry": [entry]})


def whatsapp_value(**parts: Any) -> dict[str, Any]:
    return {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1065"}, **parts}


def whatsapp_text(**changes: Any) -> dict[str, Any]:
    return {
        "id": "wamid.1",
        "timestamp": "1793700000",
        "type": "text",
        "text": {"body": "Where is my lamp?"},
        "from": "4915112345678",
        **changes,
    }
