"""For whose money an effect is, as an exception names them, and who had a hand in what is lifted for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from approvals import exceptions, exposure
from approvals.duty import caps_in_force
from approvals.models import Decision
from tools.base import Effect, Kind
from tools.types import Money


def subjects(effect: Effect) -> Mapping[str, Collection[Any]]:
    """By scope of an exception; nothing where no value leaves, or nobody can tell whose it is."""
    try:
        found = exposure.linked(effect)
    except exposure.TooManyLinked:
        return {}
    if found is None:
        return {}
    return {
        "order": found.orders,
        "customer": found.near,
        "instrument": found.instruments,
        "address": found.addresses,
    }


def hands(decision: Decision) -> set[int]:
    """Who asked for or approved an exception that holds now for the decision's money."""
    body, caps = decision.effect, caps_in_force(decision.shop_id)
    if caps is None or "amount_minor" not in body or not exceptions.any_held(decision.shop_id):
        return set()
    money = Money(body["amount_minor"], body["currency"])
    effect = Effect(decision.tool, Kind.MONEY, body, money=money, payment_id=body.get("payment"))
    return exceptions.hands(decision.shop_id, caps.currency, subjects(effect))
