"""Settings, and things of one kind that are kept as a whole by their id: warnings, invoices, jobs, templates, ..."""

import json
from sqlite3 import Connection

from tools.sandbox.exchange import Doc
from tools.sandbox.store import doc_of, docs


def setting(db: Connection, name: str, default: str = "") -> str:
    row = db.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    return str(row["value"]) if row else default


def set_setting(db: Connection, name: str, value: object) -> None:
    db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, str(value)))


def put(db: Connection, kind: str, shop: str, doc: Doc) -> bool:
    """Stores a thing by its own id, in the place of an earlier one; True when it is new."""
    name, text = str(doc["id"]), json.dumps(doc)
    sql = "UPDATE thing SET doc = ? WHERE kind = ? AND shop = ? AND id = ?"
    if db.execute(sql, (text, kind, shop, name)).rowcount:
        return False
    db.execute("INSERT INTO thing (kind, shop, id, doc) VALUES (?, ?, ?, ?)", (kind, shop, name, text))
    return True


def drop(db: Connection, kind: str, shop: str, name: str) -> None:
    db.execute("DELETE FROM thing WHERE kind = ? AND shop = ? AND id = ?", (kind, shop, name))


def one(db: Connection, kind: str, shop: str, name: str) -> Doc | None:
    sql = "SELECT doc FROM thing WHERE kind = ? AND shop = ? AND id = ?"
    return doc_of(db.execute(sql, (kind, shop, name)).fetchone())


def every(db: Connection, kind: str, shop: str) -> list[Doc]:
    """All of a kind, in the order in which they were first stored."""
    sql = "SELECT doc FROM thing WHERE kind = ? AND shop = ? ORDER BY seq"
    return docs(db.execute(sql, (kind, shop)))


def next_number(db: Connection, kind: str) -> int:
    """A running number, one more than the things of this kind that were ever numbered."""
    found = int(setting(db, f"number:{kind}", "0")) + 1
    set_setting(db, f"number:{kind}", found)
    return found
