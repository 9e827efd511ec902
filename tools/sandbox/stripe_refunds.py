"""Stripe's refunds: created, cancelled while pending, never beyond what the charge holds.

https://docs.stripe.com/api/refunds/create
"""

from sqlite3 import Connection

from tools.sandbox import books, changes, store, stripe_objects
from tools.sandbox.exchange import Doc, Request, token
from tools.sandbox.stripe_errors import RefusedError, missing
from tools.sandbox.tenders import charged

PARAMETERS = {"charge", "payment_intent", "amount", "reason", "instructions_email", "refund_application_fee",
              "reverse_transfer", "origin", "customer", "currency"}  # fmt: skip
REASONS = {"duplicate", "fraudulent", "requested_by_customer"}


def create(request: Request, db: Connection, name: str | None, form: dict[str, str]) -> Doc:
    """Creates a refund; the sum of what went back is checked in the transaction that writes it."""
    _check(form)
    paid = form.get("charge") or form["payment_intent"]
    order = store.order_of_charge(db, request.shop, paid)
    if order is None:
        param = "charge" if "charge" in form else "payment_intent"
        raise missing(param, paid, param, executed=True)
    intent = order["charge"]["payment_intent"]
    if form.get("payment_intent", intent) != intent:
        raise RefusedError(
            "The charge does not belong to the payment intent.", param="payment_intent", executed=True
        )
    amount = refundable(db, order, form.get("amount"))
    pending = request.stumbles("pending")
    metadata = {part[9:-1]: value for part, value in form.items() if part.startswith("metadata[")}
    row = record(request, db, order, amount, key=name, status="pending" if pending else "succeeded",
                 metadata=metadata, reason=form.get("reason"))  # fmt: skip
    return stripe_objects.refund(db, row)


def record(
    request: Request,
    db: Connection,
    order: Doc,
    amount: int,
    *,
    key: str | None,
    status: str = "succeeded",
    metadata: dict[str, str] | None = None,
    reason: str | None = None,
) -> Doc:
    """Writes a checked refund into the ledger, tells of it and returns its row."""
    charge = order["charge"]
    row = {
        "vendor": "stripe",
        "shop": order["shop"],
        "id": f"re_{token('refund', order['shop'], books.next_refund(db))}",
        "order_id": str(order["id"]),
        "charge": charge["id"],
        "amount_minor": amount,
        "currency": order["currency"],
        "status": status,
        "idempotency_key": key,
        "created_at": request.at,
        "made_by": "api",
        "doc": {"metadata": metadata or {}, "reason": reason, "payment_intent": charge["payment_intent"]},
    }
    books.add_refund(db, row)
    changes.refund_made(db, row, request.when)
    return row


def cancel(request: Request, db: Connection, name: str) -> Doc:
    """Cancels a refund that hasn't left yet; any other is refused."""
    row = books.refund_named(db, request.shop, name)
    if row is None or not row["charge"]:
        raise missing("refund", name, "refund")
    if row["status"] not in ("pending", "requires_action"):
        message = f"You cannot cancel this refund because it has a status of {row['status']}."
        raise RefusedError(message, executed=True)
    changed = books.change_refund(db, row, status="canceled")
    changes.refund_changed(db, changed, request.when)
    return stripe_objects.refund(db, changed)


def _check(form: dict[str, str]) -> None:
    """Refuses what Stripe refuses before it executes anything."""
    for name in form:
        if name not in PARAMETERS and not name.startswith(("metadata[", "expand[")):
            raise RefusedError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    if not form.get("charge") and not form.get("payment_intent"):
        raise RefusedError("One of the following params should be provided: payment_intent or charge.")
    amount = form.get("amount")
    if amount is not None:
        positive(amount, "amount")
    if form.get("reason") not in (None, *REASONS):
        message = "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer"
        raise RefusedError(message, param="reason")


def positive(text: str, param: str) -> int:
    """The integer of a form field, at least 1; raises RefusedError otherwise."""
    if not text.removeprefix("-").isdecimal():
        raise RefusedError(f"Invalid integer: {text}", code="parameter_invalid_integer", param=param)
    if int(text) < 1:
        message = "This value must be greater than or equal to 1."
        raise RefusedError(message, code="parameter_invalid_integer", param=param)
    return int(text)


def refundable(db: Connection, order: Doc, asked: str | None) -> int:
    """Minor units that may go back; raises RefusedError when the charge doesn't bear what is asked."""
    shop, charge = order["shop"], order["charge"]["id"]
    left = charged(order) - stripe_objects.refunded(db, shop, charge)
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
