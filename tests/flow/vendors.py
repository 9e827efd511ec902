"""The wire, faked: vendors that answer what a test tells them to, and keep every byte that they were sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx
from django.db import connections

from tools import wire
from tools.models import ToolCall

Answer = Callable[[httpx.Request], httpx.Response]


class Vendors:
    """Stripe, Klaviyo and WhatsApp at once. `refund` and `message` answer a write, `refunds` a reading of a charge.

    Of Shopify only what writes a refund of others down, which `record` answers.
    """

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.refund: Answer = self.made
        self.message: Answer = lambda request: httpx.Response(202)
        self.chat: Answer = lambda request: httpx.Response(200, json={"messages": [{"id": "wamid.out"}]})
        self.record: Answer = recorded
        self.refunds: list[dict[str, Any]] = []
        self.on_send: Callable[[], None] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.on_send()
        if request.url.host == "stripe.example":
            if request.method == "GET":
                return httpx.Response(200, json={"object": "list", "has_more": False, "data": self.refunds})
            return self.refund(request)
        if request.url.host == "klaviyo.example":
            return self.message(request)
        if request.url.host == "graph.example":
            return self.chat(request)
        if request.url.host == "north.example" and b"mutation OpsRefund" in request.content:
            return self.record(request)
        if request.url.host == "north.example":
            # Whoever needs the order read makes it fresh in our rows, or finds the shop away.
            return httpx.Response(503)
        raise AssertionError(f"Nobody lives at {request.url}")

    def made(self, request: httpx.Request, status: str = "succeeded") -> httpx.Response:
        """A refund as Stripe makes it: kept, and the same for the same key."""
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        key = form["metadata[call]"]
        for known in self.refunds:
            if known["metadata"]["call"] == key:
                return httpx.Response(200, json=known)
        refund = {
            "object": "refund",
            "id": f"re_{len(self.refunds) + 1}",
            "amount": int(form["amount"]),
            "charge": form["charge"],
            "currency": "usd",
            "created": 1_790_000_000,
            "status": status,
            "metadata": {"call": key},
        }
        self.refunds.append(refund)
        return httpx.Response(200, json=refund)

    def pending(self, request: httpx.Request) -> httpx.Response:
        return self.made(request, "pending")

    def made_and_lost(self, request: httpx.Request) -> httpx.Response:
        """The work is done, and the answer never arrives."""
        self.made(request)
        raise httpx.ReadTimeout("lost", request=request)

    def writes(self, host: str = "stripe.example") -> list[httpx.Request]:
        """What was asked to be done, not read."""
        return [request for request in self.asked if request.method == "POST" and request.url.host == host]

    def keys(self) -> set[str]:
        return {request.headers["Idempotency-Key"] for request in self.writes()}

    def bodies(self) -> set[bytes]:
        return {request.content for request in self.writes()}


def recorded(request: httpx.Request) -> httpx.Response:
    """The shop's order shows a refund that somebody else has paid: written down, and no money moved."""
    wish = json.loads(request.content)["variables"]["input"]
    (wanted,) = wish["transactions"]
    money = {"presentmentMoney": {"amount": wanted["amount"], "currencyCode": wish["currency"]}}
    transaction = {
        "id": "gid://shopify/OrderTransaction/901",
        "kind": "REFUND",
        "status": "SUCCESS",
        "test": False,
        "gateway": wanted["gateway"],
        "manualPaymentGateway": True,
        "paymentId": None,
        "receiptJson": None,
        "amountSet": money,
        "parentTransaction": None,
    }
    refund = {
        "id": "gid://shopify/Refund/902",
        "note": wish["note"],
        "order": {"id": wish["orderId"], "test": False},
        "transactions": {"nodes": [transaction]},
    }
    return httpx.Response(200, json={"data": {"refundCreate": {"refund": refund, "userErrors": []}}})


def refused(request: httpx.Request) -> httpx.Response:
    error = {"type": "invalid_request_error", "code": "charge_already_refunded"}
    return httpx.Response(400, json={"error": error})


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there", request=request)


def busy(request: httpx.Request) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": "30"}, json={"error": {"type": "rate_limit"}})


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("lost", request=request)


def html(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="<!DOCTYPE html><h1>We'll be right back</h1>")


def over(answer: Answer) -> AbstractContextManager[None]:
    """All vendor calls of this thread are answered by this, without a pause between tries."""
    return wire.transport_override(httpx.MockTransport(answer))


@contextmanager
def vendors() -> Iterator[Vendors]:
    """Vendors that do as they are told, for this thread."""
    fake = Vendors()
    with over(fake):
        yield fake


def sums(call: ToolCall) -> tuple[int, int]:
    """What the call's payment has set aside and given back, in minor units."""
    assert call.payment is not None
    call.payment.refresh_from_db()
    return call.payment.reserved_minor, call.payment.refunded_minor


def in_transaction() -> bool:
    """Whether this thread holds a transaction of the code under test."""
    return any(
        not getattr(block, "_from_testcase", False)
        for connection in connections.all(initialized_only=True)
        for block in connection.atomic_blocks
    )


def request_of(call: ToolCall) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(call.request)
    return body
