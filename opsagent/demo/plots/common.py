"""What most plots begin with: a shop, somebody, an order that is at some point of its journey."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from opsagent.demo.dues import Pays
from opsagent.demo.goods import GOODS, Item
from opsagent.demo.people import Person
from opsagent.demo.script import Expectation, Lane, Neutral, Scene, Step
from opsagent.demo.stage import Basket, Stage, sender

LANGUAGE_ROUND = ("en", "de", "fr", "es", "ja")


@dataclass(frozen=True)
class Affair:
    """Somebody's order with the events so far; `item` is the one that the story is about."""

    shop: str
    who: Person
    order: Neutral
    item: Item
    steps: list[Step]

    def number(self, stage: Stage, chance: float = 0.75) -> str | None:
        """The order's number, or None where the customer leaves it out."""
        return str(self.order["name"]) if stage.rng.random() < chance else None


def any_shop(stage: Stage) -> str:
    """Two of three stories play at North."""
    return "north" if stage.rng.random() < 0.67 else "sakura"


def shop_of(language: str) -> str:
    """Where somebody who writes this language buys."""
    return "sakura" if language == "ja" else "north"


def basket_with(
    stage: Stage, shop: str, item: Item, quantity: int = 1, others: int | None = None
) -> list[tuple[Item, int]]:
    """The item and up to two small others, in any order."""
    count = stage.rng.choice((0, 0, 1, 2)) if others is None else others
    basket = [(item, quantity)] + [(other, 1) for other in stage.items(shop, "small", count, but=[item])]
    stage.rng.shuffle(basket)
    return basket


def one_of(stage: Stage, shop: str, size: str) -> Item:
    """Any item of the size."""
    return stage.items(shop, size)[0]


def anything(stage: Stage, shop: str) -> Item:
    """Any item, mostly a small one."""
    return one_of(stage, shop, stage.rng.choices(("small", "mid", "large"), (6, 4, 1))[0])


def item_by_sku(shop: str, sku: str) -> Item:
    """The item of an SKU."""
    return next(item for item in GOODS[shop] if item.sku == sku)


def delivered(
    stage: Stage,
    shop: str,
    who: Person,
    basket: Basket,
    item: Item,
    *,
    days: float,
    spread: float,
    pays: Pays = "usual",
) -> Affair:
    """An order that was delivered `days` to `days + spread` days ago, after four to six days on its way."""
    done = stage.ago(days, spread)
    sent = done - timedelta(days=stage.rng.choice((2, 3)), hours=stage.rng.randrange(1, 9))
    bought = sent - timedelta(days=1, hours=stage.rng.randrange(2, 20))
    order = stage.order(shop, who, basket, bought, pays=pays)
    return Affair(
        shop, who, order, item, [stage.bought(order), *stage.parcel(order, sent, "delivered", done)]
    )


def under_way(
    stage: Stage, shop: str, who: Person, basket: Basket, item: Item, *, days: float, spread: float
) -> Affair:
    """An order that left the house `days` to `days + spread` days ago and isn't there yet."""
    sent = stage.ago(days, spread)
    order = stage.order(shop, who, basket, sent - timedelta(days=1, hours=stage.rng.randrange(2, 20)))
    status = "out_for_delivery" if days + spread < 4 and stage.rng.random() < 0.2 else "in_transit"
    return Affair(shop, who, order, item, [stage.bought(order), *stage.parcel(order, sent, status)])


def fresh(stage: Stage, shop: str, who: Person, item: Item) -> Affair:
    """An order of this morning, not packed yet."""
    order = stage.order(shop, who, basket_with(stage, shop, item), stage.ago(0.2, 0.4))
    return Affair(shop, who, order, item, [stage.bought(order)])


def scene(plot: str, story_id: str, lane: Lane, affair: Affair, last: Step, why: str) -> Scene:
    """The affair's events, then the message, and what to expect of it."""
    expectation = Expectation(lane, affair.shop, affair.order["name"], sender(last, affair.who), why)
    return Scene(plot, [*affair.steps, last], story_id, expectation)


def hours(stage: Stage) -> float:
    """When a message of the day was written, in hours before the story's start."""
    return stage.rng.randrange(10, 95) / 10
