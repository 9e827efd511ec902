"""Stripe's answers over a fake wire, the shortest that are whole, and what our calls of it look like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import UUID

import httpx

from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor
from tools import wire
from tools.adapters import stripe, stripe_invoices
from tools.adapters.stripe_wire import VERSION
from tools.snapshots import RefundResult

Made = TypeVar("Made")
REFUND = {
    "object": "refund",
    "id": "re_1",
    "amount": 1200,
    "charge": "ch_1",
    "currency": "usd",
    "created": 1,
    "status": "succeeded",
    "metadata": {"call": str(KEY)},
}
NOTE = {
    "object": "credit_note",
    "id": "cn_1",
    "amount": 1200,
    "currency": "usd",
    "invoice": "in_1",
    "livemode": False,
    "metadata": {"call": str(KEY)},
    "refunds": [{"amount_refunded": 1200, "refund": "re_1", "type": "refund"}],
    "status": "issued",
}


def over(vendor: Vendor, ask: Callable[[], Made]) -> Made:
    """What `ask` says when this vendor answers."""
    with wire.transport_override(vendor.transport):
        return ask()


def said(body: object, status: int = 200, **headers: str) -> httpx.Response:
    """An answer of the pinned version."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=body, headers={"Stripe-Version": VERSION, **named})


def without(thing: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in thing.items() if name not in names}


def listed(*things: object, has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "url": "/v1/things", "has_more": has_more, "data": list(things)}


def error(code: str = "", kind: str = "invalid_request_error", message: str = "No.") -> dict[str, Any]:
    return {"error": {"type": kind, "message": message, **({"code": code} if code else {})}}


def refund(vendor: Vendor, amount: int = 1200, currency: str = "USD", **facts: Any) -> RefundResult:
    """Twelve dollars back, unless told otherwise."""
    wish = {"key": KEY, "case_id": "5", "correlation_id": CORRELATION, **facts}
    return over(vendor, lambda: stripe.refund(NORTH, "ch_1", amount, currency, **wish))


def credit(vendor: Vendor, amount: int = 1200, currency: str = "USD", **facts: Any) -> RefundResult:
    wish = {
        "key": KEY,
        "case_id": "5",
        "reason": "product_unsatisfactory",
        "correlation_id": CORRELATION,
        **facts,
    }
    return over(vendor, lambda: stripe_invoices.credit(NORTH, "in_1", amount, currency, **wish))


def form_of(request: httpx.Request) -> dict[str, str]:
    return dict(httpx.QueryParams(request.content.decode()))


def found(vendor: Vendor, key: UUID = KEY) -> RefundResult | None:
    return over(vendor, lambda: stripe.find_refund(NORTH, "ch_1", key=key, correlation_id=CORRELATION))
