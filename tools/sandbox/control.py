"""The sandbox's own control API: what happens in the vendors' worlds without us, and what they saw of us.

Bodies are JSON objects; `at` (ISO 8601) may tell when the change happened, before any instant of the thing's own.
A story that posts Stripe's webhooks itself names them in `events`, {type: id}: those are then listed under these ids,
types that it doesn't name are not, and none of them is sent.

POST   /_control/shops          {"slug", "shopify_token", "stripe_key", "klaviyo_key", "whatsapp_token",
                                 "phone_number_id", "whatsapp_account", "currency", "bucket", "restore_rate",
                                 "shopify_versions", "cancel_seconds", "refund_seconds", "refund_ends"}
POST   /_control/orders         one order in the neutral form; an order of the same id is changed; `tenders`, a line's
                                `taxes` and `duties` and `shipping_taxes` tell more than gateway, `tax` and `shipping`
POST   /_control/orders/{shop}/{order}/fulfilments {"id", "status", "created_at", "tracking_number", "line_ids"}
POST   /_control/orders/{shop}/{order}/returns     {"id", "status", "lines"}
POST   /_control/orders/{shop}/{order}/risk        {"level"}
POST   /_control/orders/{shop}/{order}/refunds     {"id", "amount", "lines", "transaction_id"}: made by hand
POST   /_control/refunds/{shop}/{refund}           {"status"}: settles or fails a refund later
POST   /_control/stock          {"shop", "sku", "available"}
POST   /_control/charges        {"shop", "charge", "type"}: Stripe tells of a charge as it stands, as charge.captured
POST   /_control/disputes       {"shop", "id", "amount", "reason", "status", "charge" | "order_id", "evidence_due_by"}
POST   /_control/fraud_warnings {"shop", "id", "charge", "fraud_type"}
POST   /_control/invoices       {"shop", "id", "charge", "number", "amount_paid"}: paid, ready for a credit note
POST   /_control/templates      {"shop", "name", "language", "status", "category"}
POST   /_control/inbound        {"shop", "from" | "user_id", "text"}: a WhatsApp message opens the 24 hours
POST   /_control/statuses       {"shop", "id", "status"}: what became of a WhatsApp message
POST   /_control/webhooks       {"shop", "vendor", "url", "secret", "topics", "drop", "duplicate", "shuffle", "seed"}
DELETE /_control/webhooks       forgets all targets and what waits for them
GET    /_control/deliveries     every webhook with its tries
POST   /_control/deliver        {"until"}: tries all that is due until then, retries included
POST   /_control/clock          {"advance": seconds}
POST   /_control/faults         {"vendor", "shop", "operation", "kind", "times", ...}: see tools/sandbox/faults.py
GET    /_control/faults         those that can still strike; DELETE forgets them
GET    /_control/ledger         refunds, messages and tags; GET /_control/health; POST /_control/reset
"""

from collections.abc import Callable
from sqlite3 import Connection

from tools.sandbox import books, control_money, control_talk, control_world, faults, outbox, store
from tools.sandbox.control_forms import ControlError
from tools.sandbox.exchange import Answer, Doc, Request, When, utc

PREFIX = "/_control"
LEDGER = (
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


def answer(request: Request, db: Connection) -> Answer:
    """Carries out one control request; 400 tells what is wrong, 404 names an unknown path."""
    parts = request.path.removeprefix(PREFIX).strip("/").split("/")
    try:
        if request.method == "POST":
            return _post(request, db, parts)
        act = PLAIN.get((request.method, "/".join(parts)))
        if act is not None:
            return Answer.json(200, act(db, request.when))
    except (ValueError, KeyError, TypeError) as error:
        return Answer.json(400, {"error": f"{type(error).__name__}: {error}"})
    return _unknown(request)


def ledger(db: Connection) -> Doc:
    """Every refund that moved money, every message and every tag, oldest first."""
    refunds = [
        {**{name: row[name] for name in LEDGER}, "created_at": row["created_at"], "by": row["made_by"]}
        for row in books.refunds(db)
        if row["amount_minor"] and row["status"] not in ("failed", "canceled")
    ]
    return {"refunds": refunds, "messages": books.messages(db), "tags": books.tags(db)}


def _post(request: Request, db: Connection, parts: list[str]) -> Answer:
    body = request.json() if request.body else {}
    if not isinstance(body, dict):
        raise ControlError("the body must be a JSON object")
    when = _when(request, body)
    if len(parts) == 1 and parts[0] in TOP:
        TOP[parts[0]](db, body, when)
    elif len(parts) == 4 and parts[0] == "orders" and parts[3] in ON_ORDER:
        order = store.order(db, parts[1], parts[2])
        if order is None:
            return Answer.json(404, {"error": f"shop {parts[1]!r} has no order {parts[2]!r}"})
        ON_ORDER[parts[3]](db, order, body, when)
    elif len(parts) == 3 and parts[0] == "refunds":
        if not control_money.settle(db, parts[1], parts[2], body, when):
            return Answer.json(404, {"error": f"shop {parts[1]!r} has no refund {parts[2]!r}"})
    else:
        return _unknown(request)
    return Answer.json(200, {"ok": True})


def _when(request: Request, body: Doc) -> When:
    """When the change happened, and as which events; both leave the body, which describes the thing alone."""
    at, events = body.pop("at", None), body.pop("events", None)
    if events is not None and not isinstance(events, dict):
        raise ControlError("events must be a JSON object of ids by type")
    return When(utc(at) if at else request.at, request.when.now, bool(at), events)


def _unknown(request: Request) -> Answer:
    return Answer.json(404, {"error": f"unknown control request: {request.method} {request.path}"})


def _clear_faults(db: Connection, when: When) -> Doc:
    faults.clear(db)
    return {"ok": True}


def _clear_webhooks(db: Connection, when: When) -> Doc:
    outbox.unregister_all(db)
    return {"ok": True}


PLAIN: dict[tuple[str, str], Callable[[Connection, When], Doc]] = {
    ("GET", "ledger"): lambda db, when: ledger(db),
    ("GET", "health"): lambda db, when: {"ok": True},
    ("GET", "faults"): lambda db, when: {"faults": faults.active(db, when.now)},
    ("GET", "deliveries"): lambda db, when: {"deliveries": outbox.listed(db)},
    ("DELETE", "faults"): _clear_faults,
    ("DELETE", "webhooks"): _clear_webhooks,
}
TOP: dict[str, Callable[[Connection, Doc, When], None]] = {
    "shops": control_world.shop,
    "orders": control_world.order,
    "stock": control_world.stock,
    "charges": control_money.charge,
    "disputes": control_money.dispute,
    "fraud_warnings": control_money.fraud_warning,
    "invoices": control_money.invoice,
    "templates": control_talk.template,
    "inbound": control_talk.inbound,
    "statuses": control_talk.status,
    "webhooks": lambda db, body, when: outbox.register(db, body),
    "faults": lambda db, body, when: faults.plant(db, body, when.now),
    "reset": lambda db, body, when: store.reset(db),
}
ON_ORDER: dict[str, Callable[[Connection, Doc, Doc, When], None]] = {
    "fulfilments": control_world.fulfilment,
    "returns": control_world.return_,
    "risk": control_world.risk,
    "refunds": control_money.refund,
}
