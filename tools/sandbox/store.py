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
from tools.sandbox.tables import LATER, SCHEMA, TABLES


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
        for table, column, kind in LATER:
            if column not in {row["name"] for row in self._db.execute(f"PRAGMA table_info({table})")}:
                self._db.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")

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
    return doc_of(db.execute("SELECT doc FROM shop WHERE slug = ?", (shop,)).fetchone())


def put_shop(db: Connection, slug: str, doc: Doc) -> None:
    merged = {**(credentials(db, slug) or {}), **doc}
    db.execute("INSERT OR REPLACE INTO shop VALUES (?, ?)", (slug, json.dumps(merged)))


def put_order(db: Connection, order: Doc, at: str) -> None:
    """Stores an order as it stands since `at` (ISO 8601, UTC); the instant never moves back."""
    shop, name, charge = order["shop"], str(order["id"]), order.get("charge") or {}
    customer = str((order.get("customer") or {}).get("id", ""))
    known = db.execute("SELECT updated_at FROM shop_order WHERE shop = ? AND id = ?", (shop, name)).fetchone()
    doc = {key: value for key, value in order.items() if key != "updated_at"}
    db.execute(
        "INSERT OR REPLACE INTO shop_order (shop, id, customer, charge, payment_intent, doc, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (shop, name, customer, charge.get("id"), charge.get("payment_intent"), json.dumps(doc),
         max(at, known["updated_at"] if known else "")),
    )  # fmt: skip
    for line in order["lines"]:
        db.execute(
            "INSERT INTO variant (shop, sku, id, title, price) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (shop, sku) DO UPDATE SET id = excluded.id",
            (shop, line["sku"], str(line["variant_id"]), line["title"], line["unit_price"]),
        )


def touch(db: Connection, shop: str, order_id: str, at: str) -> None:
    """Notes that something about the order changed at `at`."""
    sql = "UPDATE shop_order SET updated_at = MAX(updated_at, ?) WHERE shop = ? AND id = ?"
    db.execute(sql, (at, shop, order_id))


ORDER = "SELECT doc, updated_at FROM shop_order WHERE shop = ?"


def order(db: Connection, shop: str, order_id: str) -> Doc | None:
    return _order(db.execute(f"{ORDER} AND id = ?", (shop, order_id)).fetchone())


def orders(db: Connection, shop: str, changed_since: str = "") -> list[Doc]:
    rows = db.execute(f"{ORDER} AND updated_at >= ? ORDER BY id DESC", (shop, changed_since))
    return [found for row in rows if (found := _order(row))]


def orders_of_customer(db: Connection, shop: str, customer: str) -> list[Doc]:
    rows = db.execute(f"{ORDER} AND customer = ? ORDER BY id", (shop, customer))
    return [found for row in rows if (found := _order(row))]


def order_of_charge(db: Connection, shop: str, name: str) -> Doc | None:
    """The order paid by a charge or payment intent of this id."""
    return _order(
        db.execute(f"{ORDER} AND (charge = ? OR payment_intent = ?)", (shop, name, name)).fetchone()
    )


def put_part(db: Connection, shop: str, order_id: str, kind: str, doc: Doc) -> bool:
    """Stores a fulfilment or a return by its own id, in the place of an earlier one; True when it is new."""
    where = (shop, order_id, kind, str(doc["id"]))
    sql = "UPDATE part SET doc = ? WHERE shop = ? AND order_id = ? AND kind = ? AND id = ?"
    if db.execute(sql, (json.dumps(doc), *where)).rowcount:
        return False
    db.execute("INSERT INTO part VALUES (?, ?, ?, ?, ?)", (*where, json.dumps(doc)))
    return True


def parts(db: Connection, shop: str, order_id: str, kind: str) -> list[Doc]:
    sql = "SELECT doc FROM part WHERE shop = ? AND order_id = ? AND kind = ? ORDER BY rowid"
    return docs(db.execute(sql, (shop, order_id, kind)))


def put_stock(db: Connection, shop: str, sku: str, title: str, available: int) -> None:
    number = 700_000_000 + sum(db.execute("SELECT COUNT(*) FROM variant").fetchone())
    db.execute(
        "INSERT INTO variant (shop, sku, id, title, price, available) VALUES (?, ?, ?, ?, '0', ?)"
        " ON CONFLICT (shop, sku) DO UPDATE SET available = excluded.available",
        (shop, sku, str(number), title, available),
    )


def restock(db: Connection, shop: str, sku: str, units: int) -> None:
    """Puts units back on the shelf; stock that isn't tracked stays so."""
    sql = "UPDATE variant SET available = available + ? WHERE shop = ? AND sku = ?"
    db.execute(sql, (units, shop, sku))


def variants(db: Connection, shop: str) -> list[Doc]:
    return [dict(row) for row in db.execute("SELECT * FROM variant WHERE shop = ? ORDER BY sku", (shop,))]


def variant(db: Connection, shop: str, column: str, value: str) -> Doc | None:
    """The variant of this `sku` or `id`."""
    named = {"sku": "sku", "id": "id"}[column]
    sql = f"SELECT * FROM variant WHERE shop = ? AND {named} = ?"  # noqa: S608 - one of two literals
    row = db.execute(sql, (shop, value)).fetchone()
    return dict(row) if row else None


def _order(row: sqlite3.Row | None) -> Doc | None:
    if row is None:
        return None
    doc = dict(json.loads(row["doc"]))
    return {**doc, "updated_at": row["updated_at"] or doc["created_at"]}


def doc_of(row: sqlite3.Row | None) -> Doc | None:
    return dict(json.loads(row["doc"])) if row else None


def docs(rows: sqlite3.Cursor) -> list[Doc]:
    return [dict(json.loads(row["doc"])) for row in rows]
