"""orderCancel: asked for now, done by a job a little later, and an error when it is asked for again.

https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/orderCancel
"""

from sqlite3 import Connection
from uuid import uuid4

from tools.sandbox import changes, shopify_refunds, store, things
from tools.sandbox.exchange import Doc, When
from tools.sandbox.shopify_nodes import gid
from tools.sandbox.shopify_view import OrderView, view_of

SECONDS = 2.0


def ask(db: Connection, shop: str, name: str, wish: Doc, when: When) -> Doc:
    """The payload: a job that isn't done yet, or what speaks against it."""
    view = view_of(db, shop, name)
    if view is None:
        return _refused("NOT_FOUND", "Order does not exist", "orderId")
    if view.order.get("cancelled_at") or _under_way(db, shop, name):
        return _refused("INVALID", "Order has already been cancelled", "orderId")
    if view.fulfilment_status() != "UNFULFILLED":
        return _refused("INVALID", "Cannot cancel an order that has fulfilled items", "orderId")
    money_back = (wish.get("refundMethod") or {}).get("originalPaymentMethodsRefund", wish.get("refund"))
    wait = float((store.credentials(db, shop) or {}).get("cancel_seconds", SECONDS))
    job = {
        "id": str(uuid4()),
        "order": name,
        "due": when.now + wait,
        "done": False,
        "reason": wish["reason"],
        "restock": bool(wish["restock"]),
        "refund": bool(money_back),
        "note": wish.get("staffNote"),
    }
    things.put(db, "job", shop, job)
    return {"job": graph(job), "orderCancelUserErrors": [], "userErrors": []}


def _refused(code: str, message: str, field: str) -> Doc:
    error = {"field": [field], "message": message}
    return {"job": None, "orderCancelUserErrors": [{**error, "code": code}], "userErrors": [error]}


def _under_way(db: Connection, shop: str, name: str) -> bool:
    return any(job["order"] == name and not job["done"] for job in things.every(db, "job", shop))


def graph(job: Doc) -> Doc:
    return {
        "__typename": "Job",
        "id": gid("Job", job["id"]),
        "done": job["done"],
        "query": lambda info: info.root_value,
    }


def settle(db: Connection, shop: str, when: When) -> None:
    """Does what is due; called before every reading."""
    for job in things.every(db, "job", shop):
        if not job["done"] and job["due"] <= when.now:
            things.put(db, "job", shop, {**job, "done": True})
            view = view_of(db, shop, job["order"])
            if view is not None and not view.order.get("cancelled_at"):
                _cancel(view, job, when)


def _cancel(view: OrderView, job: Doc, when: When) -> None:
    if job["restock"]:
        for name, line in view.lines.items():
            shopify_refunds.put_back(view, name, int(line["quantity"]) - view.units_refunded(name), when)
    left = view.captured - view.refunded
    if job["refund"] and left > 0:
        plan = shopify_refunds.whole(view, restock="CANCEL")
        shopify_refunds.record(view, plan, key=None, when=when, note=job["note"], status="succeeded")
    cancelled = {"cancelled_at": when.at, "cancel_reason": job["reason"], "cancel_note": job["note"]}
    store.put_order(view.db, {**view.order, **cancelled}, when.at)
    changes.order_changed(view.db, view.shop, view.id, when, "orders/cancelled")
