"""Each source counts from its own connection: what is older is read as history, whatever it tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db import transaction

from approvals.errors import Invalid, NotPermitted
from audit import actors
from audit.actors import SYSTEM
from audit.models import Entry
from cases.connections import connect, count_from, counts_from
from cases.models import Case, Connection, InboundEvent, Message, Shop
from opsagent.demo.script import Step
from tests import factories
from tests.flow.world import World, as_bytes, deliver, queued
from tools.models import Dispute, Order, Payment

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
STAMP = (
    "by p-pm-inboundg01a-aws-useast1a.inbound.postmarkapp.com (Postfix, from userid 996)\tid 3C96F453B34; {}"
)


def since(shop: Shop, **sources: datetime) -> None:
    """Connects these sources from these moments."""
    with transaction.atomic():
        connect(shop, sources, by=SYSTEM)
    shop.refresh_from_db()


def changed(step: Step, change: Callable[[dict[str, Any]], None]) -> Step:
    body = json.loads(step.body)
    change(body)
    return replace(step, body=as_bytes(body))


def order_at(world: World, at: datetime, **more: Any) -> dict[str, Any]:
    return world.stage.order("north", world.customer(), [(world.item(), 1)], at, **more)


def high_risk(world: World, at: datetime) -> None:
    order = order_at(world, at)
    deliver(world.order_step(order))
    deliver(world.risk_step(order, "HIGH"))


def twins(world: World, at: datetime) -> None:
    who = world.customer()
    for seconds in (0, 90):
        moment = at - timedelta(seconds=100 - seconds)
        deliver(world.order_step(world.stage.order("north", who, [(world.item(), 1)], moment)))


def made_at(step: Step, at: datetime) -> Step:
    """The Stripe thing, made at that time."""
    return changed(step, lambda body: body["data"]["object"].update(created=int(at.timestamp())))


def dispute(world: World, at: datetime) -> None:
    order, _row = world.known(world.customer(), days=2)
    deliver(made_at(world.dispute_step(order), at))


def unplaced_dispute(world: World, at: datetime) -> None:
    deliver(made_at(world.dispute_step(world.sold(world.customer())), at))


def warning(world: World, at: datetime) -> None:
    order, _row = world.known(world.customer(), days=2)
    deliver(made_at(world.warning_step(order), at))


def unplaced_warning(world: World, at: datetime) -> None:
    deliver(made_at(world.warning_step(world.sold(world.customer())), at))


def chat(world: World, at: datetime) -> None:
    def earlier(body: dict[str, Any]) -> None:
        for message in body["entry"][0]["changes"][0]["value"]["messages"]:
            message["timestamp"] = str(int(at.timestamp()))

    deliver(changed(world.chat(world.customer(), "Where is my parcel?"), earlier))


def stamped(value: str) -> Callable[[dict[str, Any]], None]:
    return lambda body: body["Headers"].insert(0, {"Name": "Received", "Value": value})


def mail(world: World, at: datetime) -> None:
    step = world.mail(world.customer(), "Where is my parcel?")
    deliver(changed(step, stamped(STAMP.format(format_datetime(at)))))


# Each kind of news with the source whose connection decides.
KINDS: dict[str, tuple[str, Callable[[World, datetime], None]]] = {
    "high_risk": ("shopify", high_risk),
    "twins": ("shopify", twins),
    "dispute": ("stripe", dispute),
    "unplaced_dispute": ("stripe", unplaced_dispute),
    "warning": ("stripe", warning),
    "unplaced_warning": ("stripe", unplaced_warning),
    "chat": ("whatsapp", chat),
    "mail": ("email", mail),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("minutes", [-600, -1, 1, 120])
def test_news_counts_from_its_sources_connection(world: World, kind: str, minutes: int) -> None:
    source, happens = KINDS[kind]
    at = world.stage.start - 3 * HOUR
    others = {name: world.shop.cutover_at for name in Connection.Source.values if name != source}
    since(world.shop, **{source: at}, **others)
    happens(world, at + timedelta(minutes=minutes))
    assert Case.objects.exists() == (minutes > 0)
    assert bool(queued()) == (minutes > 0 and source != "stripe" and kind != "high_risk")
    assert not InboundEvent.objects.filter(state="dead").exists()


@pytest.mark.parametrize("kind", KINDS)
def test_another_sources_connection_decides_nothing(world: World, kind: str) -> None:
    source, happens = KINDS[kind]
    now = world.stage.start
    others = {name: now for name in Connection.Source.values if name not in (source, "shopify")}
    since(world.shop, **{source: now - 9 * HOUR}, **others)
    happens(world, now - HOUR)
    assert Case.objects.count() == 1


def test_the_money_of_history_is_booked_all_the_same(world: World) -> None:
    order, row = world.known(world.customer(), days=2)
    since(world.shop, stripe=world.stage.start)
    deliver(made_at(world.dispute_step(order), world.stage.start - HOUR))
    deliver(world.refund_step(order, order["lines"][0]["unit_price"]))
    payment = Payment.objects.get(order=row)
    assert Dispute.objects.get().payment == payment
    assert payment.disputed_minor > 0
    assert payment.elsewhere_minor > 0


def test_a_dispute_of_today_about_an_old_order_calls_a_person(world: World) -> None:
    order, _row = world.known(world.customer(), days=40)
    since(world.shop, shopify=world.stage.start - HOUR, stripe=world.stage.start - HOUR)
    deliver(made_at(world.dispute_step(order), world.stage.start))
    assert Case.objects.get().handoffs.get().reason == "dispute"


class TestMailDates:
    """The Date of a mail is its sender's own; only the provider's stamp can make it old."""

    ANGRY = "This is unacceptable, you liars, I am furious!"

    def letter(self, world: World, *headers: tuple[str, str], date: datetime) -> Step:
        def dress(body: dict[str, Any]) -> None:
            body["Date"] = format_datetime(date)
            body["Headers"] = [{"Name": name, "Value": value} for name, value in headers] + body["Headers"]

        return changed(world.mail(world.customer(), self.ANGRY), dress)

    def test_a_forged_old_date_hides_no_angry_letter(self, world: World) -> None:
        since(world.shop, email=world.stage.start - HOUR)
        deliver(self.letter(world, date=datetime(2019, 1, 1, tzinfo=UTC)))
        assert Case.objects.get().handoffs.get().reason == "anger"

    @pytest.mark.parametrize(
        "headers",
        [
            # Below what the provider wrote itself.
            [("Received-SPF", "pass"), ("Received", STAMP.format("Tue, 1 Jan 2019 00:00:00 +0000"))],
            [("Received", "from mx.evil.example by mx.evil.example; Tue, 1 Jan 2019 00:00:00 +0000")],
            [("Received", STAMP.format("once upon a time"))],
            [("Received", STAMP.replace("app.com", "app.com.evil.example").format("Tue, 1 Jan 2019 00:00:00 +0000"))],
        ],
        ids=["below", "another server", "no date", "another domain"],
    )  # fmt: skip
    def test_a_forged_stamp_hides_none_either(self, world: World, headers: list[tuple[str, str]]) -> None:
        since(world.shop, email=world.stage.start - HOUR)
        deliver(self.letter(world, *headers, date=world.stage.start))
        assert Case.objects.get().handoffs.get().reason == "anger"

    def test_an_old_letter_is_kept_and_nobody_answers(self, world: World) -> None:
        since(world.shop, email=world.stage.start - HOUR)
        old = STAMP.format(format_datetime(world.stage.start - 2 * HOUR))
        deliver(self.letter(world, ("Received", old), date=world.stage.start))
        assert InboundEvent.objects.get().state == "absorbed"
        assert (Message.objects.count(), Case.objects.count(), queued()) == (0, 0, [])


class TestConnecting:
    def test_a_source_that_is_connected_stays_as_it_is(self, shop: Shop) -> None:
        first = factories.now() - 5 * HOUR
        since(shop, stripe=first)
        since(shop, stripe=first - HOUR)
        assert counts_from(shop, "stripe") == first
        assert Entry.objects.filter(action="shop.connected").count() == 1

    def test_a_source_that_was_never_connected_apart_counts_from_the_shops(self, shop: Shop) -> None:
        assert {counts_from(shop, name) for name in Connection.Source.values} == {shop.cutover_at}

    def test_the_shops_orders_count_from_shopifys_connection(self, shop: Shop) -> None:
        at = factories.now() - HOUR
        since(shop, shopify=at, stripe=at - HOUR)
        assert (Shop.objects.get().cutover_at, counts_from(shop, "stripe")) == (at, at - HOUR)

    def test_it_moves_forward_with_an_entry(self, shop: Shop) -> None:
        since(shop, shopify=factories.now() - 5 * HOUR)
        row, by = Connection.objects.get(), actors.staff(factories.make_user(roles=["admin"]))
        moved = count_from(row.pk, sure=True, by=by)
        assert moved.cutover_at > row.cutover_at
        assert Shop.objects.get().cutover_at == moved.cutover_at
        entry = Entry.objects.filter(action="shop.connected").order_by("seq").last()
        assert entry is not None
        assert json.loads(entry.body)["data"]["before"] == row.cutover_at.isoformat()

    @pytest.mark.parametrize("hours", [-6, -5, 1])
    def test_it_never_moves_back_or_into_the_future(self, shop: Shop, hours: int) -> None:
        now = factories.now()
        since(shop, stripe=now - 5 * HOUR)
        by = actors.staff(factories.make_user(roles=["admin"]))
        with pytest.raises(Invalid):
            count_from(Connection.objects.get().pk, now + hours * HOUR, sure=True, by=by)
        assert counts_from(shop, "stripe") == now - 5 * HOUR

    def test_who_may_not_moves_nothing(self, shop: Shop) -> None:
        before = factories.now() - HOUR
        since(shop, stripe=before)
        by = actors.staff(factories.make_user(roles=["approver"]))
        with pytest.raises(NotPermitted):
            count_from(Connection.objects.get().pk, sure=True, by=by)
        assert counts_from(shop, "stripe") == before


def test_an_order_found_by_reading_is_history_too(world: World) -> None:
    since(world.shop, shopify=world.stage.start)
    high_risk(world, world.stage.start - HOUR)
    assert (Order.objects.get().risk_level, Case.objects.count()) == ("high", 0)
