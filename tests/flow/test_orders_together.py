"""Orders that come at the same moment are one transaction, in which none of them is worse off than alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection, connections
from django.http import HttpResponse

from audit.models import Entry
from audit.verify import verify
from cases import webhooks
from cases.intake import first_sight
from cases.intake.deliveries import shopify
from cases.intake.together import Sheet, Together
from cases.models import InboundEvent, Person
from opsagent.demo.script import Step
from opsagent.unreachable import RETRY_SECONDS
from tests.flow.test_first_sight import new_order, version
from tests.flow.threads import at_once
from tests.flow.world import World, deliver, post
from tools.models import Order

together = pytest.mark.django_db(transaction=True)
SECONDS = 20


def wait_until(done: Callable[[], object]) -> None:
    until = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < until
        time.sleep(0.01)


@contextmanager
def another_writes(url: str, world: World, step: Step) -> Iterator[None]:
    """Another process has stored this event and not committed; it rolls back at the block's end."""
    with psycopg.connect(url) as other:
        other.execute(
            "INSERT INTO cases_inboundevent (shop_id, source, account, external_id, topic, raw, content_type, digest,"
            " state, dead_reason, correlation_id, received_at, duplicates, requeued)"
            " VALUES (%s, 'shopify', %s, %s, '', '', '', '', 'absorbed', '', gen_random_uuid(), now(), 0, 0)",
            [world.shop.pk, step.account, step.external_id],
        )
        yield
        other.rollback()


class Crowd:
    """Deliveries of which the first is held at the database until the others wait behind it."""

    def __init__(self, url: str, world: World) -> None:
        self.url, self.world = url, world
        self.pool = ThreadPoolExecutor(16)

    def come(self, steps: Sequence[Step]) -> list[Future[HttpResponse]]:
        with another_writes(self.url, self.world, steps[0]):
            found = [self._post(steps[0])]
            wait_until(self.blocked)
            found += [self._post(step) for step in steps[1:]]
            wait_until(lambda: len(first_sight._TOGETHER._waiting) == len(steps) - 1)
        return found

    def blocked(self) -> list[int]:
        """The server's processes that wait for another transaction."""
        with psycopg.connect(self.url) as other:
            rows = other.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return [pid for (pid,) in rows]

    def end(self, how: str) -> None:
        """What an operator or a crash does to the process that waits."""
        wait_until(lambda: any(self._signalled(how)))

    def _signalled(self, how: str) -> list[bool]:
        with psycopg.connect(self.url) as other:
            return [bool(other.execute(f"SELECT {how}(%s)", [pid]).fetchone()) for pid in self.blocked()]

    def _post(self, step: Step) -> Future[HttpResponse]:
        def one() -> HttpResponse:
            try:
                return post(step)
            finally:
                connections.close_all()

        return self.pool.submit(one)


@pytest.fixture
def crowd(world: World, database_url: str) -> Iterator[Crowd]:
    webhooks.forget()
    found = Crowd(database_url, world)
    yield found
    found.pool.shutdown(wait=True)


def transactions() -> int:
    """How many wrote the events that are there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM cases_inboundevent")
        return int(cursor.fetchone()[0])


def holds(orders: int) -> None:
    """Each order is one event with one entry, and the chains hold."""
    assert (InboundEvent.objects.count(), Order.objects.count()) == (orders, orders)
    told = Entry.objects.filter(subject_type="cases.inboundevent")
    assert sorted(told.values_list("subject_id", flat=True)) == sorted(
        str(pk) for pk in InboundEvent.objects.values_list("pk", flat=True)
    )
    assert verify().holds


def statuses(found: Sequence[Future[HttpResponse]]) -> list[int]:
    return [future.result(SECONDS).status_code for future in found]


@together
def test_who_waits_at_the_same_moment_is_one_transaction(world: World, crowd: Crowd) -> None:
    steps = [new_order(world) for _ in range(6)]
    assert statuses(crowd.come(steps)) == [200] * 6
    assert transactions() == 2
    holds(6)


@together
def test_each_of_a_batch_is_what_it_would_be_alone(world: World, crowd: Crowd) -> None:
    writer = world.customer()
    deliver(world.mail(writer, "Where is my parcel?"))
    of_the_writer, plain, known = world.order_step(world.sold(writer)), new_order(world), new_order(world)
    deliver(known)
    found = crowd.come([new_order(world), plain, of_the_writer, plain, known, new_order(world)])
    assert statuses(found) == [200] * 6
    told_again = InboundEvent.objects.filter(duplicates=1).values_list("external_id", flat=True)
    assert set(told_again) == {plain.external_id, known.external_id}
    assert InboundEvent.objects.filter(source="shopify").count() == 5
    assert Order.objects.count() == 5
    # The one who wrote is the one who bought.
    assert Person.objects.count() == 5
    assert verify().holds


@together
def test_a_connection_that_is_cut_asks_all_who_waited_to_come_back(
    world: World, crowd: Crowd, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_sight, "PATIENCE", b"20s")
    steps = [new_order(world) for _ in range(5)]
    with another_writes(database_url, world, steps[2]):
        found = crowd.come(steps)
        found[0].result(SECONDS)
        crowd.end("pg_terminate_backend")
        assert statuses(found) == [200, 503, 503, 503, 503]
    assert {future.result().headers.get("Retry-After") for future in found[1:]} == {str(RETRY_SECONDS)}
    holds(1)
    for step in steps:
        deliver(step)
    holds(5)


@pytest.mark.nightly
@together
@pytest.mark.parametrize("patience", [b"20s", b"250ms"])
def test_a_batch_that_the_server_gives_up_is_written_one_by_one(
    world: World, crowd: Crowd, database_url: str, monkeypatch: pytest.MonkeyPatch, patience: bytes
) -> None:
    monkeypatch.setattr(first_sight, "PATIENCE", patience)
    steps = [new_order(world) for _ in range(5)]
    with another_writes(database_url, world, steps[2]):
        found = crowd.come(steps)
        found[0].result(SECONDS)
        if patience == b"20s":
            crowd.end("pg_cancel_backend")
        # All but the one that another process has in hand.
        wait_until(lambda: InboundEvent.objects.count() == 4)
        assert not found[2].done()
    assert statuses(found) == [200] * 5
    holds(5)


@pytest.mark.nightly
@together
def test_two_processes_that_hear_the_same_store_it_once_and_hang_nowhere(world: World) -> None:
    steps = [new_order(world) for _ in range(24)]
    elsewhere: Any = Together(first_sight._store, lambda: False, 16)
    seen = version(world.shop)
    began = time.monotonic()

    def sheet(step: Step) -> Sheet:
        one = shopify(step.headers, step.body, "application/json")
        order = first_sight._glance(one)
        assert order is not None
        assert order.customer is not None
        return first_sight._sheet(first_sight._told(world.shop, seen, one, order, order.customer), one.raw)

    def work(number: int) -> None:
        if number % 2:
            for step in steps:
                deliver(step)
            return
        for step in reversed(steps):
            try:
                elsewhere.write(sheet(step))
            except IntegrityError:
                continue

    at_once(work)
    assert time.monotonic() - began < SECONDS
    holds(24)
