"""Stripe's credit notes for paid invoices, which the control API plants: money goes back at most once.

https://docs.stripe.com/api/credit_notes/create
"""

from sqlite3 import Connection

from tools.sandbox import store, stripe_events, stripe_objects, stripe_refunds, things
from tools.sandbox.exchange import Doc, Request, token
from tools.sandbox.stripe_errors import RefusedError, missing

PARAMETERS = {"invoice", "amount", "refund_amount", "credit_amount", "out_of_band_amount", "memo", "reason",
              "effective_at", "email_type"}  # fmt: skip
REASONS = {"duplicate", "fraudulent", "order_change", "product_unsatisfactory"}
SHARES = ("refund_amount", "credit_amount", "out_of_band_amount")


def create(request: Request, db: Connection, name: str | None, form: dict[str, str]) -> Doc:
    """Issues a credit note; its amount must be the sum of what is refunded, credited and paid elsewhere."""
    _check(form)
    invoice = things.one(db, "invoice", request.shop, form["invoice"])
    if invoice is None:
        raise missing("invoice", form["invoice"], "invoice", executed=True)
    shares = {share: stripe_refunds.positive(form[share], share) for share in SHARES if share in form}
    amount = stripe_refunds.positive(form["amount"], "amount") if "amount" in form else sum(shares.values())
    if amount != sum(shares.values()):
        message = "The sum of credit_amount, refund_amount and out_of_band_amount must equal the credit note amount."
        raise RefusedError(message, param="amount", executed=True)
    noted = sum(one["amount"] for one in of_invoice(db, request.shop, invoice["id"]))
    if noted + amount > int(invoice["amount_paid"]):
        left = int(invoice["amount_paid"]) - noted
        message = (
            f"The credit note amount ({amount}) must be less than the amount left on the invoice ({left})."
        )
        raise RefusedError(message, param="amount", executed=True)
    doc = _note(request, db, invoice, form, amount)
    if shares.get("refund_amount"):
        order = store.order_of_charge(db, request.shop, invoice["charge"])
        if order is None:
            raise missing("charge", str(invoice["charge"]), "invoice", executed=True)
        back = stripe_refunds.refundable(db, order, str(shares["refund_amount"]))
        row = stripe_refunds.record(request, db, order, back, key=name)
        doc |= {"refund": row["id"], "refund_amount": back}
    things.put(db, "credit_note", request.shop, doc)
    made = stripe_objects.credit_note(db, request.shop, doc)
    stripe_events.happened(db, request.shop, "credit_note.created", made, request.when)
    return made


def _check(form: dict[str, str]) -> None:
    for name in form:
        if name not in PARAMETERS and not name.startswith(("metadata[", "expand[")):
            raise RefusedError(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    if not form.get("invoice"):
        raise RefusedError("Missing required param: invoice.", code="parameter_missing", param="invoice")
    if not any(name in form for name in ("amount", *SHARES)):
        raise RefusedError("You must provide amount, lines or shipping_cost.", code="parameter_missing")
    if form.get("reason") not in (None, *REASONS):
        raise RefusedError(f"Invalid reason: must be one of {', '.join(sorted(REASONS))}", param="reason")


def _note(request: Request, db: Connection, invoice: Doc, form: dict[str, str], amount: int) -> Doc:
    place = len(of_invoice(db, request.shop, invoice["id"])) + 1
    return {
        "id": f"cn_{token('credit_note', request.shop, invoice['id'], place)}",
        "invoice": invoice["id"],
        "customer": invoice.get("customer", "cus_sandbox"),
        "currency": invoice["currency"],
        "amount": amount,
        "number": f"{invoice['number']}-CN-{place:02d}",
        "created_at": request.at,
        "memo": form.get("memo"),
        "reason": form.get("reason"),
        "metadata": {part[9:-1]: value for part, value in form.items() if part.startswith("metadata[")},
        "out_of_band_amount": int(form["out_of_band_amount"]) if "out_of_band_amount" in form else None,
    }


def of_invoice(db: Connection, shop: str, invoice: str) -> list[Doc]:
    return [one for one in things.every(db, "credit_note", shop) if one["invoice"] == invoice]
