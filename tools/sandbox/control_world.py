"""What the control API makes happen in the shop: orders, parcels, returns, risk, stock."""

from sqlite3 import Connection

from tools.sandbox import books, changes, store, tenders
from tools.sandbox.control_forms import need, one_of
from tools.sandbox.exchange import Doc, When, unix, utc
from tools.sandbox.money import to_minor
from tools.sandbox.shopify_taxes import taxes_of

ORDER_FIELDS = ("shop", "id", "name", "currency", "created_at", "lines", "total", "gateway", "transaction_id")
LINE_FIELDS = ("id", "variant_id", "sku", "title", "quantity", "unit_price")
RISKS = ("LOW", "MEDIUM", "HIGH", "PENDING", "NONE")
FULFILMENTS = ("in_transit", "out_for_delivery", "delivered", "failure", "attempted_delivery", "delayed",
               "confirmed", "label_printed", "cancelled")  # fmt: skip
# What the vendor's API wrote into an order; a later form of the order that doesn't say otherwise keeps it.
OURS = ("note", "cancelled_at", "cancel_reason", "cancel_note")


def shop(db: Connection, body: Doc, when: When) -> None:
    store.put_shop(db, str(body["slug"]), body)


def order(db: Connection, body: Doc, when: When) -> None:
    """Upserts an order; a new one happened when it was created, a changed one at its updated_at or `at`, or now."""
    _check(body)
    known = store.order(db, body["shop"], str(body["id"]))
    told = when.moved(utc(body["updated_at"])) if body.get("updated_at") else when if when.told else None
    plain = {name: value for name, value in body.items() if name != "updated_at"}
    if known is None:
        moment = told or when.moved(utc(body["created_at"]))
        store.put_order(db, plain, moment.at)
        _tag(db, plain)
        changes.order_created(db, plain, moment)
        return
    plain = {**{name: known[name] for name in OURS if name in known}, **plain}
    same = {name: value for name, value in known.items() if name != "updated_at"} == plain
    tagged = _tag(db, plain)
    if same and not tagged and "updated_at" not in body:
        return
    moment = told or when
    store.put_order(db, plain, moment.at)
    gone = bool(plain.get("cancelled_at")) and not known.get("cancelled_at")
    changes.order_changed(db, body["shop"], str(body["id"]), moment, *(["orders/cancelled"] if gone else []))


def _tag(db: Connection, order: Doc) -> bool:
    added = [books.add_tag(db, order["shop"], str(order["id"]), name) for name in order.get("tags") or ()]
    return any(added)


def _check(body: Doc) -> None:
    need(body, ORDER_FIELDS)
    for line in body["lines"]:
        need(line, LINE_FIELDS)
        for field in ("unit_price", "tax", "discount"):
            to_minor(line.get(field) or "0", body["currency"])
        taxes_of(line, body["currency"])
        for duty in line.get("duties", ()):
            need(duty, ("id", "amount"))
            taxes_of(duty, body["currency"])
    tenders.check(body)
    if to_minor(body["total"], body["currency"]) < 0:
        raise ValueError("total must not be negative")
    unix(body["created_at"])
    one_of("level", body.get("risk", "NONE"), RISKS)


def stock(db: Connection, body: Doc, when: When) -> None:
    need(body, ("shop", "sku", "available"))
    title, available = str(body.get("title") or body["sku"]), int(body["available"])
    known = store.variant(db, body["shop"], "sku", body["sku"])
    store.put_stock(db, body["shop"], body["sku"], title, available)
    if known is None or known["available"] != available:
        changes.stock_changed(db, body["shop"], body["sku"], when)


def fulfilment(db: Connection, order: Doc, body: Doc, when: When) -> None:
    need(body, ("id", "status", "created_at"))
    one_of("status", body["status"], FULFILMENTS)
    new = store.put_part(db, order["shop"], str(order["id"]), "fulfilment", body)
    told = [body[name] for name in ("updated_at", "delivered_at", "created_at") if body.get(name)]
    moment = when.moved(max(map(utc, told)))
    changes.fulfilment_changed(db, order, body, moment, new=new)


def return_(db: Connection, order: Doc, body: Doc, when: When) -> None:
    need(body, ("id",))
    doc = {"created_at": when.at, **body}
    new = store.put_part(db, order["shop"], str(order["id"]), "return", doc)
    told = when.moved(utc(doc["created_at"])) if new else when
    changes.return_changed(db, order, doc, told)


def risk(db: Connection, order: Doc, body: Doc, when: When) -> None:
    one_of("level", body["level"], RISKS)
    plain = {name: value for name, value in order.items() if name != "updated_at"}
    changed = {**plain, "risk": body["level"]}
    store.put_order(db, changed, when.at)
    changes.risk_changed(db, {**changed, "updated_at": when.at}, when)
