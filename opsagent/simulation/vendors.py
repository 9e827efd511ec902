"""The stand-ins in this process: the wire leads straight into them, and their webhooks are carried by the play."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from opsagent.demo.script import Neutral
from opsagent.simulation.furnishing import ENVIRONMENT, KNOWN_TO_VENDORS, SECRET, SHOP
from tools.sandbox import books, faults, outbox, signing, store
from tools.sandbox.exchange import Request, iso_of
from tools.sandbox.server import VENDORS, Sandbox
from tools.sandbox.store import Store

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

LISTENS = {
    "shopify": ["orders/create", "refunds/create", "disputes/create"],
    "stripe": [
        "charge.succeeded",
        "charge.refunded",
        "refund.created",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
    ],
    "whatsapp": ["messages"],
}
# Stories in which the vendor needs days for a refund.
LATE = ("pending", "failing")
Posts = Callable[[str, bytes, dict[str, str]], int]


class _Nobody:
    """No thread carries webhooks: the play does, when it is their turn."""

    def call(self) -> None:
        """Nothing is to be woken."""


class _Stand(Sandbox):
    """The sandbox without a port, a thread or a file."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        super().__init__(ledger=Path(":memory:"), clock=clock)
        self.store = Store(self.ledger)
        self.courier = _Nobody()  # type: ignore[assignment]


class Vendors(httpx.BaseTransport):
    """All vendors of the shop, as a transport of the wire and as a sender of webhooks."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.stand = _Stand(clock)
        self.play: Play | None = None
        # Posts the webhook in hand, signed by somebody who doesn't know the secret.
        self.forge_current: Callable[[], int] = lambda: 401
        self._due: datetime | None = None
        self._lost = False
        self.control("/_control/shops", dict(KNOWN_TO_VENDORS))
        for vendor, topics in LISTENS.items():
            hook = {"shop": SHOP, "vendor": vendor, "secret": SECRET, "topics": topics}
            self.control("/_control/webhooks", {**hook, "url": f"http://127.0.0.1/hooks/{SHOP}/{vendor}/"})

    # asked

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange at a point of the play."""
        play = self._play()
        body = request.read()
        asked = Request(
            request.method,
            request.url.path,
            request.url.query.decode(),
            {name.lower(): value for name, value in request.headers.items()},
            body,
            self.stand.now(),
        )
        vendor, operation = self._named(asked)
        play.watch.sending(vendor, operation, asked)
        late = vendor == "stripe" and operation == "refunds.create" and play.scenario.refund in LATE
        answer = play.trace.around(f"call:{vendor}.{operation}", lambda: self._answer(request, asked, late))
        if not isinstance(answer, httpx.Response):
            raise TypeError("a call has an answer")
        return answer

    def _named(self, asked: Request) -> tuple[str, str]:
        shop, _, rest = asked.path.lstrip("/").partition("/")
        vendor, _, path = rest.partition("/")
        known = VENDORS[vendor]
        return vendor, known.operation(
            Request(asked.method, f"/{path}", asked.query, asked.headers, asked.body, asked.now, shop)
        )

    def _answer(self, request: httpx.Request, asked: Request, late: bool) -> httpx.Response:
        if late:
            self.plant("pending", vendor="stripe")
        try:
            made = self.stand.respond(asked)
        except faults.SilenceError as silence:
            raise httpx.ReadTimeout("silence", request=request) from silence
        finally:
            self.clear()
        return httpx.Response(made.status, headers=dict(made.headers), content=made.body, request=request)

    def control(self, path: str, body: Neutral) -> None:
        """Something happens in the vendors' worlds."""
        made = self.stand.respond(Request("POST", path, "", {}, json.dumps(body).encode(), self.stand.now()))
        if made.status != 200:
            raise ValueError(made.body.decode())

    def plant(self, kind: str, **settings: Any) -> None:
        """The next request fails in this way."""
        self.control("/_control/faults", {"kind": kind, "vendor": "*", "times": 1, **settings})

    def clear(self) -> None:
        """No request fails any more."""
        with self.stand.store.transaction() as db:
            faults.clear(db)

    # tell

    def due(self) -> bool:
        """Whether a webhook waits to be delivered now."""
        with self.stand.store.transaction() as db:
            found = outbox.next_due(db)
        return found is not None and found <= self.clock().timestamp()

    def next_due(self) -> datetime | None:
        """When the next webhook is due."""
        with self.stand.store.transaction() as db:
            found = outbox.next_due(db)
        return None if found is None else datetime.fromtimestamp(found, self.clock().tzinfo)

    def deliver(self, post: Posts) -> bool:
        """Deliver the oldest webhook that is due; False where none is."""
        play, now = self._play(), self.clock().timestamp()
        with self.stand.store.transaction() as db:
            claimed = outbox.claim(db, now, 1)
        if not claimed:
            return False
        # Whoever delivers beside us has another webhook in hand.
        before = self._due, self._lost, self.forge_current
        self._due, self._lost = None, False
        delivery, vendor = claimed[0], claimed[0]["target_doc"]["vendor"]
        headers = signing.headers(vendor, delivery["target_doc"], delivery, now)
        path = f"/hooks/{SHOP}/{vendor}/"
        stranger = {**delivery["target_doc"], "secret": "guessed"}
        wrong = signing.headers(vendor, stranger, delivery, now)
        self.forge_current = lambda: post(path, delivery["body"], wrong)
        name = f"hook:{vendor}.{delivery['topic']}"
        status = play.as_process(
            lambda: play.trace.around(name, lambda: post(path, delivery["body"], headers))
        )
        self._settle(delivery, status, now)
        self._due, self._lost, self.forge_current = before
        return True

    def _settle(self, delivery: dict[str, Any], status: Any, now: float) -> None:
        with self.stand.store.transaction() as db:
            if self._lost:
                db.execute("UPDATE delivery SET state = ? WHERE seq = ?", (outbox.DROPPED, delivery["seq"]))
            elif self._due is not None:
                due = (outbox.WAITING, self._due.timestamp(), delivery["seq"])
                db.execute("UPDATE delivery SET state = ?, due = ? WHERE seq = ?", due)
            else:
                attempt = {"at": iso_of(now), "tried": now, "status": status or None, "error": None}
                outbox.settle(db, delivery, attempt)

    def defer_current(self, by: timedelta) -> None:
        """The webhook in hand comes later."""
        self._due = self.clock() + by

    def lose_current(self) -> None:
        """The webhook in hand never comes."""
        self._lost = True

    # their books

    def refunds(self, order_id: str) -> list[dict[str, Any]]:
        """Every refund of an order that moves money, failed ones included, and every one made by hand."""
        with self.stand.store.transaction() as db:
            rows = books.refunds_of(db, SHOP, "order_id", order_id)
        return [row for row in rows if row["amount_minor"] or row["made_by"] == "dashboard"]

    def messages(self) -> list[dict[str, Any]]:
        """What was sent to customers."""
        with self.stand.store.transaction() as db:
            return books.messages(db)

    def available(self, sku: str) -> int:
        """How many of an item the shop has in stock."""
        with self.stand.store.transaction() as db:
            row = store.variant(db, SHOP, "sku", sku)
        return int(row["available"]) if row else 0

    def settle_refund(self, name: str, status: str) -> None:
        """A refund changes its status at the vendor."""
        self.control(f"/_control/refunds/{SHOP}/{name}", {"status": status})

    def _play(self) -> Play:
        if self.play is None:
            raise RuntimeError("no play is on")
        return self.play


def connected() -> dict[str, str]:
    """The variables that connect the shop to its stand-ins."""
    return dict(ENVIRONMENT)
