"""What the stand-ins remember of money and messages: refunds, disputes, kept answers, messages, tags."""

import json
from sqlite3 import Connection

from tools.sandbox.exchange import Doc
from tools.sandbox.store import doc_of, docs


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


def refund_named(db: Connection, shop: str, name: str) -> Doc | None:
    """A refund by its id, Shopify's by the number in theirs as well."""
    sql = "SELECT * FROM refund WHERE shop = ? AND id IN (?, 'gid://shopify/Refund/' || ?)"
    row = db.execute(sql, (shop, name, name)).fetchone()
    return {**dict(row), "doc": json.loads(row["doc"])} if row else None


def unsettled(db: Connection, shop: str, vendor: str) -> list[Doc]:
    """Refunds of which the vendor doesn't know yet whether they succeed."""
    sql = "SELECT * FROM refund WHERE shop = ? AND vendor = ? AND status = 'pending' ORDER BY seq"
    return [{**dict(row), "doc": json.loads(row["doc"])} for row in db.execute(sql, (shop, vendor))]


def change_refund(db: Connection, row: Doc, **fields: object) -> Doc:
    """Sets the status or other parts of a refund's doc and returns the row as it stands now."""
    status = str(fields.pop("status", row["status"]))
    changed = {**row, "status": status, "doc": {**row["doc"], **fields}}
    sql = "UPDATE refund SET status = ?, doc = ? WHERE seq = ?"
    db.execute(sql, (status, json.dumps(changed["doc"]), row["seq"]))
    return changed


def put_dispute(db: Connection, shop: str, dispute: Doc) -> Doc | None:
    """Stores a dispute and returns what was known of it before."""
    known = db.execute("SELECT doc FROM dispute WHERE shop = ? AND id = ?", (shop, dispute["id"])).fetchone()
    row = (shop, dispute["id"], dispute.get("charge"), dispute.get("order_id"), json.dumps(dispute))
    db.execute("INSERT OR REPLACE INTO dispute VALUES (?, ?, ?, ?, ?)", row)
    return doc_of(known)


def disputes(db: Connection, shop: str) -> list[Doc]:
    """Newest first."""
    found = docs(db.execute("SELECT doc FROM dispute WHERE shop = ? ORDER BY rowid DESC", (shop,)))
    return sorted(found, key=lambda doc: str(doc["created_at"]), reverse=True)


def disputes_of_order(db: Connection, shop: str, order_id: str) -> list[Doc]:
    """Those that came without a Stripe charge, which are Shopify's own."""
    sql = "SELECT doc FROM dispute WHERE shop = ? AND order_id = ? AND charge IS NULL ORDER BY rowid"
    return docs(db.execute(sql, (shop, order_id)))


def keep_answer(
    db: Connection,
    vendor: str,
    shop: str,
    key: str,
    fingerprint: str,
    answer: tuple[int, bytes, Doc],
    at: float,
) -> None:
    """Keeps the first answer under a key, given at `at` (seconds since 1970), in the place of a pruned one."""
    status, body, headers = answer
    row = (vendor, shop, key, fingerprint, status, body, json.dumps(headers), at)
    db.execute("INSERT OR REPLACE INTO kept_answer VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def kept_answer(db: Connection, vendor: str, shop: str, key: str, since: float = 0.0) -> Doc | None:
    """What was answered under an idempotency key at `since` or later, with the fingerprint of its parameters."""
    sql = "SELECT * FROM kept_answer WHERE vendor = ? AND shop = ? AND key = ? AND kept_at >= ?"
    row = db.execute(sql, (vendor, shop, key, since)).fetchone()
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


def add_tag(db: Connection, shop: str, order_id: str, name: str) -> bool:
    """True when the order did not have it yet."""
    sql = "INSERT OR IGNORE INTO tag VALUES (?, ?, ?)"
    return db.execute(sql, (shop, order_id, name)).rowcount == 1


def remove_tag(db: Connection, shop: str, order_id: str, name: str) -> bool:
    sql = "DELETE FROM tag WHERE shop = ? AND order_id = ? AND name = ?"
    return db.execute(sql, (shop, order_id, name)).rowcount == 1


def tags(db: Connection) -> list[Doc]:
    return [dict(row) for row in db.execute("SELECT shop, order_id, name AS tag FROM tag ORDER BY rowid")]


def tags_of(db: Connection, shop: str, order_id: str) -> list[str]:
    rows = db.execute("SELECT name FROM tag WHERE shop = ? AND order_id = ? ORDER BY name", (shop, order_id))
    return [row["name"] for row in rows]
