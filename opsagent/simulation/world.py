"""One case's own customer, order and letters, and what is done to them at the vendors."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from opsagent.demo import postmark
from opsagent.demo.goods import GOODS
from opsagent.demo.money import decimal_text
from opsagent.demo.people import Person
from opsagent.demo.script import Neutral
from opsagent.demo.stage import Stage, line_value
from opsagent.simulation.furnishing import ENVIRONMENT, SHOP

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

ROOM = 1_000_000


@dataclass(frozen=True)
class Letter:
    """A mail on its way to us."""

    path: str
    body: bytes
    headers: dict[str, str]


class World:
    """What the vendors know of one case before anybody asks for anything."""

    def __init__(self, play: Play, number: int) -> None:
        self.play, self.number = play, number
        # Two plays of one recipe in one database are two customers with two orders.
        self.rng = random.Random(play.seed * 1000 + number)  # noqa: S311 - a play is to be repeated
        now = play.clock.at
        self.stage = Stage(self.rng, now, roomy=False)
        self.stage._ids += number * ROOM
        self.stage._counts[SHOP] += number
        self.who = self._customer()
        self.order = self._order()
        self.letters: list[Letter] = []
        self.by_hand = 0

    @property
    def order_id(self) -> str:
        """The order's id at the shop."""
        return str(self.order["id"])

    def _customer(self) -> Person:
        while True:
            who = self.stage.cast.newcomer(SHOP, "en")
            if who.currency == "USD":
                break
        own = f"customer-{self.number}@mail.example"
        return replace(
            who,
            id=7_000_000 + self.number,
            email=own,
            phone=f"1202555{self.number:04}",
            fingerprint=f"fp{self.number}",
        )

    def _order(self) -> Neutral:
        facts = self.play.scenario
        item = next(item for item in GOODS[SHOP] if item.size == facts.size)
        bought = self.stage.ago(6)
        return self.stage.order(SHOP, self.who, [(item, facts.quantity)], bought, gateway=facts.gateway)

    def open(self) -> None:
        """The order is paid, and its parcel arrived yesterday."""
        vendors = self.play.vendors
        vendors.control("/_control/orders", self.order)
        parcel = self.stage.parcel(self.order, self.stage.ago(3), "delivered", self.stage.ago(1), whole=False)
        for step in parcel:
            for path, body in step.sandbox:
                vendors.control(path, body)

    # letters

    def write(self, text: str) -> None:
        """The customer writes."""
        letter = postmark.Letter(
            name=self.who.full_name, address=self.who.email, subject=f"Order {self.order['name']}", text=text
        )
        message_id = self.stage.uuid()
        body = postmark.inbound_body(SHOP, message_id, letter, self.play.clock.at)
        raw = json.dumps(body, ensure_ascii=False).encode()
        pair = _basic(ENVIRONMENT["NORTH_ANYMAIL_WEBHOOK_SECRETS"])
        self.letters.append(Letter(f"/hooks/{SHOP}/email/postmark/", raw, {"Authorization": f"Basic {pair}"}))

    def complain(self) -> None:
        """It came broken."""
        self.write(f"My order {self.order['name']} arrived and the item is broken. Photos attached.")

    def write_again(self) -> None:
        """A second letter about the same."""
        self.write(f"Any news of {self.order['name']}? It is still broken.")

    # at the vendors

    def refund_by_hand(self) -> None:
        """What one piece cost goes back from the vendor's own pages: as much as the agent would give."""
        self.by_hand += 1
        line = self.order["lines"][0]
        body = {
            "id": f"re_{self.stage.number()}",
            "amount": decimal_text(line_value(line, "USD") // line["quantity"], "USD"),
            "lines": [],
        }
        self.play.vendors.control(f"/_control/orders/{SHOP}/{self.order_id}/refunds", body)

    def dispute(self) -> None:
        """The bank asks for the whole sum back."""
        body = {
            "shop": SHOP,
            "id": f"{'dp_' if self.order['charge'] else ''}{self.stage.number()}",
            "amount": self.order["total"],
            "reason": "fraudulent",
            "status": "needs_response",
            "created_at": self.play.clock.at.isoformat(),
            "evidence_due_by": (self.play.clock.at + timedelta(days=9)).isoformat(),
        }
        if self.order["charge"]:
            body["charge"] = self.order["charge"]["id"]
        else:
            body["order_id"] = self.order_id
        self.play.vendors.control("/_control/disputes", body)


def _basic(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()
