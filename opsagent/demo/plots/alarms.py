"""What belongs in front of a person at once: fraud, disputes, anger, distress and the law."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from opsagent.demo import shopify, shopify_events, stripe
from opsagent.demo.letters import About
from opsagent.demo.plots.common import (
    LANGUAGE_ROUND,
    Affair,
    any_shop,
    anything,
    basket_with,
    delivered,
    fresh,
    hours,
    scene,
    shop_of,
    under_way,
)
from opsagent.demo.script import Expectation, Neutral, Scene
from opsagent.demo.stage import Stage, placed, sender


def suspect_order(stage: Stage, story_id: str, turn: int) -> Scene:
    """The shop system rates an order's risk as high."""
    shop = any_shop(stage)
    who = stage.cast.newcomer(shop)
    basket = [(item, stage.rng.choice((1, 2, 3))) for item in stage.items(shop, "mid", 2)]
    order = stage.order(shop, who, basket, stage.ago(0.1, 0.3), risk="HIGH")
    # The shop system takes a few minutes to judge.
    bought = replace(stage.bought(order), sandbox=[placed(order, risk="PENDING")])
    at = bought.simulated_at + timedelta(minutes=4)
    path = f"/_control/orders/{shop}/{order['id']}/risk"
    rated = stage.hook(
        order,
        "orders/risk_assessment_changed",
        shopify_events.risk_body(order, "HIGH", at),
        at,
        kind="risk",
        sandbox=[(path, {"level": "HIGH"})],
        story_id=story_id,
    )
    why = "fraud-suspect orders always go to a person"
    return Scene(
        "suspect_order", [bought, rated], story_id, Expectation("human", shop, order["name"], None, why)
    )


def early_fraud_warning(stage: Stage, story_id: str, turn: int) -> Scene:
    """The card's issuer warns before a dispute comes."""
    item = anything(stage, "north")
    affair = fresh(stage, "north", stage.cast.newcomer("north"), item)
    thing = stripe.early_warning(affair.order, f"issfr_1{stage.code(23)}", stage.ago(0.05, 0.1))
    warning = {"shop": "north", **{name: thing[name] for name in ("id", "charge", "fraud_type")}}
    last = stage.stripe_step(
        affair.order,
        "radar.early_fraud_warning.created",
        thing,
        stage.ago(0.05, 0.1),
        sandbox=[("/_control/fraud_warnings", warning)],
        story_id=story_id,
    )
    why = "the issuer calls the card stolen: a person decides whether to ship or to refund"
    expectation = Expectation("human", "north", affair.order["name"], None, why)
    steps = [*affair.steps, *stage.charged(affair.order), last]
    return Scene("early_fraud_warning", steps, story_id, expectation)


def disputed_payment(stage: Stage, story_id: str, turn: int) -> Scene:
    """A chargeback, through Stripe at North and through Shopify's own payments at Sakura."""
    shop = ("north", "sakura")[turn % 2]
    item = anything(stage, shop)
    who = stage.cast.newcomer(shop)
    affair = delivered(stage, shop, who, basket_with(stage, shop, item), item, days=10, spread=12)
    order, at = affair.order, stage.ago(0.1, 0.3)
    due = at + timedelta(days=9)
    dispute: Neutral = {
        "shop": shop,
        "order_id": order["id"],
        "created_at": shopify.stamp(at),
        "amount": order["total"],
        "reason": stage.rng.choice(("fraudulent", "product_not_received")),
        "id": f"dp_1{stage.code(23)}" if order["charge"] else str(stage.number()),
        "status": "needs_response",
        "evidence_due_by": shopify.stamp(due),
    }
    effects = [("/_control/disputes", dispute)]
    if order["charge"]:
        dispute["charge"] = order["charge"]["id"]
        thing = stripe.dispute(order, dispute, at, due)
        last = stage.stripe_step(
            order, "charge.dispute.created", thing, at, sandbox=effects, story_id=story_id
        )
    else:
        body = shopify_events.dispute_body(order, dispute, at)
        last = stage.hook(
            order, "disputes/create", body, at, kind="payment", sandbox=effects, story_id=story_id
        )
    why = "the bank decides on evidence with a deadline: a person answers, and nothing more is refunded"
    expectation = Expectation("human", shop, order["name"], None, why)
    paid, *parcel = affair.steps
    return Scene("disputed_payment", [paid, *stage.charged(order), *parcel, last], story_id, expectation)


def _somebodys(stage: Stage, language: str | None) -> Affair:
    shop = shop_of(language) if language else any_shop(stage)
    item = anything(stage, shop)
    who = stage.cast.newcomer(shop, language)
    order = basket_with(stage, shop, item)
    if stage.rng.random() < 0.5:
        return under_way(stage, shop, who, order, item, days=1, spread=3)
    return delivered(stage, shop, who, order, item, days=1, spread=5)


def _outcry(stage: Stage, plot: str, story_id: str, topic: str, language: str | None, why: str) -> Scene:
    affair = _somebodys(stage, language)
    about = About(topic, affair.item, affair.number(stage, 1.0 if topic == "stolen_card" else 0.9))
    last = stage.says(affair.shop, affair.who, about, story_id=story_id, hours_ago=hours(stage))
    return scene(plot, story_id, "human", affair, last, why)


def angry(stage: Stage, story_id: str, turn: int) -> Scene:
    """An outburst, in each language in turn."""
    why = "an angry message belongs to a person inside a minute"
    return _outcry(stage, "angry", story_id, "angry", LANGUAGE_ROUND[turn * 3 % 5], why)


def legal_threat(stage: Stage, story_id: str, turn: int) -> Scene:
    """A lawyer, a court or an authority is named as the next step, in each language in turn."""
    why = "a legal threat belongs to a person inside a minute"
    return _outcry(stage, "legal_threat", story_id, "legal", LANGUAGE_ROUND[(turn * 3 + 1) % 5], why)


def distressed(stage: Stage, story_id: str, turn: int) -> Scene:
    """Grief or despair, in each language in turn."""
    why = "somebody in distress belongs to a person inside a minute"
    return _outcry(stage, "distressed", story_id, "distress", LANGUAGE_ROUND[(turn * 3 + 2) % 5], why)


def stolen_card(stage: Stage, story_id: str, turn: int) -> Scene:
    """The contact of an order says that it was none of their doing."""
    why = "a stolen card or an unknown charge is fraud until a person has looked"
    return _outcry(stage, "stolen_card", story_id, "stolen_card", None, why)


def loses_patience(stage: Stage, story_id: str, turn: int) -> Scene:
    """A mild question first, and an outburst after the answer."""
    shop = any_shop(stage)
    item = anything(stage, shop)
    who = stage.cast.newcomer(shop)
    affair = under_way(stage, shop, who, basket_with(stage, shop, item), item, days=1, spread=3)
    about = About("wismo_annoyed", item, affair.order["name"])
    first = stage.says(shop, who, about, story_id=story_id, hours_ago=6, channel="email")
    second = stage.says(
        shop,
        who,
        About("angry_more", item, affair.order["name"]),
        story_id=story_id,
        hours_ago=0.5,
        channel="email",
        answers=first.external_id,
    )
    why = "the second message of the same case is an outburst: a person takes over"
    expectation = Expectation("human", shop, affair.order["name"], sender(first, who), why)
    return Scene("loses_patience", [*affair.steps, first, second], story_id, expectation)
