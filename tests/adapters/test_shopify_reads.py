"""Which orders changed, a dispute and the stock of an item, as Shopify tells them."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.adapters import shopify_answers as told
from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tools import wire
from tools.adapters import shopify
from tools.errors import ContractDrift, Refused
from tools.snapshots import ChangedOrders, DisputeSnapshot, StockSnapshot

SINCE = datetime(2026, 11, 1, 12, 0, 0, 999_999, tzinfo=timezone(timedelta(hours=2)))


def changed(vendor: Vendor, after: str = "") -> ChangedOrders:
    with wire.transport_override(vendor.transport):
        return shopify.changed_orders(NORTH, since=SINCE, after=after, correlation_id=CORRELATION)


def orders(**page: Any) -> dict[str, Any]:
    one = {"id": told.gid("Order", 1001), "updatedAt": "2026-11-01T10:00:00Z"}
    return {"orders": told.page(one, **page)}


def test_changed_orders_come_by_page_with_the_moment_of_their_change() -> None:
    found = changed(told.shop(OpsChangedOrders=orders(more=True, end="c1")))
    assert (found.after, found.has_more) == ("c1", True)
    assert [(one.external_id, one.updated_at) for one in found.orders] == [
        ("1001", datetime(2026, 11, 1, 10, tzinfo=UTC))
    ]


def test_the_search_is_by_whole_seconds_and_forgets_none() -> None:
    vendor = told.shop(OpsChangedOrders=orders())
    changed(vendor, "c1")
    assert vendor.json()["variables"] == {"query": "updated_at:>='2026-11-01T10:00:00Z'", "after": "c1"}


def test_a_page_that_goes_on_nowhere_is_drift() -> None:
    with pytest.raises(ContractDrift) as caught:
        changed(told.shop(OpsChangedOrders=orders(more=True)))
    assert caught.value.field_path == "data.orders.pageInfo.endCursor"


def dispute(**changes: Any) -> DisputeSnapshot:
    thing = {
        "id": told.gid("ShopifyPaymentsDispute", 66),
        "status": "NEEDS_RESPONSE",
        "type": "CHARGEBACK",
        "initiatedAt": "2026-11-05T10:00:00Z",
        "evidenceDueBy": "2026-11-20T00:00:00Z",
        "amount": {"amount": "26.42", "currencyCode": "EUR"},
        "reasonDetails": {"reason": "FRAUDULENT"},
        "order": {"id": told.gid("Order", 1001)},
        **changes,
    }
    with wire.transport_override(told.shop(OpsDispute={"dispute": thing}).transport):
        return shopify.read_dispute(NORTH, "66", correlation_id=CORRELATION)


def test_a_dispute_tells_its_sum_and_its_deadline() -> None:
    seen = dispute()
    assert (seen.external_id, seen.order_external_id, seen.status) == ("66", "1001", "needs_response")
    assert (seen.amount_minor, seen.currency, seen.reason) == (2642, "EUR", "fraudulent")
    assert seen.evidence_due_at == datetime(2026, 11, 20, tzinfo=UTC)


def test_a_dispute_counts_by_the_time_at_which_the_bank_began_it() -> None:
    assert dispute().created_at == datetime(2026, 11, 5, 10, tzinfo=UTC)


def test_an_inquiry_is_less_than_a_chargeback() -> None:
    assert dispute(type="INQUIRY").status == "warning_needs_response"
    assert dispute(type="INQUIRY", status="LOST").status == "lost"


@pytest.mark.parametrize(
    ("changes", "path", "finding"),
    [
        # As 2026-01 told it: https://shopify.dev/changelog
        ({"evidenceDueBy": "2026-11-20"}, "data.dispute.evidenceDueBy", "retyped"),
        ({"status": "APPEALED"}, "data.dispute.status", "unknown_value"),
        ({"type": "RETRIEVAL"}, "data.dispute.type", "unknown_value"),
        ({"amount": {"amount": "26.421", "currencyCode": "EUR"}}, "data.dispute.amount.amount", "retyped"),
        ({"reasonDetails": None}, "data.dispute.reasonDetails", "null"),
    ],
)
def test_a_dispute_in_another_form_is_drift(changes: dict[str, Any], path: str, finding: str) -> None:
    with pytest.raises(ContractDrift) as caught:
        dispute(**changes)
    assert (caught.value.field_path, caught.value.finding) == (path, finding)


def stock(**changes: Any) -> StockSnapshot:
    def level(count: int, place: int) -> dict[str, Any]:
        return {
            "location": {"id": told.gid("Location", place)},
            "quantities": [{"name": "available", "quantity": count}],
        }

    item = {
        "id": told.gid("InventoryItem", 49),
        "sku": "LAMP",
        "tracked": True,
        "inventoryLevels": told.page(level(3, 71), level(4, 72)),
        **changes,
    }
    with wire.transport_override(told.shop(OpsInventoryItem={"inventoryItem": item}).transport):
        return shopify.read_stock(NORTH, "49", correlation_id=CORRELATION)


def test_stock_is_all_locations_together_under_the_items_sku() -> None:
    seen = stock()
    assert (seen.inventory_item, seen.sku, seen.available, seen.location) == ("49", "LAMP", 7, "")


def test_an_item_in_one_place_names_it() -> None:
    counts = [{"name": "available", "quantity": 3}]
    level = {"location": {"id": told.gid("Location", 71)}, "quantities": counts}
    assert stock(inventoryLevels=told.page(level)).location == "71"


@pytest.mark.parametrize("changes", [{"tracked": False}, {"inventoryLevels": told.page()}])
def test_an_item_that_is_not_counted_has_no_number(changes: dict[str, Any]) -> None:
    assert stock(**changes).available is None


def test_more_locations_than_one_page_are_not_added_up() -> None:
    with pytest.raises(Refused):
        stock(inventoryLevels=told.page(more=True))
