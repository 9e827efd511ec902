"""Something is wrong with what came: broken, missing, or another thing altogether."""

from __future__ import annotations

from opsagent.demo.dues import Pays
from opsagent.demo.letters import About
from opsagent.demo.plots.common import (
    Affair,
    any_shop,
    basket_with,
    delivered,
    hours,
    item_by_sku,
    one_of,
    scene,
)
from opsagent.demo.script import Lane, Scene, Step
from opsagent.demo.stage import Stage

_SIZE_LANE: dict[str, Lane] = {
    "small": "automatic",
    "mid": "approval",
    "large": "two_factor",
    "grand": "two_factor",
    "vast": "human",
}
_BY_SIZE = {
    "small": "within the automatic limit: refunded at once",
    "mid": "above the automatic limit and within one approver's: one person says yes",
    "large": "above one approver's limit: locked until a second factor",
    "grand": "above a second line: two people sign, each with a second factor",
    "vast": "above the last line: no approval is offered, people act outside the agent",
}


def _claim(
    stage: Stage,
    plot: str,
    story_id: str,
    topic: str,
    size: str,
    others: int | None = None,
    pays: Pays = "usual",
    at: str = "",
) -> Scene:
    shop = at or any_shop(stage)
    item = one_of(stage, shop, size)
    who = stage.cast.newcomer(shop)
    basket = basket_with(stage, shop, item, others=others)
    affair = delivered(stage, shop, who, basket, item, days=0.6, spread=5, pays=pays)
    return scene(
        plot, story_id, _SIZE_LANE[size], affair, _letter(stage, affair, topic, story_id), _BY_SIZE[size]
    )


def _letter(
    stage: Stage, affair: Affair, topic: str, story_id: str, broken: int = 0, bought: int = 0
) -> Step:
    return stage.says(
        affair.shop,
        affair.who,
        About(topic, affair.item, affair.number(stage), broken, bought),
        story_id=story_id,
        hours_ago=hours(stage),
        photos=topic != "missing",
    )


def damaged_small(stage: Stage, story_id: str, turn: int) -> Scene:
    """A cheap thing arrived broken, with photos."""
    return _claim(stage, "damaged_small", story_id, "damaged", "small")


def damaged_mid(stage: Stage, story_id: str, turn: int) -> Scene:
    """A dearer thing arrived broken, with photos."""
    return _claim(stage, "damaged_mid", story_id, "damaged", "mid")


def damaged_large(stage: Stage, story_id: str, turn: int) -> Scene:
    """A piece of furniture or the like arrived broken, with photos."""
    return _claim(stage, "damaged_large", story_id, "damaged", "large")


def damaged_grand(stage: Stage, story_id: str, turn: int) -> Scene:
    """A table for twelve arrived broken: more than one person signs for."""
    return _claim(stage, "damaged_grand", story_id, "damaged", "grand", 0, at="north")


def damaged_vast(stage: Stage, story_id: str, turn: int) -> Scene:
    """A whole garden studio arrived broken: nobody approves that here."""
    return _claim(stage, "damaged_vast", story_id, "damaged", "vast", 0, at="north")


def missing_small(stage: Stage, story_id: str, turn: int) -> Scene:
    """One cheap line of a delivered parcel wasn't in it."""
    others = stage.rng.choice((1, 2))
    pays: Pays = "gift_card" if turn % 3 == 0 else "usual"
    return _claim(stage, "missing_small", story_id, "missing", "small", others, pays)


def missing_mid(stage: Stage, story_id: str, turn: int) -> Scene:
    """One dearer line of a delivered parcel wasn't in it."""
    return _claim(stage, "missing_mid", story_id, "missing", "mid", others=stage.rng.choice((1, 2)))


def wrong_small(stage: Stage, story_id: str, turn: int) -> Scene:
    """Another thing was packed instead of a cheap one, not worth sending back."""
    pays: Pays = "cash" if turn % 3 == 0 else "usual"
    return _claim(stage, "wrong_small", story_id, "wrong_item", "small", pays=pays)


def wrong_mid(stage: Stage, story_id: str, turn: int) -> Scene:
    """Another thing was packed instead of a dearer one."""
    return _claim(stage, "wrong_mid", story_id, "wrong_item", "mid")


def _partial(
    stage: Stage, plot: str, story_id: str, shop: str, sku: str, size: str, broken: int, bought: int
) -> Scene:
    item = item_by_sku(shop, sku)
    who = stage.cast.newcomer(shop)
    affair = delivered(stage, shop, who, basket_with(stage, shop, item, bought), item, days=0.6, spread=5)
    last = _letter(stage, affair, "damaged_some", story_id, broken, bought)
    return scene(
        plot, story_id, _SIZE_LANE[size], affair, last, f"{broken} of {bought} broken: {_BY_SIZE[size]}"
    )


def some_broken_small(stage: Stage, story_id: str, turn: int) -> Scene:
    """Two of a set of cheap pieces are broken: the refund is for two, not for the line."""
    shop = any_shop(stage)
    sku = "FF-0102" if shop == "north" else "SL-0102"
    return _partial(stage, "some_broken_small", story_id, shop, sku, "small", 2, stage.rng.choice((4, 5, 6)))


def some_broken_mid(stage: Stage, story_id: str, turn: int) -> Scene:
    """Some of a set are broken, together above the automatic limit and far from the whole line."""
    sku = stage.rng.choice(("FF-0101", "FF-0105"))
    return _partial(stage, "some_broken_mid", story_id, "north", sku, "mid", stage.rng.choice((2, 3)), 6)


def damaged_vague(stage: Stage, story_id: str, turn: int) -> Scene:
    """Something of several things is broken, and the letter doesn't say which."""
    shop = any_shop(stage)
    item = one_of(stage, shop, "small")
    affair = delivered(
        stage,
        shop,
        stage.cast.newcomer(shop),
        basket_with(stage, shop, item, others=2),
        item,
        days=0.6,
        spread=4,
    )
    about = About("damaged_vague", None, affair.number(stage))
    last = stage.says(shop, affair.who, about, story_id=story_id, hours_ago=hours(stage))
    why = "nobody can refund a line that isn't named: ask which item, and for photos"
    return scene("damaged_vague", story_id, "waiting", affair, last, why)
