"""Failures that can be planted while the sandbox runs, matched by vendor, shop and operation.

before execution:  timeout_before   dropped_before   unstored_500   rate_limited   throttled   latency
inside:            stored_500 (kept under the idempotency key)      pending (refund not settled yet)
after execution:   timeout_after    dropped_after    half_json      html_200
`executes` lets the two 500s do their work first, which is the dangerous case.
"""

import json
from sqlite3 import Connection
from threading import Event

from tools.sandbox.exchange import Answer, Doc, Fault

BEFORE = {"timeout_before", "dropped_before", "unstored_500", "rate_limited", "throttled"}
AFTER = {"timeout_after", "dropped_after", "half_json", "html_200"}
KINDS = BEFORE | AFTER | {"latency", "stored_500", "pending"}
SETTINGS = {"seconds", "latency_ms", "retry_after", "executes"}
HTML = "<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"


class SilenceError(Exception):
    """The connection is to be closed without an answer, after `seconds` of waiting."""

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def plant(db: Connection, wish: Doc) -> None:
    """Stores a fault for `times` matching requests (null: until it is deleted); ValueError says what is wrong."""
    kind = wish.get("kind")
    if kind not in KINDS:
        raise ValueError(f"unknown fault kind {kind!r}; known: {', '.join(sorted(KINDS))}")
    unknown = set(wish) - SETTINGS - {"kind", "vendor", "shop", "operation", "times"}
    if unknown:
        raise ValueError(f"unknown fault settings: {', '.join(sorted(unknown))}")
    doc = {name: wish[name] for name in SETTINGS & set(wish)}
    doc["retry_after"] = str(doc.get("retry_after", "1"))
    row = (wish.get("vendor", "*"), wish.get("shop", "*"), wish.get("operation", "*"), wish.get("times", 1))
    db.execute(
        "INSERT INTO fault (vendor, shop, operation, times, doc) VALUES (?, ?, ?, ?, ?)",
        (*row, json.dumps({"kind": kind, **doc})),
    )


def clear(db: Connection) -> None:
    db.execute("DELETE FROM fault")


def take(db: Connection, vendor: str, shop: str, operation: str) -> Fault | None:
    """The oldest fault that matches, counted down by one."""
    row = db.execute(
        "SELECT seq, doc FROM fault WHERE vendor IN (?, '*') AND shop IN (?, '*') AND operation IN (?, '*')"
        " AND (times IS NULL OR times > 0) ORDER BY seq LIMIT 1",
        (vendor, shop, operation),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE fault SET times = times - 1 WHERE seq = ?", (row["seq"],))
    return Fault(**json.loads(row["doc"]))


def before(fault: Fault | None, vendor: str, stopping: Event) -> Answer | None:
    """What happens instead of the work, or None when the work goes on; raises SilenceError for a dead connection."""
    if fault is None:
        return None
    if fault.latency_ms:
        stopping.wait(fault.latency_ms / 1000)
    if fault.kind == "timeout_before":
        raise SilenceError(fault.seconds)
    if fault.kind == "dropped_before":
        raise SilenceError
    if fault.kind == "rate_limited":
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
    if fault.kind == "html_200":
        return Answer.text(200, HTML, "text/html; charset=utf-8")
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
    if vendor == "whatsapp":
        hit = {"message": "(#130429) Rate limit hit", "type": "OAuthException", "code": 130429}
        return Answer.json(429, {"error": hit}, headers)
    problem = {"id": "0", "code": "throttled", "title": "Request was throttled.", "detail": "Slow down."}
    return Answer.json(429, {"errors": [problem]}, headers)
