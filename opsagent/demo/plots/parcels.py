"""Where is it? Parcels on their way, parcels said to be there, and people who ask about them."""

from __future__ import annotations

from opsagent.demo.letters import About
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
    under_way,
)
from opsagent.demo.script import Expectation, Scene
from opsagent.demo.stage import Stage


def _on_its_way(stage: Stage, shop: str) -> Affair:
    item = anything(stage, shop)
    who = stage.cast.newcomer(shop)
    return under_way(stage, shop, who, basket_with(stage, shop, item), item, days=0.8, spread=2.4)


def _asks(stage: Stage, plot: str, story_id: str, topic: str, why: str) -> Scene:
    shop = any_shop(stage)
    affair = _on_its_way(stage, shop)
    about = About(topic, affair.item, affair.number(stage))
    last = stage.says(shop, affair.who, about, story_id=story_id, hours_ago=hours(stage))
    return scene(plot, story_id, "automatic", affair, last, why)


def where_is_it(stage: Stage, story_id: str, turn: int) -> Scene:
    """The parcel left a few days ago and moves."""
    return _asks(stage, "where_is_it", story_id, "wismo", "in transit and moving: a status template answers")


def where_is_it_grumpy(stage: Stage, story_id: str, turn: int) -> Scene:
    """The same with a mild complaint, which no person need hear."""
    why = "mild annoyance is no anger, and the parcel moves: a status template answers"
    return _asks(stage, "where_is_it_grumpy", story_id, "wismo_annoyed", why)


def legal_words_only(stage: Stage, story_id: str, turn: int) -> Scene:
    """Words of the law without any threat: a law book, a lawyer's birthday, a parcel to the courthouse."""
    why = "law is the topic of a present, not of a dispute: a status template answers"
    if turn % 2:
        return _asks(stage, "legal_words_only", story_id, "legal_words", why)
    item = item_by_sku("north", "FF-0108")
    who = stage.cast.newcomer("north")
    affair = under_way(stage, "north", who, basket_with(stage, "north", item), item, days=0.8, spread=2.4)
    about = About(stage.rng.choice(("legal_words", "wismo")), item, affair.number(stage))
    last = stage.says("north", who, about, story_id=story_id, hours_ago=hours(stage))
    return scene("legal_words_only", story_id, "automatic", affair, last, why)


def not_packed_yet(stage: Stage, story_id: str, turn: int) -> Scene:
    """Somebody impatient asks for an order of this morning."""
    shop = any_shop(stage)
    affair = fresh(stage, shop, stage.cast.newcomer(shop), anything(stage, shop))
    about = About("not_packed", affair.item, affair.number(stage))
    last = stage.says(shop, affair.who, about, story_id=story_id, hours_ago=2)
    why = "ordered today, well inside the promise: a status template answers"
    return scene("not_packed_yet", story_id, "automatic", affair, last, why)


def missing_but_on_its_way(stage: Stage, story_id: str, turn: int) -> Scene:
    """A polite claim that something is missing, while the whole parcel is still in transit."""
    why = "nothing is missing, the parcel is in transit: a template says so, and no money moves"
    return _asks(stage, "missing_but_on_its_way", story_id, "missing_early", why)


def said_to_be_delivered(stage: Stage, story_id: str, turn: int) -> Scene:
    """The carrier says delivered, the customer says no."""
    shop = any_shop(stage)
    item = anything(stage, shop)
    who = stage.cast.newcomer(shop)
    affair = delivered(stage, shop, who, basket_with(stage, shop, item), item, days=0.7, spread=1.5)
    about = About("delivered_not_here", item, affair.number(stage))
    last = stage.says(shop, who, about, story_id=story_id, hours_ago=hours(stage))
    why = "delivered only just now: ask to look with neighbours and to confirm the address before money moves"
    return scene("said_to_be_delivered", story_id, "waiting", affair, last, why)


def lost_on_the_way(stage: Stage, story_id: str, turn: int) -> Scene:
    """No scan for two weeks."""
    shop = any_shop(stage)
    item = anything(stage, shop)
    who = stage.cast.newcomer(shop)
    affair = under_way(stage, shop, who, basket_with(stage, shop, item), item, days=13.5, spread=4)
    about = About("lost", item, affair.number(stage))
    last = stage.says(shop, who, about, story_id=story_id, hours_ago=hours(stage))
    why = "no movement for 13 days and more: a search at the carrier and a replacement need a person"
    return scene("lost_on_the_way", story_id, "human", affair, last, why)


def someone_elses_order(stage: Stage, story_id: str, turn: int) -> Scene:
    """The number in the mail belongs to an order of somebody else."""
    shop = any_shop(stage)
    affair = _on_its_way(stage, shop) if turn % 2 else _theirs_delivered(stage, shop)
    stranger = stage.cast.newcomer(shop, affair.who.language)
    about = About("wismo" if turn % 2 else "damaged", affair.item, affair.order["name"])
    photos = not turn % 2
    last = stage.says(
        shop, stranger, about, story_id=story_id, hours_ago=hours(stage), photos=photos, channel="email"
    )
    why = (
        "the sender isn't the order's contact: no order data, ask them to write from the order's own address"
    )
    expectation = Expectation("waiting", shop, affair.order["name"], stranger.email, why)
    return Scene("someone_elses_order", [*affair.steps, last], story_id, expectation)


def _theirs_delivered(stage: Stage, shop: str) -> Affair:
    item = anything(stage, shop)
    who = stage.cast.newcomer(shop)
    return delivered(stage, shop, who, basket_with(stage, shop, item), item, days=0.6, spread=4)


def hidden_number(stage: Stage, story_id: str, turn: int) -> Scene:
    """A chat whose sender hides the telephone number, so that nobody can tell whose order it is."""
    shop = any_shop(stage)
    affair = _on_its_way(stage, shop)
    about = About("wismo", affair.item, affair.order["name"])
    last = stage.says(shop, affair.who, about, story_id=story_id, hours_ago=hours(stage), channel="hidden")
    why = "the sender can't be matched with the order's contact: ask who writes, give no order data"
    expectation = Expectation("waiting", shop, affair.order["name"], None, why)
    return Scene("hidden_number", [*affair.steps, last], story_id, expectation)


def unknown_sender(stage: Stage, story_id: str, turn: int) -> Scene:
    """A mail without a number from an address that never bought anything."""
    shop = any_shop(stage)
    stranger = stage.cast.newcomer(shop)
    about = About("wismo", anything(stage, shop))
    last = stage.says(shop, stranger, about, story_id=story_id, hours_ago=hours(stage), channel="email")
    why = "no order is known under this address: ask for the order's number"
    return Scene("unknown_sender", [last], story_id, Expectation("waiting", shop, None, stranger.email, why))
