"""Asked once more under the lock: a vendor that has changed its answers, and a decision of before limits were kept."""

from __future__ import annotations

from approvals.recheck import stopped
from approvals.today import verdict_now
from audit.sources import Clock
from cases.models import Shop
from tests import factories
from tests.authority.rows import refundable_case, seen_by_agent
from tests.authority.test_exposure import effect_of
from tests.executor.rows import refund
from tools.drift import READ_ONLY


def test_what_a_vendors_changed_answers_would_be_read_by_is_not_sent(north: Shop, clock: Clock) -> None:
    call = refund(north)
    assert stopped(call, seen_by_agent(call.case)) == ""
    factories.make_drift(north, operation="refunds.create")
    assert stopped(call, seen_by_agent(call.case)) == READ_ONLY


def test_a_decision_under_no_limits_is_held_to_todays(north: Shop, clock: Clock) -> None:
    case = refundable_case(1500, shop=north)
    decision = factories.make_decision(case, limits=None)
    assert verdict_now(decision, effect_of(case), seen_by_agent(case)).rule == "refund.tier.automatic"
    factories.make_limits(north, auto_up_to_minor=1499)
    assert verdict_now(decision, effect_of(case), seen_by_agent(case)).rule == "refund.tier.one_approver"
