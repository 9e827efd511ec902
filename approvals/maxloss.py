"""The worst case: what an attacker who controls the planner could take with no human approving, by the limits in force.

    one refund   <= the automatic line, and each cap that it counts in
    a customer   <= the same line, since small sums add up; the caps and the budgets of 30 days
    an hour, day <= the budgets of all planners, the day's cap; as many refunds as there may be messages, since
                    each sends one

Customers, orders, cards and addresses are counted as if there were any number of them, and of several planners each
as if it thought. What a person signs isn't in it. Sums beyond the shop's own currency go by today's rates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

from django.apps import apps

from approvals import rates, versions
from approvals.bounds import SCOPES, Limits
from approvals.caps import caps_of
from approvals.facts import InForce
from approvals.models import CapsVersion, LimitException, LimitVersion
from audit import sources
from tools.types import Money, exponent

PERIODS = ("per_hour", "per_day", "per_customer")
# How often what is counted in 24 hours, or in one, fits into the longer time: the next begins after the last has ended.
DAYS_OF_A_CAP, HOURS_OF_A_DAY = 30, 24
MESSAGES = ("messages_case_day", "messages_customer_day", "messages_shop_hour")

# The most of a currency that is no more than this many minor units of the shop's base; None where no rate is known.
Into = Callable[[int], int | None]


@dataclass(frozen=True, slots=True)
class Bound:
    """At most so many minor units, and what says so: tier, cap.<scope>, budget, rate.<unit>, exchange_rate, nothing.

    Without a number nothing bounds it.
    """

    minor: int | None
    by: str


Worst = Mapping[str, Bound]


def worst(each: Iterable[Limits], into: Into) -> dict[str, Bound]:
    """The bounds of one shop and currency by period; `each` are the limits as they hold for each kind of planner.

    Pure, and purely from these numbers: the same that policy is given.
    """
    known = list(each)
    if not known:
        return {period: Bound(0, "nothing") for period in PERIODS}
    limits = known[0]
    caps = {name: Bound(into(minor), f"cap.{name}") for name, minor in limits.caps.items()}
    budget = _budget([one.budget_minor for one in known], into)
    tier = Bound(limits.auto_up_to_minor, "tier")
    once = _least([tier, *(caps[scope] for scope in SCOPES if scope in caps), *_no_message(limits.sizes)])
    most = {
        "per_hour": [budget, *_named(caps, "day"), _rate(limits.sizes, "messages_shop_hour", 1, once)],
        "per_day": [
            budget,
            *_named(caps, "day"),
            _rate(limits.sizes, "messages_shop_hour", HOURS_OF_A_DAY, once),
        ],
        "per_customer": [
            tier,
            *_named(caps, "customer"),
            _times(budget, DAYS_OF_A_CAP),
            *(_times(cap, DAYS_OF_A_CAP) for cap in _named(caps, "day")),
            _rate(limits.sizes, "messages_customer_day", DAYS_OF_A_CAP, once),
        ],
    }
    # Where not even one refund runs by itself, none does.
    return {period: once if once.minor == 0 else _least(bounds) for period, bounds in most.items()}


def _budget(budgets: Iterable[int | None], into: Into) -> Bound:
    """What all planners together may give in a day; whoever has none that is written down has any."""
    whole = list(budgets)
    known = [minor for minor in whole if minor is not None]
    if len(known) < len(whole):
        return Bound(None, "budget")
    found = into(sum(known))
    return Bound(0, "exchange_rate") if found is None else Bound(found, "budget")


def _named(caps: Mapping[str, Bound], name: str) -> list[Bound]:
    return [caps[name]] if name in caps else []


def _no_message(sizes: Mapping[str, int]) -> list[Bound]:
    return [Bound(0, f"rate.{unit}") for unit in MESSAGES if sizes.get(unit, 1) < 1]


def _rate(sizes: Mapping[str, int], unit: str, times: int, once: Bound) -> Bound:
    """As many refunds as there may be messages, each of the largest sum that one may be."""
    if unit not in sizes or once.minor is None:
        return Bound(None, f"rate.{unit}")
    return Bound(sizes[unit] * times * once.minor, f"rate.{unit}")


def _times(bound: Bound, times: int) -> Bound:
    return Bound(None if bound.minor is None else bound.minor * times, bound.by)


def _least(bounds: Iterable[Bound]) -> Bound:
    """The first of the smallest."""
    finite = [bound for bound in bounds if bound.minor is not None]
    return min(finite, key=lambda bound: bound.minor or 0, default=Bound(None, "nothing"))


@dataclass(frozen=True, slots=True)
class OfShop:
    """The worst case of one shop: by currency, and all currencies together in its base currency."""

    slug: str
    base: str
    by_currency: Mapping[str, Worst]
    together: Worst
    budgets: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """Every figure with what bounds it."""
        said: dict[str, Any] = {"base_currency": self.base, "budgets": dict(self.budgets)}
        for period in PERIODS:
            said[period] = {
                currency: _told(bounds[period]) for currency, bounds in sorted(self.by_currency.items())
            }
        said["together"] = {period: _told(self.together[period]) for period in PERIODS}
        return said


def _told(bound: Bound) -> dict[str, Any]:
    return {"minor": bound.minor, "bounded_by": bound.by}


def of_shop(shop_id: int) -> OfShop:
    """The worst case by the limits, caps and exceptions that are in force for a shop now."""
    shop = apps.get_model("cases", "Shop")._default_manager.get(pk=shop_id)
    caps, table = caps_of(shop_id), rates.table()
    lifted = _lifted(caps)
    found: dict[str, Worst] = {}
    for currency in _currencies(shop_id):
        row = versions.in_force(LimitVersion, shop_id=shop_id, currency=currency)
        found[currency] = worst(_each(row, caps, lifted), inverse(table, currency, shop.base_currency))
    together = _together(found, caps, lifted, table, shop.base_currency)
    return OfShop(shop.slug, shop.base_currency, found, together, dict(caps.budgets))


def _currencies(shop_id: int) -> list[str]:
    rows = LimitVersion.objects.filter(shop_id=shop_id).order_by("currency")
    return list(rows.values_list("currency", flat=True).distinct())


def _each(row: LimitVersion | None, caps: CapsVersion, lifted: Mapping[str, int]) -> list[Limits]:
    """As policy is given them, for each kind of planner that has a budget."""
    if row is None:
        return []
    kinds = sorted(caps.budgets) or [""]
    every = [InForce(row, None, caps, lifted, planner=kind).for_policy for kind in kinds]
    return [limits for limits in every if limits is not None]


def _lifted(caps: CapsVersion) -> dict[str, int]:
    """The caps, each as high as the highest exception from it that holds: an attacker may be whom it was made for."""
    now, amounts = sources.now(), caps.amounts()
    rows = LimitException.objects.filter(
        shop_id=caps.shop_id,
        currency=caps.currency,
        approved_at__lte=now,
        ended_at=None,
        expires_at__gt=now,
    )
    for scope, up_to in rows.values_list("scope", "up_to_minor"):
        amounts[scope] = max(amounts[scope], up_to)
    return amounts


def inverse(table: rates.Rates, currency: str, base: str) -> Into:
    """How policy converts, the other way round: the most of a currency that is rounded up to no more than this."""
    if currency == base:
        return lambda minor: minor
    rate = table.between(currency, base)
    if rate is None:
        return lambda minor: None
    each = rate.ratio * Fraction(10) ** (exponent(base) - exponent(currency))
    return lambda minor: minor * each.denominator // each.numerator


def _together(
    found: Mapping[str, Worst],
    caps: CapsVersion,
    lifted: Mapping[str, int],
    table: rates.Rates,
    base: str,
) -> Worst:
    """All currencies in the base one: what each of them allows, and what is one sum over all of them."""
    budget, day = Bound(sum(caps.budgets.values()), "budget"), Bound(lifted["day"], "cap.day")
    shared = {
        "per_hour": [budget, day],
        "per_day": [budget, day],
        "per_customer": [Bound(lifted["customer"], "cap.customer")],
    }
    each = {
        period: [_in(base, currency, bounds[period], table) for currency, bounds in sorted(found.items())]
        for period in PERIODS
    }
    # One customer's sums are looked at together in whatever currency comes last; those of many are not.
    alone = {period: _sum(each[period]) for period in ("per_hour", "per_day")}
    alone["per_customer"] = max(each["per_customer"], key=_size, default=Bound(0, "nothing"))
    return {period: _least([*shared[period], alone[period]]) for period in PERIODS}


def _in(base: str, currency: str, bound: Bound, table: rates.Rates) -> Bound:
    if bound.minor is None:
        return bound
    found = table.convert(Money(bound.minor, currency), base, max_age=timedelta.max)
    return Bound(found.money.amount_minor, bound.by)


def _size(bound: Bound) -> float:
    return float("inf") if bound.minor is None else bound.minor


def _sum(bounds: Iterable[Bound]) -> Bound:
    every = [bound for bound in bounds if bound.minor != 0]
    if any(bound.minor is None for bound in every):
        return Bound(None, "nothing")
    names = {bound.by for bound in every}
    return Bound(sum(bound.minor or 0 for bound in every), names.pop() if len(names) == 1 else "nothing")


def of_all(shop_ids: Iterable[int]) -> dict[str, Any]:
    """What `manage.py maxloss --json` prints: by period and currency the minor units, and each shop's with reasons.

    None stands for "nothing bounds it".
    """
    shops = [of_shop(shop_id) for shop_id in shop_ids]
    said: dict[str, Any] = {period: {} for period in PERIODS}
    for shop in shops:
        for currency, bounds in shop.by_currency.items():
            for period in PERIODS:
                before, minor = said[period].get(currency, 0), bounds[period].minor
                said[period][currency] = None if None in (before, minor) else before + minor
    return {**said, "shops": {shop.slug: shop.as_json() for shop in shops}}
