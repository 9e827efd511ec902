"""Who counts as one customer, and what they got or may still get: the sums that tiers, caps and the budget look at.

    order ──▶ its customer, and whoever has the same e-mail however it is spelled, or the same phone
                └─▶ their payment methods and addresses ──▶ whoever else used one of these

What is reserved, on its way, of unknown outcome, or asked for and not yet signed counts as if it had been given. Sums
in other currencies are converted, and rounded up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum

from approvals.bounds import CAPS, SCOPES
from approvals.models import ApprovalRequest, Decision
from audit import sources
from tools.base import Effect
from tools.models import OPEN_STATES, Order, Payment, ToolCall
from tools.types import Money

WINDOW = timedelta(days=30)
DAY = timedelta(hours=24)
COUNTS = (*OPEN_STATES, ToolCall.State.SUCCEEDED)
# A parcel shop or a student house makes nobody one person with the others; what goes there is summed all the same.
MOST_AT_ONE_PLACE = 20
MOST_LINKED = 500
AUTOMATIC = "automatic"

# How much of another currency an amount is at most, and whether the rate is ok, stale or missing.
Convert = Callable[[Money, str], tuple[int, str]]
BY_STATE = ("ok", "stale", "missing")


class TooManyLinked(Exception):
    """So many people hang together that nobody can say who is who: a person looks."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The order, and all that counts with it; `near` are its customer under all spellings, `people` all linked."""

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
    orders = _orders(effect)
    if effect.worth is None or not orders:
        return None
    shop_id = orders[0]["shop_id"]
    ids = frozenset(row["pk"] for row in orders)
    near = spellings(shop_id, [row["person_id"] for row in orders if row["person_id"]])
    of_them = Q(pk__in=ids) | Q(person_id__in=near)
    theirs = Order.objects.filter(of_them, shop_id=shop_id)
    instruments = _distinct(
        Payment.objects.filter(order__in=theirs.order_by()).exclude(instrument=""), "instrument"
    )
    addresses = _distinct(theirs.exclude(address_key=None), "address_key")
    people = near | _others(shop_id, instruments, addresses)
    return Linked(shop_id, ids, near, frozenset(instruments), frozenset(addresses), people)


def _orders(effect: Effect) -> list[dict[str, Any]]:
    ids = {effect.body.get("order")}
    if effect.payment_id is not None:
        ids |= set(Payment.objects.filter(pk=effect.payment_id).values_list("order_id", flat=True))
    rows = Order.objects.filter(pk__in=ids - {None}).order_by("pk")
    return [dict(row) for row in rows.values("pk", "shop_id", "person_id")]


def spellings(shop_id: int, people: Iterable[UUID]) -> frozenset[UUID]:
    """These people under every spelling of their e-mail and with the same phone. Raises TooManyLinked."""
    wanted = set(people)
    if not wanted:
        return frozenset()
    rows = apps.get_model("cases", "Person")._default_manager.filter(shop_id=shop_id)
    same = Q(pk__in=wanted)
    for email, phone in rows.filter(pk__in=wanted).values_list("email_key", "phone"):
        same |= Q(email_key=email) if email else Q()
        same |= Q(phone=phone) if phone else Q()
    return frozenset(_distinct(rows.filter(same), "pk"))


def _others(shop_id: int, instruments: Iterable[str], addresses: Iterable[UUID]) -> frozenset[UUID]:
    """Whoever else paid with one of these or had it sent there."""
    orders = Order.objects.filter(shop_id=shop_id, person__isnull=False)
    places = orders.filter(address_key__in=addresses).order_by().values("address_key")
    homes = places.annotate(n=Count("person", distinct=True)).filter(n__lte=MOST_AT_ONE_PLACE)
    at_home = _distinct(orders.filter(address_key__in=homes.values("address_key")), "person_id")
    paid = _distinct(orders.filter(payments__instrument__in=instruments), "person_id")
    return frozenset({*at_home, *paid})


def _distinct(rows: QuerySet[Any], column: str) -> list[Any]:
    found = list(rows.order_by().values_list(column, flat=True).distinct()[: MOST_LINKED + 1])
    if len(found) > MOST_LINKED:
        raise TooManyLinked(column)
    return found


def lock(effect: Effect) -> None:
    """Make everybody who spends the same customer's, card's or address's limits wait for this transaction.

    Eight workers on eight orders of one customer then see each other's sums. What can't be told apart is locked by
    the shop, and policy sends it to a person.
    """
    if effect.worth is None:
        return
    try:
        found = linked(effect)
    except TooManyLinked:
        return
    with connection.cursor() as cursor:
        for key in found.keys() if found else ():
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


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
    totals: dict[str, dict[str, int]] = {name: defaultdict(int) for name in (*CAPS, AUTOMATIC)}
    for rows in (_given(found, now, planner, without), _asked(found, without), _elsewhere(found)):
        for row in rows:
            currency = row.pop("currency")
            for name, minor in row.items():
                totals[name][currency] += minor
    return totals


def _given(found: Linked, now: datetime, planner: str, without: int | None) -> Iterable[dict[str, Any]]:
    rows = ToolCall.objects.filter(shop_id=found.shop_id, state__in=COUNTS, value_minor__gt=0)
    if without is not None:
        rows = rows.exclude(decision_id=without)
    recent, today = Q(created_at__gte=now - WINDOW), _within(now - DAY)
    of_order = _on(found.orders)
    alone = Q(
        decision__outcome=Decision.Outcome.ALLOW_AFTER_UNDO,
        decision__by_kind="agent",
        decision__planner__kind=planner,
    )
    orders = Order.objects.filter(shop_id=found.shop_id).order_by().values("pk")
    return (
        rows.filter(recent | of_order)
        .order_by()
        .values("currency")
        .annotate(
            order=_sum(of_order),
            customer=_sum(recent & _on(orders.filter(person_id__in=found.people))),
            instrument=_sum(recent & _on(orders.filter(payments__instrument__in=found.instruments))),
            address=_sum(recent & _on(orders.filter(address_key__in=found.addresses))),
            day=_sum(today),
            **{AUTOMATIC: _sum(today & alone)},
        )
    )


def _within(since: datetime) -> Q:
    """Of a day counts what was promised or left in it, and what may leave any moment.

    Else what a vendor could not take for a day would leave together with the next day's.
    """
    return Q(created_at__gte=since) | Q(first_sent_at__gte=since) | Q(first_sent_at__isnull=True)


def _on(orders: Any) -> Q:
    """Calls about these orders: by the payment that gives back, or else by their case."""
    return Q(payment__order_id__in=orders) | Q(payment__isnull=True, case__order_id__in=orders)


def _sum(only: Q, column: str = "value_minor") -> Sum:
    return Sum(column, filter=only, default=0)


def _asked(found: Linked, without: int | None) -> Iterable[dict[str, Any]]:
    """What waits for a signature; of requests that wait for each other the later one counts the earlier."""
    rows = ApprovalRequest.objects.filter(shop_id=found.shop_id, state=ApprovalRequest.State.PENDING)
    if without is not None:
        rows = rows.filter(decision_id__lt=without)
    orders = Order.objects.filter(shop_id=found.shop_id).order_by().values("pk")
    of = {
        "order": Q(case__order_id__in=found.orders),
        "customer": Q(case__order__person_id__in=found.people),
        "instrument": Q(case__order_id__in=orders.filter(payments__instrument__in=found.instruments)),
        "address": Q(case__order__address_key__in=found.addresses),
        "day": Q(),
    }
    named = {scope: _sum(only, "amount_minor") for scope, only in of.items()}
    return rows.order_by().values("currency").annotate(**named)


def _elsewhere(found: Linked) -> Iterable[dict[str, Any]]:
    """What staff gave back by hand is the same order's money."""
    rows = Payment.objects.filter(order_id__in=found.orders, elsewhere_minor__gt=0)
    return rows.order_by().values("currency").annotate(order=Sum("elsewhere_minor"))


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

    Counted without a lock: workers at the same moment may go over by one each.
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
