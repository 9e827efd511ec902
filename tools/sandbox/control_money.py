"""What the control API makes happen to money: refunds by hand, disputes, warnings, invoices."""

from sqlite3 import Connection

from tools.sandbox import books, changes, store, stripe_events, stripe_objects, things
from tools.sandbox.control_forms import ControlError, need, one_of
from tools.sandbox.exchange import Doc, When, token, utc
from tools.sandbox.money import to_minor
from tools.sandbox.shopify_view import OrderView, moved
from tools.sandbox.tenders import charged, tenders

CHARGE_EVENTS = ("charge.succeeded", "charge.captured", "charge.updated", "charge.refunded")
STATUSES = ("pending", "requires_action", "succeeded", "failed", "canceled")


def settle(db: Connection, shop: str, name: str, body: Doc, when: When) -> bool:
    """Gives a refund another status; False where the shop has no such refund."""
    one_of("status", body.get("status"), STATUSES)
    row = books.refund_named(db, shop, name)
    if row is None:
        return False
    if row["status"] != body["status"]:
        changes.refund_changed(db, books.change_refund(db, row, status=body["status"]), when)
    return True


def charge(db: Connection, body: Doc, when: When) -> None:
    need(body, ("shop", "charge", "type"))
    one_of("type", body["type"], CHARGE_EVENTS)
    order = _paid(db, body)
    stripe_events.happened(db, body["shop"], body["type"], stripe_objects.charge(db, order), when)


def _paid(db: Connection, body: Doc) -> Doc:
    order = store.order_of_charge(db, body["shop"], body["charge"])
    if order is None:
        raise ControlError(f"shop {body['shop']!r} has no charge {body['charge']!r}")
    return order


def dispute(db: Connection, body: Doc, when: When) -> None:
    """Upserts a dispute: with `charge` it is Stripe's, with `order_id` alone Shopify's."""
    need(body, ("shop", "id", "amount", "reason", "status"))
    order = _paid(db, body) if body.get("charge") else None
    created = body.get("created_at") or (order or {}).get("created_at")
    if not created:
        raise ControlError("a dispute without charge needs created_at")
    doc = {**body, "created_at": utc(created)}
    known = books.put_dispute(db, body["shop"], doc)
    if known == doc:
        return
    moment = when.moved(doc["created_at"]) if "created_at" in body and known is None else when
    changes.dispute_changed(db, body["shop"], doc, moment, new=known is None)


def fraud_warning(db: Connection, body: Doc, when: When) -> None:
    need(body, ("shop", "id", "charge"))
    _paid(db, body)
    doc = {**body, "created_at": utc(body["created_at"]) if body.get("created_at") else when.at}
    if things.put(db, "fraud_warning", body["shop"], doc):
        changes.fraud_warned(db, body["shop"], doc, when.moved(doc["created_at"]))


def invoice(db: Connection, body: Doc, when: When) -> None:
    """Plants a paid invoice; amount and currency are the charge's where they aren't told."""
    need(body, ("shop", "id", "charge"))
    order = _paid(db, body)
    usual = {
        "currency": order["currency"],
        "amount_paid": charged(order),
        "number": f"INV-{order['id']}",
        "created_at": order["created_at"],
    }
    things.put(db, "invoice", body["shop"], {**usual, **body})


def refund(db: Connection, order: Doc, body: Doc, when: When) -> None:
    """A refund made by hand in the dashboard, where the person may do what the API would refuse.

    It shows in Shopify's order, and on the Stripe charge where one paid for it.
    """
    need(body, ("id", "amount"))
    view = OrderView(db, order)
    # A refund to another tender is none of Stripe's.
    elsewhere = body.get("transaction_id") and str(body["transaction_id"]) != _charge_tender(order)
    charge = {} if elsewhere else order.get("charge") or {}
    own = str(body["id"])
    digits = "".join(sign for sign in own if sign.isdigit()) or str(int(token(own), 16) % 10**9)
    shopify = own.rpartition("/")[2] if "/" in own else digits
    stripe_id = own if own.startswith("re_") else f"re_{token('refund', order['shop'], own)}"
    created = utc(body["created_at"]) if body.get("created_at") else when.at
    move = _move(view, charge, body)
    row = {
        "vendor": "stripe" if charge else "shopify",
        "shop": order["shop"],
        "id": stripe_id if charge else f"gid://shopify/Refund/{shopify}",
        "order_id": str(order["id"]),
        "charge": charge.get("id"),
        "amount_minor": moved([move]),
        "currency": order["currency"],
        "status": body.get("status", "succeeded"),
        "idempotency_key": None,
        "created_at": created,
        "made_by": "dashboard",
        "doc": {
            "in_shopify": True,
            "shopify_id": shopify,
            "lines": [_line(view, line) for line in body.get("lines", [])],
            "shipping_minor": to_minor(body.get("shipping") or "0", order["currency"]),
            "shipping_before": view.shipping_refunded,
            "moves": [move],
            "metadata": {},
            "payment_intent": charge.get("payment_intent"),
        },
    }
    if books.refund_named(db, order["shop"], row["id"]) is None:
        books.add_refund(db, row)
        seq = books.next_refund(db) - 1
        changes.refund_made(db, {**row, "seq": seq}, when.moved(created))


def _charge_tender(order: Doc) -> str:
    """The transaction that the Stripe charge of an order is known by at the shop."""
    name = (order.get("charge") or {}).get("id")
    return next((one.name for one in tenders(order) if name and one.charge.get("id") == name), "")


def _move(view: OrderView, charge: Doc, body: Doc) -> Doc:
    """What went back, to the tender that the body names, or else to the Stripe charge or the first."""
    wanted = str(body.get("transaction_id") or "")
    named = [one for one in view.tenders if one.name == wanted]
    paid = [one for one in view.tenders if charge and one.charge.get("id") == charge["id"]]
    if wanted and not named:
        raise ControlError(f"the order has no transaction {wanted!r}")
    tender = (named or paid or view.tenders)[0]
    return {"minor": view.minor(body["amount"]), "gateway": tender.gateway, "parent": tender.name}


def _line(view: OrderView, line: Doc) -> Doc:
    name = str(line["id"])
    return {"id": name, "quantity": int(line["quantity"]), "before": view.units_refunded(name)}
