"""Two equal refunds of one order both succeed, and no decision pays twice, whatever the vendors' news do meanwhile."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from audit import sources
from audit.sources import Clock
from cases.invariants import violations
from cases.models import Case, Handoff, Shop
from cases.opening import open_again
from cases.planning import advance
from tests import factories
from tests.authority.rows import order_of
from tests.flow.stand import Hook, Stand, killed, lost, stand, until_quiet, work
from tests.flow.test_cancelling_orders import sold
from tests.flow.turns import planner, refund, scripted_shop
from tests.flow.world import World, north
from tests.sandbox.world import order
from tools.models import Order, OrderLine, Payment, ToolCall

pytestmark = pytest.mark.django_db

SOLD: dict[str, Callable[[], dict[str, Any]]] = {
    "stripe": order,
    "shopify": partial(order, gateway="shopify_payments", charge=None),
}
SENDS = {"stripe": "stripe.refunds.create", "shopify": "shopify.refundCreate"}
TROUBLES: dict[str, Callable[[], None] | None] = {"none": None, "lost": lost, "killed": killed}


@pytest.fixture
def vendors(clock: Clock) -> Iterator[Stand]:
    with stand(clock) as found:
        yield found


def delivered(shop: Shop, vendors: Stand, vendor: str) -> Case:
    """Two equal lamps that came yesterday, both broken."""
    scripted_shop(World(shop))
    case = sold(shop, vendors, SOLD[vendor]())
    factories.make_shipment(order_of(case))
    return case


def one_lamp(case: Case, clock: Clock) -> None:
    """The agent's turn: it refunds one lamp of those that are left."""
    with transaction.atomic():
        open_again(case, case.correlation_id)
    Case.objects.filter(pk=case.pk).update(due_at=clock.at)
    Order.objects.update(read_at=None, risk_level=Order.Risk.LOW)
    with planner(refund(order_of(case))):
        assert advance(case.pk) == Case.State.WAITING


def disordered(news: list[Hook], dice: random.Random) -> list[Hook]:
    """Each twice, in any order."""
    doubled = [*news, *news]
    dice.shuffle(doubled)
    return doubled


def play(
    shop: Shop, vendors: Stand, clock: Clock, vendor: str, troubles: list[str], dice: random.Random
) -> None:
    """Two decisions; what the vendors tell of the first may come after the second has been paid."""
    case, held = delivered(shop, vendors, vendor), list[Hook]()
    for name in troubles:
        one_lamp(case, clock)
        trouble = TROUBLES[name]
        if trouble is not None:
            vendors.after[SENDS[vendor]] = trouble
        work()
        held += vendors.news()
        mixed = disordered(held, dice)
        now, held = mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]
        for hook in now:
            hook.arrive()
        until_quiet(clock)
    for hook in disordered([*held, *vendors.news()], dice):
        hook.arrive()
    work()
    until_quiet(clock)
    both_paid_once(case, vendors, vendor)


def both_paid_once(case: Case, vendors: Stand, vendor: str) -> None:
    assert vendors.books() == [(vendor, 1200), (vendor, 1200)]
    calls = ToolCall.objects.filter(case=case, tool="issue_refund")
    assert [(call.amount_minor, call.state) for call in calls] == [(1200, "succeeded")] * 2
    keys = [row["idempotency_key"] for row in vendors.ledger()["refunds"]]
    assert sorted(keys) == sorted(str(call.idempotency_key) for call in calls)
    payment, line = Payment.objects.get(order=case.order), OrderLine.objects.get(order=case.order)
    assert (payment.reserved_minor, payment.refunded_minor, payment.elsewhere_minor) == (0, 2400, 0)
    assert (line.refunded_quantity, line.refunded_minor) == (2, 2400)
    assert vendors.told() == ["refund_done", "refund_done"]
    assert not Handoff.objects.filter(case=case).exists()


@pytest.mark.parametrize("vendor", sorted(SOLD))
@pytest.mark.parametrize(
    "troubles", [["lost", "killed"], pytest.param(["none", "lost"], marks=pytest.mark.nightly)]
)
def test_two_decisions_of_the_same_sum_are_each_paid_once(
    shop: Shop, vendors: Stand, clock: Clock, vendor: str, troubles: list[str]
) -> None:
    play(shop, vendors, clock, vendor, troubles, random.Random(7))
    assert violations() == []


@pytest.mark.nightly
@pytest.mark.timeout(1800)
class InAnyOrder(TestCase):
    @settings(
        max_examples=100,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sampled_from(sorted(SOLD)),
        st.lists(st.sampled_from(sorted(TROUBLES)), min_size=2, max_size=2),
        st.integers(0, 2**32),
    )
    def test_two_equal_refunds_are_each_paid_once(self, vendor: str, troubles: list[str], seed: int) -> None:
        shop = north()
        with sources.frozen(sources.now()) as clock, stand(clock) as vendors:
            play(shop, vendors, clock, vendor, troubles, random.Random(seed))
