"""Stripe's events: each change makes one with the object as it was then, to be listed and to be sent.

https://docs.stripe.com/api/events
"""

import json
from sqlite3 import Connection

from tools.sandbox import outbox, store, things
from tools.sandbox.exchange import Doc, When, token, unix

API_VERSION = "2026-10-28.endive"
PRODUCTION_KEYS = ("sk_live", "rk_live")


def livemode(db: Connection, shop: str) -> bool:
    """Whether the shop's key is one for real money."""
    key = str((store.credentials(db, shop) or {}).get("stripe_key") or "")
    return key.startswith(PRODUCTION_KEYS)


def happened(db: Connection, shop: str, kind: str, thing: Doc, when: When) -> None:
    """Makes an event around a snapshot of the object and queues it for those who listen.

    A story that names its events delivers them itself: only those are made, and nobody else is told.
    """
    if when.events is not None and kind not in when.events:
        return
    number = things.next_number(db, "event")
    name = when.events[kind] if when.events else f"evt_{token('event', shop, number, when.now)}"
    waiting = len(outbox.targets(db, shop, "stripe"))
    event = {
        "id": name,
        "object": "event",
        "api_version": API_VERSION,
        "created": unix(when.at),
        "data": {"object": thing},
        "livemode": livemode(db, shop),
        "pending_webhooks": waiting,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }
    raw = json.dumps(event, ensure_ascii=False)
    row = (shop, name, kind, event["created"], raw)
    db.execute("INSERT OR IGNORE INTO event (shop, id, type, created, doc) VALUES (?, ?, ?, ?, ?)", row)
    if when.events is None:
        outbox.post(db, shop, "stripe", kind, raw.encode(), name=name, now=when.now)


def every(db: Connection, shop: str) -> list[Doc]:
    """Newest first."""
    sql = "SELECT doc FROM event WHERE shop = ? ORDER BY created DESC, seq DESC"
    return store.docs(db.execute(sql, (shop,)))


def one(db: Connection, shop: str, name: str) -> Doc | None:
    sql = "SELECT doc FROM event WHERE shop = ? AND id = ?"
    return store.doc_of(db.execute(sql, (shop, name)).fetchone())
