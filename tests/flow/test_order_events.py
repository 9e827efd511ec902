"""What shop and payment vendor tell: most is absorbed, in any order; what is feared calls a person, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from approvals.models import RiskFlag
from cases.models import Case, Handoff, InboundEvent, Shop
from tests import factories
from tests.flow.threads import THREADS, at_once
from tests.flow.world import World, deliver, post, queued, the_case
from tools.models import Order, Payment, Shipment

pytestmark = pytest.mark.django_db

ABSORBED = InboundEvent.State.ABSORBED


def old_shop(world: World) -> None:
    """The shop was connected an hour ago: all that is older is history."""
    Shop.objects.update(cutover_at=factories.now() - timedelta(hours=1))


class TestAbsorbed:
    def test_a_paid_order_is_absorbed(self, world: World) -> None:
        deliver(world.order_step(world.sold(world.customer(), days=0.1)))
        assert InboundEvent.objects.get().state == ABSORBED
        assert not Case.objects.exists()
        assert queued() == []

    def test_a_late_order_event_never_overwrites_a_newer_one(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order, updated=world.stage.ago(1), fulfillment_status="fulfilled"))
        deliver(world.order_step(order))
        assert Order.objects.get().fulfillment_status == "fulfilled"

    def test_a_parcel_before_its_order_is_not_lost_for_good(self, world: World) -> None:
        order = world.sold(world.customer())
        parcels = world.parcel_steps(order)
        for step in [*parcels, world.order_step(order)]:
            deliver(step)
        assert {event.state for event in InboundEvent.objects.all()} == {ABSORBED}
        assert Order.objects.count() == 1

    def test_the_charge_before_its_order_is_absorbed(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.charge_step(order))
        deliver(world.order_step(order))
        assert {event.state for event in InboundEvent.objects.all()} == {ABSORBED}

    def test_a_charge_that_comes_twice_is_captured_once(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        charge = world.charge_step(order)
        deliver(charge)
        deliver(world.charge_step(order))
        assert Payment.objects.get().captured_minor == Order.objects.get().total_minor

    def test_an_order_of_eight_threads_is_one_order(self, world: World) -> None:
        order = world.sold(world.customer())
        steps = [world.order_step(order) for _ in range(2)]
        for step in steps:
            deliver(step)
        assert (Order.objects.count(), Order.objects.get().lines.count()) == (1, 1)


class TestTwins:
    def test_an_order_twice_within_minutes_opens_a_case(self, world: World) -> None:
        who = world.customer()
        first = world.sold(who, days=0.01)
        second = world.sold(who, days=0.008)
        deliver(world.order_step(first))
        deliver(world.order_step(second))
        case = the_case()
        assert (case.subject, case.order is not None) == ("twin_order", True)
        assert case.order is not None
        assert case.order.external_id == str(second["id"])
        assert queued() == [("advance", case.pk)]

    def test_the_same_order_told_twice_is_no_twin(self, world: World) -> None:
        order = world.sold(world.customer(), days=0.01)
        deliver(world.order_step(order))
        deliver(world.order_step(order, updated=world.stage.start))
        assert not Case.objects.exists()

    def test_the_same_thing_a_day_later_is_no_twin(self, world: World) -> None:
        who = world.customer()
        for days in (1.2, 0.1):
            deliver(world.order_step(world.sold(who, days=days)))
        assert not Case.objects.exists()

    def test_somebody_elses_same_order_is_no_twin(self, world: World) -> None:
        for _ in range(2):
            deliver(world.order_step(world.sold(world.customer(), days=0.01)))
        assert not Case.objects.exists()

    def test_a_twin_of_a_cancelled_order_is_none(self, world: World) -> None:
        who = world.customer()
        first, second = world.sold(who, days=0.01), world.sold(who, days=0.008)
        deliver(world.order_step(first, updated=world.stage.start, cancelled_at=first["created_at"]))
        deliver(world.order_step(second))
        assert not Case.objects.exists()


class TestFraud:
    def test_a_high_risk_goes_to_a_person_at_once(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        step = world.risk_step(order, "HIGH")
        deliver(step)
        row, event = Handoff.objects.get(), InboundEvent.objects.get(external_id=step.external_id)
        assert (row.reason, row.detail, row.received_at) == ("fraud", "shopify.risk.high", event.received_at)
        assert RiskFlag.objects.get().order_id == Order.objects.get().pk

    def test_nobody_tells_a_suspect_that_they_are_one(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        deliver(world.risk_step(order, "HIGH"))
        assert queued() == []

    @pytest.mark.parametrize("level", ["LOW", "MEDIUM", "PENDING", "NONE"])
    def test_a_lower_risk_is_absorbed(self, world: World, level: str) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        deliver(world.risk_step(order, level))
        assert not Case.objects.exists()

    def test_a_second_opinion_never_lowers_a_risk(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        for level in ("HIGH", "LOW"):
            deliver(world.risk_step(order, level))
        assert Order.objects.get().risk_level == Order.Risk.HIGH

    def test_a_risk_before_its_order_is_not_forgotten(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.risk_step(order, "LOW"))
        assert InboundEvent.objects.get().state == ABSORBED
        for _ in range(2):
            deliver(world.risk_step(order, "HIGH"))
        assert (Handoff.objects.get().reason, the_case().order_id) == ("fraud", None)

    def test_more_news_of_a_risky_order_call_nobody_again(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        deliver(world.risk_step(order, "HIGH"))
        Handoff.objects.update(state="resolved", claimed_by=factories.make_user(), claimed_at=factories.now())
        Case.objects.update(state="closed", closed_at=factories.now())
        deliver(world.order_step(order, updated=world.stage.start, fulfillment_status="fulfilled"))
        deliver(world.risk_step(order, "HIGH"))
        assert (Case.objects.count(), Handoff.objects.count(), RiskFlag.objects.count()) == (1, 1, 1)

    def test_an_early_warning_is_fraud(self, world: World) -> None:
        order, row = world.known(world.customer())
        deliver(world.warning_step(order))
        assert (Handoff.objects.get().reason, the_case().order_id) == ("fraud", row.pk)
        assert Handoff.objects.get().detail == "stripe.early_fraud_warning"

    def test_an_early_warning_of_an_unknown_charge_is_a_persons_once(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.warning_step(order))
        deliver(world.warning_step(order))
        assert (Handoff.objects.get().reason, the_case().order_id) == ("fraud", None)
        assert InboundEvent.objects.filter(case=the_case()).count() == 2


class TestMoney:
    def test_a_dispute_is_a_persons_and_holds_the_money(self, world: World) -> None:
        order, row = world.known(world.customer())
        deliver(world.dispute_step(order))
        assert (the_case().subject, the_case().order_id) == ("dispute", row.pk)
        assert (Handoff.objects.get().reason, RiskFlag.objects.get().kind) == ("dispute", "dispute")
        assert Payment.objects.get().refundable.amount_minor == 0

    def test_a_dispute_of_an_unknown_charge_is_a_persons(self, world: World) -> None:
        deliver(world.dispute_step(world.sold(world.customer())))
        assert (the_case().subject, Handoff.objects.get().reason) == ("dispute", "dispute")

    def test_a_won_dispute_calls_nobody(self, world: World) -> None:
        order, _row = world.known(world.customer())
        deliver(world.dispute_step(order, "won"))
        assert not Case.objects.exists()

    def test_a_refund_made_by_hand_counts_and_is_absorbed(self, world: World) -> None:
        order, row = world.known(world.customer())
        amount = order["lines"][0]["unit_price"]
        deliver(world.refund_step(order, amount))
        payment = Payment.objects.get()
        assert payment.elsewhere_minor == int(amount.replace(".", ""))
        assert row.lines.get().elsewhere_quantity == 1
        assert not Case.objects.exists()

    def test_a_refund_by_hand_that_comes_twice_counts_once(self, world: World) -> None:
        order, _row = world.known(world.customer())
        step = world.refund_step(order, order["lines"][0]["unit_price"])
        deliver(step)
        deliver(replace(step, headers={**step.headers, "X-Shopify-Webhook-Id": "another"}))
        assert Payment.objects.get().elsewhere_minor == int(order["lines"][0]["unit_price"].replace(".", ""))


class TestHistory:
    def test_an_order_from_before_the_connection_opens_no_case(self, world: World) -> None:
        who = world.customer()
        order, twin = world.sold(who, days=1), world.sold(who, days=1)
        old_shop(world)
        for step in (
            world.order_step(order),
            world.order_step(twin),
            world.risk_step(order, "HIGH"),
            world.charge_step(order),
        ):
            deliver(step)
        assert Order.objects.count() == 2
        assert not Case.objects.exists()


class TestParcels:
    def waiting(self, world: World, reason: str) -> tuple[Case, list[object]]:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        first, *rest = world.stage.parcel(
            order, world.stage.ago(3), "delivered", world.stage.ago(0.1), whole=True
        )
        deliver(first)
        row = Order.objects.get()
        case = factories.make_case(
            order=row, state="waiting", wait_reason=reason, wake_at=factories.now() + timedelta(days=5)
        )
        return case, list(rest)

    def test_a_delivered_parcel_wakes_the_case_that_waits_for_it(self, world: World) -> None:
        case, (scan, handed) = self.waiting(world, "parcel")
        deliver(scan)  # type: ignore[arg-type]
        case.refresh_from_db()
        assert case.state == "waiting"
        deliver(handed)  # type: ignore[arg-type]
        case.refresh_from_db()
        assert (case.state, case.wait_reason) == ("open", "")
        assert queued() == [("advance", case.pk)]
        assert Shipment.objects.get().status == Shipment.Status.DELIVERED

    @pytest.mark.parametrize("reason", ["customer", "snooze", "effect", "return"])
    def test_a_case_that_waits_for_something_else_sleeps_on(self, world: World, reason: str) -> None:
        case, steps = self.waiting(world, reason)
        for step in steps:
            deliver(step)  # type: ignore[arg-type]
        case.refresh_from_db()
        assert (case.state, case.wait_reason) == ("waiting", reason)


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_eight_warnings_of_an_order_are_one_case(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        steps = [world.risk_step(order, "HIGH") for _ in range(THREADS)]
        assert set(at_once(lambda number: post(steps[number]).status_code)) == {200}
        assert (Case.objects.count(), Handoff.objects.count(), RiskFlag.objects.count()) == (1, 1, 1)

    def test_an_order_told_at_once_by_eight_is_one(self, world: World) -> None:
        order = world.sold(world.customer())
        steps = [world.order_step(order) for _ in range(THREADS)]
        assert set(at_once(lambda number: post(steps[number]).status_code)) == {200}
        assert (Order.objects.count(), Order.objects.get().lines.count()) == (1, 1)
        assert not Case.objects.exists()
