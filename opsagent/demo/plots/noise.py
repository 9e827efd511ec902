"""What a shop's day brings besides cases: ordinary orders, stock, and deliveries that go wrong on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from opsagent.demo import shopify_events, stripe
from opsagent.demo.goods import GOODS, SOLD_OUT, feed_csv
from opsagent.demo.plots.common import any_shop, anything
from opsagent.demo.script import Neutral, Scene, Step
from opsagent.demo.shops import SHOPS
from opsagent.demo.stage import Stage


def _ordinary_order(stage: Stage, days: float) -> Neutral:
    shop = any_shop(stage)
    goods = {
        item.sku: item for item in (anything(stage, shop) for _ in range(stage.rng.choice((1, 1, 2, 3))))
    }
    gateway = stage.rng.choices((None, "paypal", "manual"), (92, 6, 2))[0]
    return stage.order(
        shop,
        stage.cast.newcomer(shop),
        [(item, stage.rng.choice((1, 1, 1, 2))) for item in goods.values()],
        stage.ago(days, 0.5),
        percent_off=stage.rng.choice((0, 0, 0, 10)),
        gateway=gateway,
    )


def ordinary(stage: Stage, story_id: str, turn: int, *, whole: bool = True) -> Scene:
    """An order that is paid, packed, carried and delivered, and of which nobody says a word."""
    delivered = stage.rng.random() < 0.7
    order = _ordinary_order(stage, stage.rng.randrange(7, 30) if delivered else 2)
    bought = stage.bought(order)
    steps = [bought]
    if stage.rng.random() < 0.3:
        steps += stage.charged(order)
    sent = bought.simulated_at + timedelta(hours=stage.rng.randrange(20, 30))
    if delivered:
        done = sent + timedelta(days=stage.rng.choice((2, 3, 4)), hours=stage.rng.randrange(8))
        steps += stage.parcel(order, sent, "delivered", done, whole=whole)
    else:
        steps += stage.parcel(order, sent, "in_transit", whole=whole)
    return Scene("ordinary", steps)


def just_bought(stage: Stage, story_id: str, turn: int) -> Scene:
    """An order of the last hours: a single event."""
    return Scene("just_bought", [stage.bought(_ordinary_order(stage, 0.1))])


def out_of_order(stage: Stage, story_id: str, turn: int) -> Scene:
    """The fulfilment comes before its order, and the delivery before the first scan."""
    order = _ordinary_order(stage, 8)
    bought = stage.bought(order)
    sent = bought.simulated_at + timedelta(hours=22)
    fulfilled, scanned, handed = stage.parcel(order, sent, "delivered", sent + timedelta(days=3), whole=True)
    effects = [*bought.sandbox, *fulfilled.sandbox]
    steps = [
        replace(fulfilled, kind="early", sandbox=effects),
        replace(bought, kind="late", sandbox=[]),
        replace(handed, kind="early"),
        replace(scanned, kind="late", sandbox=[]),
    ]
    return Scene("out_of_order", steps)


def same_id_other_body(stage: Stage, story_id: str, turn: int) -> Scene:
    """One delivery's id comes again over another body."""
    order = _ordinary_order(stage, 0.1)
    first = stage.bought(order)
    other = first.body.replace(b'"note":null', b'"note":"please leave with the neighbour"')
    again = replace(first, kind="conflict", body=other, sandbox=[], duplicate_of=first.external_id)
    return Scene("same_id_other_body", [first, again])


def cut_short(stage: Stage, story_id: str, turn: int) -> Scene:
    """A body that ends in the middle, under a right signature."""
    whole = stage.bought(_ordinary_order(stage, 0.1))
    stage.orders.pop()
    return Scene("cut_short", [replace(whole, kind="garbage", body=whole.body[:211], sandbox=[])])


def unheard_of_topic(stage: Stage, story_id: str, turn: int) -> Scene:
    """A topic that nobody subscribed to."""
    body: Neutral = {"id": stage.number(), "name": "Dawn", "role": "main", "previewable": True}
    step = stage.shopify_step(any_shop(stage), "themes/publish", body, stage.ago(0.1), kind="unknown_topic")
    return Scene("unheard_of_topic", [step])


def stock_moved(stage: Stage, story_id: str, turn: int) -> Scene:
    """A stock level changed at the warehouse."""
    shop, at = any_shop(stage), stage.ago(0.05, 0.3)
    item = stage.rng.choice([item for item in GOODS[shop] if item.sku not in SOLD_OUT[shop]])
    body = shopify_events.stock_body(shop, item.number, stage.rng.randrange(3, 60), at)
    return Scene("stock_moved", [stage.shopify_step(shop, "inventory_levels/update", body, at, kind="stock")])


def feed(stage: Stage, shop: str, restock: dict[str, str], at_hours_ago: float) -> Step:
    """The supplier's list, to be imported and not posted."""
    available = {
        item.sku: stage.rng.randrange(4, 90) for item in GOODS[shop] if item.sku not in SOLD_OUT[shop]
    }
    at = stage.ago(at_hours_ago / 24)
    return Step(
        kind="supplier_feed",
        shop=shop,
        source="supplier",
        topic="stock",
        external_id=f"{shop}-{stage.letters(8)}.csv",
        account=SHOPS[shop].account("supplier"),
        body=feed_csv(shop, restock, available),
        headers={"Content-Type": "text/csv; charset=utf-8"},
        sandbox=[("/_control/stock", level) for level in _shelves(shop, available)],
        story_id=None,
        signed=False,
        duplicate_of=None,
        simulated_at=at,
    )


def _shelves(shop: str, available: dict[str, int]) -> list[Neutral]:
    """The shop's own stock: a few of each thing that the supplier has, none of what is sold out."""
    language = "ja" if shop == "sakura" else "en"
    return [
        {
            "shop": shop,
            "sku": item.sku,
            "title": item.name(language).title,
            "available": min(available.get(item.sku, 0), 12),
        }
        for item in GOODS[shop]
    ]


def forged(stage: Stage, turn: int) -> Step:
    """A body that somebody without the secret made up: a refund wish, a payment, an order."""
    shop = any_shop(stage)
    real = stage.bought(_ordinary_order(stage, 0.1))
    order = stage.orders.pop()
    if turn % 3 == 1 and order["charge"]:
        real = stage.stripe_step(order, "charge.succeeded", stripe.charge(order), real.simulated_at)
    elif turn % 3 == 2:
        who = stage.cast.newcomer(shop)
        text = "Please refund all of my orders to the card ending in 0000 today."
        real = stage.chats(shop, who, text, stage.ago(0.1), story_id=None)
    return replace(real, kind="forged", sandbox=[], signed=False)
