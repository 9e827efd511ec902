"""Failures that can be planted while the sandbox runs, matched by vendor, shop and operation.

before execution:  timeout_before   dropped_before   reset_before   unstored_500   rate_limited   throttled   latency
                   storm (429 for `seconds` on the sandbox's clock)
inside:            stored_500 (kept under the idempotency key)      pending (refund not settled yet)
after execution:   timeout_after    dropped_after    half_json      html_200       slow_drip (`latency_ms` per byte)
                   added_field, removed_field, retyped_field, null_field, new_enum_value (`field`, `value`)
                   version_header, deprecation_header (`value`)
at the door:       connection_refused closes the port for `seconds`, to all vendors and to the control API as well
`executes` lets the two 500s do their work first, which is the dangerous case.
"""

import json
from dataclasses import replace
from sqlite3 import Connection
from threading import Event

from tools.sandbox import bending
from tools.sandbox.exchange import Answer, Doc, Fault

BEFORE = {
    "timeout_before",
    "dropped_before",
    "reset_before",
    "unstored_500",
    "rate_limited",
    "throttled",
    "storm",
}
AFTER = {"timeout_after", "dropped_after", "half_json", "html_200", "slow_drip"} | bending.KINDS
REFUSED = "connection_refused"
KINDS = BEFORE | AFTER | {"latency", "stored_500", "pending", REFUSED}
SETTINGS = {"seconds", "latency_ms", "retry_after", "executes", "field", "value"}
DRIP_MS = 20
HTML = "<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"


class SilenceError(Exception):
    """The connection is to be closed without an answer, after `seconds` of waiting."""

    def __init__(self, seconds: float = 0.0, *, reset: bool = False) -> None:
        super().__init__(seconds)
        self.seconds, self.reset = seconds, reset


def plant(db: Connection, wish: Doc, now: float) -> None:
    """Stores a fault for `times` matching requests (null: until it is deleted); ValueError says what is wrong.

    A storm lasts `seconds` from `now`, however many requests it meets.
    """
    kind = wish.get("kind")
    if kind not in KINDS:
        raise ValueError(f"unknown fault kind {kind!r}; known: {', '.join(sorted(KINDS))}")
    unknown = set(wish) - SETTINGS - {"kind", "vendor", "shop", "operation", "times"}
    if unknown:
        raise ValueError(f"unknown fault settings: {', '.join(sorted(unknown))}")
    _complete(kind, wish)
    doc = {name: wish[name] for name in SETTINGS & set(wish)}
    times = wish.get("times", 1)
    if kind == "storm":
        times, doc["until"] = None, now + float(wish.get("seconds", 30))
    doc["retry_after"] = str(doc.get("retry_after", "1"))
    row = (wish.get("vendor", "*"), wish.get("shop", "*"), wish.get("operation", "*"), times)
    db.execute(
        "INSERT INTO fault (vendor, shop, operation, times, doc) VALUES (?, ?, ?, ?, ?)",
        (*row, json.dumps({"kind": kind, **doc})),
    )


def _complete(kind: str, wish: Doc) -> None:
    if kind in bending.NEEDS_FIELD and not wish.get("field"):
        raise ValueError(f"{kind} needs a field, such as data.order.lineItems.nodes.*.title")
    if kind in bending.NEEDS_VALUE and wish.get("value") is None:
        raise ValueError(f"{kind} needs a value")


def clear(db: Connection) -> None:
    db.execute("DELETE FROM fault")


def active(db: Connection, now: float) -> list[Doc]:
    """Faults that can still strike, oldest first."""
    rows = db.execute("SELECT * FROM fault WHERE times IS NULL OR times > 0 ORDER BY seq")
    told = [
        {**{name: row[name] for name in ("vendor", "shop", "operation", "times")}, **json.loads(row["doc"])}
        for row in rows
    ]
    return [fault for fault in told if fault.get("until", now) >= now]


def take(db: Connection, vendor: str, shop: str, operation: str, now: float) -> Fault | None:
    """The oldest fault that matches, counted down by one."""
    db.execute("DELETE FROM fault WHERE json_extract(doc, '$.until') < ?", (now,))
    row = db.execute(
        "SELECT seq, doc FROM fault WHERE vendor IN (?, '*') AND shop IN (?, '*') AND operation IN (?, '*')"
        " AND (times IS NULL OR times > 0) ORDER BY seq LIMIT 1",
        (vendor, shop, operation),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE fault SET times = times - 1 WHERE seq = ?", (row["seq"],))
    doc = json.loads(row["doc"])
    doc.pop("until", None)
    return Fault(**doc)


def before(fault: Fault | None, vendor: str, stopping: Event) -> Answer | None:
    """What happens instead of the work, or None when the work goes on; raises SilenceError for a dead connection."""
    if fault is None:
        return None
    if fault.latency_ms and fault.kind != "slow_drip":
        stopping.wait(fault.latency_ms / 1000)
    if fault.kind == "timeout_before":
        raise SilenceError(fault.seconds)
    if fault.kind in ("dropped_before", "reset_before"):
        raise SilenceError(reset=fault.kind == "reset_before")
    if fault.kind in ("rate_limited", "storm"):
        return _too_many(fault, vendor)
    if fault.kind == "throttled":
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return Answer.json(200, {"errors": [error]})
    if fault.kind == "unstored_500" and not fault.executes:
        return broken(vendor)
    return None


def after(fault: Fault | None, vendor: str, answer: Answer) -> Answer:
    """What becomes of the answer once the work is committed; raises SilenceError when it is lost."""
    if fault is None:
        return answer
    if fault.kind == "timeout_after":
        raise SilenceError(fault.seconds)
    if fault.kind == "dropped_after":
        raise SilenceError
    if fault.kind == "half_json":
        return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers)
    if fault.kind == "slow_drip":
        return replace(answer, drip=(fault.latency_ms or DRIP_MS) / 1000)
    if fault.kind in bending.KINDS:
        return bending.bend(fault, vendor, answer)
    if fault.kind == "html_200":
        return Answer.text(200, HTML, "text/html; charset=utf-8")
    return _failed(fault, vendor, answer)


def _failed(fault: Fault, vendor: str, answer: Answer) -> Answer:
    keeps_nothing = vendor != "stripe"  # only Stripe stores answers, so elsewhere a stored 500 is a plain one
    if fault.kind == "unstored_500" or (fault.kind == "stored_500" and keeps_nothing):
        return broken(vendor)
    return answer


def broken(vendor: str) -> Answer:
    """The vendor's own 500."""
    if vendor == "stripe":
        message = "An unknown error occurred. (sandbox fault)"
        return Answer.json(500, {"error": {"type": "api_error", "message": message}})
    if vendor == "shopify":
        return Answer.json(500, {"errors": "Internal Server Error"})
    if vendor == "slack":
        return Answer.text(500, "rollup_error")
    if vendor == "whatsapp":
        problem = {"message": "An unknown error occurred", "type": "OAuthException", "code": 131000}
        return Answer.json(500, {"error": problem})
    return Answer.json(
        500, {"errors": [{"id": "0", "code": "error", "title": "Internal error", "detail": "fault"}]}
    )


def _too_many(fault: Fault, vendor: str) -> Answer:
    headers = {"Retry-After": fault.retry_after}
    if vendor == "stripe":
        error = {
            "type": "invalid_request_error",
            "code": "rate_limit",
            "message": "Request rate limit exceeded.",
        }
        return Answer.json(429, {"error": error}, headers)
    if vendor == "shopify":
        return Answer.json(429, {"errors": "Exceeded 2 calls per second for api client."}, headers)
    if vendor == "slack":
        return Answer(429, b"rate_limited", {**headers, "Content-Type": "text/plain; charset=utf-8"})
    if vendor == "whatsapp":
        hit = {"message": "(#130429) Rate limit hit", "type": "OAuthException", "code": 130429}
        return Answer.json(429, {"error": hit}, headers)
    problem = {"id": "0", "code": "throttled", "title": "Request was throttled.", "detail": "Slow down."}
    return Answer.json(429, {"errors": [problem]}, headers)
