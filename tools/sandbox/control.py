"""The sandbox's own control API: what happens in the vendors' worlds without us, and what they saw of us.

POST /_control/shops, /orders, /stock, /disputes, /faults, /reset
POST /_control/orders/{shop}/{order}/fulfilments | risk | refunds | returns
POST /_control/refunds/{shop}/{refund} {"status"} settles or fails a refund later
GET /_control/ledger, /health; DELETE /_control/faults
"""

from collections.abc import Callable
from sqlite3 import Connection

from tools.sandbox import faults, store
from tools.sandbox.exchange import Answer, Doc, Request, iso, token, unix
from tools.sandbox.money import to_minor
from tools.sandbox.shopify_orders import OrderView

PREFIX = "/_control"
ORDER_FIELDS = ("shop", "id", "name", "currency", "created_at", "lines", "total", "gateway", "transaction_id")
LINE_FIELDS = ("id", "variant_id", "sku", "title", "quantity", "unit_price")
RISKS = ("LOW", "MEDIUM", "HIGH", "PENDING", "NONE")
FULFILMENTS = ("in_transit", "out_for_delivery", "delivered", "failure", "attempted_delivery", "delayed",
               "confirmed", "label_printed", "cancelled")  # fmt: skip
STATUSES = ("pending", "succeeded", "failed", "canceled")


class ControlError(ValueError):
    """The control request can't be followed; the message says why."""


def answer(request: Request, db: Connection) -> Answer:
    """Carries out one control request; 400 tells what is wrong, 404 names an unknown path."""
    parts = request.path.removeprefix(PREFIX).strip("/").split("/")
    try:
        if request.method == "GET" and parts == ["ledger"]:
            return Answer.json(200, ledger(db))
        if request.method == "GET" and parts == ["health"]:
            return Answer.json(200, {"ok": True})
        if request.method == "DELETE" and parts == ["faults"]:
            faults.clear(db)
            return Answer.json(200, {"ok": True})
        if request.method == "POST":
            return _post(request, db, parts)
    except (ValueError, KeyError, TypeError) as error:
        return Answer.json(400, {"error": f"{type(error).__name__}: {error}"})
    return _unknown(request)


def ledger(db: Connection) -> Doc:
    """Every refund that moved money, every message and every tag, oldest first."""
    rows = store.refunds(db)
    names = (
        "vendor",
        "shop",
        "id",
        "order_id",
        "charge",
        "amount_minor",
        "currency",
        "status",
        "idempotency_key",
    )
    refunds = [
        {**{name: row[name] for name in names}, "created_at": row["created_at"], "by": row["made_by"]}
        for row in rows
        if row["amount_minor"] and row["status"] not in ("failed", "canceled")
    ]
    return {"refunds": refunds, "messages": store.messages(db), "tags": store.tags(db)}


def _post(request: Request, db: Connection, parts: list[str]) -> Answer:
    body = request.json() if request.body else {}
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    if len(parts) == 1 and parts[0] in TOP:
        TOP[parts[0]](db, body)
    elif len(parts) == 4 and parts[0] == "orders" and parts[3] in ON_ORDER:
        order = store.order(db, parts[1], parts[2])
        if order is None:
            return Answer.json(404, {"error": f"shop {parts[1]!r} has no order {parts[2]!r}"})
        ON_ORDER[parts[3]](request, db, order, body)
    elif len(parts) == 3 and parts[0] == "refunds":
        if body.get("status") not in STATUSES:
            raise ControlError(f"status must be one of {', '.join(STATUSES)}")
        if not store.set_refund_status(db, parts[1], parts[2], body["status"]):
            return Answer.json(404, {"error": f"shop {parts[1]!r} has no refund {parts[2]!r}"})
    else:
        return _unknown(request)
    return Answer.json(200, {"ok": True})


def _unknown(request: Request) -> Answer:
    return Answer.json(404, {"error": f"unknown control request: {request.method} {request.path}"})


def _shop(db: Connection, body: Doc) -> None:
    store.put_shop(db, str(body["slug"]), body)


def _order(db: Connection, body: Doc) -> None:
    _need(body, ORDER_FIELDS)
    for line in body["lines"]:
        _need(line, LINE_FIELDS)
        for field in ("unit_price", "tax", "discount"):
            to_minor(line.get(field) or "0", body["currency"])
    if to_minor(body["total"], body["currency"]) < 0:
        raise ControlError("total must not be negative")
    unix(body["created_at"])
    _risk_level(body.get("risk", "NONE"))
    store.put_order(db, body)


def _stock(db: Connection, body: Doc) -> None:
    _need(body, ("shop", "sku", "available"))
    store.put_stock(
        db, body["shop"], body["sku"], str(body.get("title") or body["sku"]), int(body["available"])
    )


def _dispute(db: Connection, body: Doc) -> None:
    _need(body, ("shop", "id", "amount", "reason", "status"))
    order = store.order_of_charge(db, body["shop"], body["charge"]) if body.get("charge") else None
    if body.get("charge") and order is None:
        raise ControlError(f"shop {body['shop']!r} has no charge {body['charge']!r}")
    created = body.get("created_at") or (order or {}).get("created_at")
    if not created:
        raise ControlError("a dispute without charge needs created_at")
    store.put_dispute(db, body["shop"], {**body, "created_at": created})


def _fulfilment(request: Request, db: Connection, order: Doc, body: Doc) -> None:
    _need(body, ("id", "status", "created_at"))
    if body["status"] not in FULFILMENTS:
        raise ControlError(f"status must be one of {', '.join(FULFILMENTS)}")
    store.put_part(db, order["shop"], str(order["id"]), "fulfilment", body)


def _return(request: Request, db: Connection, order: Doc, body: Doc) -> None:
    _need(body, ("id",))
    at = body.get("created_at") or iso(request.now)
    store.put_part(db, order["shop"], str(order["id"]), "return", {**body, "created_at": at})


def _risk_level(level: str) -> None:
    if level not in RISKS:
        raise ControlError(f"level must be one of {', '.join(RISKS)}")


def _risk(request: Request, db: Connection, order: Doc, body: Doc) -> None:
    _risk_level(body["level"])
    store.put_order(db, {**order, "risk": body["level"]})


def _refund(request: Request, db: Connection, order: Doc, body: Doc) -> None:
    """A refund made by hand in the dashboard, where the person may do what the API would refuse.

    It shows in Shopify's order, and on the Stripe charge where one paid for it.
    """
    view, charge = OrderView(db, order), order.get("charge") or {}
    digits = "".join(sign for sign in str(body["id"]) if sign.isdigit()) or token(body["id"])
    shopify = str(body["id"]).rpartition("/")[2] if "/" in str(body["id"]) else digits
    lines = [
        {
            "id": str(line["id"]),
            "quantity": int(line["quantity"]),
            "before": view.units_refunded(str(line["id"])),
        }
        for line in body.get("lines", [])
    ]
    shipping = to_minor(body.get("shipping") or "0", order["currency"])
    doc = {
        "in_shopify": True,
        "shopify_id": shopify,
        "lines": lines,
        "shipping_minor": shipping,
        "metadata": {},
    }
    own = str(body["id"])
    stripe_id = own if own.startswith("re_") else f"re_{token('refund', order['shop'], own)}"
    row = {
        "vendor": "stripe" if charge else "shopify",
        "shop": order["shop"],
        "id": stripe_id if charge else f"gid://shopify/Refund/{shopify}",
        "order_id": str(order["id"]),
        "charge": charge.get("id"),
        "amount_minor": to_minor(body["amount"], order["currency"]),
        "currency": order["currency"],
        "status": body.get("status", "succeeded"),
        "idempotency_key": None,
        "created_at": body.get("created_at") or iso(request.now),
        "made_by": "dashboard",
        "doc": {**doc, "payment_intent": charge.get("payment_intent")},
    }
    if not any(old["id"] == row["id"] for old in store.refunds(db, order["shop"])):
        store.add_refund(db, row)


def _need(body: Doc, fields: tuple[str, ...]) -> None:
    missing = [name for name in fields if body.get(name) is None]
    if missing:
        raise ControlError(f"missing: {', '.join(missing)}")


TOP: dict[str, Callable[[Connection, Doc], None]] = {
    "shops": _shop,
    "orders": _order,
    "stock": _stock,
    "disputes": _dispute,
    "faults": faults.plant,
    "reset": lambda db, body: store.reset(db),
}
ON_ORDER: dict[str, Callable[[Request, Connection, Doc, Doc], None]] = {
    "fulfilments": _fulfilment,
    "returns": _return,
    "risk": _risk,
    "refunds": _refund,
}
