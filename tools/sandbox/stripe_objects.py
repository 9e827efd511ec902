"""Stripe's objects as its API returns them: https://docs.stripe.com/api (2026-10-28.endive)."""

from sqlite3 import Connection

from tools.sandbox import books, store, stripe_events
from tools.sandbox.exchange import Doc, token, unix
from tools.sandbox.money import to_minor
from tools.sandbox.tenders import charged

NOT_REFUNDED = ("failed", "canceled")
RISK_SCORES = {"normal": 20, "elevated": 70, "highest": 92}


def refunded(db: Connection, shop: str, charge_id: str) -> int:
    """Minor units that went back or are on their way."""
    rows = books.refunds_of(db, shop, "charge", charge_id)
    return sum(row["amount_minor"] for row in rows if row["status"] not in NOT_REFUNDED)


def disputes_of(db: Connection, shop: str, charge_id: str) -> list[Doc]:
    return [doc for doc in books.disputes(db, shop) if doc.get("charge") == charge_id]


def charged_back(doc: Doc) -> bool:
    """An inquiry (warning_*) or a won dispute leaves the charge refundable, anything else doesn't."""
    return not doc["status"].startswith("warning_") and doc["status"] not in ("won", "prevented")


def refund(db: Connection, row: Doc) -> Doc:
    pending = row["status"] == "pending"
    return {
        "id": row["id"],
        "object": "refund",
        "amount": row["amount_minor"],
        "balance_transaction": None if pending else f"txn_{token('balance', row['id'])}",
        "charge": row["charge"],
        "created": unix(row["created_at"]),
        "currency": row["currency"].lower(),
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": row["doc"].get("metadata", {}),
        "payment_intent": row["doc"].get("payment_intent"),
        "reason": row["doc"].get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": row["status"],
        "transfer_reversal": None,
        **({"pending_reason": "processing"} if pending else {}),
        **({"failure_reason": "unknown"} if row["status"] == "failed" else {}),
    }


def charge(db: Connection, order: Doc) -> Doc:
    paid, currency, shop = order["charge"], order["currency"], order["shop"]
    total, back = charged(order), refunded(db, shop, paid["id"])
    customer = order.get("customer") or {}
    return {
        "id": paid["id"],
        "object": "charge",
        "amount": total,
        "amount_captured": total,
        "amount_refunded": back,
        "application": None,
        "balance_transaction": f"txn_{token('charge', paid['id'])}",
        "billing_details": _billing(customer),
        "captured": True,
        "created": unix(order["created_at"]),
        "currency": currency.lower(),
        "customer": None,
        "description": order["name"],
        "disputed": bool(disputes_of(db, shop, paid["id"])),
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": stripe_events.livemode(db, shop),
        "metadata": {"order_id": str(order["id"]), "order_name": order["name"]},
        "outcome": _outcome(paid),
        "paid": True,
        "payment_intent": paid.get("payment_intent"),
        "payment_method": f"pm_{token('method', paid['id'])}",
        "payment_method_details": {"card": _card(paid), "type": "card"},
        "receipt_email": customer.get("email"),
        "refunded": back >= total,
        "review": None,
        "status": "succeeded",
    }


def _billing(customer: Doc) -> Doc:
    names = [customer.get("first_name"), customer.get("last_name")]
    return {
        "address": None,
        "email": customer.get("email"),
        "name": " ".join(name for name in names if name) or None,
        "phone": customer.get("phone"),
    }


def _outcome(paid: Doc) -> Doc:
    level = paid.get("risk_level", "normal")
    return {
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": level,
        "risk_score": paid.get("risk_score", RISK_SCORES.get(level)),
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _card(paid: Doc) -> Doc:
    return {
        "brand": paid.get("brand"),
        "last4": paid.get("last4"),
        "fingerprint": paid.get("fingerprint"),
        "exp_month": 12,
        "exp_year": 2030,
        "funding": "credit",
        "country": "US",
    }


def payment_intent(db: Connection, order: Doc) -> Doc:
    paid, total = order["charge"], charged(order)
    return {
        "id": paid["payment_intent"],
        "object": "payment_intent",
        "amount": total,
        "amount_capturable": 0,
        "amount_received": total,
        "capture_method": "automatic",
        "confirmation_method": "automatic",
        "created": unix(order["created_at"]),
        "currency": order["currency"].lower(),
        "customer": None,
        "description": order["name"],
        "latest_charge": paid["id"],
        "livemode": stripe_events.livemode(db, order["shop"]),
        "metadata": {"order_id": str(order["id"]), "order_name": order["name"]},
        "payment_method": f"pm_{token('method', paid['id'])}",
        "payment_method_types": ["card"],
        "status": "succeeded",
    }


def dispute(db: Connection, shop: str, doc: Doc) -> Doc:
    order = store.order_of_charge(db, shop, doc["charge"]) if doc.get("charge") else None
    currency = str(doc.get("currency") or (order or {}).get("currency") or "USD")
    due = doc.get("evidence_due_by")
    return {
        "id": doc["id"],
        "object": "dispute",
        "amount": to_minor(doc["amount"], currency),
        "balance_transactions": [],
        "charge": doc.get("charge"),
        "created": unix(doc["created_at"]),
        "currency": currency.lower(),
        "enhanced_eligibility_types": [],
        "evidence": {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": unix(due) if isinstance(due, str) else due,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": not charged_back(doc),
        "livemode": stripe_events.livemode(db, shop),
        "metadata": {},
        "network_reason_code": doc.get("network_reason_code"),
        "payment_intent": ((order or {}).get("charge") or {}).get("payment_intent"),
        "reason": doc["reason"],
        "status": doc["status"],
    }


def fraud_warning(db: Connection, shop: str, doc: Doc) -> Doc:
    """An issuer's early warning; it calls for no act once all of the charge went back or is disputed."""
    order = store.order_of_charge(db, shop, str(doc["charge"]))
    paid = (order or {}).get("charge") or {}
    whole = order is not None and refunded(db, shop, doc["charge"]) >= charged(order)
    return {
        "id": doc["id"],
        "object": "radar.early_fraud_warning",
        "actionable": not whole and not disputes_of(db, shop, doc["charge"]),
        "charge": doc["charge"],
        "created": unix(doc["created_at"]),
        "fraud_type": doc.get("fraud_type", "made_with_stolen_card"),
        "livemode": stripe_events.livemode(db, shop),
        "payment_intent": paid.get("payment_intent"),
    }


def credit_note(db: Connection, shop: str, doc: Doc) -> Doc:
    """A credit note as Stripe lists it, with the refund that it made where it made one."""
    name, amount = str(doc["id"]), int(doc["amount"])
    url = f"/v1/credit_notes/{name}/lines"
    return {
        "id": name,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": unix(doc["created_at"]),
        "currency": doc["currency"].lower(),
        "customer": doc["customer"],
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": unix(doc["created_at"]),
        "invoice": doc["invoice"],
        "lines": {"object": "list", "data": _note_lines(db, shop, doc), "has_more": False, "url": url},
        "livemode": stripe_events.livemode(db, shop),
        "memo": doc.get("memo"),
        "metadata": doc.get("metadata", {}),
        "number": doc["number"],
        "out_of_band_amount": doc.get("out_of_band_amount"),
        "pdf": f"https://pay.stripe.com/credit_notes/{name}/pdf",
        "post_payment_amount": amount,
        "pre_payment_amount": 0,
        "pretax_credit_amounts": [],
        "reason": doc.get("reason"),
        "refunds": _note_refunds(doc),
        "shipping_cost": None,
        "status": doc.get("status", "issued"),
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": "post_payment",
        "voided_at": None,
    }


def _note_refunds(doc: Doc) -> list[Doc]:
    if not doc.get("refund"):
        return []
    return [{"amount_refunded": doc["refund_amount"], "refund": doc["refund"], "type": "refund"}]


def _note_lines(db: Connection, shop: str, doc: Doc) -> list[Doc]:
    return [
        {
            "id": f"cnli_{token(doc['id'])}",
            "object": "credit_note_line_item",
            "amount": doc["amount"],
            "description": doc.get("memo") or "Credit",
            "discount_amount": 0,
            "discount_amounts": [],
            "livemode": stripe_events.livemode(db, shop),
            "metadata": {},
            "pretax_credit_amounts": [],
            "quantity": 1,
            "tax_rates": [],
            "taxes": [],
            "type": "custom_line_item",
            "unit_amount": doc["amount"],
            "unit_amount_decimal": str(doc["amount"]),
        }
    ]
