"""Whatever feared it, a refund that the planner is sure of is a person's, until a person lowers the flag."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from approvals.models import Decision, RiskFlag
from approvals.services import lower_flag
from cases.fraud.pending import watch_risks
from cases.fraud.suspecting import mark_case
from cases.fraud.velocity import PACES
from cases.handoff import claim_handoff, resolve_handoff
from cases.models import Case, Handoff
from cases.planner.protocol import Proposal
from cases.planning import advance
from opsagent.demo.script import Neutral
from tests import factories
from tests.authority.rows import acting, refundable_case
from tests.flow.turns import planner, refund
from tests.flow.world import World, deliver
from tests.fraud.rows import listing
from tools.models import Order, ToolCall

pytestmark = pytest.mark.django_db

Source = Callable[[World, Neutral, Order], None]


def rated_high(world: World, order: Neutral, row: Order) -> None:
    deliver(world.risk_step(order, "HIGH"))


def unrated_for_too_long(world: World, order: Neutral, row: Order) -> None:
    Order.objects.update(risk_level="pending")
    watch_risks()
    Order.objects.update(risk_level="low")


def early_warning(world: World, order: Neutral, row: Order) -> None:
    deliver(world.warning_step(order))


def disputed(world: World, order: Neutral, row: Order) -> None:
    deliver(world.dispute_step(order))


def on_the_list(world: World, order: Neutral, row: Order) -> None:
    listing(world.shop, "card", order["charge"]["fingerprint"])


def too_fast(world: World, order: Neutral, row: Order) -> None:
    for _ in range(PACES["refunds"].most + 1):
        theirs = refundable_case(shop=world.shop, person=row.person)
        factories.make_call(factories.make_decision(theirs), state="succeeded")


def marked_by_staff(world: World, order: Neutral, row: Order) -> None:
    mark_case(row.cases.get().pk, reason="Odd", by=acting(world.shop, "agent"))


def marked_by_the_planner(world: World, order: Neutral, row: Order) -> None:
    think(row, Proposal(tool="mark_fraud", arguments={"order_id": row.pk, "reason": "pattern"}))


def think(row: Order, proposal: Proposal) -> Decision:
    """The agent's turn in the order's case, which a person has given back to it, though sure of no flag."""
    case, by = row.cases.get(), acting(row.shop, "agent")
    for handoff in Handoff.objects.filter(case=case).exclude(state="resolved"):
        claim_handoff(handoff.pk, by=by)
        resolve_handoff(handoff.pk, close=False, by=by)
    Case.objects.filter(pk=case.pk).update(due_at=factories.now() - timedelta(seconds=1), lease_until=None)
    with planner(proposal):
        advance(case.pk)
    return Decision.objects.filter(case=case, by_kind="agent").latest("pk")


FRAUD, AUTOMATIC = "risk.fraud", "refund.tier.automatic"
# The rule that decides while the flag is up, and the one once a person has lowered it.
SOURCES: list[tuple[Source, str, str, str]] = [
    # What the vendor itself says stands, whatever anybody thinks of it.
    (rated_high, "shopify.risk.high", FRAUD, FRAUD),
    (unrated_for_too_long, "shopify.risk.pending", FRAUD, AUTOMATIC),
    (early_warning, "stripe.early_fraud_warning", FRAUD, AUTOMATIC),
    # The bank holds the money, so there is nothing to give back: denied, and a person's too.
    (disputed, "stripe.dispute", "action.resolved", "action.resolved"),
    (on_the_list, "fraud_list.", FRAUD, AUTOMATIC),
    # What the customer got meanwhile counts in the tier.
    (too_fast, "velocity.refunds", FRAUD, "refund.tier.one_approver"),
    (marked_by_staff, "staff.marked", FRAUD, AUTOMATIC),
    (marked_by_the_planner, "planner.pattern", FRAUD, AUTOMATIC),
]


@pytest.mark.parametrize(
    ("source", "code", "rule", "after"), SOURCES, ids=[code for _source, code, *_rules in SOURCES]
)
def test_a_sure_planner_refunds_no_suspect(
    world: World, source: Source, code: str, rule: str, after: str
) -> None:
    order, row = world.known(world.customer())
    factories.make_case(order=row)
    source(world, order, row)
    sure = refund(row).model_copy(update={"confidence": 1.0})
    for _again in range(2):
        assert think(row, sure).rule == rule
        assert Handoff.objects.filter(case=row.cases.get()).exclude(state="resolved").count() == 1
    flag = RiskFlag.objects.get(lowered_at=None)
    assert flag.source.startswith(code)
    assert not ToolCall.objects.filter(case=row.cases.get(), amount_minor__gt=0).exists()
    lower_flag(flag.pk, reason="Spoke with her", by=acting(world.shop, "agent"))
    assert think(row, sure).rule == after
