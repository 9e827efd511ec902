"""An invoice as Stripe tells it: paid in full by one charge, with nothing special about it."""

from sqlite3 import Connection

from tools.sandbox import stripe_events
from tools.sandbox.exchange import Doc, unix


def invoice(db: Connection, shop: str, doc: Doc) -> Doc:
    """A planted invoice, finalized when it was made."""
    at, amount, name = unix(doc["created_at"]), int(doc["amount_paid"]), str(doc["id"])
    nothing = ("amount_overpaid", "amount_remaining", "amount_shipping", "attempt_count", "starting_balance")
    credited = ("post_payment_credit_notes_amount", "pre_payment_credit_notes_amount")
    return {
        "id": name,
        "object": "invoice",
        "amount_due": amount,
        "amount_paid": amount,
        **dict.fromkeys((*nothing, *credited), 0),
        "attempted": True,
        "automatic_tax": {"enabled": False, "liability": None, "status": None},
        "collection_method": "charge_automatically",
        "created": at,
        "currency": doc["currency"].lower(),
        "customer": doc.get("customer", "cus_sandbox"),
        "default_tax_rates": [],
        "discounts": [],
        "effective_at": at,
        "issuer": {"type": "self"},
        "lines": {"object": "list", "data": [], "has_more": False, "url": f"/v1/invoices/{name}/lines"},
        "livemode": stripe_events.livemode(db, shop),
        "number": doc["number"],
        "payment_settings": {"payment_method_options": None, "payment_method_types": None},
        "period_end": at,
        "period_start": at,
        "status": "paid",
        "status_transitions": {
            "finalized_at": at,
            "marked_uncollectible_at": None,
            "paid_at": at,
            "voided_at": None,
        },
        "subtotal": amount,
        "total": amount,
    }
