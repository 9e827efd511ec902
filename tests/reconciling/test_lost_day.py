"""A day on which webhooks are lost at random ends like the day on which all of them came."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from approvals.models import RiskFlag
from audit.sources import Clock
from audit.verify import verify
from cases.invariants import violations
from cases.models import Case, InboundEvent
from opsagent.demo.script import Step
from tests.flow.world import World, deliver, forget_tasks
from tests.reconciling.turns import late, read_all
from tests.reconciling.vendors import Vendors
from tools.models import Dispute, Order, Payment, Shipment

pytestmark = pytest.mark.django_db


def a_day(world: World) -> list[Step]:
    """Orders of every fate: delivered, refunded by hand, disputed, warned of, fraud-suspect, ordered twice."""
    steps: list[Step] = []
    for fate in ("delivered", "refunded", "disputed", "warned", "suspect", "twice", "quiet"):
        who = world.customer()
        order = world.sold(who, days=1, risk="HIGH" if fate == "suspect" else "LOW")
        steps += [world.order_step(order), world.charge_step(order)]
        if fate in ("delivered", "refunded"):
            steps += world.parcel_steps(order, days=0.5)
        if fate == "refunded":
            steps.append(world.refund_step(order, order["lines"][0]["unit_price"]))
        if fate == "disputed":
            steps.append(world.dispute_step(order))
        if fate == "warned":
            steps.append(world.warning_step(order))
        if fate == "suspect":
            steps.append(world.risk_step(order, "HIGH"))
        if fate == "twice":
            again = world.sold(who, days=0.999)
            steps += [world.order_step(again), world.charge_step(again)]
    return steps


def the_end() -> dict[str, Any]:
    """What a shop has at the end of the day: its orders, their money, their parcels and who must look at what."""
    orders = ("external_id", "name", "total_minor", "currency", "risk_level", "cancelled_at")
    # A warning that came before its order called a person in a case of its own; the order has its own as well.
    flags = RiskFlag.objects.filter(order__isnull=False).values_list("kind", "source", "order__external_id")
    cases = Case.objects.filter(order__isnull=False).exclude(subject=Case.Subject.TWIN_ORDER)
    return {
        "orders": sorted(Order.objects.values_list(*orders), key=str),
        "money": sorted(
            Payment.objects.values_list("external_id", "captured_minor", "elsewhere_minor", "disputed_minor")
        ),
        "parcels": sorted(Shipment.objects.values_list("external_id", "status")),
        "disputes": sorted(Dispute.objects.values_list("external_id", "status")),
        "cases": sorted(cases.values_list("subject", "order__external_id", "state"), key=str),
        # It is about two orders, and stands at the one that was heard of last.
        "twins": list(Case.objects.filter(subject=Case.Subject.TWIN_ORDER).values_list("state", flat=True)),
        "reasons": sorted(cases.values_list("handoffs__reason", "order__external_id"), key=str),
        "flags": sorted(flags, key=str),
    }


def play(world: World, vendors: Vendors, clock: Clock, lost: float, seed: int) -> int:
    """All happens; some of it is told. Returns how many webhooks were lost."""
    rng, dropped = random.Random(seed), 0
    for step in a_day(world):
        clock.advance(timedelta(seconds=20))
        vendors.happens(step, clock.at)
        if rng.random() < lost:
            dropped += 1
            continue
        before = clock.at
        # Stripe signs by the true time.
        clock.at = world.stage.start
        deliver(step)
        clock.at = before
    vendors.on_ask = lambda what: clock.advance(timedelta(seconds=3))
    for _ in range(3):
        read_all(clock)
    forget_tasks()
    return dropped


@contextmanager
def undone() -> Iterator[None]:
    """All that is written here never was; vendors may be asked, as in a test's own transaction."""
    block = transaction.atomic()
    block._from_testcase = True  # type: ignore[attr-defined]  # what Django's own test cases set
    with block:
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    "losses",
    [
        [(0.5, 1), (1.0, 1)],
        *(pytest.param([(0.4, seed), (1.0, seed)], marks=pytest.mark.nightly) for seed in range(3, 12)),
    ],
)
def test_days_with_lost_webhooks_end_like_the_day_that_was_told(
    world: World, vendors: Vendors, clock: Clock, losses: list[tuple[float, int]]
) -> None:
    began = clock.at
    with undone():
        assert play(World(world.shop), vendors, clock, 0, 0) == 0
        assert late() == []
        wanted = the_end()
    for lost, seed in losses:
        clock.at = began
        vendors.forget()
        with undone():
            assert play(World(world.shop), vendors, clock, lost, seed)
            assert late()
            assert the_end() == wanted
            assert violations() == []
            assert not InboundEvent.objects.filter(state="dead").exists()
            assert not verify().faults
