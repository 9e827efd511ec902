"""Refunds by hand in either dashboard and open disputes count before judging, before sending and while on the way."""

from __future__ import annotations

import pytest

from approvals.models import Decision
from cases.models import Handoff
from cases.tasks import execute, settle
from opsagent.demo.script import Neutral
from tests.flow.turns import damaged, decided, fresh, planner, refund, scripted_shop
from tests.flow.vendors import Vendors, sums
from tests.flow.world import World, deliver, drain
from tools.models import Order, Payment, ToolCall

pytestmark = pytest.mark.django_db


def neutral(world: World) -> Neutral:
    row = Order.objects.get()
    return next(order for order in world.stage.orders if str(order["id"]) == row.external_id)


def by_hand_at_stripe(world: World, minor: int) -> None:
    """Somebody refunds in Stripe's dashboard: no key of ours, no pieces."""
    order = neutral(world)
    thing = {
        "object": "refund", "id": "re_hand", "amount": minor, "charge": order["charge"]["id"], "currency": "usd",
        "created": 1_790_000_000, "status": "succeeded", "metadata": {},
    }  # fmt: skip
    deliver(world.stage.stripe_step(order, "refund.created", thing, world.stage.start))


def by_hand_at_shopify(world: World, minor: int) -> None:
    """Somebody refunds in the shop's admin, with its piece."""
    deliver(world.refund_step(neutral(world), f"{minor // 100}.{minor % 100:02}"))


HANDS = pytest.mark.parametrize("by_hand", [by_hand_at_stripe, by_hand_at_shopify])


@HANDS
def test_before_judging_they_leave_nothing_to_refund(world: World, fake: Vendors, by_hand: object) -> None:
    scripted_shop(world)
    row = damaged(world)
    by_hand(world, row.total_minor)  # type: ignore[operator]
    with planner(refund(row)):
        drain()
    assert Decision.objects.filter(tool="issue_refund").latest("pk").outcome in ("deny", "human")
    assert fake.writes() == []


@HANDS
def test_between_judging_and_sending_they_void_what_was_set_aside(
    world: World, fake: Vendors, by_hand: object
) -> None:
    call = decided(world)
    by_hand(world, Order.objects.get().total_minor)  # type: ignore[operator]
    drain()
    assert (fresh(call).state, fake.writes(), sums(call)) == ("cancelled", [], (0, 0))
    assert Handoff.objects.exists()


@HANDS
def test_while_it_is_on_its_way_the_fact_is_kept_and_a_person_called(
    world: World, fake: Vendors, by_hand: object
) -> None:
    call = decided(world)
    fake.refund = fake.pending
    execute(call.pk)
    by_hand(world, Order.objects.get().total_minor)  # type: ignore[operator]
    payment = Payment.objects.get()
    assert payment.elsewhere_minor == Order.objects.get().total_minor
    assert (fresh(call).state, payment.reserved_minor) == ("pending", call.amount_minor)
    assert Handoff.objects.get().reason == "failed"
    fake.refunds[0]["status"] = "succeeded"
    assert settle(call.pk) == "succeeded"
    assert len(fake.keys()) == 1


def test_a_dispute_before_judging_moves_no_money(world: World, fake: Vendors) -> None:
    scripted_shop(world)
    row = damaged(world)
    deliver(world.dispute_step(neutral(world)))
    with planner(refund(row)):
        drain()
    assert not ToolCall.objects.filter(amount_minor__gt=0).exists()
    assert Payment.objects.get().refundable.amount_minor == 0


def test_a_dispute_between_judging_and_sending_stops_it(world: World, fake: Vendors) -> None:
    call = decided(world)
    deliver(world.dispute_step(neutral(world)))
    drain()
    assert (fresh(call).state, fake.writes()) == ("cancelled", [])


def test_a_dispute_while_it_is_on_its_way_is_a_persons_and_the_refund_still_counts(
    world: World, fake: Vendors
) -> None:
    call = decided(world)
    fake.refund = fake.pending
    execute(call.pk)
    deliver(world.dispute_step(neutral(world)))
    fake.refunds[0]["status"] = "succeeded"
    assert settle(call.pk) == "succeeded"
    assert sums(call) == (0, call.amount_minor)
    assert Handoff.objects.filter(reason="dispute").exists()


def test_a_small_one_by_hand_stops_ours_too_since_nobody_knows_what_it_was_for(
    world: World, fake: Vendors
) -> None:
    call = decided(world)
    by_hand_at_stripe(world, 1)
    drain()
    assert (fresh(call).state, call.error, fake.writes()) == ("cancelled", "refund.unnamed_elsewhere", [])
    assert Payment.objects.get().elsewhere_minor == 1
