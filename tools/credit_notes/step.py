"""When a refund has a document of ours as one of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tools.base import BY_US, Step
from tools.models import Order


def issuer_of(order: Order, body: Mapping[str, Any]) -> str:
    """Who issues the refund's document: ours, stripe (its own, for its own invoice), external or none.

    A part of what is signed: a shop that is set up otherwise by then voids the signature. Expects shop and payments
    prefetched.
    """
    paying = {tender["payment"] for tender in body["tenders"]}
    if all(payment.invoice for payment in order.payments.all() if payment.pk in paying):
        return "stripe"
    return str(order.shop.credit_notes)


def credit_note_step(order: Order, body: Mapping[str, Any]) -> Step | None:
    """The call that issues the refund's document, after its money has moved; None where it isn't for us to issue.

    A payment whose invoice nobody has asked about yet may turn out to be Stripe's to credit: the call finds out.
    Expects shop and payments prefetched.
    """
    if issuer_of(order, body) != order.shop.CreditNotes.OURS:
        return None
    return Step("issue_credit_note", BY_US, body)
