"""What the stand-ins refuse, count and forget as the vendors do: cost, versions, cancelling, keys, events, notes."""

from typing import Any

import pytest

from tests.sandbox.world import LINE_GID, ORDER_GID, REFUND, Caller, order, refund_input

CANCEL = """mutation Cancel($id: ID!, $refund: Boolean!) {
  orderCancel(orderId: $id, reason: CUSTOMER, restock: true, refundMethod: {originalPaymentMethodsRefund: $refund}) {
    job { id done } orderCancelUserErrors { code message } } }"""
DISPUTE = '{ dispute(id: "gid://shopify/ShopifyPaymentsDispute/77") { evidenceDueBy status } }'
SHOPIFYS = {"shop": "north", "id": 77, "order_id": 5001001, "amount": "28.90", "reason": "fraudulent",
            "status": "needs_response", "created_at": "2026-11-03T00:00:00Z",
            "evidence_due_by": "2026-11-20T17:00:00Z"}  # fmt: skip


def cost(answer: Any) -> dict[str, Any]:
    return dict(answer.json()["extensions"]["cost"])


def test_a_query_costs_its_objects_and_gets_the_rest_back(caller: Caller) -> None:
    document = f'{{ order(id: "{ORDER_GID}") {{ id lineItems(first: 50) {{ nodes {{ id }} }} }} }}'
    told = cost(caller.shopify(document))
    assert (told["requestedQueryCost"], told["actualQueryCost"]) == (1 + 2 + 50, 1 + 2 + 1)
    assert told["throttleStatus"]["currentlyAvailable"] == 2000 - 4


def test_too_dear_a_query_is_never_run(caller: Caller) -> None:
    document = "{ orders(first: 100) { nodes { id lineItems(first: 10) { nodes { id } } } } }"
    error = caller.shopify(document).json()["errors"][0]
    assert error["extensions"]["code"] == "MAX_COST_EXCEEDED"


def test_an_empty_bucket_throttles_until_time_fills_it(caller: Caller) -> None:
    caller.control("shops", {"slug": "north", "bucket": 60, "restore_rate": 0.001})
    document = f'{{ order(id: "{ORDER_GID}") {{ id lineItems(first: 50) {{ nodes {{ id }} }} }} }}'
    assert "data" in caller.shopify(document).json()
    assert "data" in caller.shopify(document).json()
    refused = caller.shopify(document)
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (200, "THROTTLED")
    caller.wait(100_000)
    assert "data" in caller.shopify(document).json()


@pytest.mark.parametrize(("version", "due"), [("2026-01", "2026-11-20"), ("2026-04", "2026-11-20T17:00:00Z")])
def test_a_dispute_is_due_on_a_day_or_at_an_instant(caller: Caller, version: str, due: str) -> None:
    caller.control("disputes", SHOPIFYS)
    assert caller.shopify(DISPUTE, version=version).json()["data"]["dispute"]["evidenceDueBy"] == due
    assert caller.order("disputes { id status }")["disputes"][0]["status"] == "NEEDS_RESPONSE"


def test_the_directive_does_not_exist_before_2026_01(caller: Caller) -> None:
    answer = caller.shopify(REFUND, version="2025-10", input=refund_input("12.00"), key="k1").json()
    assert "idempotent" in answer["errors"][0]["message"]
    assert caller.refunded() == 0


def test_a_retired_version_falls_forward(caller: Caller) -> None:
    caller.control("shops", {"slug": "north", "shopify_versions": ["2026-04", "2026-07"]})
    answer = caller.shopify("{ shop { name } }", version="2026-01")
    assert answer.headers["X-Shopify-API-Version"] == "2026-04"


def test_a_deprecated_field_is_told_in_the_header(caller: Caller) -> None:
    document = '{ customer(id: "gid://shopify/Customer/7") { email } }'
    assert "X-Shopify-API-Deprecated-Reason" in caller.shopify(document).headers
    assert "X-Shopify-API-Deprecated-Reason" not in caller.shopify("{ shop { name } }").headers


def test_cancelling_is_done_later_and_never_twice(caller: Caller) -> None:
    caller.control("stock", {"shop": "north", "sku": "LAMP", "available": 4})
    first = caller.shopify(CANCEL, id=ORDER_GID, refund=True).json()["data"]["orderCancel"]
    again = caller.shopify(CANCEL, id=ORDER_GID, refund=True).json()["data"]["orderCancel"]
    assert (first["job"]["done"], again["job"]) == (False, None)
    assert caller.order("cancelledAt")["cancelledAt"] is None
    caller.wait(5)
    assert caller.order("cancelledAt cancelReason")["cancelReason"] == "CUSTOMER"
    job = caller.shopify(f'{{ job(id: "{first["job"]["id"]}") {{ done }} }}').json()["data"]["job"]
    assert (job["done"], caller.refunded()) == (True, 2890)
    item = caller.shopify('{ productVariant(id: "gid://shopify/ProductVariant/21") { inventoryQuantity } }')
    assert item.json()["data"]["productVariant"]["inventoryQuantity"] == 6


def test_a_sent_order_is_not_cancelled(caller: Caller) -> None:
    body = {"id": 1, "status": "in_transit", "created_at": "2026-11-02T09:00:00Z"}
    caller.control("orders/north/5001001/fulfilments", body)
    made = caller.shopify(CANCEL, id=ORDER_GID, refund=True).json()["data"]["orderCancel"]
    assert made["orderCancelUserErrors"][0]["code"] == "INVALID"


def test_goods_come_back_to_a_place_that_is_named(caller: Caller) -> None:
    caller.control("stock", {"shop": "north", "sku": "LAMP", "available": 4})
    line = {"lineItemId": LINE_GID, "quantity": 1, "restockType": "RETURN"}
    assert "Location" in caller.shopify_refund("k1", refundLineItems=[line])["userErrors"][0]["message"]
    place = {**line, "locationId": "gid://shopify/Location/1"}
    assert caller.shopify_refund("k1", refundLineItems=[place])["userErrors"] == []
    document = """{ inventoryItem(id: "gid://shopify/InventoryItem/21") { inventoryLevels(first: 1) {
      nodes { quantities(names: ["available"]) { quantity } } } } }"""
    item = caller.shopify(document).json()["data"]["inventoryItem"]
    assert item["inventoryLevels"]["nodes"][0]["quantities"] == [{"quantity": 5}]


def test_changed_orders_are_found_page_by_page_and_move_when_touched(caller: Caller) -> None:
    for number in range(2, 7):
        at = f"2026-11-0{number}T00:00:00Z"
        caller.control("orders", order(id=5001000 + number, name=f"#100{number}", charge=None, created_at=at))
    document = """query Changed($after: String) { orders(first: 2, after: $after, sortKey: UPDATED_AT,
      query: "updated_at:>='2026-11-03T00:00:00Z'") { nodes { name } pageInfo { hasNextPage endCursor } } }"""
    seen, after = [], None
    while True:
        page = caller.shopify(document, after=after).json()["data"]["orders"]
        seen += [one["name"] for one in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == ["#1003", "#1004", "#1005", "#1006"]
    before = caller.order("updatedAt")["updatedAt"]
    caller.shopify_refund("k1")
    assert caller.order("updatedAt")["updatedAt"] > before


def test_more_lines_than_a_page_are_read_on(caller: Caller) -> None:
    lines = [{**order()["lines"][0], "id": 100 + number} for number in range(60)]
    caller.control("orders", order(lines=lines, total="1444.90"))
    first = caller.order("lineItems(first: 50) { nodes { id } pageInfo { hasNextPage endCursor } }")[
        "lineItems"
    ]
    mark = first["pageInfo"]["endCursor"]
    rest = caller.order(f'lineItems(first: 50, after: "{mark}") {{ nodes {{ id }} }}')["lineItems"]
    assert (len(first["nodes"]), first["pageInfo"]["hasNextPage"], len(rest["nodes"])) == (50, True, 10)


def test_a_key_is_forgotten_after_a_day(caller: Caller) -> None:
    first = caller.refund("k1").json()
    caller.wait(23 * 3600)
    assert caller.refund("k1").json() == first
    caller.wait(2 * 3600)
    assert caller.refund("k1").json()["id"] != first["id"]
    assert caller.refunded() == 1000


def test_every_change_is_an_event_and_can_be_listed_on(caller: Caller) -> None:
    for number in range(3):
        caller.refund(f"k{number}", 10)
    params = {"types[0]": "refund.created", "limit": "2", "created[gte]": "1"}
    page = caller.stripe("GET", "events", params=params).json()
    assert (len(page["data"]), page["has_more"]) == (2, True)
    rest = caller.stripe("GET", "events", params={**params, "starting_after": page["data"][-1]["id"]}).json()
    assert (len(rest["data"]), rest["has_more"]) == (1, False)
    assert caller.stripe("GET", "events", params={"created[gte]": "4000000000"}).json()["data"] == []
    assert caller.stripe("GET", "events", params={"colour": "red"}).status_code == 400


def test_a_credit_note_refunds_once_and_never_more_than_was_paid(caller: Caller) -> None:
    caller.control("invoices", {"shop": "north", "id": "in_1", "charge": "ch_1"})
    form = {"invoice": "in_1", "amount": "2000", "refund_amount": "2000"}
    first = caller.stripe("POST", "credit_notes", "n1", data=form).json()
    assert caller.stripe("POST", "credit_notes", "n1", data=form).json() == first
    assert (first["amount"], first["refunds"][0]["amount_refunded"], caller.refunded()) == (2000, 2000, 2000)
    assert caller.stripe("POST", "credit_notes", "n2", data=form).status_code == 400
    listed = caller.stripe("GET", "credit_notes", params={"invoice": "in_1"}).json()["data"]
    assert [one["id"] for one in listed] == [first["id"]]


def test_an_early_fraud_warning_loses_its_point_once_all_went_back(caller: Caller) -> None:
    caller.control("fraud_warnings", {"shop": "north", "id": "issfr_1", "charge": "ch_1"})
    listed = caller.stripe("GET", "radar/early_fraud_warnings", params={"charge": "ch_1"}).json()["data"]
    assert [one["actionable"] for one in listed] == [True]
    caller.refund("k1", None)
    assert caller.stripe("GET", "radar/early_fraud_warnings/issfr_1").json()["actionable"] is False


def test_only_a_pending_refund_is_cancelled(caller: Caller) -> None:
    caller.fault("stripe", "pending", "refunds.create")
    name = caller.refund("k1").json()["id"]
    assert caller.stripe("POST", f"refunds/{name}/cancel", "c1").json()["status"] == "canceled"
    assert caller.stripe("POST", f"refunds/{name}/cancel", "c2").status_code == 400
    assert caller.refunded() == 0


def test_a_live_key_says_so_in_every_object(caller: Caller) -> None:
    assert caller.stripe("GET", "charges/ch_1").json()["livemode"] is False
    caller.control("shops", {"slug": "north", "stripe_key": "sk_live_north"})
    url, headers = "/north/stripe/v1/charges/ch_1", {"Authorization": "Bearer sk_live_north"}
    assert caller.client.get(url, headers=headers).json()["livemode"] is True


def test_notes_that_pay_elsewhere_count_against_the_invoice_too(caller: Caller) -> None:
    caller.control("invoices", {"shop": "north", "id": "in_1", "charge": "ch_1"})
    form = {"invoice": "in_1", "amount": "2000", "out_of_band_amount": "2000"}
    assert caller.stripe("POST", "credit_notes", "n1", data=form).status_code == 200
    assert caller.stripe("POST", "credit_notes", "n2", data=form).status_code == 400
    assert caller.refunded() == 0
