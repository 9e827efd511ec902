"""The printed worst case is a bound for whatever is tried against the policy's numbers, and a real one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import maxloss, rates
from approvals.bounds import CAPS, SCOPES, Facts, Limits
from approvals.exposure import DAY, WINDOW
from approvals.maxloss import Bound, worst
from approvals.models import Decision, LimitException
from approvals.policy import judge
from audit.actors import SYSTEM
from tests import factories
from tools.types import Money

HOUR, BEGINS = timedelta(hours=1), datetime(2026, 11, 2, 9, tzinfo=UTC)
TICK = timedelta(microseconds=1)
PLANNERS = ("one", "other")
steady = settings(max_examples=60, derandomize=True, database=None, deadline=None)
# Each of these asks some thousand times.
few = settings(steady, max_examples=20)
TABLE = rates.Rates({("EUR", "USD"): rates.Rate(Fraction("1.1625"), date(2026, 11, 2), "test")}, BEGINS)


def convert(money: Money, currency: str) -> tuple[int, str]:
    found = TABLE.convert(money, currency, max_age=timedelta(days=9))
    return found.money.amount_minor, found.state


@dataclass(frozen=True)
class Given:
    """One refund that ran by itself."""

    at: datetime
    planner: str
    customer: int
    order: int
    minor: int
    currency: str


@dataclass
class Shop:
    """As much of a shop as sums need, with the real policy in it. Whoever asks is the planner."""

    limits: dict[tuple[str, str], Limits]
    at: datetime = BEGINS
    given: list[Given] = field(default_factory=list)

    def ask(self, planner: str, customer: int, order: int, minor: int, currency: str) -> bool:
        """Whether the refund runs by itself."""
        wish = Given(self.at, planner, customer, order, minor, currency)
        runs = self._runs(wish)
        self.given += [wish] if runs else []
        return runs

    def take(self, planners: Iterable[str], customer: int, order: int, currency: str) -> bool:
        """Whether anything was to be had; the planner who gets the most of it asks for exactly that."""
        wishes = [Given(self.at, planner, customer, order, 0, currency) for planner in planners]
        most = max((self._most(wish) for wish in wishes), key=lambda wish: wish.minor)
        return bool(most.minor) and self.ask(most.planner, customer, order, most.minor, currency)

    def _most(self, wish: Given) -> Given:
        low, high = 0, self.limits[wish.planner, wish.currency].auto_up_to_minor + 1
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._runs(replace(wish, minor=middle)) else (low, middle)
        return replace(wish, minor=low)

    def _runs(self, wish: Given) -> bool:
        limits = self.limits[wish.planner, wish.currency]
        return judge(self._facts(wish), limits).outcome == Decision.Outcome.ALLOW_AFTER_UNDO

    def _facts(self, wish: Given) -> Facts:
        recent = [one for one in self.given if one.at >= self.at - WINDOW]
        theirs = [one for one in recent if one.customer == wish.customer]
        # Whoever wants more pays each order with another card and has it sent elsewhere.
        ordered = [one for one in self.given if one.order == wish.order]
        lately = [one for one in ordered if one in recent]
        by = {"order": ordered, "customer": theirs, "instrument": lately, "address": lately}
        by["day"] = self.since(DAY)
        alone = [one for one in by["day"] if one.planner == wish.planner]
        messages = {
            "messages_case_day": 1,
            "messages_customer_day": sum(one in by["day"] for one in theirs) + 1,
            "messages_shop_hour": len(self.since(HOUR)) + 1,
        }
        return Facts(
            kind="money",
            by_kind="agent",
            amount_minor=wish.minor,
            currency=wish.currency,
            exposure_minor={scope: _sum(by[scope], wish.currency) for scope in SCOPES},
            base_currency="USD",
            base_minor={cap: _sum([*by[cap], wish], "USD") for cap in CAPS},
            automatic_day_minor=_sum([*alone, wish], "USD"),
            sizes=messages,
            risk_level="low",
            entitled_by="terms.damaged",
            sender_is_contact=True,
            confidence_percent=100,
        )

    def since(self, window: timedelta) -> list[Given]:
        return [one for one in self.given if one.at >= self.at - window]


def _sum(rows: Iterable[Given], currency: str) -> int:
    by_currency: dict[str, int] = {}
    for row in rows:
        by_currency[row.currency] = by_currency.get(row.currency, 0) + row.minor
    return sum(convert(Money(minor, each), currency)[0] for each, minor in by_currency.items())


def most_within(rows: Iterable[Given], window: timedelta) -> int:
    """The most that left in any stretch of time of this length."""
    known = list(rows)
    return max(
        (sum(one.minor for one in known if last.at - window <= one.at <= last.at) for last in known),
        default=0,
    )


# Small enough that an attacker is done after some dozen refunds.
LINE = st.one_of(st.just(0), st.integers(min_value=80, max_value=400))
ENOUGH = st.integers(min_value=100, max_value=1500)
FEW = st.integers(min_value=0, max_value=9)


@st.composite
def limits(draw: st.DrawFn) -> dict[tuple[str, str], Limits]:
    """The limits of a shop by planner and currency; the caps, budgets and sizes are the shop's."""
    caps = draw(st.fixed_dictionaries(dict.fromkeys(CAPS, ENOUGH)))
    budgets = {planner: draw(ENOUGH) for planner in PLANNERS}
    sizes = {"messages_customer_day": draw(FEW), "messages_shop_hour": draw(FEW) * 3}
    lines = {currency: draw(LINE) for currency in ("USD", "EUR")}
    return {
        (planner, currency): Limits(
            line, line * 10, 0, two_factor_up_to_minor=line * 25, caps=caps, budget_minor=budget, sizes=sizes
        )
        for planner, budget in budgets.items()
        for currency, line in lines.items()
    }


asks = st.lists(
    st.tuples(
        st.sampled_from(PLANNERS),
        st.integers(min_value=0, max_value=4),
        st.integers(min_value=0, max_value=1),
        st.integers(min_value=1, max_value=500),
        st.sampled_from(["USD", "EUR"]),
        st.sampled_from([timedelta(), timedelta(), HOUR, HOUR + TICK, DAY, DAY + TICK]),
    ),
    max_size=40,
)


def bounds(known: dict[tuple[str, str], Limits], currency: str) -> dict[str, Bound]:
    each = [known[planner, currency] for planner in PLANNERS]
    return worst(each, maxloss.inverse(TABLE, currency, "USD"))


def number(bound: Bound) -> int:
    assert bound.minor is not None
    return bound.minor


@steady
@given(limits(), asks)
def test_nothing_that_is_tried_gets_more(known: dict[tuple[str, str], Limits], tries: list[Any]) -> None:
    shop = Shop(known)
    for planner, customer, order, minor, currency, later in tries:
        shop.at += later
        shop.ask(planner, customer, 10 * customer + order, minor, currency)
    for currency in ("USD", "EUR"):
        mine = [one for one in shop.given if one.currency == currency]
        at_most = bounds(known, currency)
        assert most_within(mine, HOUR) <= number(at_most["per_hour"])
        assert most_within(mine, DAY) <= number(at_most["per_day"])
        for customer in range(5):
            theirs = [one for one in mine if one.customer == customer]
            assert most_within(theirs, WINDOW) <= number(at_most["per_customer"])


def take_all(shop: Shop, currency: str) -> None:
    """New customers ask until nobody is given anything now."""
    customer = len(shop.given) + 10
    while shop.take(PLANNERS, customer, customer, currency):
        customer += 1


@few
@given(limits(), st.sampled_from(["USD", "EUR"]))
def test_whoever_reads_the_limits_gets_nearly_all_in_an_hour_and_in_a_day(
    known: dict[tuple[str, str], Limits], currency: str
) -> None:
    shop, at_most = Shop(known), bounds(known, currency)
    take_all(shop, currency)
    assert 5 * most_within(shop.given, HOUR) >= 4 * number(at_most["per_hour"])
    for _hour in range(maxloss.HOURS_OF_A_DAY - 1):
        shop.at += HOUR + TICK
        take_all(shop, currency)
    assert 5 * most_within(shop.given, DAY) >= 4 * number(at_most["per_day"])


@few
@given(limits(), st.sampled_from(["USD", "EUR"]))
def test_one_customer_who_reads_the_limits_gets_nearly_all(
    known: dict[tuple[str, str], Limits], currency: str
) -> None:
    shop, at_most = Shop(known), number(bounds(known, currency)["per_customer"])
    for _day in range(maxloss.DAYS_OF_A_CAP):
        while shop.take(PLANNERS, 1, len(shop.given), currency):
            continue
        shop.at += DAY + TICK
    assert 5 * sum(one.minor for one in shop.given) >= 4 * at_most


@steady
@given(limits(), limits())
def test_stricter_limits_never_print_more(
    one: dict[tuple[str, str], Limits], other: dict[tuple[str, str], Limits]
) -> None:
    both = {key: one[key].stricter(other[key]) for key in one}
    for currency in ("USD", "EUR"):
        strict, loose = bounds(both, currency), bounds(one, currency)
        assert all(number(strict[period]) <= number(loose[period]) for period in maxloss.PERIODS)


NUMBERS = Limits(
    2000,
    20_000,
    15,
    two_factor_up_to_minor=500_000,
    caps={"order": 5000, "customer": 5000, "instrument": 5000, "address": 5000, "day": 2_000_000},
    budget_minor=50_000,
    sizes={"messages_case_day": 12, "messages_customer_day": 20, "messages_shop_hour": 1000},
)


# What is changed in a new shop's numbers, and which figure it then bounds.
@pytest.mark.parametrize(
    ("change", "period", "minor", "by"),
    [
        ({}, "per_hour", 50_000, "budget"),
        ({}, "per_day", 50_000, "budget"),
        ({}, "per_customer", 2000, "tier"),
        ({"caps": {**NUMBERS.caps, "day": 49_999}}, "per_day", 49_999, "cap.day"),
        ({"caps": {**NUMBERS.caps, "customer": 1999}}, "per_customer", 1999, "cap.customer"),
        ({"budget_minor": 60}, "per_customer", 1800, "budget"),
        ({"sizes": {"messages_shop_hour": 1}}, "per_hour", 2000, "rate.messages_shop_hour"),
        ({"sizes": {"messages_shop_hour": 1}}, "per_day", 48_000, "rate.messages_shop_hour"),
        # One refund at least would have to fit under these.
        ({"auto_up_to_minor": 0}, "per_day", 0, "tier"),
        ({"caps": {**NUMBERS.caps, "order": 0}}, "per_day", 0, "cap.order"),
        ({"caps": {**NUMBERS.caps, "address": 0}}, "per_customer", 0, "cap.address"),
        ({"sizes": {"messages_case_day": 0}}, "per_hour", 0, "rate.messages_case_day"),
        # Nothing at all bounds it where nobody has written anything down.
        ({"budget_minor": None, "caps": {}, "sizes": {}}, "per_day", None, "nothing"),
    ],
)
def test_what_bounds_it_is_named(change: dict[str, Any], period: str, minor: int | None, by: str) -> None:
    assert worst([replace(NUMBERS, **change)], lambda base: base)[period] == Bound(minor, by)


def test_every_planner_that_has_a_budget_counts() -> None:
    two = [NUMBERS, replace(NUMBERS, budget_minor=20_000)]
    assert worst(two, lambda base: base)["per_day"] == Bound(70_000, "budget")


def test_a_currency_without_limits_or_without_a_rate_gives_nothing_by_itself() -> None:
    assert worst([], lambda base: base)["per_day"] == Bound(0, "nothing")
    assert worst([NUMBERS], lambda base: None)["per_day"] == Bound(0, "exchange_rate")


# Of each currency the most cents that policy rounds up to no more than the cap.
@pytest.mark.parametrize("cap", [0, 1, 100, 99_999, 2**40 + 1])
def test_a_cap_becomes_what_policy_would_still_let_through(cap: int) -> None:
    most = maxloss.inverse(TABLE, "EUR", "USD")(cap)
    assert most is not None
    assert convert(Money(most, "EUR"), "USD")[0] <= cap < convert(Money(most + 1, "EUR"), "USD")[0]


def printed(*options: str) -> Callable[[pytest.CaptureFixture[str]], str]:
    def run(capsys: pytest.CaptureFixture[str]) -> str:
        call_command("maxloss", *options)
        return capsys.readouterr().out

    return run


@pytest.mark.django_db
def test_the_command_adds_up_shops_and_says_what_bounds_each(capsys: pytest.CaptureFixture[str]) -> None:
    for slug in ("north", "south"):
        shop = factories.make_shop(slug, base_currency="USD")
        factories.make_limits(shop, "EUR")
        factories.make_caps(shop, budgets={"rules": 50_000, "llm": 20_000})
    rates.keep([("EUR", "USD", Decimal("1.25"))], as_of=factories.now().date(), source="test", by=SYSTEM)
    said = json.loads(printed("--json")(capsys))
    assert said["per_hour"] == said["per_day"] == {"EUR": 112_000, "USD": 140_000}
    assert said["per_customer"] == {"EUR": 4000, "USD": 4000}
    north = said["shops"]["north"]
    assert north["per_day"]["USD"] == {"minor": 70_000, "bounded_by": "budget"}
    assert north["together"]["per_day"] == {"minor": 70_000, "bounded_by": "budget"}
    # Twenty euros are the most of both: whatever comes last is held to its own currency's line.
    assert north["together"]["per_customer"] == {"minor": 2500, "bounded_by": "tier"}
    table = printed("--shop", "north")(capsys)
    assert "$700.00  the planners' budgets of automatic money in 24 hours" in table
    assert "south" not in table


@pytest.mark.django_db
def test_the_command_knows_no_shop_that_is_none() -> None:
    with pytest.raises(CommandError):
        call_command("maxloss", "--shop", "nobody")


@pytest.mark.django_db
def test_an_exception_that_holds_is_in_the_worst_case_and_one_that_is_over_is_not() -> None:
    shop = factories.make_shop(base_currency="USD")
    factories.make_caps(shop, customer_cap_minor=100)
    now, people = factories.now(), [factories.make_user(), factories.make_user()]
    row = LimitException.objects.create(
        shop=shop, scope="customer", subject="somebody", currency="USD", up_to_minor=700, reason="known",
        author=people[0], created_at=now, expires_at=now + DAY, approved_by=people[1], approved_at=now - HOUR,
    )  # fmt: skip
    assert maxloss.of_shop(shop.pk).by_currency["USD"]["per_customer"] == Bound(700, "cap.customer")
    LimitException.objects.filter(pk=row.pk).update(ended_at=now, ended_by=people[0])
    assert maxloss.of_shop(shop.pk).by_currency["USD"]["per_customer"] == Bound(100, "cap.customer")
