"""Stripe's v1 API: who asks, under which idempotency key, and for what.

https://docs.stripe.com/api/idempotent_requests: keys are kept for 24 hours; then the same key executes again.
"""

import base64
import binascii
import json
from dataclasses import replace
from hmac import compare_digest
from sqlite3 import Connection
from urllib.parse import parse_qsl

from tools.sandbox import books, faults, store, stripe_lists, stripe_notes, stripe_refunds
from tools.sandbox.exchange import Answer, Doc, Request, Vendor, token
from tools.sandbox.stripe_errors import RefusedError, in_progress, mismatch
from tools.sandbox.stripe_events import API_VERSION

KEPT_SECONDS = 24 * 3600
NO_RETRY = {"Stripe-Should-Retry": "false"}


def _parts(request: Request) -> tuple[str, str, str]:
    """Resource, id and action of a path; a resource that isn't served is empty."""
    path = request.path.strip("/")
    rest = path.removeprefix("v1/") if path.startswith("v1/") else ""
    for resource in stripe_lists.RESOURCES:
        if rest == resource or rest.startswith(f"{resource}/"):
            name, _, action = rest.removeprefix(resource).strip("/").partition("/")
            return resource, name, action
    return "", "", ""


def operation(request: Request) -> str:
    """`refunds.create`, `refunds.list`, `charges.retrieve`, `early_fraud_warnings.list` and so on."""
    resource, name, action = _parts(request)
    called = resource.rpartition("/")[2]
    if request.method == "GET" and resource and not action:
        return f"{called}.retrieve" if name else f"{called}.list"
    if request.method == "POST" and resource in ("refunds", "credit_notes") and not name:
        return f"{called}.create"
    if request.method == "POST" and resource == "refunds" and action == "cancel":
        return "refunds.cancel"
    return "unknown"


def key(request: Request) -> str | None:
    return request.headers.get("idempotency-key") if request.method == "POST" else None


def busy(request: Request) -> Answer:
    return in_progress(key(request))


def answer(request: Request, db: Connection) -> Answer:
    headers = {
        "Request-Id": f"req_{token(request.now, request.path, request.body, length=14)}",
        "Stripe-Version": request.headers.get("stripe-version", API_VERSION),
    }
    name = key(request)
    try:
        _authenticate(request, db)
        if name is None:
            return Answer.json(200, _perform(request, db, None), headers)
        if not 0 < len(name) <= 255:
            raise RefusedError("Invalid Idempotency-Key: must be between 1 and 255 characters.")
        return _once(request, db, name, {**headers, "Idempotency-Key": name})
    except RefusedError as refusal:
        return Answer.json(refusal.status, refusal.body, {**headers, **NO_RETRY})


def _authenticate(request: Request, db: Connection) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = base64.b64decode(given).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            given = ""
    known = str((store.credentials(db, request.shop) or {}).get("stripe_key") or "")
    if not given:
        raise RefusedError("You did not provide an API key.", status=401)
    if not known or not compare_digest(known, given):
        raise RefusedError(f"Invalid API Key provided: {given[:7]}****", status=401)


def _once(request: Request, db: Connection, name: str, headers: dict[str, str]) -> Answer:
    """The first answer under a key, again and again; another request under it is an idempotency_error."""
    parameters = json.dumps(sorted(_form(request).items()))
    fingerprint = token(request.method, request.path, parameters, length=64)
    now = request.when.now
    kept = books.kept_answer(db, "stripe", request.shop, name, since=now - KEPT_SECONDS)
    if kept is not None:
        if kept["fingerprint"] != fingerprint:
            return Answer.json(400, mismatch(name), {**headers, **NO_RETRY})
        first = kept["headers"]["Request-Id"]
        again = {**kept["headers"], **headers, "Original-Request": first, "Idempotent-Replayed": "true"}
        return Answer(kept["status"], kept["body"], again)
    made = _first(request, db, name, headers)
    if not request.stumbles("unstored_500"):
        first_answer = (made.status, made.body, dict(made.headers))
        books.keep_answer(db, "stripe", request.shop, name, fingerprint, first_answer, now)
    return made


def _first(request: Request, db: Connection, name: str, headers: dict[str, str]) -> Answer:
    failing = request.stumbles("stored_500")
    try:
        if failing and request.fault and not request.fault.executes:
            return _broken(headers)
        made = Answer.json(200, _perform(request, db, name), headers)
    except RefusedError as refusal:
        if not refusal.executed:
            raise
        return Answer.json(refusal.status, refusal.body, {**headers, **NO_RETRY})
    return _broken(headers) if failing else made


def _broken(headers: dict[str, str]) -> Answer:
    made = faults.broken("stripe")
    return replace(made, headers={**made.headers, **headers})


def _perform(request: Request, db: Connection, name: str | None) -> Doc:
    what = operation(request)
    resource, wanted, _ = _parts(request)
    if what == "unknown":
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        raise RefusedError(message, status=404)
    if what == "refunds.create":
        return stripe_refunds.create(request, db, name, _form(request))
    if what == "refunds.cancel":
        return stripe_refunds.cancel(request, db, wanted)
    if what == "credit_notes.create":
        return stripe_notes.create(request, db, name, _form(request))
    if what.endswith(".list"):
        return stripe_lists.listed(db, request, resource)
    return stripe_lists.find(db, request.shop, resource, wanted)


def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))


VENDOR = Vendor(operation, answer, key, busy)
