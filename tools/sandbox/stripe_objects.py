"""Stripe's objects as its API returns them: https://docs.stripe.com/api (2026-10-28.endive)."""

from sqlite3 import Connection

from tools.sandbox import store
from tools.sandbox.exchange import Doc, Request, token, unix
from tools.sandbox.money import to_minor

NOT_REFUNDED = ("failed", "canceled")


def find(db: Connection, shop: str, resource: str, name: str) -> Doc | None:
    """One object by its id, or None."""
    if resource == "refunds":
        return next((refund(row) for row in _refunds(db, shop) if row["id"] == name), None)
    if resource == "disputes":
        return next((dispute(db, shop, doc) for doc in store.disputes(db, shop) if doc["id"] == name), None)
    order = store.order_of_charge(db, shop, name)
    if order is None or name.startswith("ch_") != (resource == "charges"):
        return None
    return charge(db, order) if resource == "charges" else payment_intent(order)


def listed(db: Connection, request: Request, resource: str) -> Doc:
    """A list object, newest first; filters by charge and payment_intent, pages by starting_after and limit."""
    asked = request.parameters
    objects = _all(db, request.shop, resource)
    for name in ("charge", "payment_intent"):
        if name in asked:
            objects = [one for one in objects if one.get(name) == asked[name]]
    if "starting_after" in asked:
        names = [one["id"] for one in objects]
        after = asked["starting_after"]
        objects = objects[names.index(after) + 1 :] if after in names else []
    limit = max(1, min(100, int(asked["limit"]))) if asked.get("limit", "").isdecimal() else 10
    url = f"/v1/{resource}"
    return {"object": "list", "url": url, "has_more": len(objects) > limit, "data": objects[:limit]}


def refunded(db: Connection, shop: str, charge_id: str) -> int:
    """Minor units that went back or are on their way."""
    rows = store.refunds_of(db, shop, "charge", charge_id)
    return sum(row["amount_minor"] for row in rows if row["status"] not in NOT_REFUNDED)


def disputes_of(db: Connection, shop: str, charge_id: str) -> list[Doc]:
    return [doc for doc in store.disputes(db, shop) if doc.get("charge") == charge_id]


def charged_back(doc: Doc) -> bool:
    """An inquiry (warning_*) or a won dispute leaves the charge refundable, anything else doesn't."""
    return not doc["status"].startswith("warning_") and doc["status"] not in ("won", "prevented")


def refund(row: Doc) -> Doc:
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
    total, back = to_minor(order["total"], currency), refunded(db, shop, paid["id"])
    customer = order.get("customer") or {}
    names = [customer.get("first_name"), customer.get("last_name")]
    level = paid.get("risk_level", "normal")
    card = {"brand": paid.get("brand"), "last4": paid.get("last4"), "fingerprint": paid.get("fingerprint")}
    return {
        "id": paid["id"],
        "object": "charge",
        "amount": total,
        "amount_captured": total,
        "amount_refunded": back,
        "application": None,
        "balance_transaction": f"txn_{token('charge', paid['id'])}",
        "billing_details": {
            "address": None,
            "email": customer.get("email"),
            "name": " ".join(name for name in names if name) or None,
            "phone": customer.get("phone"),
        },
        "captured": True,
        "created": unix(order["created_at"]),
        "currency": currency.lower(),
        "customer": None,
        "description": order["name"],
        "disputed": bool(disputes_of(db, shop, paid["id"])),
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {"order_id": str(order["id"]), "order_name": order["name"]},
        "outcome": {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": level,
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": True,
        "payment_intent": paid.get("payment_intent"),
        "payment_method": f"pm_{token('method', paid['id'])}",
        "payment_method_details": {"card": card, "type": "card"},
        "receipt_email": customer.get("email"),
        "refunded": back >= total,
        "review": None,
        "status": "succeeded",
    }


def payment_intent(order: Doc) -> Doc:
    paid, total = order["charge"], to_minor(order["total"], order["currency"])
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
        "livemode": False,
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
        "evidence": {},
        "evidence_details": {
            "due_by": unix(due) if isinstance(due, str) else due,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": not charged_back(doc),
        "livemode": False,
        "metadata": {},
        "payment_intent": ((order or {}).get("charge") or {}).get("payment_intent"),
        "reason": doc["reason"],
        "status": doc["status"],
    }


def _refunds(db: Connection, shop: str) -> list[Doc]:
    return [row for row in store.refunds(db, shop) if row["charge"]]


def _all(db: Connection, shop: str, resource: str) -> list[Doc]:
    if resource == "refunds":
        return [refund(row) for row in reversed(_refunds(db, shop))]
    if resource == "disputes":
        return [dispute(db, shop, doc) for doc in store.disputes(db, shop)]
    paid = [order for order in store.orders(db, shop) if order.get("charge")]
    return [charge(db, order) if resource == "charges" else payment_intent(order) for order in paid]
