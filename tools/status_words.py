"""The shop's own words for how far an order, its parcels or a return are, as people here call them."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderDisplayFinancialStatus
PAYMENT: dict[str, Promise] = {
    "authorized": _("authorised, not taken"),
    "expired": _("authorisation expired"),
    "paid": _("paid"),
    "partially_paid": _("partly paid"),
    "partially_refunded": _("partly refunded"),
    "pending": _("payment pending"),
    "refunded": _("refunded"),
    "voided": _("payment voided"),
}
# https://shopify.dev/docs/api/admin-graphql/latest/enums/OrderDisplayFulfillmentStatus
SHIPPING: dict[str, Promise] = {
    "fulfilled": _("sent"),
    "in_progress": _("being packed"),
    "on_hold": _("on hold"),
    "open": _("to be packed"),
    "partially_fulfilled": _("partly sent"),
    "pending_fulfillment": _("to be packed"),
    "request_declined": _("the warehouse declined it"),
    "restocked": _("put back on sale"),
    "scheduled": _("scheduled"),
    "unfulfilled": _("not sent"),
}
# https://shopify.dev/docs/api/admin-graphql/latest/enums/ReturnStatus
RETURN: dict[str, Promise] = {
    "canceled": _("called off"),
    "closed": _("done"),
    "declined": _("declined"),
    "open": _("on its way back"),
    "requested": _("asked for"),
}


def payment_status(code: str) -> str:
    """`partly refunded` for `partially_refunded`; what the shop calls otherwise keeps its name."""
    return _word(PAYMENT, code)


def shipping_status(code: str) -> str:
    """`partly sent` for `partially_fulfilled`."""
    return _word(SHIPPING, code)


def return_status(code: str) -> str:
    """`on its way back` for `open`."""
    return _word(RETURN, code)


def _word(words: dict[str, Promise], code: str) -> str:
    return str(words.get(code, code.replace("_", " ")))
