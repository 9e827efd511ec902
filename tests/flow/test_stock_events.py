"""A stock webhook names an item and a place; the item's SKU and what all places have are read at the shop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.test import Client
from django.urls import reverse
from structlog.testing import capture_logs

from audit.sources import Clock
from cases import stocking
from cases.models import InboundEvent
from cases.tasks import sweep
from cases.telling import ring
from opsagent.demo import shopify_events
from tests.adapters import shopify_answers as told
from tests.adapters.faking import NORTH, Vendor
from tests.flow.breaking import broken
from tests.flow.threads import THREADS, at_once
from tests.flow.vendors import busy
from tests.flow.world import World, deliver, drain, forget_tasks, post, queued
from tools import circuits, wire
from tools.circuits import Line
from tools.models import Circuit, StockLevel, StockReading

pytestmark = pytest.mark.django_db

ITEM = 49_000_007
AWAY = httpx.Response(503)
UNKNOWN_ITEM = httpx.Response(200, json={"data": {"inventoryItem": None}})
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def moved(world: World, available: int, *, days: float = 0.1, place: int | None = None) -> None:
    at = world.stage.ago(days)
    body = shopify_events.stock_body("north", 7, available, at)
    body |= {"location_id": place} if place else {}
    deliver(world.stage.shopify_step("north", "inventory_levels/update", body, at, kind="stock"))


def shop(*counts: tuple[int, int], sku: str | None = "LAMP") -> Vendor:
    levels = [
        {
            "location": {"id": told.gid("Location", place)},
            "quantities": [{"name": "available", "quantity": count}],
        }
        for place, count in counts
    ]
    item = {
        "id": told.gid("InventoryItem", ITEM),
        "sku": sku,
        "tracked": True,
        "inventoryLevels": told.page(*levels),
    }
    return told.shop(OpsInventoryItem={"inventoryItem": item})


def read(vendor: Vendor) -> int:
    with wire.transport_override(vendor.transport):
        drain(only=["read_stock"])
    return len(vendor.asked)


def level() -> tuple[str, int]:
    row = StockLevel.objects.get()
    return row.sku, row.available


def test_an_item_that_nobody_named_yet_is_read_once(world: World) -> None:
    moved(world, 5)
    moved(world, 4, days=0.05)
    assert read(shop((71_000_001, 4))) == 1
    assert level() == ("LAMP", 4)


def test_an_item_in_one_place_is_counted_by_its_messages(world: World) -> None:
    moved(world, 5, place=71)
    read(shop((71, 5)))
    StockLevel.objects.update(at=world.stage.ago(1))
    moved(world, 3, place=71)
    assert (level(), queued()) == (("LAMP", 3), [])


def test_one_place_of_several_is_not_taken_for_all(world: World) -> None:
    moved(world, 5, place=71)
    read(shop((71, 5), (72, 9)))
    assert level() == ("LAMP", 14)
    StockLevel.objects.update(at=world.stage.ago(1))
    moved(world, 0, place=71)
    assert read(shop((71, 0), (72, 9))) == 1
    assert level() == ("LAMP", 9)


def waiting() -> StockReading:
    return StockReading.objects.get()


@pytest.mark.parametrize("answer", [AWAY, UNKNOWN_ITEM])
def test_an_item_that_can_not_be_read_is_not_guessed(world: World, answer: Any) -> None:
    moved(world, 5)
    read(Vendor(answer))
    assert not StockLevel.objects.exists()


def test_an_item_without_a_sku_is_nobodys(world: World) -> None:
    moved(world, 5)
    read(shop((71, 5), sku=None))
    assert not StockLevel.objects.exists()


def test_a_throttled_reading_is_made_when_the_shop_may_be_asked_and_not_before(
    world: World, clock: Clock
) -> None:
    moved(world, 5)
    assert read(Vendor(busy)) == 1
    clock.advance(timedelta(seconds=29))
    assert (sweep(), queued()) == (0, [])
    # A task that was doubled comes too early.
    ring("read_stock", waiting().pk)
    assert read(shop((71, 5))) == 0
    # By then the shop's own bucket has filled again too.
    clock.advance(timedelta(seconds=7))
    assert sweep() == 1
    assert read(shop((71, 5))) == 1
    assert (level(), StockReading.objects.count()) == (("LAMP", 5), 0)


def test_a_shop_that_stays_away_is_asked_less_and_less_often(world: World, clock: Clock) -> None:
    moved(world, 5)
    waits = []
    for _ in range(3):
        Circuit.objects.all().delete()
        read(Vendor(AWAY))
        waits.append(waiting().due_at - clock.at)
        clock.advance(waits[-1])
        sweep()
    assert waits == [timedelta(seconds=seconds) for seconds in (2, 4, 8)]


def test_a_reading_that_we_hold_back_ourselves_counts_as_no_attempt(world: World, clock: Clock) -> None:
    moved(world, 5)
    for _ in range(circuits.OPENS_AFTER):
        circuits.failed(Line(NORTH.slug, "shopify", Circuit.Work.READ), probe=False)
    assert read(shop((71, 5))) == 0
    row = waiting()
    assert (row.attempts, row.error) == (0, "circuit_open")
    assert row.due_at - clock.at == timedelta(seconds=circuits.FIRST_SECONDS)


def test_a_reading_whose_task_was_lost_is_asked_for_again_once_in_a_while(world: World, clock: Clock) -> None:
    moved(world, 5)
    forget_tasks()
    assert sweep() == 0
    clock.advance(MINUTE + timedelta(seconds=1))
    assert [sweep(), sweep()] == [1, 0]
    assert queued() == [("read_stock", waiting().pk)]


def test_a_reading_whose_reader_died_is_made_by_another_when_the_lease_is_over(
    world: World, clock: Clock
) -> None:
    moved(world, 5)
    StockReading.objects.update(lease_until=clock.at + stocking.LEASE, fence=7)
    clock.advance(stocking.LEASE)
    assert (sweep(), read(shop((71, 5)))) == (0, 0)
    clock.advance(timedelta(seconds=1))
    assert (sweep(), read(shop((71, 5)))) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_eight_tasks_at_once_read_once(world: World) -> None:
    moved(world, 5)
    row, others = waiting().pk, threading.Semaphore(0)
    answer = shop((71, 5))

    def when_the_others_have_left(request: httpx.Request) -> httpx.Response:
        for _ in range(THREADS - 1):
            others.acquire(timeout=5)
        return answer(request)

    def task(_: int) -> bool:
        with wire.transport_override(httpx.MockTransport(when_the_others_have_left)):
            known = stocking.read_stock(row)
        others.release()
        return known

    assert sorted(at_once(task)) == [False] * (THREADS - 1) + [True]
    assert (len(answer.asked), level()) == (1, ("LAMP", 5))


@pytest.mark.parametrize("first", [shop((71, 5)), Vendor(UNKNOWN_ITEM), Vendor(AWAY)])
def test_news_that_comes_during_a_reading_is_read_too(
    world: World, clock: Clock, first: Callable[[httpx.Request], httpx.Response]
) -> None:
    moved(world, 5)

    def meanwhile(request: httpx.Request) -> httpx.Response:
        if InboundEvent.objects.count() == 1:
            moved(world, 3, days=-0.01)
        return first(request)

    second = shop((71, 3))
    with wire.transport_override(httpx.MockTransport(meanwhile)):
        stocking.read_stock(waiting().pk)
    assert read(second) == 1
    assert (level(), StockReading.objects.count()) == (("LAMP", 3), 0)


def test_news_does_not_wait_for_what_was_put_off_before_it(world: World, clock: Clock) -> None:
    moved(world, 5)
    read(Vendor(AWAY))
    moved(world, 3, days=0.05)
    assert waiting().attempts == 0
    assert read(shop((71, 3))) == 1
    assert level() == ("LAMP", 3)


def test_news_from_before_the_last_reading_asks_for_none(world: World, clock: Clock) -> None:
    moved(world, 5, place=71)
    read(shop((71, 5), (72, 9)))
    moved(world, 4, place=71, days=0.05)
    assert read(shop((71, 4), (72, 9))) == 0
    assert (level(), StockReading.objects.count()) == (("LAMP", 14), 0)


def test_old_news_that_comes_late_does_not_make_the_newest_older(world: World) -> None:
    moved(world, 3, days=0.05)
    newest = waiting().news_at
    moved(world, 5)
    assert waiting().news_at == newest


@pytest.mark.parametrize("answer", [Vendor(UNKNOWN_ITEM), Vendor(httpx.Response(200, json={"data": {}}))])
def test_what_asking_again_does_not_change_is_not_asked_again(
    world: World, clock: Clock, answer: Vendor
) -> None:
    moved(world, 5)
    read(answer)
    clock.advance(DAY)
    assert (sweep(), StockReading.objects.count()) == (0, 0)


def test_a_reading_that_fails_is_made_again(world: World, clock: Clock) -> None:
    moved(world, 5)
    with broken("tools_stocklevel"):
        read(shop((71, 5)))
    assert waiting().error == "failed:ProgrammingError"
    clock.advance(MINUTE)
    assert (sweep(), read(shop((71, 5)))) == (1, 1)
    assert level() == ("LAMP", 5)


def given_up(world: World, clock: Clock) -> list[Any]:
    """An item of a shop that was away for a day; the lines of the log about the last try."""
    moved(world, 5)
    read(Vendor(AWAY))
    clock.advance(DAY)
    sweep()
    with capture_logs() as lines:
        assert read(Vendor(AWAY)) > 0
    return [line for line in lines if line["event"] == "stock.given_up"]


def test_after_a_day_a_reading_is_given_up_and_told(world: World, clock: Clock) -> None:
    (line,) = given_up(world, clock)
    assert (line["log_level"], line["code"], line["attempts"]) == ("warning", "http_503", 2)
    assert line["correlation_id"] == str(InboundEvent.objects.get().correlation_id)
    assert waiting().given_up_at == clock.at
    clock.advance(DAY)
    assert (sweep(), stocking.read_stock(waiting().pk), queued()) == (0, False, [])


def test_news_of_an_item_that_was_given_up_is_read(world: World, clock: Clock) -> None:
    given_up(world, clock)
    Circuit.objects.all().delete()
    moved(world, 3, days=0.05)
    assert read(shop((71, 3))) == 1
    assert (level(), StockReading.objects.count()) == (("LAMP", 3), 0)


def test_staff_see_how_many_items_were_given_up(world: World, clock: Clock, admin_client: Client) -> None:
    stock = reverse("admin:tools_stocklevel_changelist")
    assert "could not be asked" not in admin_client.get(stock).content.decode()
    given_up(world, clock)
    assert "could not be asked about 1 item for a day" in admin_client.get(stock).content.decode()


def test_the_news_of_another_shop_that_installed_the_app_is_turned_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its signature is right: the app's secret signs for all shops."""
    monkeypatch.setenv("NORTH_SHOPIFY_ADMIN_URL", "https://north.myshopify.com")
    step = world.order_step(world.sold(world.customer()))
    assert step.headers["X-Shopify-Shop-Domain"] != "north.myshopify.com"
    assert post(step).status_code == 401
