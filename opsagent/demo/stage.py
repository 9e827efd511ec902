"""Where a story is told: the random source, the clock, the cast, running numbers, and one method per delivery."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from opsagent.demo import dues, letters, postmark, shopify, shopify_events, stripe, whatsapp
from opsagent.demo.goods import GOODS, Item
from opsagent.demo.letters import About
from opsagent.demo.money import decimal_text, minor
from opsagent.demo.people import Cast, Person
from opsagent.demo.script import Effect, Neutral, Step
from opsagent.demo.shops import SHOPS, STANDARD_DELIVERY

Basket = Sequence[tuple[Item, int]]
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CARRIERS = {"north": ("UPS", "USPS", "DHL"), "sakura": ("Yamato", "Sagawa")}
PHOTO_COUNTS = (1, 1, 2, 2, 3)


class Stage:
    """Everything that plots share; with `roomy` False parcels are told in one event instead of three."""

    def __init__(self, rng: random.Random, start: datetime, *, roomy: bool) -> None:
        self.rng = rng
        self.start = start
        self.roomy = roomy
        self.cast = Cast(rng)
        self.orders: list[Neutral] = []
        self._counts = {slug: facts.first_order for slug, facts in SHOPS.items()}
        self._ids = 5_200_000_000_000

    # numbers

    def number(self) -> int:
        """A vendor's id, never given twice."""
        self._ids += self.rng.randrange(100, 999)
        return self._ids

    def code(self, length: int) -> str:
        """Random letters and digits, as in Stripe's ids."""
        return "".join(self.rng.choices(_ALPHABET, k=length))

    def letters(self, length: int) -> str:
        """Random letters."""
        return "".join(self.rng.choices(_ALPHABET[10:], k=length))

    def uuid(self) -> str:
        """A UUID from the story's own random source."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def ago(self, days: float, spread: float = 0.0) -> datetime:
        """An instant `days` to `days + spread` days before the story's start, to the second."""
        seconds = int(days * 86_400) + (self.rng.randrange(int(spread * 86_400)) if spread else 0)
        return self.start - timedelta(seconds=seconds)

    # orders

    def items(self, shop: str, size: str, count: int = 1, *, but: Sequence[Item] = ()) -> list[Item]:
        """Different goods of one size."""
        pool = [item for item in GOODS[shop] if item.size == size and item not in but]
        return self.rng.sample(pool, count)

    def order(
        self,
        shop: str,
        who: Person,
        basket: Basket,
        created: datetime,
        *,
        risk: str = "LOW",
        percent_off: int = 0,
        gateway: str | None = None,
        pays: dues.Pays = "usual",
    ) -> Neutral:
        """A paid order in neutral form; lines carry their titles in the customer's language."""
        currency, order_id = who.currency, self.number()
        lines = [self._line(shop, who, item, quantity, percent_off) for item, quantity in basket]
        goods = sum(line_value(line, currency) for line in lines)
        gateway = gateway or ("cash_on_delivery" if pays == "cash" else SHOPS[shop].gateway)
        shipping = STANDARD_DELIVERY[currency]
        order = {
            "shop": shop,
            "id": order_id,
            "name": f"#{self._counts[shop]}",
            "currency": currency,
            "created_at": shopify.stamp(created),
            "customer": {
                "id": who.id,
                "email": who.email,
                "first_name": who.first,
                "last_name": who.last,
                "phone": f"+{who.phone}",
                "locale": who.language,
            },
            "shipping_address": who.address(),
            "billing_address": who.bill_to(),
            "lines": lines,
            "shipping": decimal_text(shipping, currency),
            "shipping_taxes": dues.of_shipping(who, shipping),
            "taxes_included": currency != "USD",
            "total": decimal_text(goods + shipping, currency),
            "gateway": gateway,
            "transaction_id": order_id + 3,
            "charge": self._charge(who, risk) if gateway == "stripe" else None,
            "risk": risk,
            "tags": [],
        }
        order["tenders"] = dues.tenders(order, pays)
        self._counts[shop] += 1
        self.orders.append(order)
        return order

    def _line(self, shop: str, who: Person, item: Item, quantity: int, percent_off: int) -> Neutral:
        price, currency, number = item.prices[who.currency], who.currency, self.number()
        cut = price * quantity * percent_off // 100
        paid = price * quantity - cut
        taxes = dues.taxes(who, item, paid)
        return {
            "id": number,
            "variant_id": 45_000_000 + item.number,
            "sku": item.sku,
            "title": item.name(who.language).title,
            "quantity": quantity,
            "unit_price": decimal_text(price, currency),
            # What comes on top of the price: in Europe and Japan the price holds its tax.
            "tax": taxes[0]["amount"] if taxes and currency == "USD" else decimal_text(0, currency),
            "taxes": taxes,
            "duties": dues.duties(who, item, number, self._counts[shop], paid),
            "discount": decimal_text(cut, currency),
        }

    def _charge(self, who: Person, risk: str) -> Neutral:
        return {
            "id": f"ch_3{self.code(23)}",
            "payment_intent": f"pi_3{self.code(23)}",
            "brand": self.rng.choice(("visa", "visa", "mastercard", "amex")),
            "last4": who.last4,
            "fingerprint": who.fingerprint,
            "risk_level": "highest" if risk == "HIGH" else "normal",
        }

    # deliveries

    def hook(
        self,
        order: Neutral,
        topic: str,
        body: Neutral,
        at: datetime,
        *,
        kind: str,
        sandbox: Sequence[Effect] = (),
        story_id: str | None = None,
    ) -> Step:
        """A Shopify webhook about an order."""
        return self.shopify_step(
            order["shop"], topic, body, at, kind=kind, sandbox=sandbox, story_id=story_id
        )

    def shopify_step(
        self,
        shop: str,
        topic: str,
        body: Neutral,
        at: datetime,
        *,
        kind: str,
        sandbox: Sequence[Effect] = (),
        story_id: str | None = None,
    ) -> Step:
        """A Shopify webhook with its headers."""
        webhook_id = self.uuid()
        return Step(
            kind=kind,
            shop=shop,
            source="shopify",
            topic=topic,
            external_id=webhook_id,
            account=SHOPS[shop].account("shopify"),
            body=_bytes(body),
            headers=shopify.headers(topic, shop, webhook_id, self.uuid(), at),
            sandbox=list(sandbox),
            story_id=story_id,
            signed=True,
            duplicate_of=None,
            simulated_at=at,
        )

    def stripe_step(
        self,
        order: Neutral,
        topic: str,
        thing: Neutral,
        at: datetime,
        *,
        sandbox: Sequence[Effect] = (),
        story_id: str | None = None,
    ) -> Step:
        """A Stripe event about an order's charge."""
        event_id = f"evt_3{self.code(23)}"
        return Step(
            kind="payment",
            shop=order["shop"],
            source="stripe",
            topic=topic,
            external_id=event_id,
            account=SHOPS[order["shop"]].account("stripe"),
            body=_bytes(stripe.event_body(event_id, topic, thing, at)),
            headers={"Content-Type": "application/json; charset=utf-8"},
            # Stripe lists the event under the id that its webhook carries.
            sandbox=[(path, {**effect, "events": {topic: event_id}}) for path, effect in sandbox],
            story_id=story_id,
            signed=True,
            duplicate_of=None,
            simulated_at=at,
        )

    def bought(self, order: Neutral) -> Step:
        """orders/create, the order having been put into the sandbox first."""
        at = datetime.fromisoformat(order["created_at"])
        body = shopify.order_body(order)
        return self.hook(order, "orders/create", body, at, kind="order", sandbox=[placed(order)])

    def charged(self, order: Neutral) -> list[Step]:
        """charge.succeeded, where Stripe took the money."""
        if not order["charge"]:
            return []
        at = datetime.fromisoformat(order["created_at"])
        told = of_charge(order, "charge.succeeded")
        return [self.stripe_step(order, "charge.succeeded", stripe.charge(order), at, sandbox=[told])]

    def parcel(
        self,
        order: Neutral,
        sent: datetime,
        status: str,
        done: datetime | None = None,
        *,
        whole: bool | None = None,
    ) -> list[Step]:
        """The parcel's events up to `status`; `done` is when it was delivered, or failed to be.

        `whole` asks for the fulfilment and each scan in events of their own; else one event tells all.
        """
        parcel = {
            "id": self.number(),
            "tracking_number": f"1Z{self.rng.randrange(10**13):013d}",
            "carrier": self.rng.choice(CARRIERS[order["shop"]]),
            "created_at": shopify.stamp(sent),
            "line_ids": [line["id"] for line in order["lines"]],
        }
        if whole is None:
            whole = self.roomy and self.rng.random() < 0.6
        if not whole:
            body = shopify_events.fulfilment_body(order, parcel, 1, status, shopify.stamp(done or sent))
            return [
                self.hook(
                    order,
                    "fulfillments/create",
                    body,
                    done or sent,
                    kind="fulfilment",
                    sandbox=[scanned(order, parcel, status, done or sent)],
                )
            ]
        body = shopify_events.fulfilment_body(order, parcel, 1, None, shopify.stamp(sent))
        packed = scanned(order, parcel, "label_printed", sent)
        steps = [self.hook(order, "fulfillments/create", body, sent, kind="fulfilment", sandbox=[packed])]
        scans = [("in_transit", sent + timedelta(hours=5))]
        if status == "out_for_delivery":
            scans.append((status, min(sent + timedelta(hours=30), self.ago(0.1))))
        elif status in ("delivered", "failure") and done:
            scans.append((status, done))
        for name, at in scans:
            body = shopify_events.fulfilment_event_body(order, parcel, self.number(), name, at)
            effect = scanned(order, parcel, name, at)
            steps.append(
                self.hook(order, "fulfillment_events/create", body, at, kind="scan", sandbox=[effect])
            )
        return steps

    # messages

    def says(
        self,
        shop: str,
        who: Person,
        about: About,
        *,
        story_id: str | None,
        hours_ago: float,
        photos: bool = False,
        channel: str | None = None,
        answers: str | None = None,
    ) -> Step:
        """A message by mail or chat; with `photos` by mail, since a chat text carries none."""
        at = self.ago(hours_ago / 24, 0.05)
        text = letters.body(self.rng, who, about)
        if channel is None:
            channel = "email" if photos or self.rng.random() < 0.68 else "whatsapp"
        if channel != "email":
            return self.chats(shop, who, text, at, story_id=story_id, known=channel == "whatsapp")
        title = letters.subject(self.rng, who.language, about.topic, about.number)
        letter = postmark.Letter(
            name=who.full_name,
            address=who.email,
            subject=f"Re: {title}" if answers else title,
            text=letters.mail(self.rng, who, text, curt=about.topic in letters.CURT),
            photos=self.rng.choice(PHOTO_COUNTS) if photos else 0,
            replies_to=postmark.rfc_message_id(answers) if answers else None,
        )
        return self.writes(shop, letter, at, story_id=story_id)

    def writes(self, shop: str, letter: postmark.Letter, at: datetime, *, story_id: str | None) -> Step:
        """A mail as Postmark passes it on."""
        message_id = self.uuid()
        return Step(
            kind="message",
            shop=shop,
            source="email",
            topic="inbound",
            external_id=message_id,
            account=SHOPS[shop].account("email"),
            body=_bytes(postmark.inbound_body(shop, message_id, letter, at)),
            headers={"Content-Type": "application/json"},
            sandbox=[],
            story_id=story_id,
            signed=True,
            duplicate_of=None,
            simulated_at=at,
        )

    def chats(
        self, shop: str, who: Person, text: str, at: datetime, *, story_id: str | None, known: bool = True
    ) -> Step:
        """A WhatsApp text; not `known` is a sender whose telephone number is kept from us."""
        message_id = f"wamid.{self.code(44)}=="
        user_id = f"{who.country_code}.{self.rng.randrange(10**17, 10**18)}"
        text = letters.chat(self.rng, who, text)
        body = whatsapp.message_body(
            shop, message_id, who.full_name, who.phone if known else None, user_id, text, at
        )
        # Their stand-in must know that they wrote: it takes free text for 24 hours from then on.
        wrote = {"shop": shop, "user_id": user_id, **({"from": who.phone} if known else {})}
        return Step(
            kind="message",
            shop=shop,
            source="whatsapp",
            topic="messages",
            external_id=message_id,
            account=SHOPS[shop].account("whatsapp"),
            body=_bytes(body),
            headers={"Content-Type": "application/json"},
            sandbox=[("/_control/inbound", wrote)],
            story_id=story_id,
            signed=True,
            duplicate_of=None,
            simulated_at=at,
        )


def line_value(line: Neutral, currency: str) -> int:
    """What the customer paid for a line, tax and duties in and discount off, in minor units."""
    whole = minor(line["unit_price"], currency) * int(line["quantity"])
    duties = sum(minor(duty["amount"], currency) for duty in line["duties"])
    return whole - minor(line["discount"], currency) + minor(line["tax"], currency) + duties


def placed(order: Neutral, **otherwise: str) -> Effect:
    """The order at its vendors; what Stripe's webhooks tell of its charge comes with them, if they come."""
    return "/_control/orders", {**order, **otherwise, "events": {}}


def of_charge(order: Neutral, topic: str) -> Effect:
    """Stripe has news of the order's charge."""
    return "/_control/charges", {"shop": order["shop"], "charge": order["charge"]["id"], "type": topic}


def scanned(order: Neutral, parcel: Neutral, status: str, at: datetime) -> Effect:
    """The parcel at the shop as of one scan."""
    told = {**parcel, "status": status, "updated_at": shopify.stamp(at)}
    if status == "delivered":
        told["delivered_at"] = shopify.stamp(at)
    return f"/_control/orders/{order['shop']}/{order['id']}/fulfilments", told


def sender(step: Step, who: Person) -> str:
    """How the sender of a message is known to the shop: mail address or telephone number in digits."""
    return who.email if step.source == "email" else who.phone


def _bytes(body: Neutral) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
