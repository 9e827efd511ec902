"""A dead letter goes back to work: read once, by whoever may, and never a second time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from audit import actors
from audit.actors import Actor
from audit.models import Entry
from cases.intake.requeueing import requeue
from cases.models import Case, Handoff, InboundEvent, Message, Person, Shop
from opsagent.demo.script import Step
from tests import factories
from tests.flow.breaking import broken
from tests.flow.threads import THREADS, at_once
from tests.flow.world import World, as_bytes, deliver
from tools.models import Drift, Order, Payment

pytestmark = pytest.mark.django_db

State = InboundEvent.State


@pytest.fixture(autouse=True)
def _secrets(connected: str) -> None:
    """The vendors' secrets, so that deliveries are let in."""


def somebody(*roles: str) -> Actor:
    return actors.staff(factories.make_user(roles=roles or ["agent"]))


def dead(step: Step, shop: Shop, **changes: str) -> InboundEvent:
    """The dead letter that an older version made of a body which the present one can read."""
    facts = {
        "source": step.source,
        "account": step.account,
        "external_id": step.external_id,
        "topic": step.topic,
        "content_type": "application/json",
        **changes,
    }
    return factories.make_dead_event(shop, reason="changed by the vendor: x", body=step.body, **facts)


STEPS: dict[str, Callable[[World], Step]] = {
    "shopify": lambda world: world.order_step(world.sold(world.customer())),
    "stripe": lambda world: world.dispute_step(world.sold(world.customer())),
    "whatsapp": lambda world: replace(world.chat(world.customer(), "Where is it?"), topic="messages"),
    "email": lambda world: replace(world.mail(world.customer(), "Where is it?"), topic="inbound/postmark"),
}
RESULT: dict[str, Callable[[], int]] = {
    "shopify": Order.objects.count,
    "stripe": Case.objects.count,
    "whatsapp": Message.objects.filter(direction="in").count,
    "email": Message.objects.filter(direction="in").count,
}


@pytest.mark.parametrize("source", STEPS)
def test_it_is_read_by_the_parser_of_its_own_door(world: World, source: str) -> None:
    event = dead(STEPS[source](world), world.shop)
    requeue(event.pk, by=somebody())
    event.refresh_from_db()
    assert event.state in (State.ABSORBED, State.CASE)
    assert (event.dead_reason, event.requeued, RESULT[source]()) == ("", 1, 1)
    [entry] = Entry.objects.filter(action="event.requeued")
    assert (entry.actor_kind, json.loads(entry.body)["data"]["outcome"]) == ("staff", "read")


@pytest.mark.parametrize("source", STEPS)
def test_a_delivery_that_comes_later_doubles_nothing(world: World, source: str) -> None:
    step = STEPS[source](world)
    event = dead(step, world.shop)
    requeue(event.pk, by=somebody())
    deliver(step)
    event.refresh_from_db()
    assert (event.duplicates, RESULT[source](), InboundEvent.objects.count()) == (1, 1, 1)


def test_an_old_mail_whose_provider_was_not_kept_is_read(world: World) -> None:
    event = dead(world.mail(world.customer(), "Where is it?"), world.shop, topic="inbound")
    requeue(event.pk, by=somebody())
    assert Message.objects.get().text == "Where is it?"


def test_a_supplier_feed_is_read(shop: Shop) -> None:
    body = b"sku,available,restock_date,price\nLAMP,3,,9.00\n"
    digest = hashlib.sha256(body).hexdigest()
    event = factories.make_dead_event(
        shop, source="feed", account="acme", topic="supplier", external_id=digest, body=body
    )
    requeue(event.pk, by=somebody())
    event.refresh_from_db()
    assert event.state == State.ABSORBED


def test_one_that_did_not_say_what_it_was_goes_in_under_its_true_id(world: World) -> None:
    step = world.dispute_step(world.sold(world.customer()))
    event = dead(step, world.shop, external_id="0" * 64, topic="")
    requeue(event.pk, by=somebody())
    deliver(step)
    event.refresh_from_db()
    true = InboundEvent.objects.get(external_id=step.external_id)
    assert (event.state, true.state, true.duplicates) == (State.ABSORBED, State.CASE, 1)
    assert Case.objects.count() == 1


def test_one_that_still_cannot_be_read_says_why_and_stays(world: World) -> None:
    step = replace(world.order_step(world.sold(world.customer())), body=b"{broken")
    event = dead(step, world.shop)
    with pytest.raises(Invalid, match="still can't be read: changed by the vendor: body"):
        requeue(event.pk, by=somebody())
    event.refresh_from_db()
    assert (event.state, event.dead_reason, event.requeued) == (State.DEAD, "changed by the vendor: body", 1)
    assert not Order.objects.exists()


def test_a_shopify_body_without_its_topic_tells_what_to_do(world: World) -> None:
    step = world.order_step(world.sold(world.customer()))
    event = dead(step, world.shop, account="", external_id="0" * 64, topic="")
    with pytest.raises(Invalid, match="ask the vendor to send it again"):
        requeue(event.pk, by=somebody())


def test_who_may_not_puts_nothing_back(world: World) -> None:
    event = dead(STEPS["shopify"](world), world.shop)
    stranger = actors.staff(factories.make_user(roles=["agent"], shops=[]))
    for by in (somebody("viewer"), stranger, actors.SYSTEM):
        with pytest.raises(NotPermitted):
            requeue(event.pk, by=by)
    event.refresh_from_db()
    assert (event.state, event.requeued) == (State.DEAD, 0)


def test_what_was_read_is_not_read_again(world: World) -> None:
    event = dead(STEPS["email"](world), world.shop)
    requeue(event.pk, by=somebody())
    with pytest.raises(AlreadyDecided):
        requeue(event.pk, by=somebody())
    assert Message.objects.count() == 1


def test_one_that_its_vendor_has_changed_is_drift_with_people_again(world: World) -> None:
    step = world.order_step(world.sold(world.customer()))
    body = {name: value for name, value in json.loads(step.body).items() if name != "total_price_set"}
    event = dead(replace(step, body=as_bytes(body)), world.shop)
    for _ in range(2):
        with pytest.raises(Invalid, match="changed by the vendor"):
            requeue(event.pk, by=somebody())
    row = Drift.objects.get()
    assert (row.operation, row.field_path, row.count) == ("webhook:orders/create", "total_price_set", 2)
    assert Handoff.objects.get().drift == row


def test_an_alarm_that_is_tried_in_vain_stays_in_its_one_case(world: World) -> None:
    step = world.dispute_step(world.sold(world.customer()))
    body = json.loads(step.body)
    body["data"]["object"]["status"] = "warning_escalated"
    deliver(replace(step, body=as_bytes(body)))
    for _ in range(2):
        with pytest.raises(Invalid):
            requeue(InboundEvent.objects.get().pk, by=somebody())
    assert (Case.objects.count(), Drift.objects.get().count) == (1, 3)


@pytest.mark.django_db(transaction=True)
class TestCommitted:
    def test_eight_presses_at_once_read_it_once(self, world: World) -> None:
        event, by = dead(STEPS["email"](world), world.shop), somebody()

        def press(_number: int) -> str:
            try:
                requeue(event.pk, by=by)
            except AlreadyDecided:
                return "was read"
            return "read"

        assert sorted(at_once(press)) == ["read"] + ["was read"] * (THREADS - 1)
        event.refresh_from_db()
        assert (Message.objects.count(), event.requeued) == (1, 1)
        assert Entry.objects.filter(action="event.requeued").count() == 1

    @pytest.mark.parametrize("table", ["cases_message", "audit_entry"])
    def test_a_failing_database_changes_nothing(self, world: World, table: str) -> None:
        event, by = dead(STEPS["email"](world), world.shop), somebody()
        with broken(table), pytest.raises(Exception, match="disk full"):
            requeue(event.pk, by=by)
        event.refresh_from_db()
        assert (event.state, event.requeued, Person.objects.count()) == (State.DEAD, 0, 0)
        requeue(event.pk, by=by)
        assert Message.objects.count() == 1

    def test_a_press_and_a_delivery_at_once_book_once(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order))
        step = world.charge_step(order)
        event, by = dead(step, world.shop), somebody()
        at_once(lambda number: requeue(event.pk, by=by) if number else deliver(step), threads=2)
        assert Payment.objects.get().captured_minor == Order.objects.get().total_minor
        assert InboundEvent.objects.filter(external_id=step.external_id).count() == 1


def test_bodies_are_kept_as_they_came(world: World) -> None:
    step = STEPS["shopify"](world)
    event = dead(step, world.shop)
    requeue(event.pk, by=somebody())
    event.refresh_from_db()
    assert bytes(event.raw) == step.body
