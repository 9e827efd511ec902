"""What holds for the whole shop decides: caps, budgets, sizes and rates as they are in force."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from approvals import exposure, rates
from approvals.admin.effect import converted
from approvals.bounds import UNITS
from approvals.caps import FOR_LATER, unit_help
from approvals.facts import in_force
from approvals.models import Decision
from audit import sources
from audit.actors import SYSTEM
from cases.models import Case, Shop
from tests import factories
from tests.authority.rows import decide_refund, refundable_case
from tools.base import Effect, Kind
from tools.types import Money

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return factories.make_shop()


def decision(shop: Shop, amount_minor: int = 1500) -> Decision:
    made: Decision = decide_refund(refundable_case(amount_minor, shop=shop)).decision
    return made


# A refund of 15.00: the cap of exactly that holds nothing back, a cent less does.
@pytest.mark.parametrize("scope", ["order", "customer", "day"])
@pytest.mark.parametrize(("cap", "above"), [(1501, False), (1500, False), (1499, True)])
def test_above_a_cap_a_person_decides(shop: Shop, scope: str, cap: int, above: bool) -> None:
    factories.make_caps(shop, **{f"{scope}_cap_minor": cap})
    found = decision(shop)
    assert (found.outcome, found.rule) == (
        ("human", f"refund.cap.{scope}") if above else ("allow_after_undo", "refund.tier.automatic")
    )


@pytest.mark.parametrize(("budget", "outcome"), [(1500, "allow_after_undo"), (1499, "one_approver")])
def test_above_the_days_budget_of_its_planner_one_approver_decides(
    shop: Shop, budget: int, outcome: str
) -> None:
    factories.make_caps(shop, budgets={"rules": budget, "llm": 10**9})
    assert decision(shop).outcome == outcome


def test_a_planner_without_a_budget_gives_nothing_by_itself(shop: Shop) -> None:
    factories.make_caps(shop, budgets={"llm": 10**9})
    assert decision(shop).rule == "refund.budget"


def test_caps_that_hold_later_hold_nothing_back_yet(shop: Shop) -> None:
    later = factories.now().replace(year=factories.now().year + 1)
    factories.make_caps(shop, order_cap_minor=1, effective_at=later)
    assert decision(shop).rule == "refund.tier.automatic"


def test_above_the_fourth_line_nobody_is_asked_to_approve(shop: Shop) -> None:
    assert decision(shop, 500_001).rule == "refund.tier.above"


def test_a_shop_without_caps_is_held_to_those_of_a_new_one() -> None:
    shop = factories.make_shop(base_currency="CHF")
    Shop.objects.filter(pk=shop.pk).update(base_currency="NOK")
    effect = Effect("issue_refund", Kind.MONEY, {}, money=Money(1, "CHF"))
    limits = in_force(shop.pk, effect, "rules").for_policy
    assert limits is not None
    assert (set(limits.caps.values()), limits.budget_minor) == ({0}, 0)


def test_messages_are_held_to_their_sizes_without_any_limits_of_money(shop: Shop) -> None:
    factories.make_caps(shop, sizes={"messages_case_day": 3})
    limits = in_force(shop.pk, Effect("send_message", Kind.MESSAGE, {}), "rules").for_policy
    assert limits is not None
    assert (limits.sizes, limits.auto_up_to_minor) == ({"messages_case_day": 3}, 0)


def test_money_of_a_currency_without_limits_has_none(shop: Shop) -> None:
    effect = Effect("issue_refund", Kind.MONEY, {}, money=Money(1, "KWD"))
    assert in_force(shop.pk, effect, "rules").for_policy is None


class TestAcrossCurrencies:
    """The order is in dollars, the shop's books are in euros: two dollars are one euro."""

    @pytest.fixture
    def case(self, shop: Shop) -> Case:
        factories.make_limits(shop, "USD")
        order = factories.make_order(shop, [("Tent", 1, 1500)], shipping_minor=0, currency="USD")
        factories.make_shipment(order)
        return factories.make_case(order=order)

    def know(self, as_of: date | None = None) -> None:
        day = as_of or sources.now().date()
        rates.keep([("EUR", "USD", Decimal(2))], as_of=day, source="bank", by=SYSTEM)

    @pytest.mark.parametrize(("cap", "rule"), [(750, "refund.tier.automatic"), (749, "refund.cap.order")])
    def test_a_cap_sums_what_is_of_another_currency(
        self, shop: Shop, case: Case, cap: int, rule: str
    ) -> None:
        factories.make_caps(shop, order_cap_minor=cap)
        self.know()
        assert decide_refund(case).decision.rule == rule

    def test_a_verdict_keeps_the_rates_that_its_sums_were_made_with(self, case: Case) -> None:
        self.know()
        today = sources.now().date()
        said = decide_refund(case).decision
        kept = next(seen["values"] for seen in said.values if seen["rule"] == "refund.rate")
        assert kept["converted"] == [f"USD/EUR 0.5 {today} bank"]
        (used,) = map(rates.Used.read, kept["converted"])
        assert (used.rate, used.as_of, used.source) == (Decimal("0.5"), today, "bank")
        (fact,) = converted(said)
        assert fact.value.startswith("0.5 EUR for 1 USD, of ")
        assert (fact.source, fact.at) == ("bank", used.ended)

    def test_a_verdict_that_converts_nothing_keeps_no_rate(self, shop: Shop) -> None:
        self.know()
        assert converted(decision(shop)) == []

    def test_without_a_rate_a_person_decides(self, case: Case) -> None:
        assert decide_refund(case).decision.rule == "refund.rate"

    def test_with_an_old_rate_a_person_decides(self, case: Case) -> None:
        self.know(date(2020, 1, 1))
        assert decide_refund(case).decision.rule == "refund.rate"

    def test_how_old_a_rate_may_be_is_the_shops_own_number(self, shop: Shop, case: Case) -> None:
        day = date.fromordinal(sources.now().date().toordinal() - 5)
        self.know(day)
        assert decide_refund(case).decision.rule == "refund.rate"
        factories.make_caps(shop, rate_max_age_hours=24 * 10)
        assert decide_refund(case).decision.rule == "refund.tier.automatic"


def test_a_size_that_nothing_counts_says_that_it_is_for_later(shop: Shop) -> None:
    counted = exposure.messages(shop.pk, refundable_case(shop=shop).pk, 1)
    assert {unit for unit in UNITS if unit not in counted} == set(FOR_LATER)
    assert [unit for unit in UNITS if unit_help(unit)] == list(FOR_LATER)
