"""Webhooks on their way out: who listens, what each delivery holds, and what became of every try.

A target may be unreliable on purpose: `drop` and `duplicate` are shares of its deliveries, `shuffle` spreads them
over seconds. With the same `seed`, the same deliveries in the same order meet the same luck.
"""

import json
from collections.abc import Sequence
from random import Random
from sqlite3 import Connection, Row
from urllib.parse import urlsplit

from tools.sandbox import signing
from tools.sandbox.exchange import Doc, iso_of

SENDERS = ("shopify", "stripe", "whatsapp")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SHUFFLE_SECONDS = 3.0
WAITING, SENDING, DELIVERED, GIVEN_UP, DROPPED = "waiting", "sending", "delivered", "given_up", "dropped"


def register(db: Connection, wish: Doc) -> None:
    """Stores a target by shop, vendor and url; ValueError for one that is not on the loopback."""
    if wish["vendor"] not in SENDERS:
        raise ValueError(f"vendor must be one of {', '.join(SENDERS)}")
    parts = urlsplit(str(wish["url"]))
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise ValueError("url must be http:// on 127.0.0.1, ::1 or localhost")
    for name in ("drop", "duplicate"):
        if not 0 <= float(wish.get(name, 0)) <= 1:
            raise ValueError(f"{name} must be a share between 0 and 1")
    row = (wish["shop"], wish["vendor"], wish["url"], json.dumps({"secret": "", **wish}))
    db.execute(
        "INSERT INTO target (shop, vendor, url, doc) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (shop, vendor, url) DO UPDATE SET doc = excluded.doc",
        row,
    )


def unregister_all(db: Connection) -> None:
    """Forgets all targets, and what still waited for them."""
    db.execute("DELETE FROM target")
    db.execute("DELETE FROM delivery")


def targets(db: Connection, shop: str, vendor: str) -> list[Doc]:
    rows = db.execute(
        "SELECT seq, doc FROM target WHERE shop = ? AND vendor = ? ORDER BY seq", (shop, vendor)
    )
    return [{**json.loads(row["doc"]), "seq": row["seq"]} for row in rows]


def post(db: Connection, shop: str, vendor: str, topic: str, body: bytes, *, name: str, now: float) -> None:
    """Queues one delivery per target that wants the topic, due at once; `name` is the webhook's id."""
    for target in targets(db, shop, vendor):
        wanted = target.get("topics")
        if wanted and topic not in wanted:
            continue
        _queue(db, target, topic, body, name, now)


def _queue(db: Connection, target: Doc, topic: str, body: bytes, name: str, at: float) -> None:
    # By the delivery's place and not by its id, which no run has twice.
    place = db.execute("SELECT COALESCE(MAX(seq), 0) FROM delivery").fetchone()[0]
    chance = Random(f"{target.get('seed', 0)}:{target['seq']}:{place}")
    dropped = chance.random() < float(target.get("drop", 0))
    twice = chance.random() < float(target.get("duplicate", 0))
    for _ in range(2 if twice and not dropped else 1):
        due = at + (chance.random() * SHUFFLE_SECONDS if target.get("shuffle") else 0)
        row = (target["seq"], topic, name, body, at, due, DROPPED if dropped else WAITING, "[]")
        db.execute(
            "INSERT INTO delivery (target, topic, id, body, created, due, state, attempts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        )


def recover(db: Connection) -> None:
    """What was being sent when the sandbox died is sent again, as vendors do."""
    db.execute("UPDATE delivery SET state = ? WHERE state = ?", (WAITING, SENDING))


def claim(db: Connection, until: float, most: int = 50) -> list[Doc]:
    """Takes what is due until then, oldest due first, each with its target."""
    rows = db.execute(
        "SELECT delivery.*, target.doc AS target_doc FROM delivery JOIN target ON target.seq = delivery.target"
        " WHERE state = ? AND due <= ? ORDER BY due, delivery.seq LIMIT ?",
        (WAITING, until, most),
    ).fetchall()
    for row in rows:
        db.execute("UPDATE delivery SET state = ? WHERE seq = ?", (SENDING, row["seq"]))
    return [{**_shown(row), "target_doc": json.loads(row["target_doc"]), "body": row["body"]} for row in rows]


def next_due(db: Connection) -> float | None:
    row = db.execute("SELECT MIN(due) FROM delivery WHERE state = ?", (WAITING,)).fetchone()
    return float(row[0]) if row[0] is not None else None


def settle(db: Connection, delivery: Doc, attempt: Doc) -> None:
    """Writes down one try; a refused or unheard one waits for its turn, until the vendor gives up."""
    tries = [*delivery["attempts"], attempt]
    pauses: Sequence[int] = signing.pauses(delivery["target_doc"]["vendor"])
    if 200 <= (attempt["status"] or 0) < 300:
        state, due = DELIVERED, None
    elif len(tries) > len(pauses):
        state, due = GIVEN_UP, None
    else:
        state, due = WAITING, attempt["tried"] + pauses[len(tries) - 1]
    sql = "UPDATE delivery SET state = ?, due = ?, attempts = ? WHERE seq = ?"
    db.execute(sql, (state, due, json.dumps(tries), delivery["seq"]))


def listed(db: Connection) -> list[Doc]:
    """Every delivery with its tries, oldest first."""
    rows = db.execute(
        "SELECT delivery.*, target.doc AS target_doc FROM delivery JOIN target ON target.seq = delivery.target"
        " ORDER BY delivery.seq"
    )
    shown = []
    for row in rows:
        target = json.loads(row["target_doc"])
        shown.append({**_shown(row), **{name: target[name] for name in ("shop", "vendor", "url")}})
    return shown


def _shown(row: Row) -> Doc:
    return {
        "seq": row["seq"],
        "id": row["id"],
        "topic": row["topic"],
        "state": row["state"],
        "due": row["due"],
        "triggered_at": iso_of(row["created"]),
        "attempts": json.loads(row["attempts"]),
    }
