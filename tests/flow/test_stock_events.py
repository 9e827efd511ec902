"""A stock webhook names an item and a place; the item's SKU and what all places have are read at the shop."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from opsagent.demo import shopify_events
from tests.adapters import shopify_answers as told
from tests.adapters.faking import Vendor
from tests.flow.world import World, deliver, drain, post, queued
from tools import wire
from tools.models import StockLevel

pytestmark = pytest.mark.django_db

ITEM = 49_000_007


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


@pytest.mark.parametrize(
    "answer", [httpx.Response(503), httpx.Response(200, json={"data": {"inventoryItem": None}})]
)
def test_an_item_that_can_not_be_read_is_not_guessed(world: World, answer: Any) -> None:
    moved(world, 5)
    read(Vendor(answer))
    assert not StockLevel.objects.exists()


def test_an_item_without_a_sku_is_nobodys(world: World) -> None:
    moved(world, 5)
    read(shop((71, 5), sku=None))
    assert not StockLevel.objects.exists()


def test_the_news_of_another_shop_that_installed_the_app_is_turned_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its signature is right: the app's secret signs for all shops."""
    monkeypatch.setenv("NORTH_SHOPIFY_ADMIN_URL", "https://north.myshopify.com")
    step = world.order_step(world.sold(world.customer()))
    assert step.headers["X-Shopify-Shop-Domain"] != "north.myshopify.com"
    assert post(step).status_code == 401
