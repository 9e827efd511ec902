"""Whatever happens in the vendors' worlds leaves its marks here: the order's updatedAt, Stripe's events, webhooks.

Every function runs inside the transaction of the change itself.
"""

import json
from sqlite3 import Connection
from uuid import uuid4

from tools.sandbox import books, outbox, shopify_bodies, store, stripe_events, stripe_objects
from tools.sandbox.exchange import Doc, When
from tools.sandbox.shopify_view import OrderView, view_of

RETURN_TOPICS = {"REQUESTED": "request", "OPEN": "approve", "DECLINED": "decline", "CLOSED": "close",
                 "CANCELED": "cancel"}  # fmt: skip
DISPUTE_OVER = ("won", "lost", "warning_closed", "prevented")


def order_changed(db: Connection, shop: str, order_id: str, when: When, *topics: str) -> None:
    """The order was touched: tells `topics`, and orders/updated unless it was just created."""
    store.touch(db, shop, order_id, when.at)
    if not outbox.targets(db, shop, "shopify"):
        return
    view = view_of(db, shop, order_id)
    if view is None:
        return
    told = topics if "orders/create" in topics else (*topics, "orders/updated")
    body = shopify_bodies.order(view)
    for topic in told:
        _tell(db, shop, topic, body, when)


def order_created(db: Connection, order: Doc, when: When) -> None:
    order_changed(db, order["shop"], str(order["id"]), when, "orders/create")
    if order.get("charge"):
        charge = stripe_objects.charge(db, order)
        stripe_events.happened(db, order["shop"], "charge.succeeded", charge, when)
        intent = stripe_objects.payment_intent(db, order)
        stripe_events.happened(db, order["shop"], "payment_intent.succeeded", intent, when)


def fulfilment_changed(db: Connection, order: Doc, part: Doc, when: When, *, new: bool) -> None:
    shop, order_id = order["shop"], str(order["id"])
    _part_told(db, shop, order_id, "fulfillments/create" if new else "fulfillments/update", part, when)
    order_changed(db, shop, order_id, when)


def return_changed(db: Connection, order: Doc, part: Doc, when: When) -> None:
    shop, order_id = order["shop"], str(order["id"])
    topic = RETURN_TOPICS.get(str(part.get("status", "OPEN")).upper(), "update")
    _part_told(db, shop, order_id, f"returns/{topic}", part, when)
    order_changed(db, shop, order_id, when)


def _part_told(db: Connection, shop: str, order_id: str, topic: str, part: Doc, when: When) -> None:
    if not outbox.targets(db, shop, "shopify"):
        return
    view = view_of(db, shop, order_id)
    if view is not None:
        make = shopify_bodies.return_of if topic.startswith("returns/") else shopify_bodies.fulfilment_of
        _tell(db, shop, topic, make(view, part), when)


def risk_changed(db: Connection, order: Doc, when: When) -> None:
    shop, order_id = order["shop"], str(order["id"])
    view = view_of(db, shop, order_id)
    if view is not None:
        _tell(db, shop, "orders/risk_assessment_changed", shopify_bodies.risk(view, when.at), when)
    order_changed(db, shop, order_id, when)


def stock_changed(db: Connection, shop: str, sku: str, when: When) -> None:
    row = store.variant(db, shop, "sku", sku)
    if row is not None and row["available"] is not None:
        _tell(db, shop, "inventory_levels/update", shopify_bodies.stock(row, when.at), when)


def refund_made(db: Connection, row: Doc, when: When) -> None:
    """A refund by whomever: Shopify's order and Stripe's charge tell of it where they know it."""
    shop = row["shop"]
    if row["order_id"] and row["doc"].get("in_shopify"):
        _refund_told(db, row, when)
        order_changed(db, shop, row["order_id"], when)
    if row["charge"]:
        stripe_events.happened(db, shop, "refund.created", stripe_objects.refund(db, row), when)
        _charge_told(db, row, when, "charge.refunded")


def refund_changed(db: Connection, row: Doc, when: When) -> None:
    """A refund settled, failed or was cancelled."""
    if row["order_id"] and row["doc"].get("in_shopify"):
        order_changed(db, row["shop"], row["order_id"], when)
    if row["charge"]:
        topic = "refund.failed" if row["status"] == "failed" else "refund.updated"
        refund = stripe_objects.refund(db, row)
        stripe_events.happened(db, row["shop"], topic, refund, when)
        stripe_events.happened(db, row["shop"], "charge.refund.updated", refund, when)


def _refund_told(db: Connection, row: Doc, when: When) -> None:
    shop = row["shop"]
    if not outbox.targets(db, shop, "shopify"):
        return
    view = view_of(db, shop, row["order_id"])
    mine = next((one for one in view.refunds if one["id"] == row["id"]), None) if view else None
    if view is None or mine is None:
        return
    _tell(db, shop, "refunds/create", shopify_bodies.refund(view, mine), when)
    for place in range(len(view.moves(mine))):
        _tell(db, shop, "order_transactions/create", shopify_bodies.transaction(view, mine, place), when)


def _charge_told(db: Connection, row: Doc, when: When, topic: str) -> None:
    order = store.order_of_charge(db, row["shop"], row["charge"])
    if order is not None:
        stripe_events.happened(db, row["shop"], topic, stripe_objects.charge(db, order), when)


def dispute_changed(db: Connection, shop: str, doc: Doc, when: When, *, new: bool) -> None:
    """Stripe tells of a dispute that names its charge, Shopify of any other."""
    if doc.get("charge"):
        over = doc["status"] in DISPUTE_OVER
        topic = "created" if new else "closed" if over else "updated"
        thing = stripe_objects.dispute(db, shop, doc)
        stripe_events.happened(db, shop, f"charge.dispute.{topic}", thing, when)
        return
    order = store.order(db, shop, str(doc["order_id"])) if doc.get("order_id") else None
    view = OrderView(db, order) if order else None
    _tell(db, shop, "disputes/create" if new else "disputes/update", shopify_bodies.dispute(view, doc), when)
    if view:
        order_changed(db, shop, view.id, when)


def fraud_warned(db: Connection, shop: str, doc: Doc, when: When) -> None:
    thing = stripe_objects.fraud_warning(db, shop, doc)
    stripe_events.happened(db, shop, "radar.early_fraud_warning.created", thing, when)


def tags_changed(
    db: Connection, shop: str, order_id: str, names: list[str], when: When, *, gone: bool
) -> None:
    """Adds or removes tags; an order whose tags stay as they are isn't touched."""
    act = books.remove_tag if gone else books.add_tag
    moved = [name for name in names if act(db, shop, order_id, name)]
    if moved:
        order_changed(db, shop, order_id, when)


def _tell(db: Connection, shop: str, topic: str, body: Doc, when: When) -> None:
    if outbox.targets(db, shop, "shopify"):
        raw = json.dumps(body, ensure_ascii=False).encode()
        outbox.post(db, shop, "shopify", topic, raw, name=str(uuid4()), now=when.now)
