"""What was decided is held to the stricter of then and now, in every number that there is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from approvals import deciding
from approvals.bounds import UNITS, Limits
from approvals.deciding import Wish
from approvals.models import Decision
from approvals.policy import TWO_PEOPLE, Seen, Verdict
from approvals.today import asks_more, limits_then, verdict_now
from audit.actors import AGENT
from cases.composing import composer
from cases.handoff import scope_of
from cases.models import Case, Shop
from cases.tasks import execute
from tests import factories
from tests.adapters.faking import Vendor
from tests.authority.rows import decide_refund, order_of, refundable_case, seen_by_agent
from tests.authority.test_exposure import effect_of
from tools.models import Payment

pytestmark = pytest.mark.django_db

Outcome = Decision.Outcome
# As loose as limits can be that let 15.00 run by itself.
WIDE = Limits(
    2000,
    20_000,
    15,
    two_factor_up_to_minor=10**9,
    caps=dict.fromkeys(("order", "customer", "instrument", "address", "day"), 10**9),
    budget_minor=10**9,
    sizes=dict.fromkeys(UNITS, 10**6),
)


def judged_under(case: Case, limits: Limits, confidence_percent: int | None = None) -> Decision:
    """A small refund that was decided when these limits held."""
    kept = {"limits": limits.as_json(), "confidence_percent": confidence_percent}
    return factories.make_decision(case, judged_under=kept)


@pytest.mark.parametrize(
    ("then", "rule"),
    [
        ({}, "refund.tier.automatic"),
        ({"caps": {**WIDE.caps, "order": 1499}}, "refund.cap.order"),
        ({"caps": {**WIDE.caps, "customer": 1499}}, "refund.cap.customer"),
        ({"caps": {**WIDE.caps, "instrument": 1499}}, "refund.cap.instrument"),
        ({"caps": {**WIDE.caps, "address": 1499}}, "refund.cap.address"),
        ({"caps": {**WIDE.caps, "day": 1499}}, "refund.cap.day"),
        ({"budget_minor": 1499}, "refund.budget"),
        ({"unsure_below_percent": 61}, "planner.unsure"),
        ({"unsure_below_percent": 60}, "refund.tier.automatic"),
        ({"auto_up_to_minor": 1499}, "refund.tier.one_approver"),
        ({"auto_up_to_minor": 0, "one_approver_up_to_minor": 1499}, "refund.tier.two_factor"),
        ({"two_people_above_minor": 1499}, TWO_PEOPLE),
        ({"two_factor_up_to_minor": 1499}, "refund.tier.above"),
    ],
)
def test_a_number_of_then_holds_though_todays_is_wider(then: dict[str, Any], rule: str) -> None:
    case = refundable_case(1500)
    decision = judged_under(case, replace(WIDE, **then), confidence_percent=60)
    verdict = verdict_now(decision, effect_of(case), seen_by_agent(case))
    assert verdict.rule == rule
    assert asks_more(decision, verdict) is (rule != "refund.tier.automatic")


def test_limits_of_before_every_number_was_kept_are_those_of_their_version() -> None:
    limits = factories.make_limits(factories.make_shop(), auto_up_to_minor=7, one_approver_up_to_minor=9)
    case = refundable_case(1500, shop=limits.shop)
    found = limits_then(factories.make_decision(case, limits=limits))
    assert found is not None
    assert (found.auto_up_to_minor, found.one_approver_up_to_minor) == (7, 9)
    assert limits_then(factories.make_decision(case, limits=None)) is None


def test_a_decision_keeps_every_number_and_how_sure_the_planner_was() -> None:
    case = refundable_case(1500)
    with transaction.atomic():
        made = deciding.decide(
            Wish("issue_refund", factories.refund_wish(order_of(case)), factories.planner_config().pk),
            scope=scope_of(case),
            situation=replace(seen_by_agent(case), confidence_percent=73),
            undo=timedelta(0),
            compose=composer(case),
            by=AGENT,
        )
    then = limits_then(made.decision)
    assert then is not None
    assert then.auto_up_to_minor == 2000
    assert made.decision.judged_under["confidence_percent"] == 73


def test_one_signature_is_too_little_once_two_people_are_needed() -> None:
    decision = factories.make_decision(outcome=Outcome.TWO_FACTOR, rule="refund.tier.two_factor")
    two = Verdict(Outcome.TWO_FACTOR, TWO_PEOPLE, (Seen(TWO_PEOPLE, "two_factor", {}),))
    one = Verdict(Outcome.TWO_FACTOR, "refund.tier.two_factor", ())
    assert asks_more(decision, two)
    assert not asks_more(decision, one)
    signed_by_two = factories.make_decision(outcome=Outcome.TWO_FACTOR, rule=TWO_PEOPLE)
    assert not asks_more(signed_by_two, two)


def test_what_a_neighbour_got_meanwhile_stops_what_waits(north: Shop, vendor: Vendor) -> None:
    """Decided in each one's own limits; then it turns out that both pay with one card."""
    first, second = refundable_case(1500, shop=north), refundable_case(1500, shop=north)
    calls = [decide_refund(case).calls[0] for case in (first, second)]
    Payment.objects.update(instrument="visa-same")
    assert execute(calls[0].pk) == "cancelled"
    calls[0].refresh_from_db()
    assert calls[0].error == "refund.tier.one_approver"
    assert execute(calls[1].pk) == "succeeded"
