"""The sandbox's own SQLite file: every write is committed before its answer goes out.

WAL with synchronous=NORMAL: a committed transaction is in the page cache before the answer leaves, so it survives
a kill -9 of the sandbox; only a power cut could take the last ones, which a stand-in may accept for its speed.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

from tools.sandbox.exchange import Doc

SCHEMA = """
CREATE TABLE IF NOT EXISTS shop (slug TEXT PRIMARY KEY, doc TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shop_order (
    shop TEXT, id TEXT, customer TEXT, charge TEXT, payment_intent TEXT, doc TEXT NOT NULL, PRIMARY KEY (shop, id));
CREATE INDEX IF NOT EXISTS order_by_customer ON shop_order (shop, customer);
CREATE INDEX IF NOT EXISTS order_by_charge ON shop_order (shop, charge);
CREATE INDEX IF NOT EXISTS order_by_payment_intent ON shop_order (shop, payment_intent);
CREATE TABLE IF NOT EXISTS variant (
    shop TEXT, sku TEXT, id TEXT, title TEXT, price TEXT, available INTEGER, PRIMARY KEY (shop, sku));
CREATE TABLE IF NOT EXISTS part (
    shop TEXT, order_id TEXT, kind TEXT, id TEXT, doc TEXT NOT NULL, PRIMARY KEY (shop, order_id, kind, id));
CREATE TABLE IF NOT EXISTS refund (
    seq INTEGER PRIMARY KEY, vendor TEXT NOT NULL, shop TEXT NOT NULL, id TEXT NOT NULL, order_id TEXT, charge TEXT,
    amount_minor INTEGER NOT NULL CHECK (amount_minor >= 0), currency TEXT NOT NULL, status TEXT NOT NULL,
    idempotency_key TEXT, created_at TEXT NOT NULL, made_by TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (vendor, shop, id));
CREATE INDEX IF NOT EXISTS refund_by_order ON refund (shop, order_id);
CREATE INDEX IF NOT EXISTS refund_by_charge ON refund (shop, charge);
CREATE TABLE IF NOT EXISTS dispute (shop TEXT, id TEXT, charge TEXT, order_id TEXT, doc TEXT NOT NULL,
    PRIMARY KEY (shop, id));
CREATE TABLE IF NOT EXISTS kept_answer (
    vendor TEXT, shop TEXT, key TEXT, fingerprint TEXT NOT NULL, status INTEGER, body BLOB, headers TEXT NOT NULL,
    PRIMARY KEY (vendor, shop, key));
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY, vendor TEXT NOT NULL, shop TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL,
    UNIQUE (vendor, shop, id));
CREATE TABLE IF NOT EXISTS tag (shop TEXT, order_id TEXT, name TEXT, PRIMARY KEY (shop, order_id, name));
CREATE TABLE IF NOT EXISTS fault (
    seq INTEGER PRIMARY KEY, vendor TEXT NOT NULL, shop TEXT NOT NULL, operation TEXT NOT NULL, times INTEGER,
    doc TEXT NOT NULL);
"""
TABLES = (
    "shop",
    "shop_order",
    "variant",
    "part",
    "refund",
    "dispute",
    "kept_answer",
    "message",
    "tag",
    "fault",
)


class Store:
    """One connection behind one lock: checks and the write that rests on them can't interleave."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._keys_lock = threading.Lock()
        self._keys: set[tuple[str, str, str]] = set()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(f"BEGIN; {SCHEMA} COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Commits at the end, or rolls back when the block raises."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def working_on(self, vendor: str, shop: str, key: str | None) -> Iterator[bool]:
        """Yields False while another connection works under the same idempotency key."""
        if key is None:
            yield True
            return
        name = (vendor, shop, key)
        with self._keys_lock:
            free = name not in self._keys
            self._keys.add(name)
        try:
            yield free
        finally:
            if free:
                with self._keys_lock:
                    self._keys.discard(name)

    def close(self) -> None:
        with self._lock:
            self._db.close()


def reset(db: Connection) -> None:
    for table in TABLES:
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are the literals above


def credentials(db: Connection, shop: str) -> Doc | None:
    """What the shop was registered with; None for a shop that the control API has not been told of."""
    return _doc(db.execute("SELECT doc FROM shop WHERE slug = ?", (shop,)).fetchone())


def put_shop(db: Connection, slug: str, doc: Doc) -> None:
    merged = {**(credentials(db, slug) or {}), **doc}
    db.execute("INSERT OR REPLACE INTO shop VALUES (?, ?)", (slug, json.dumps(merged)))


def put_order(db: Connection, order: Doc) -> None:
    shop, charge = order["shop"], order.get("charge") or {}
    customer = str((order.get("customer") or {}).get("id", ""))
    row = (
        shop,
        str(order["id"]),
        customer,
        charge.get("id"),
        charge.get("payment_intent"),
        json.dumps(order),
    )
    db.execute("INSERT OR REPLACE INTO shop_order VALUES (?, ?, ?, ?, ?, ?)", row)
    for line in order["lines"]:
        db.execute(
            "INSERT INTO variant (shop, sku, id, title, price) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (shop, sku) DO UPDATE SET id = excluded.id",
            (shop, line["sku"], str(line["variant_id"]), line["title"], line["unit_price"]),
        )
    for name in order.get("tags") or ():
        add_tag(db, shop, str(order["id"]), name)


def order(db: Connection, shop: str, order_id: str) -> Doc | None:
    return _doc(
        db.execute("SELECT doc FROM shop_order WHERE shop = ? AND id = ?", (shop, order_id)).fetchone()
    )


def orders(db: Connection, shop: str) -> list[Doc]:
    return _docs(db.execute("SELECT doc FROM shop_order WHERE shop = ? ORDER BY id DESC", (shop,)))


def orders_of_customer(db: Connection, shop: str, customer: str) -> list[Doc]:
    rows = db.execute(
        "SELECT doc FROM shop_order WHERE shop = ? AND customer = ? ORDER BY id", (shop, customer)
    )
    return _docs(rows)


def order_of_charge(db: Connection, shop: str, name: str) -> Doc | None:
    """The order paid by a charge or payment intent of this id."""
    sql = "SELECT doc FROM shop_order WHERE shop = ? AND (charge = ? OR payment_intent = ?)"
    return _doc(db.execute(sql, (shop, name, name)).fetchone())


def put_part(db: Connection, shop: str, order_id: str, kind: str, doc: Doc) -> None:
    """Stores a fulfilment or a return by its own id; a later one of the same id replaces it."""
    db.execute(
        "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?)",
        (shop, order_id, kind, str(doc["id"]), json.dumps(doc)),
    )


def parts(db: Connection, shop: str, order_id: str, kind: str) -> list[Doc]:
    sql = "SELECT doc FROM part WHERE shop = ? AND order_id = ? AND kind = ? ORDER BY rowid"
    return _docs(db.execute(sql, (shop, order_id, kind)))


def put_stock(db: Connection, shop: str, sku: str, title: str, available: int) -> None:
    number = 700_000_000 + sum(db.execute("SELECT COUNT(*) FROM variant").fetchone())
    db.execute(
        "INSERT INTO variant (shop, sku, id, title, price, available) VALUES (?, ?, ?, ?, '0', ?)"
        " ON CONFLICT (shop, sku) DO UPDATE SET available = excluded.available",
        (shop, sku, str(number), title, available),
    )


def variants(db: Connection, shop: str) -> list[Doc]:
    return [dict(row) for row in db.execute("SELECT * FROM variant WHERE shop = ? ORDER BY sku", (shop,))]


def next_refund(db: Connection) -> int:
    return int(db.execute("SELECT COALESCE(MAX(seq), 0) + 1 FROM refund").fetchone()[0])


def add_refund(db: Connection, refund: Doc) -> None:
    """Records one refund; `refund` has the columns of the table but seq, and its `doc` as a dict."""
    row = {**refund, "doc": json.dumps(refund["doc"])}
    names = ", ".join(row)
    db.execute(f"INSERT INTO refund ({names}) VALUES ({', '.join('?' * len(row))})", tuple(row.values()))  # noqa: S608


def refunds(db: Connection, shop: str | None = None) -> list[Doc]:
    """All refunds in the order in which they were made, each row with its `doc` parsed."""
    rows = db.execute("SELECT * FROM refund WHERE shop = COALESCE(?, shop) ORDER BY seq", (shop,))
    return [{**dict(row), "doc": json.loads(row["doc"])} for row in rows]


def refunds_of(db: Connection, shop: str, what: str, name: str) -> list[Doc]:
    """The refunds of one order (`what` is "order_id") or charge ("charge")."""
    column = {"order_id": "order_id", "charge": "charge"}[what]
    sql = f"SELECT * FROM refund WHERE shop = ? AND {column} = ? ORDER BY seq"  # noqa: S608 - one of two literals
    return [{**dict(row), "doc": json.loads(row["doc"])} for row in db.execute(sql, (shop, name))]


def set_refund_status(db: Connection, shop: str, refund: str, status: str) -> bool:
    done = db.execute("UPDATE refund SET status = ? WHERE shop = ? AND id = ?", (status, shop, refund))
    return done.rowcount == 1


def put_dispute(db: Connection, shop: str, dispute: Doc) -> None:
    row = (shop, dispute["id"], dispute.get("charge"), dispute.get("order_id"), json.dumps(dispute))
    db.execute("INSERT OR REPLACE INTO dispute VALUES (?, ?, ?, ?, ?)", row)


def disputes(db: Connection, shop: str) -> list[Doc]:
    return _docs(db.execute("SELECT doc FROM dispute WHERE shop = ? ORDER BY rowid DESC", (shop,)))


def keep_answer(
    db: Connection, vendor: str, shop: str, key: str, fingerprint: str, answer: tuple[int, bytes, Doc]
) -> None:
    status, body, headers = answer
    row = (vendor, shop, key, fingerprint, status, body, json.dumps(headers))
    db.execute("INSERT INTO kept_answer VALUES (?, ?, ?, ?, ?, ?, ?)", row)


def kept_answer(db: Connection, vendor: str, shop: str, key: str) -> Doc | None:
    """What was answered under an idempotency key, with the fingerprint of its parameters."""
    sql = "SELECT * FROM kept_answer WHERE vendor = ? AND shop = ? AND key = ?"
    row = db.execute(sql, (vendor, shop, key)).fetchone()
    return {**dict(row), "headers": json.loads(row["headers"])} if row else None


def add_message(db: Connection, vendor: str, shop: str, name: str, doc: Doc) -> bool:
    """Keeps a message once per id; False when it was there already."""
    sql = "INSERT OR IGNORE INTO message (vendor, shop, id, doc) VALUES (?, ?, ?, ?)"
    return db.execute(sql, (vendor, shop, name, json.dumps(doc))).rowcount == 1


def count_messages(db: Connection) -> int:
    return int(db.execute("SELECT COUNT(*) FROM message").fetchone()[0])


def messages(db: Connection) -> list[Doc]:
    rows = db.execute("SELECT vendor, shop, doc FROM message ORDER BY seq")
    return [{"vendor": row["vendor"], "shop": row["shop"], **json.loads(row["doc"])} for row in rows]


def add_tag(db: Connection, shop: str, order_id: str, name: str) -> None:
    db.execute("INSERT OR IGNORE INTO tag VALUES (?, ?, ?)", (shop, order_id, name))


def tags(db: Connection) -> list[Doc]:
    return [dict(row) for row in db.execute("SELECT shop, order_id, name AS tag FROM tag ORDER BY rowid")]


def tags_of(db: Connection, shop: str, order_id: str) -> list[str]:
    rows = db.execute("SELECT name FROM tag WHERE shop = ? AND order_id = ? ORDER BY name", (shop, order_id))
    return [row["name"] for row in rows]


def _doc(row: sqlite3.Row | None) -> Doc | None:
    return dict(json.loads(row["doc"])) if row else None


def _docs(rows: sqlite3.Cursor) -> list[Doc]:
    return [dict(json.loads(row["doc"])) for row in rows]
