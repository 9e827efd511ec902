"""A risk that nobody has rated in time is fraud-suspect, and a person hears of it once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from approvals.models import RiskFlag
from approvals.services import lower_flag
from cases.fraud.pending import watch_risks
from cases.models import Case, Shop
from tests import factories
from tests.authority.rows import acting, decide_refund, refundable_case
from tests.flow.breaking import broken
from tests.fraud.rows import called
from tools.models import Order

pytestmark = pytest.mark.django_db


def pending(shop: Shop, *, hours: float = 25, **fields: Any) -> Order:
    facts = {"risk_level": "pending", "placed_at": factories.now() - timedelta(hours=hours), **fields}
    return factories.make_order(shop, **facts)


def test_a_risk_that_is_pending_for_a_day_goes_to_a_person_once(shop: Shop) -> None:
    order = pending(shop)
    assert [watch_risks() for _ in range(3)] == [1, 0, 0]
    assert called() == [("fraud", "shopify.risk.pending")]
    assert (Case.objects.get().order_id, Case.objects.get().state) == (order.pk, "handoff")


def test_a_flag_that_was_lowered_is_not_raised_again(shop: Shop) -> None:
    pending(shop)
    watch_risks()
    lower_flag(RiskFlag.objects.get().pk, reason="Called her", by=acting(shop, "agent"))
    assert (watch_risks(), RiskFlag.objects.count()) == (0, 1)


def test_how_long_is_the_shops_own_number(shop: Shop) -> None:
    pending(shop, hours=3)
    assert watch_risks() == 0
    factories.make_caps(shop, risk_pending_hours=2)
    assert watch_risks() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"hours": 23},
        {"risk_level": "low"},
        # Nobody has asked the vendor yet: the agent does, before it does anything.
        {"risk_level": "unknown"},
        {"cancelled_at": factories.now()},
        {"hours": 24 * 800},
    ],
)
def test_what_is_rated_young_cancelled_or_history_calls_nobody(shop: Shop, fields: dict[str, Any]) -> None:
    Shop.objects.update(cutover_at=factories.now() - timedelta(days=700))
    pending(shop, **fields)
    assert watch_risks() == 0


def test_a_risk_that_is_rated_later_stays_a_persons_until_the_flag_is_lowered(shop: Shop) -> None:
    case = refundable_case(shop=shop)
    Order.objects.update(risk_level="pending")
    watch_risks()
    Order.objects.update(risk_level="low")
    assert decide_refund(case).decision.rule == "risk.fraud"


def test_one_order_that_cannot_be_handled_hides_no_other(shop: Shop) -> None:
    first, _second = pending(shop), pending(shop)
    with broken("approvals_riskflag", f"NEW.order_id = {first.pk}"):
        assert watch_risks() == 1
    assert watch_risks() == 1
