"""Wishes and questions: returns, refunds that are already made, stock, thanks, changes of mind."""

from __future__ import annotations

from datetime import timedelta

from opsagent.demo import shopify, shopify_events, stripe
from opsagent.demo.goods import SOLD_OUT, Item
from opsagent.demo.letters import About
from opsagent.demo.money import decimal_text
from opsagent.demo.plots.common import (
    Affair,
    any_shop,
    anything,
    basket_with,
    delivered,
    fresh,
    hours,
    item_by_sku,
    scene,
)
from opsagent.demo.script import Expectation, Lane, Neutral, Scene, Step
from opsagent.demo.stage import Stage, line_value, of_charge, placed, sender


def _had_it(stage: Stage, days: float, spread: float) -> Affair:
    shop = any_shop(stage)
    item = anything(stage, shop)
    who = stage.cast.newcomer(shop)
    return delivered(stage, shop, who, basket_with(stage, shop, item), item, days=days, spread=spread)


def _says(stage: Stage, affair: Affair, topic: str, story_id: str) -> Step:
    about = About(topic, affair.item, affair.number(stage))
    return stage.says(affair.shop, affair.who, about, story_id=story_id, hours_ago=hours(stage))


def return_in_time(stage: Stage, story_id: str, turn: int) -> Scene:
    """A return well inside the window."""
    affair = _had_it(stage, 3, 15)
    why = "within 30 days of delivery: a template tells how to return, money only when it is back"
    return scene(
        "return_in_time", story_id, "automatic", affair, _says(stage, affair, "return_wish", story_id), why
    )


def return_by_portal(stage: Stage, story_id: str, turn: int) -> Scene:
    """A return asked for in the shop's portal first, then by message."""
    affair = _had_it(stage, 3, 15)
    asked = stage.ago(0.5, 0.3)
    line = next(line for line in affair.order["lines"] if line["sku"] == affair.item.sku)
    wish: Neutral = {
        "id": stage.number(),
        "status": "REQUESTED",
        "created_at": shopify.stamp(asked),
        "lines": [{"id": line["id"], "quantity": line["quantity"], "reason": "unwanted"}],
    }
    path = f"/_control/orders/{affair.shop}/{affair.order['id']}/returns"
    affair.steps.append(
        stage.hook(
            affair.order,
            "returns/request",
            shopify_events.return_body(affair.order, wish),
            asked,
            kind="return",
            sandbox=[(path, wish)],
        )
    )
    why = "within 30 days of delivery: a template tells how to return, money only when it is back"
    return scene(
        "return_by_portal", story_id, "automatic", affair, _says(stage, affair, "return_wish", story_id), why
    )


def return_too_late(stage: Stage, story_id: str, turn: int) -> Scene:
    """A polite return wish outside of the window."""
    affair = _had_it(stage, 34, 3)
    why = "more than 30 days after delivery: a template declines politely"
    return scene(
        "return_too_late", story_id, "automatic", affair, _says(stage, affair, "return_late", story_id), why
    )


def refunded_already(stage: Stage, story_id: str, turn: int) -> Scene:
    """Somebody asks for money that a colleague has sent back by hand."""
    affair = _had_it(stage, 9, 4)
    order, currency = affair.order, affair.order["currency"]
    line = next(line for line in order["lines"] if line["sku"] == affair.item.sku)
    value, at = line_value(line, currency), stage.ago(3, 4)
    number = stage.number()
    # The sandbox takes an own Stripe id, whose digits are then the refund's number in Shopify.
    refund: Neutral = {
        "id": f"re_{stage.letters(11)}{number}" if order["charge"] else str(number),
        "created_at": shopify.stamp(at),
        "amount": decimal_text(value, currency),
        "lines": [{"id": line["id"], "quantity": line["quantity"]}],
    }
    path = f"/_control/orders/{affair.shop}/{order['id']}/refunds"
    body = shopify_events.refund_body(order, refund, at)
    affair.steps.append(
        stage.hook(
            order, "refunds/create", body, at, kind="refund", sandbox=[(path, {**refund, "events": {}})]
        )
    )
    if order["charge"] and stage.roomy:
        told = of_charge(order, "charge.refunded")
        thing = stripe.charge(order, value)
        affair.steps.append(stage.stripe_step(order, "charge.refunded", thing, at, sandbox=[told]))
    why = "the line was refunded by hand days ago: a template says so, and no money moves twice"
    last = _says(stage, affair, "already_refunded", story_id)
    return scene("refunded_already", story_id, "automatic", affair, last, why)


def thanks(stage: Stage, story_id: str, turn: int) -> Scene:
    """Praise that needs no answer."""
    affair = _had_it(stage, 0.6, 3)
    why = "praise needs no person: thanked or closed"
    return scene("thanks", story_id, "automatic", affair, _says(stage, affair, "thanks", story_id), why)


def _question(
    stage: Stage, plot: str, story_id: str, topic: str, shop: str, item: Item, lane: Lane, why: str
) -> Scene:
    who = stage.cast.newcomer(shop)
    last = stage.says(shop, who, About(topic, item), story_id=story_id, hours_ago=hours(stage))
    return Scene(plot, [last], story_id, Expectation(lane, shop, None, sender(last, who), why))


def back_in_stock(stage: Stage, story_id: str, turn: int) -> Scene:
    """When is it back? The supplier's feed knows."""
    shop = any_shop(stage)
    item = item_by_sku(shop, stage.rng.choice(SOLD_OUT[shop]))
    why = "the supplier's feed names the date: a template answers"
    return _question(stage, "back_in_stock", story_id, "stock", shop, item, "automatic", why)


def legal_size_paper(stage: Stage, story_id: str, turn: int) -> Scene:
    """A stock question about a thing whose name sounds like the law."""
    item = item_by_sku("north", "FF-0107")
    why = "legal is a paper size here: a template answers with the feed's date"
    return _question(stage, "legal_size_paper", story_id, "stock", "north", item, "automatic", why)


def beyond_the_catalogue(stage: Stage, story_id: str, turn: int) -> Scene:
    """A question about a product that no data of the shop answers."""
    shop = any_shop(stage)
    why = "neither catalogue nor feed knows, and a guess could harm: a person answers"
    return _question(
        stage, "beyond_the_catalogue", story_id, "product", shop, anything(stage, shop), "human", why
    )


def _change(stage: Stage, plot: str, story_id: str, topic: str, why: str) -> Scene:
    shop = any_shop(stage)
    affair = fresh(stage, shop, stage.cast.newcomer(shop), anything(stage, shop))
    about = About(topic, affair.item, affair.number(stage))
    last = stage.says(shop, affair.who, about, story_id=story_id, hours_ago=1.5)
    return scene(plot, story_id, "human", affair, last, why)


def cancel_before_shipping(stage: Stage, story_id: str, turn: int) -> Scene:
    """An order of this morning isn't wanted any more."""
    why = "no tool cancels an order: a person does before it ships"
    return _change(stage, "cancel_before_shipping", story_id, "cancel", why)


def other_address(stage: Stage, story_id: str, turn: int) -> Scene:
    """The parcel shall go elsewhere."""
    why = "no tool changes an address, and thieves ask for it too: a person looks"
    return _change(stage, "other_address", story_id, "address", why)


def ordered_twice(stage: Stage, story_id: str, turn: int) -> Scene:
    """The same basket twice within minutes, without a word from the customer."""
    shop = any_shop(stage)
    affair = fresh(stage, shop, stage.cast.newcomer(shop), anything(stage, shop))
    basket = [(item_by_sku(shop, line["sku"]), int(line["quantity"])) for line in affair.order["lines"]]
    at = affair.steps[0].simulated_at + timedelta(seconds=stage.rng.randrange(50, 170))
    twin = stage.order(shop, affair.who, basket, at)
    body = shopify.order_body(twin)
    second = stage.hook(
        twin, "orders/create", body, at, kind="order", sandbox=[placed(twin)], story_id=story_id
    )
    why = "one of the two would have to be cancelled before it ships, and only a person cancels"
    expectation = Expectation("human", shop, twin["name"], None, why)
    return Scene("ordered_twice", [*affair.steps, second], story_id, expectation)
