"""Who counts as one customer, and what they got or may still get: the sums that tiers, caps and the budget look at.

    order ──▶ its customer, and whoever has the same e-mail however it is spelled, or the same phone
                └─▶ their payment methods and addresses ──▶ whoever else used one of these ──▶ theirs, and so on

What is reserved, on its way, of unknown outcome, or asked for and not yet signed counts as if it had been given. Sums
in other currencies are converted, and rounded up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import Count, Q

from approvals.bounds import CAPS, SCOPES
from approvals.exposure_statements import LINKED, SPELLINGS, SUMMED, SUMS
from approvals.models import ApprovalRequest, Decision
from audit import sources
from tools.base import Effect, Scope
from tools.models import OPEN_STATES, ToolCall
from tools.types import Money

WINDOW = timedelta(days=30)
DAY = timedelta(hours=24)
COUNTS = (*OPEN_STATES, ToolCall.State.SUCCEEDED)
# A parcel shop or a student house makes nobody one person with the others; what goes there is summed all the same.
MOST_AT_ONE_PLACE = 20
MOST_LINKED = 500
# People, payment methods and addresses together.
MOST_REACHED = 3 * MOST_LINKED
AUTOMATIC = "automatic"

# How much of another currency an amount is at most, and whether the rate is ok, stale or missing.
Convert = Callable[[Money, str], tuple[int, str]]
BY_STATE = ("ok", "stale", "missing")


class TooManyLinked(Exception):
    """So many people hang together that nobody can say who is who: a person looks. `shop_id` where it is known."""

    def __init__(self, shop_id: int | None = None) -> None:
        super().__init__()
        self.shop_id = shop_id


@dataclass(frozen=True, slots=True)
class Linked:
    """The order, and all that counts with it; `near` are its customer under all spellings, `people` all linked.

    `instruments` and `addresses` are those of `near`; over others' people are linked, and count as one customer.
    """

    shop_id: int
    orders: frozenset[int]
    near: frozenset[UUID]
    instruments: frozenset[str]
    addresses: frozenset[UUID]
    people: frozenset[UUID]

    def keys(self) -> list[str]:
        """Names of locks, in the order in which everybody takes them: whoever counts the same money shares one."""
        return [
            *sorted(f"address/{one}" for one in self.addresses),
            *sorted(f"customer/{one}" for one in self.near),
            *sorted(f"instrument/{self.shop_id}/{one}" for one in self.instruments),
            *sorted(f"order/{one}" for one in self.orders),
            # Last, since everybody in the shop waits for it: the day's cap and budget are one sum.
            f"shop/{self.shop_id}",
        ]


@dataclass(frozen=True, slots=True)
class Sums:
    """By scope: besides the action in its own currency, and with it in the shop's; and how sure the rates are."""

    exposure_minor: Mapping[str, int]
    base_minor: Mapping[str, int]
    automatic_day_minor: int
    rates: str
    base_rates: str


def linked(effect: Effect) -> Linked | None:
    """Whose money the effect's is; None where nothing of value leaves. Raises TooManyLinked."""
    if effect.worth is None:
        return None
    most = MOST_LINKED + 1
    told = [
        effect.body.get("order"),
        effect.payment_id,
        most,
        most,
        most,
        MOST_AT_ONE_PLACE,
        MOST_REACHED + 1,
    ]
    with connection.cursor() as cursor:
        cursor.execute(LINKED, told)
        row = cursor.fetchone()
    if row is None:
        return None
    shop_id, orders, *found, reached = row
    if reached > MOST_REACHED or any(len(each) > MOST_LINKED for each in found):
        raise TooManyLinked(shop_id)
    return Linked(shop_id, frozenset(orders), *(frozenset(each) for each in found))


def spellings(shop_id: int, people: Iterable[UUID]) -> frozenset[UUID]:
    """These people under every spelling of their e-mail and with the same phone. Raises TooManyLinked."""
    with connection.cursor() as cursor:
        cursor.execute(SPELLINGS, [list(people), shop_id, MOST_LINKED + 1])
        return _all_of([found for (found,) in cursor.fetchall()])


def _all_of(found: list[Any]) -> frozenset[Any]:
    if len(found) > MOST_LINKED:
        raise TooManyLinked
    return frozenset(found)


def lock(effect: Effect) -> None:
    """Make everybody who spends the same customer's, card's or address's limits wait for this transaction.

    Eight workers on eight orders of one customer then see each other's sums. What can't be told apart is locked by
    the shop, and policy sends it to a person, unless it can be told by the time that the sums are read.
    """
    if effect.worth is None:
        return
    try:
        found = linked(effect)
        keys = found.keys() if found else []
    except TooManyLinked as many:
        keys = [f"shop/{many.shop_id}"]
    _lock(keys)


def lock_messages(effect: Effect, scope: Scope) -> None:
    """Make everybody who would send one more message for this shop wait for this transaction.

    The last of all locks, after those of money: its hour is one sum of the whole shop, so case and customer need none
    of their own.
    """
    if any(step.template for step in effect.steps):
        _lock([f"messages/{scope.shop_id}"])


def _lock(keys: list[str]) -> None:
    if not keys:
        return
    with connection.cursor() as cursor:
        # One after the other, as they stand in the list.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) key", [keys]
        )


def sums(
    effect: Effect, found: Linked, base: str, *, planner: str, convert: Convert, without: int | None = None
) -> Sums:
    """All sums about an effect of value; `without` leaves out that decision's own calls, and what was asked after it.

    `planner` is the kind whose budget is looked at.
    """
    worth = effect.worth
    if worth is None:
        raise ValueError("Only what has a value is summed.")
    now = sources.now()
    by_scope = _by_scope(found, now, planner, without)
    scopes = [scope for scope in SCOPES if _applies(found, scope)]
    exposure, rates = _in(worth.currency, {scope: by_scope[scope] for scope in scopes}, convert)
    own, own_rate = convert(worth, base)
    in_base, base_rates = _in(base, {name: by_scope[name] for name in (*CAPS, AUTOMATIC)}, convert)
    return Sums(
        exposure,
        {cap: in_base[cap] + own for cap in CAPS},
        in_base[AUTOMATIC] + own,
        rates,
        _worse(own_rate, base_rates),
    )


def _applies(found: Linked, scope: str) -> bool:
    there = {"customer": found.near, "instrument": found.instruments, "address": found.addresses}
    return bool(there.get(scope, found.orders))


def _by_scope(found: Linked, now: datetime, planner: str, without: int | None) -> dict[str, dict[str, int]]:
    """Scope to currency to minor units."""
    told: dict[str, Any] = {
        "shop": found.shop_id,
        "orders": list(found.orders),
        "people": list(found.people),
        "cards": list(found.instruments),
        "places": list(found.addresses),
        "recent": now - WINDOW,
        "today": now - DAY,
        "planner": planner,
        "alone": Decision.Outcome.ALLOW_AFTER_UNDO.value,
        "counts": [str(state) for state in COUNTS],
        "open": [str(state) for state in OPEN_STATES],
        "pending": ApprovalRequest.State.PENDING.value,
        "without": without,
    }
    with connection.cursor() as cursor:
        cursor.execute(SUMS, told)
        rows = cursor.fetchall()
    return {name: {row[0]: row[place] for row in rows} for place, name in enumerate(SUMMED, 1)}


def _in(
    currency: str, sums_by: Mapping[str, Mapping[str, int]], convert: Convert
) -> tuple[dict[str, int], str]:
    """Each scope's sums in one currency, and the worst of the rates that this took."""
    state, totals = BY_STATE[0], {}
    for name, by_currency in sums_by.items():
        totals[name] = 0
        for each, minor in by_currency.items():
            if minor:
                there, found = convert(Money(minor, each), currency)
                totals[name] += there
                state = _worse(state, found)
    return totals, state


def _worse(one: str, other: str) -> str:
    return max(one, other, key=BY_STATE.index)


def unconverted(money: Money, currency: str) -> tuple[int, str]:
    """For a shop that has no rates: what is of another currency is unknown."""
    return (money.amount_minor, "ok") if money.currency == currency else (0, "missing")


def messages(shop_id: int, case_id: int, more: int) -> dict[str, int]:
    """How many messages the agent sends, by unit, these among them; nothing where there are none.

    Whoever decides by it has taken `lock_messages` before.
    """
    if not more:
        return {}
    now = sources.now()
    case = apps.get_model("cases", "Case")._default_manager.filter(pk=case_id)
    of_case = case.values_list("conversation__person_id", "order__person_id").get()
    try:
        to_them = Q(message__conversation__person_id__in=spellings(shop_id, [one for one in of_case if one]))
    except TooManyLinked:
        to_them = Q()
    sent = ToolCall.objects.filter(shop_id=shop_id, message__isnull=False, created_at__gte=now - DAY)
    sent = sent.exclude(state__in=[ToolCall.State.CANCELLED, ToolCall.State.FAILED])
    counts: dict[str, int] = sent.exclude(decision__by_kind="staff").aggregate(
        messages_case_day=Count("pk", filter=Q(case_id=case_id)),
        messages_customer_day=Count("pk", filter=to_them),
        messages_shop_hour=Count("pk", filter=Q(created_at__gte=now - timedelta(hours=1))),
    )
    return {unit: count + more for unit, count in counts.items()}
