"""One case's own customer, order and letters, and what is done to them at the vendors."""

from __future__ import annotations

import base64
import json
import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from cases.models import Cursor, LegalEntity, Shop
from opsagent.demo import postmark
from opsagent.demo.goods import GOODS
from opsagent.demo.money import decimal_text, minor
from opsagent.demo.people import Person
from opsagent.demo.script import Neutral
from opsagent.demo.stage import Stage, line_value
from opsagent.simulation.furnishing import ENVIRONMENT, SELLER, SHOP, give_caps

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

ROOM = 1_000_000
MOST_ORDERS = 2
# Of each item, when a story begins.
IN_STOCK = 7


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
        self.stage._counts[SHOP] += number * MOST_ORDERS
        self.who = self._customer()
        self.orders = [self._order(place) for place in range(play.scenario.orders)]
        self.order = self.orders[0]
        self.letters: list[Letter] = []
        self.asked = False
        # What happens only once, and how often somebody has tried what may be refused.
        self.done: set[str] = set()
        self.tries: Counter[str] = Counter()

    @property
    def order_id(self) -> str:
        """The first order's id at the shop."""
        return self.order_ids[0]

    @property
    def order_ids(self) -> list[str]:
        """All orders' ids at the shop."""
        return [str(order["id"]) for order in self.orders]

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

    def _order(self, place: int) -> Neutral:
        facts = self.play.scenario
        # Of two equal orders the second would be taken for a mistake.
        items = [item for item in GOODS[SHOP] if item.size == facts.size][place:][: facts.lines]
        order = self.stage.order(
            SHOP,
            self.who,
            [(item, facts.quantity) for item in items],
            self.stage.ago(6),
            gateway=facts.gateway,
            pays=facts.pays,
        )
        if facts.duty:
            _charge_duty(order)
        return order

    def open(self) -> None:
        """The shop is as the story wants it, the order is paid, and its parcel arrived yesterday if it was sent."""
        story, vendors = self.play.scenario, self.play.vendors
        ours = Shop.CreditNotes.NONE if story.documents == "none" else Shop.CreditNotes.OURS
        Shop.objects.filter(pk=self.play.shop_id).update(credit_notes=ours)
        give_caps(self.play.shop_id, undo_seconds=story.undo_seconds)
        known = "" if story.documents == "no seller" else SELLER["vat_id"]
        LegalEntity.objects.filter(shops=self.play.shop_id).update(vat_id=known)
        if story.first_reading:
            Cursor.objects.filter(shop_id=self.play.shop_id).delete()
            self.play.something_lost = True
        for order in self.orders:
            self._stock(order, IN_STOCK)
            vendors.control("/_control/orders", order)
            if story.colleague != "cancels":
                self._deliver(order)
            if story.reason == "returned":
                self._send_back(order)

    def _deliver(self, order: Neutral) -> None:
        parcel = self.stage.parcel(order, self.stage.ago(3), "delivered", self.stage.ago(1), whole=False)
        for step in parcel:
            for path, body in step.sandbox:
                self.play.vendors.control(path, body)

    def _send_back(self, order: Neutral) -> None:
        """The customer asked for a return, and the shop has received it."""
        wish = {
            "id": self.stage.number(),
            "status": "CLOSED",
            "created_at": self.stage.ago(0.5).isoformat(),
            "lines": [
                {"id": line["id"], "quantity": line["quantity"], "reason": "unwanted"}
                for line in order["lines"]
            ],
        }
        self.play.vendors.control(f"/_control/orders/{SHOP}/{order['id']}/returns", wish)

    def _stock(self, order: Neutral, available: int) -> None:
        for line in order["lines"]:
            row = {"shop": SHOP, "sku": line["sku"], "title": line["title"], "available": available}
            self.play.vendors.control("/_control/stock", row)

    # letters

    def write(self, text: str, order: Neutral, *, chat: bool = False) -> None:
        """The customer writes about an order, on the story's channel or by chat."""
        if chat or self.play.scenario.channel == "whatsapp":
            self._chat(text)
            return
        letter = postmark.Letter(
            name=self.who.full_name, address=self.who.email, subject=f"Order {order['name']}", text=text
        )
        message_id = self.stage.uuid()
        body = postmark.inbound_body(SHOP, message_id, letter, self.play.clock.at)
        raw = json.dumps(body, ensure_ascii=False).encode()
        pair = _basic(ENVIRONMENT["NORTH_ANYMAIL_WEBHOOK_SECRETS"])
        self.letters.append(Letter(f"/hooks/{SHOP}/email/postmark/", raw, {"Authorization": f"Basic {pair}"}))

    def _chat(self, text: str) -> None:
        wrote = {
            "shop": SHOP,
            "id": f"wamid.{self.stage.code(44)}==",
            "from": self.who.phone,
            "user_id": f"US.{8_000_000 + self.number}",
            "name": self.who.full_name,
            "text": text,
        }
        self.play.vendors.control("/_control/inbound", wrote)

    def complain(self) -> None:
        """It came broken; of a second order the customer tells by chat. Or it isn't wanted any more."""
        for place, order in enumerate(self.orders):
            wish = "arrived and the item is broken. Photos attached."
            if self.play.scenario.colleague == "cancels":
                wish = "is not needed any more. Can you cancel it?"
            self.write(f"My order {order['name']} {wish}", order, chat=place > 0)

    def write_again(self) -> None:
        """A second letter about the same."""
        self.write(f"Any news of {self.order['name']}? It is still broken.", self.order)

    # at the vendors

    def refund_by_hand(self) -> None:
        """What one piece cost goes back from the vendor's own pages: as much as the agent would give."""
        self._by_hand({"amount": decimal_text(self.piece_minor(), "USD")})

    def refund_line_by_hand(self) -> None:
        """The very piece that the agent would refund goes back from the shop's own pages, which name it."""
        piece = {"id": self.order["lines"][0]["id"], "quantity": 1}
        self._by_hand({"amount": decimal_text(self.piece_minor(), "USD"), "lines": [piece]})

    def use_up_gift_card(self) -> None:
        """Half of what the gift card paid goes back to it from the shop's own pages, for another line than ours."""
        card = self.order["tenders"][1]
        half = decimal_text(minor(card["amount"], "USD") // 2, "USD")
        piece = {"id": self.order["lines"][1]["id"], "quantity": 1}
        self._by_hand({"amount": half, "transaction_id": card["transaction_id"], "lines": [piece]})

    def _by_hand(self, what: Neutral) -> None:
        body = {"id": f"re_{self.stage.number()}", "lines": [], **what}
        self.play.vendors.control(f"/_control/orders/{SHOP}/{self.order_id}/refunds", body)

    def piece_minor(self, order_id: str = "") -> int:
        """What the customer paid for one piece of an order's first line, tax and duty in, rounded down."""
        order = self.orders[self.order_ids.index(order_id or self.order_id)]
        line = order["lines"][0]
        return line_value(line, "USD") // int(line["quantity"])

    def goodwill_minor(self) -> int:
        """The story's share of one piece's price, without its duty."""
        duties = sum(minor(duty["amount"], "USD") for duty in self.order["lines"][0]["duties"])
        return (self.piece_minor() - duties) * self.play.scenario.goodwill // 100

    def in_stock(self) -> int:
        """How many of the order's item the shop has on its shelf."""
        return self.play.vendors.available(self.order["lines"][0]["sku"])

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


def _charge_duty(order: Neutral) -> None:
    """Customs take something of the first line, on top of its price."""
    line, owed = order["lines"][0], 133
    line["duties"] = [
        {
            "id": line["id"] + 1,
            "amount": decimal_text(owed, "USD"),
            "harmonized_system_code": "691110",
            "country_code": "GB",
            "taxes": [],
        }
    ]
    order["total"] = decimal_text(minor(order["total"], "USD") + owed, "USD")


def _basic(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()
