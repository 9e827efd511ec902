"""What Shopify's webhooks tell in our words, and which changes of theirs stop us."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.adapters import bodies
from tests.adapters.bodies import both, raw
from tests.adapters.faking import KEY, NORTH
from tools.adapters import shopify_webhooks
from tools.errors import ContractDrift
from tools.snapshots import (
    DisputeSnapshot,
    OrderSnapshot,
    RefundSnapshot,
    ReturnSnapshot,
    RiskSnapshot,
    ShipmentSnapshot,
    StockSnapshot,
)


def order(**changes: Any) -> OrderSnapshot:
    seen = shopify_webhooks.parse("orders/create", raw(bodies.shopify_order(**changes)))
    assert isinstance(seen, OrderSnapshot)
    return seen


def parcel(**changes: Any) -> ShipmentSnapshot:
    seen = shopify_webhooks.parse("fulfillments/update", raw(bodies.fulfillment(**changes)))
    assert isinstance(seen, ShipmentSnapshot)
    return seen


def refund(**changes: Any) -> RefundSnapshot:
    seen = shopify_webhooks.parse("refunds/create", raw(bodies.refund(**changes)))
    assert isinstance(seen, RefundSnapshot)
    return seen


def test_an_order_is_told_in_the_money_that_the_customer_paid() -> None:
    seen = order()
    assert (seen.currency, seen.total_minor, seen.shipping_minor) == ("EUR", 2642, 490)


def test_a_line_costs_what_was_paid_for_it_after_discount_and_with_tax() -> None:
    (line,) = order().lines
    assert line.total_minor == 2 * 1200 - 400 + 152


def test_tax_that_is_in_the_price_is_not_added_again() -> None:
    (line,) = order(taxes_included=True).lines
    assert line.total_minor == 2 * 1200 - 400


def test_yen_have_no_decimals() -> None:
    seen = order(
        presentment_currency="JPY",
        total_price_set=both("3000", "JPY"),
        total_shipping_price_set=both("0", "JPY"),
        line_items=[],
    )
    assert seen.total_minor == 3000


def test_an_order_names_its_buyer_and_their_language() -> None:
    seen = order().customer
    assert seen is not None
    assert (seen.external_id, seen.email, seen.first_name, seen.locale) == (
        "7",
        "ada@work.example",
        "Ada",
        "de-DE",
    )


def test_an_order_without_a_customer_is_an_order() -> None:
    assert order(customer=None).customer is None


def test_words_for_a_state_are_the_same_in_webhook_and_reading() -> None:
    assert order().fulfillment_status == "partially_fulfilled"
    assert order(fulfillment_status=None).fulfillment_status == "unfulfilled"


def test_times_are_aware_and_tags_are_a_list() -> None:
    seen = order()
    assert seen.placed_at == datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert seen.tags == ("vip", "gift")


def test_a_webhook_tells_of_no_payment_so_it_is_never_complete() -> None:
    assert (order().complete, order().payments, order().gateways) == (False, (), ("stripe",))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"presentment_currency": None}, "presentment_currency"),
        ({"total_price_set": both("26.423")}, "total_price_set"),  # more decimals than the euro has
        ({"total_price_set": both("26.42", "USD")}, "total_price_set"),
        ({"total_price_set": both("NaN")}, "total_price_set"),
        ({"updated_at": "yesterday"}, "updated_at"),
        ({"updated_at": "2026-11-01T10:05:00"}, "updated_at"),  # no time zone
        ({"id": "5001001"}, "id"),
        ({"line_items": None}, "line_items"),
        ({"line_items": [{"id": 11}]}, "line_items.0.sku"),
        ({"total_price_set": both("-1.00")}, "total_minor"),
    ],
)
def test_a_changed_field_of_an_order_is_named(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(ContractDrift) as caught:
        order(**changes)
    assert caught.value.field_path == path


def test_the_report_of_a_change_holds_no_personal_text() -> None:
    with pytest.raises(ContractDrift) as caught:
        order(email=["ada@example.com"])
    assert "ada" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'"orders"'])
def test_a_body_that_is_no_order_is_drift(body: bytes) -> None:
    with pytest.raises(ContractDrift):
        shopify_webhooks.parse("orders/create", body)


@pytest.mark.parametrize("topic", ["products/update", "orders/delete", "", "nonsense"])
def test_a_topic_that_we_do_not_read_is_absorbed(topic: str) -> None:
    assert shopify_webhooks.parse(topic, b"anything") is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "in_transit"),
        ({"shipment_status": "delivered"}, "delivered"),
        ({"shipment_status": "attempted_delivery"}, "in_transit"),
        ({"shipment_status": "label_printed"}, "created"),
        ({"shipment_status": "failure"}, "failure"),
        ({"shipment_status": None}, None),  # says nothing, so it overwrites nothing
        ({"status": "cancelled"}, "cancelled"),
    ],
)
def test_a_parcel_is_where_the_carrier_says(changes: dict[str, Any], status: str | None) -> None:
    assert parcel(**changes).status == status


def test_an_unknown_word_of_the_carrier_decides_nothing() -> None:
    with pytest.raises(ContractDrift) as caught:
        parcel(shipment_status="teleported")
    assert caught.value.field_path == "shipment_status"


def test_a_scan_tells_of_its_parcel() -> None:
    scan = {
        "fulfillment_id": 900,
        "order_id": 5001001,
        "status": "delivered",
        "happened_at": "2026-11-04T09:00:00Z",
    }
    seen = shopify_webhooks.parse("fulfillment_events/create", raw(scan))
    assert isinstance(seen, ShipmentSnapshot)
    assert (seen.external_id, seen.status, seen.delivered_at) == ("900", "delivered", seen.moved_at)


def test_a_refund_tells_what_went_back_to_which_payment() -> None:
    seen = refund()
    (part,) = seen.parts
    assert (part.ref, part.payment_external_id, part.amount_minor, part.status) == (
        "77",
        "31",
        1276,
        "succeeded",
    )
    assert [(line.line_external_id, line.quantity) for line in seen.lines] == [("11", 1)]
    assert seen.call_key == ""


def test_a_refund_of_ours_carries_its_key_in_the_note() -> None:
    assert refund(note=f"case 5 [{KEY}]").call_key == str(KEY)


def test_a_refund_through_stripe_has_the_same_name_at_both_vendors() -> None:
    (moved,) = bodies.refund()["transactions"]
    seen = refund(transactions=[{**moved, "gateway": "stripe", "receipt": {"id": "re_9"}}])
    assert seen.parts[0].ref == "re_9"


def test_refunded_shipping_counts_with_its_tax() -> None:
    line = {"subtotal_amount_set": both("4.00"), "tax_amount_set": both("0.90")}
    assert refund(refund_shipping_lines=[line]).shipping_minor == 490


def test_a_dispute_is_found_by_its_order() -> None:
    seen = shopify_webhooks.parse("disputes/create", raw(bodies.shopify_dispute()))
    assert isinstance(seen, DisputeSnapshot)
    assert (seen.order_external_id, seen.amount_minor, seen.status) == ("5001001", 2642, "needs_response")
    assert seen.created_at == datetime(2026, 11, 5, 10, tzinfo=UTC)


def test_an_inquiry_is_less_than_a_chargeback() -> None:
    seen = shopify_webhooks.parse("disputes/create", raw(bodies.shopify_dispute(type="inquiry")))
    assert isinstance(seen, DisputeSnapshot)
    assert seen.status == "warning_needs_response"


def test_a_new_state_of_a_dispute_is_drift() -> None:
    with pytest.raises(ContractDrift) as caught:
        shopify_webhooks.parse("disputes/update", raw(bodies.shopify_dispute(status="appealed")))
    assert caught.value.field_path == "status"


@pytest.mark.parametrize(("level", "risk"), [("HIGH", "high"), ("pending", "pending"), ("LOW", "low")])
def test_a_pending_risk_is_not_a_low_one(level: str, risk: str) -> None:
    body = {"order_id": "5001001", "admin_graphql_api_order_id": None, "risk_level": level}
    seen = shopify_webhooks.parse("orders/risk_assessment_changed", raw(body))
    assert seen == RiskSnapshot.model_validate({"order_external_id": "5001001", "level": risk})


def test_a_new_risk_level_is_drift_and_no_opinion_is_none() -> None:
    body = {"order_id": None, "admin_graphql_api_order_id": "gid://shopify/Order/1", "risk_level": "NONE"}
    assert shopify_webhooks.parse("orders/risk_assessment_changed", raw(body)) is None
    with pytest.raises(ContractDrift) as caught:
        shopify_webhooks.parse("orders/risk_assessment_changed", raw({**body, "risk_level": "EXTREME"}))
    assert (caught.value.field_path, caught.value.finding) == ("risk_level", "unknown_value")


def test_a_return_may_come_without_its_time() -> None:
    seen = shopify_webhooks.parse(
        "returns/request", raw({"id": 5, "status": "requested", "order": {"id": 1}})
    )
    assert seen == ReturnSnapshot(external_id="5", order_external_id="1", status="requested")


def test_stock_names_the_inventory_item() -> None:
    body = {
        "inventory_item_id": 49,
        "location_id": 71,
        "available": None,
        "updated_at": "2026-11-01T10:00:00Z",
    }
    seen = shopify_webhooks.parse("inventory_levels/update", raw(body))
    assert isinstance(seen, StockSnapshot)
    assert (seen.inventory_item, seen.location, seen.available) == ("49", "71", None)


HEADERS = {
    "X-Shopify-Topic": "orders/create",
    "X-Shopify-Shop-Domain": "north.example",
    "X-Shopify-Webhook-Id": "w-1",
}


def test_a_delivery_is_known_by_its_headers() -> None:
    found = shopify_webhooks.envelope({name.lower(): value for name, value in HEADERS.items()})
    assert (found.account, found.external_id, found.topic) == ("north.example", "w-1", "orders/create")


@pytest.mark.parametrize("missing", HEADERS)
def test_a_delivery_without_an_identity_is_drift(missing: str) -> None:
    with pytest.raises(ContractDrift) as caught:
        shopify_webhooks.envelope({**HEADERS, missing: ""})
    assert caught.value.field_path == missing


@pytest.mark.parametrize(
    ("url", "told", "ours"),
    [
        ("https://north.myshopify.com", "north.myshopify.com", True),
        ("https://north.myshopify.com/", "North.MyShopify.com", True),
        ("https://north.myshopify.com", "other.myshopify.com", False),
        ("https://north.myshopify.com", "north.myshopify.com.evil.example", False),
        ("https://north.myshopify.com", "", True),  # goes on, and is kept as a dead letter
        (
            "https://myshopify.com.example",
            "other.myshopify.com",
            True,
        ),  # no address at Shopify: nothing to compare
        ("http://127.0.0.1:8900/north/shopify", "fjell-and-fern.myshopify.example", True),
        ("", "other.myshopify.com", True),
    ],
)
def test_a_delivery_is_of_the_shop_whose_address_we_know(
    monkeypatch: pytest.MonkeyPatch, url: str, told: str, ours: bool
) -> None:
    monkeypatch.setenv("NORTH_SHOPIFY_ADMIN_URL", url)
    assert shopify_webhooks.domain_matches(NORTH, {"x-shopify-shop-domain": told}) is ours


def test_every_tracking_number_of_a_parcel_is_told() -> None:
    assert parcel(tracking_numbers=["JD01", "JD02"]).tracking_numbers == ("JD01", "JD02")
    assert parcel().tracking_numbers == ("JD01",)
    assert parcel(tracking_number=None).tracking_numbers == ()


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"updated_at": None}, "null"),
        ({"id": "5001001"}, "retyped"),
        ({"line_items": [{"id": 11}]}, "missing"),
        ({"total_price_set": both("-1.00")}, "retyped"),
    ],
)
def test_what_has_changed_in_a_body_is_said(changes: dict[str, Any], finding: str) -> None:
    with pytest.raises(ContractDrift) as caught:
        order(**changes)
    assert caught.value.finding == finding


def test_a_new_word_for_a_return_is_drift() -> None:
    body = {"id": 5, "status": "TELEPORTED", "order": {"id": 1}}
    with pytest.raises(ContractDrift) as caught:
        shopify_webhooks.parse("returns/request", raw(body))
    assert (caught.value.field_path, caught.value.finding) == ("status", "unknown_value")


def test_a_test_order_is_told_as_one() -> None:
    assert (order(test=True).is_test, order().is_test) == (True, None)
