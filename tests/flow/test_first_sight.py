"""The short way of an order's first webhook: the same rows as the long one writes, and never half of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from audit.models import Entry
from audit.sources import Clock
from audit.verify import verify
from cases import personal
from cases.fraud.velocity import PACES
from cases.intake import first_sight, prepared
from cases.intake.deliveries import shopify
from cases.intake.receiving import Delivery, receive
from cases.models import Case, InboundEvent, Person, Shop
from opsagent.demo.script import Step
from tests.flow.breaking import broken
from tests.flow.threads import THREADS, at_once
from tests.flow.world import World, deliver, post
from tests.fraud.rows import listing
from tools.models import Order, OrderLine

# What no two runs share: ids that count up, random ones, and what is made of them.
OWN = ("id", "order_id", "person_id", "correlation_id", "subject_id", "stream", "hash", "body", "heard_at")


def delivery(step: Step) -> Delivery:
    return shopify(step.headers, step.body, "application/json")


def version(shop: Shop) -> str:
    with connection.cursor() as cursor:
        query = f"SELECT {first_sight.VERSION} FROM cases_shop WHERE id = %s"  # noqa: S608
        cursor.execute(query, [shop.pk])
        return str(cursor.fetchone()[0])


def take(world: World, step: Step) -> bool:
    return first_sight.take(world.shop, version(world.shop), delivery(step)) is not None


def rows() -> list[list[dict[str, Any]]]:
    found = []
    for model in (InboundEvent, Person, Order, OrderLine, Entry):
        kept = [
            {name: value for name, value in row.items() if name not in OWN}
            for row in model._default_manager.order_by("pk").values()
        ]
        found.append(kept)
    return found


def bodies() -> list[dict[str, Any]]:
    """What the entries tell, their own ids checked against their rows."""
    told = []
    for entry in Entry.objects.order_by("pk"):
        body = json.loads(entry.body)
        assert body["subject"].pop("id") == entry.subject_id
        assert body.pop("correlation_id") == str(entry.correlation_id)
        told.append(body)
    return told


def by_the_long_way(world: World, step: Step) -> tuple[Any, Any]:
    """What the long way writes; it is taken back again."""
    with transaction.atomic():
        receive(world.shop, delivery(step))
        written = rows(), bodies()
        transaction.set_rollback(True)
    return written


def new_order(world: World) -> Step:
    return world.order_step(world.sold(world.customer(), quantity=2))


def several_lines(world: World) -> Step:
    return world.order_step(
        world.stage.order(
            "north", world.customer(), [(world.item(), 1), (world.item("mid"), 3)], world.stage.start
        )
    )


def with_a_discount(world: World) -> Step:
    basket = [(world.item(), 2)]
    order = world.stage.order("north", world.customer(), basket, world.stage.start, percent_off=10)
    return world.order_step(order)


def cancelled(world: World) -> Step:
    return world.order_step(world.sold(world.customer()), cancelled_at="2026-01-01T00:00:00Z")


def long_ago(world: World) -> Step:
    return world.order_step(world.sold(world.customer()), created_at="2020-01-01T00:00:00Z")


def of_a_known_customer(world: World) -> Step:
    who = world.customer()
    deliver(world.order_step(world.sold(who)))
    return world.order_step(
        world.stage.order("north", who, [(world.item("mid"), 1)], world.stage.start + timedelta(hours=2))
    )


def of_somebody_whom_the_list_does_not_name(world: World) -> Step:
    listing(world.shop, "email", "somebody@else.example")
    return new_order(world)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sold",
    [
        new_order,
        several_lines,
        with_a_discount,
        cancelled,
        long_ago,
        of_a_known_customer,
        of_somebody_whom_the_list_does_not_name,
    ],
)
def test_both_ways_write_the_same(world: World, clock: Clock, sold: Callable[[World], Step]) -> None:
    step = sold(world)
    long = by_the_long_way(world, step)
    assert take(world, step)
    assert (rows(), bodies()) == long
    assert verify().holds


@pytest.mark.django_db
def test_one_exchange_with_the_database_is_enough(world: World) -> None:
    deliver(new_order(world))
    asked: list[str] = []

    def noted(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        asked.append(str(sql).split()[0])
        return execute(sql, *rest)

    with connection.execute_wrapper(noted):
        deliver(new_order(world))
    assert [word for word in asked if word not in ("SAVEPOINT", "RELEASE")] == ["WITH"]
    assert Order.objects.count() == 2


def read_from_end_to_end(table: str) -> int:
    """How many rows of a table this test's transaction has read without an index."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_get_xact_tuples_returned(%s::regclass)", [table])
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_plans_of_small_tables_are_made_anew_as_they_grow(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [new_order(world) for _ in range(4)]
    assert take(world, steps[0])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_person, tools_order")
    statement = first_sight._statement()
    monkeypatch.setitem(statement.uses, connection.connection, prepared.FIRST_LOOK_AT_PLANS - 1)
    assert take(world, steps[1])
    crowd = (Person(shop=world.shop, external_id=f"c-{n}", created_at=world.stage.start) for n in range(2000))
    Person.objects.bulk_create(crowd)
    before = read_from_end_to_end("cases_person")
    assert take(world, steps[2])
    assert take(world, steps[3])
    assert read_from_end_to_end("cases_person") == before


def a_duplicate(world: World) -> Step:
    step = new_order(world)
    deliver(step)
    return step


def a_known_order(world: World) -> Step:
    order = world.sold(world.customer())
    deliver(world.order_step(order))
    return world.order_step(order, updated=world.stage.start + timedelta(hours=1))


def a_twin(world: World) -> Step:
    who, item = world.customer(), world.item()
    first = world.stage.order("north", who, [(item, 1)], world.stage.start)
    deliver(world.order_step(first))
    return world.order_step(world.stage.order("north", who, [(item, 1)], world.stage.start))


def a_customer_to_complete(world: World) -> Step:
    who = world.customer()
    deliver(world.order_step(world.sold(who)))
    Person.objects.update(phone="")
    return world.order_step(
        world.stage.order("north", who, [(world.item("mid"), 1)], world.stage.start + timedelta(hours=2))
    )


def a_known_address(world: World) -> Step:
    who = world.customer()
    deliver(world.mail(who, "Where is my parcel?"))
    return world.order_step(world.sold(who))


def an_unreadable_body(world: World) -> Step:
    return replace(new_order(world), body=b"{broken")


def a_name_that_is_too_long(world: World) -> Step:
    return world.order_step(world.sold(world.customer()), name="#" * 40)


def an_address_with_a_nul(world: World) -> Step:
    return world.order_step(world.sold(world.customer()), email="mia\0@example.com")


def another_topic(world: World) -> Step:
    return world.parcel_steps(world.known(world.customer())[0])[0]


def a_listed_email(world: World) -> Step:
    who = world.customer()
    listing(world.shop, "email", who.email)
    return world.order_step(world.sold(who))


def a_list_under_a_key_that_this_process_has_not_read(world: World) -> Step:
    listing(world.shop, "email", "somebody@else.example")
    personal._READ.clear()
    return new_order(world)


def one_order_too_many(world: World) -> Step:
    who, most = world.customer(), PACES["orders"].most
    for number in range(most):
        deliver(world.order_step(world.sold(who, days=0.5 + number / 100)))
    return world.order_step(world.sold(who, days=0.1))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "left",
    [
        a_listed_email,
        a_list_under_a_key_that_this_process_has_not_read,
        one_order_too_many,
        a_duplicate,
        a_known_order,
        a_twin,
        a_customer_to_complete,
        a_known_address,
        an_unreadable_body,
        a_name_that_is_too_long,
        an_address_with_a_nul,
        another_topic,
    ],
)
def test_what_needs_more_is_left_to_the_long_way(world: World, left: Callable[[World], Step]) -> None:
    step = left(world)
    before = rows()
    assert not take(world, step)
    assert rows() == before
    assert post(step).status_code == 200


@pytest.mark.django_db
def test_a_connection_that_was_swept_clean_goes_the_long_way_once(world: World) -> None:
    assert take(world, new_order(world))
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    swept = new_order(world)
    assert not take(world, swept)
    assert take(world, swept)


@pytest.mark.django_db
def test_a_changed_shop_is_read_again(world: World) -> None:
    deliver(new_order(world))
    Shop.objects.update(ships_within_days=9)
    deliver(new_order(world))
    first, second = Order.objects.order_by("pk")
    assert first.promised_at is not None
    assert second.promised_at is not None
    assert (first.promised_at - first.placed_at).days == 3
    assert (second.promised_at - second.placed_at).days == 9


@pytest.mark.django_db
def test_a_secret_of_a_new_prefix_opens_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deliver(new_order(world))
    monkeypatch.setenv("NORDEN_SHOPIFY_WEBHOOK_SECRETS", "new")
    Shop.objects.update(env_prefix="NORDEN")
    step = new_order(world)
    assert post(step).status_code == 401
    assert post(step, secrets={"NORTH_SHOPIFY_WEBHOOK_SECRETS": "new"}).status_code == 200


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("table", ["tools_orderline", "audit_entry", "cases_person"])
def test_a_full_disk_leaves_nothing_behind(world: World, table: str) -> None:
    step = new_order(world)
    with broken(table):
        assert post(step).status_code == 500
    assert [len(found) for found in rows()[:4]] == [0, 0, 0, 0]
    assert post(step).status_code == 200
    assert [len(found) for found in rows()[:3]] == [1, 1, 1]


@pytest.mark.django_db(transaction=True)
def test_eight_deliveries_at_once_are_one_event(world: World) -> None:
    step = new_order(world)
    at_once(lambda _: deliver(step))
    assert (InboundEvent.objects.count(), Order.objects.count(), Case.objects.count()) == (1, 1, 0)
    assert InboundEvent.objects.get().duplicates == THREADS - 1
