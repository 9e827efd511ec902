"""Stripe's v1 API: refunds under idempotency keys, charges, payment intents, disputes.

https://docs.stripe.com/api/refunds/create, https://docs.stripe.com/api/idempotent_requests and
https://docs.stripe.com/error-codes
"""

import base64
import binascii
import json
from hmac import compare_digest
from sqlite3 import Connection
from urllib.parse import parse_qsl

from tools.sandbox import faults, store, stripe_objects
from tools.sandbox.exchange import Answer, Doc, Request, Vendor, iso, token
from tools.sandbox.money import to_minor

API_VERSION = "2026-10-28.endive"
REFUND_PARAMETERS = {"charge", "payment_intent", "amount", "reason", "instructions_email", "refund_application_fee",
                     "reverse_transfer", "origin", "customer", "currency"}  # fmt: skip
REASONS = {"duplicate", "fraudulent", "requested_by_customer"}
RESOURCES = {"refunds": "refund", "charges": "charge", "payment_intents": "intent", "disputes": "dispute"}


class RefusedError(Exception):
    """An error object; one that arose in execution is kept under the idempotency key, a validation error isn't."""

    def __init__(self, message: str, *, status: int = 400, executed: bool = False, **fields: str) -> None:
        super().__init__(message)
        self.status, self.executed = status, executed
        self.body = {"error": {"type": "invalid_request_error", "message": message, **fields}}


def operation(request: Request) -> str:
    """`refunds.create`, `refunds.list`, `charges.retrieve` and so on."""
    parts = request.path.strip("/").split("/")
    if len(parts) not in (2, 3) or parts[0] != "v1" or parts[1] not in RESOURCES:
        return "unknown"
    if request.method == "POST":
        return f"{parts[1]}.create" if parts[1:] == ["refunds"] else "unknown"
    if request.method != "GET":
        return "unknown"
    return f"{parts[1]}.retrieve" if len(parts) == 3 else f"{parts[1]}.list"


def key(request: Request) -> str | None:
    return request.headers.get("idempotency-key") if request.method == "POST" else None


def busy(request: Request) -> Answer:
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably means you submitted"
        f" twice, and the other request is still going through): {key(request)}. Please try again later."
    )
    error = {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": message}
    return Answer.json(409, {"error": error}, {"Stripe-Should-Retry": "true"})


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
        return Answer.json(refusal.status, refusal.body, headers)


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
    parameters = json.dumps(
        sorted(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    )
    fingerprint = token(request.method, request.path, parameters, length=64)
    kept = store.kept_answer(db, "stripe", request.shop, name)
    if kept is not None:
        if kept["fingerprint"] != fingerprint:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used with."
                f" Try using a key other than '{name}' if you meant to execute a different request."
            )
            return Answer.json(400, {"error": {"type": "idempotency_error", "message": message}}, headers)
        first = kept["headers"]["Request-Id"]
        again = {**kept["headers"], **headers, "Original-Request": first, "Idempotent-Replayed": "true"}
        return Answer(kept["status"], kept["body"], again)
    made = _first(request, db, name, headers)
    if not request.stumbles("unstored_500"):
        kept_headers = dict(made.headers)
        store.keep_answer(
            db, "stripe", request.shop, name, fingerprint, (made.status, made.body, kept_headers)
        )
    return made


def _first(request: Request, db: Connection, name: str, headers: dict[str, str]) -> Answer:
    failing = request.stumbles("stored_500")
    try:
        if failing and request.fault and not request.fault.executes:
            return Answer.json(500, json.loads(faults.broken("stripe").body), headers)
        made = Answer.json(200, _perform(request, db, name), headers)
    except RefusedError as refusal:
        if not refusal.executed:
            raise
        return Answer.json(refusal.status, refusal.body, headers)
    return Answer.json(500, json.loads(faults.broken("stripe").body), headers) if failing else made


def _perform(request: Request, db: Connection, name: str | None) -> Doc:
    what = operation(request)
    resource, _, action = what.partition(".")
    if what == "unknown":
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        raise RefusedError(message, status=404)
    if action == "create":
        return _refund(request, db, name)
    if action == "list":
        return stripe_objects.listed(db, request, resource)
    wanted = request.path.rstrip("/").rpartition("/")[2]
    found = stripe_objects.find(db, request.shop, resource, wanted)
    if found is None:
        raise _missing(resource.removesuffix("s"), wanted, RESOURCES[resource], 404)
    return found


def _refund(request: Request, db: Connection, name: str | None) -> Doc:
    """Creates a refund; the sum of what went back is checked in the transaction that writes it."""
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    _check(form)
    paid = form.get("charge") or form["payment_intent"]
    order = store.order_of_charge(db, request.shop, paid)
    if order is None:
        param = "charge" if "charge" in form else "payment_intent"
        raise _missing(param, paid, param, 404, executed=True)
    charge, currency = order["charge"], order["currency"]
    if form.get("payment_intent", charge["payment_intent"]) != charge["payment_intent"]:
        raise RefusedError(
            "The charge does not belong to the payment intent.", param="payment_intent", executed=True
        )
    total = to_minor(order["total"], currency)
    amount = _refundable(db, request.shop, charge["id"], total, form.get("amount"))
    seq = store.next_refund(db)
    status = "pending" if request.stumbles("pending") else "succeeded"
    metadata = {part[9:-1]: value for part, value in form.items() if part.startswith("metadata[")}
    row = {
        "vendor": "stripe",
        "shop": request.shop,
        "id": f"re_{token('refund', request.shop, seq)}",
        "order_id": str(order["id"]),
        "charge": charge["id"],
        "amount_minor": amount,
        "currency": currency,
        "status": status,
        "idempotency_key": name,
        "created_at": iso(request.now),
        "made_by": "api",
        "doc": {
            "metadata": metadata,
            "reason": form.get("reason"),
            "payment_intent": charge["payment_intent"],
        },
    }
    store.add_refund(db, row)
    return stripe_objects.refund(row)


def _check(form: dict[str, str]) -> None:
    """Refuses what Stripe refuses before it executes anything."""
    for name in form:
        if name not in REFUND_PARAMETERS and not name.startswith(("metadata[", "expand[")):
            raise RefusedError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    if not form.get("charge") and not form.get("payment_intent"):
        raise RefusedError("One of the following params should be provided: payment_intent or charge.")
    amount = form.get("amount")
    if amount is not None and not amount.removeprefix("-").isdecimal():
        raise RefusedError(f"Invalid integer: {amount}", code="parameter_invalid_integer", param="amount")
    if amount is not None and int(amount) < 1:
        message = "This value must be greater than or equal to 1."
        raise RefusedError(message, code="parameter_invalid_integer", param="amount")
    if form.get("reason") not in (None, *REASONS):
        message = "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer"
        raise RefusedError(message, param="reason")


def _refundable(db: Connection, shop: str, charge: str, total: int, asked: str | None) -> int:
    left = total - stripe_objects.refunded(db, shop, charge)
    if any(stripe_objects.charged_back(dispute) for dispute in stripe_objects.disputes_of(db, shop, charge)):
        message = f"Charge {charge} has been charged back; cannot issue a refund."
        raise RefusedError(message, code="charge_disputed", executed=True)
    if left <= 0:
        message = f"Charge {charge} has already been refunded."
        raise RefusedError(message, code="charge_already_refunded", executed=True)
    amount = left if asked is None else int(asked)
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise RefusedError(message, param="amount", executed=True)
    return amount


def _missing(what: str, name: str, param: str, status: int, *, executed: bool = False) -> RefusedError:
    message = f"No such {what}: '{name}'"
    return RefusedError(message, status=status, executed=executed, code="resource_missing", param=param)


VENDOR = Vendor(operation, answer, key, busy)
