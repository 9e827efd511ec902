"""The stand-ins of all vendors in this process: on the test's clock, with their webhooks in the test's own hands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.test import Client

from audit.sources import Clock
from cases.tasks import sweep
from tests.flow.world import SECRETS, drain
from tests.sandbox.world import KEYS
from tools import wire
from tools.models import ToolCall
from tools.sandbox import faults, outbox, signing
from tools.sandbox.exchange import Request, iso_of
from tools.sandbox.server import VENDORS, Sandbox
from tools.sandbox.store import Store

BASE = "http://vendors.invalid"
ENVIRONMENT = {
    **SECRETS,
    "NORTH_SHOPIFY_ADMIN_URL": f"{BASE}/north/shopify",
    "NORTH_SHOPIFY_ACCESS_TOKEN": KEYS["shopify_token"],
    "NORTH_STRIPE_API_BASE": f"{BASE}/north/stripe",
    "NORTH_STRIPE_API_KEY": KEYS["stripe_key"],
    "NORTH_KLAVIYO_API_BASE": f"{BASE}/north/klaviyo",
    "NORTH_KLAVIYO_API_KEY": KEYS["klaviyo_key"],
}
TOPICS = {
    "shopify": ["refunds/create", "orders/updated"],
    "stripe": ["charge.refunded", "refund.created", "refund.updated", "refund.failed"],
}
MOST_TURNS = 60


class Killed(BaseException):
    """The process is gone: whatever it held in memory was never written."""


class _Nobody:
    def call(self) -> None:
        """No thread carries webhooks: the test does."""


class _Unbound(Sandbox):
    """The sandbox without a port, a thread or a file."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(ledger=Path(":memory:"), clock=clock)
        self.store = Store(self.ledger)
        self.courier = _Nobody()  # type: ignore[assignment]  # it carries nothing here


@dataclass(frozen=True)
class Hook:
    """A webhook that a vendor has sent; `delivery` is the stand-in's own row of it."""

    vendor: str
    topic: str
    delivery: dict[str, Any]
    clock: Clock

    def arrive(self) -> None:
        """At the real door, signed at this moment as each try is."""
        target, now = self.delivery["target_doc"], self.clock.at.timestamp()
        headers = signing.headers(self.vendor, target, self.delivery, now)
        body = bytes(self.delivery["body"])
        answer = Client().post(f"/hooks/north/{self.vendor}/", body, "application/json", headers=headers)
        assert answer.status_code == 200, (self.topic, answer.content)


class Stand(httpx.BaseTransport):
    """All vendors of north as a transport. `asked` are the operations, as vendor.operation, in order.

    `before` and `after` name an operation's next trouble: what is called instead of the work, or once it is done and
    before its answer has come.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock, self.asked = clock, list[str]()
        # Nobody answers, at any vendor.
        self.gone = False
        self.before: dict[str, Callable[[], None]] = {}
        self.after: dict[str, Callable[[], None]] = {}
        self.sandbox = _Unbound(lambda: clock.at)
        self.control("shops", **KEYS)
        for vendor, topics in TOPICS.items():
            secret = SECRETS[f"NORTH_{vendor.upper()}_WEBHOOK_SECRETS"]
            hook = {"shop": "north", "vendor": vendor, "secret": secret, "topics": topics}
            self.control("webhooks", **hook, url=f"http://127.0.0.1/hooks/north/{vendor}/")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        asked = Request(
            request.method,
            request.url.path,
            request.url.query.decode(),
            {name.lower(): value for name, value in request.headers.items()},
            request.read(),
            self.sandbox.now(),
        )
        name = _operation(asked)
        if self.gone:
            raise httpx.ConnectError("nobody there", request=request)
        self.asked.append(name)
        self.before.pop(name, _fine)()
        try:
            made = self.sandbox.respond(asked)
        except faults.SilenceError as silence:
            raise httpx.ReadTimeout("silence", request=request) from silence
        self.after.pop(name, _fine)()
        return httpx.Response(made.status, headers=dict(made.headers), content=made.body, request=request)

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        """Something happens in the vendors' worlds."""
        raw = json.dumps(body).encode()
        made = self.sandbox.respond(Request("POST", f"/_control/{path}", "", {}, raw, self.sandbox.now()))
        assert made.status == 200, made.body
        return dict(json.loads(made.body))

    def ledger(self) -> dict[str, Any]:
        made = self.sandbox.respond(Request("GET", "/_control/ledger", "", {}, b"", self.sandbox.now()))
        return dict(json.loads(made.body))

    def books(self) -> list[tuple[str, int]]:
        """What really moved, by vendor, in order."""
        return [(row["vendor"], row["amount_minor"]) for row in self.ledger()["refunds"]]

    def told(self) -> list[str]:
        """The templates that customers were sent."""
        return [str(row["properties"]["template"]) for row in self.ledger()["messages"]]

    def news(self) -> list[Hook]:
        """Every webhook that is due and was not taken yet, oldest first."""
        now = self.clock.at.timestamp()
        with self.sandbox.store.transaction() as db:
            claimed = outbox.claim(db, now)
            for delivery in claimed:
                outbox.settle(db, delivery, {"at": iso_of(now), "tried": now, "status": 200, "error": None})
        return [
            Hook(delivery["target_doc"]["vendor"], delivery["topic"], delivery, self.clock)
            for delivery in claimed
        ]


def _operation(asked: Request) -> str:
    _shop, _, rest = asked.path.lstrip("/").partition("/")
    vendor, _, path = rest.partition("/")
    named = Request(asked.method, f"/{path}", asked.query, asked.headers, asked.body, asked.now, "north")
    return f"{vendor}.{VENDORS[vendor].operation(named)}"


def _fine() -> None:
    """Nothing happens."""


def lost() -> None:
    """The answer never comes."""
    raise httpx.ReadTimeout("lost")


def killed() -> None:
    """The process dies."""
    raise Killed


@contextmanager
def stand(clock: Clock) -> Iterator[Stand]:
    """All calls of this thread go to the stand-ins."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ENVIRONMENT.items():
            environment.setenv(name, value)
        found = Stand(clock)
        with wire.transport_override(found):
            yield found


def work(*only: str) -> None:
    """What is queued is done; a worker that is killed at it is replaced."""
    while True:
        try:
            drain(only=only or ["prepare", "advance", "execute", "settle"])
        except Killed:
            continue
        return


def until_quiet(clock: Clock, step: timedelta = timedelta(seconds=20), turns: int = MOST_TURNS) -> None:
    """Workers and sweep go on until no call is open, or for so many turns."""
    work()
    for _ in range(turns):
        if not ToolCall.objects.filter(state__in=["reserved", "sending", "unknown", "pending"]).exists():
            return
        clock.advance(step)
        sweep()
        work()
