"""Shopify's stand-in: token, version, validation, the order graph, and refunds that never exceed it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.sandbox.world import LINE_GID, ORDER_GID, REFUND, SALE_GID, Caller, order, refund_input

MONEY = "{ shopMoney { amount currencyCode } }"


def test_an_order_is_answered_field_by_field(caller: Caller) -> None:
    got = caller.order(
        f"""name createdAt cancelledAt displayFinancialStatus displayFulfillmentStatus currencyCode
        totalPriceSet {MONEY} totalShippingPriceSet {MONEY}
        customer {{ id email firstName lastName phone numberOfOrders }}
        lineItems(first: 50) {{ nodes {{ id sku title quantity currentQuantity refundableQuantity
          originalUnitPriceSet {MONEY} discountedTotalSet {MONEY} taxLines {{ title priceSet {MONEY} }} }} }}
        transactions {{ id kind status gateway amountSet {MONEY} parentTransaction {{ id }} }}
        refunds {{ id }} risk {{ assessments {{ riskLevel }} }}"""
    )
    assert (got["name"], got["createdAt"], got["cancelledAt"]) == ("#1001", "2026-11-01T10:00:00Z", None)
    assert (got["displayFinancialStatus"], got["displayFulfillmentStatus"]) == ("PAID", "UNFULFILLED")
    assert got["totalPriceSet"]["shopMoney"] == {"amount": "28.9", "currencyCode": "USD"}
    assert got["customer"]["numberOfOrders"] == "1"
    assert got["lineItems"]["nodes"][0]["discountedTotalSet"]["shopMoney"]["amount"] == "24.0"
    assert [(one["id"], one["kind"], one["gateway"]) for one in got["transactions"]] == [
        (SALE_GID, "SALE", "stripe")
    ]
    assert got["risk"]["assessments"] == [{"riskLevel": "LOW"}]


def test_aliases_fragments_and_typename_are_understood(caller: Caller) -> None:
    document = """
      query Two($id: ID!) { one: order(id: $id) { ...Name } two: order(id: "gid://shopify/Order/9") { ...Name } }
      fragment Name on Order { __typename title: name }
    """
    answer = caller.shopify(document, id=ORDER_GID).json()
    assert answer["data"] == {"one": {"__typename": "Order", "title": "#1001"}, "two": None}


def test_a_field_that_is_not_served_is_refused_by_name(caller: Caller) -> None:
    answer = caller.shopify("{ shop { name favouriteColour } }").json()
    assert "favouriteColour" in answer["errors"][0]["message"]
    assert "data" not in answer


def test_a_connection_needs_a_page_size(caller: Caller) -> None:
    document = f'{{ order(id: "{ORDER_GID}") {{ lineItems {{ nodes {{ id }} }} }} }}'
    assert "first or last" in caller.shopify(document).json()["errors"][0]["message"]


@pytest.mark.parametrize("token", ["", "shpat_other"])
def test_a_wrong_token_is_a_401(caller: Caller, token: str) -> None:
    assert caller.shopify("{ shop { name } }", token=token).status_code == 401


@pytest.mark.parametrize(
    ("asked", "served"), [("2026-07", "2026-07"), ("2026-04", "2026-04"), ("2024-01", "2025-10")]
)
def test_an_unsupported_version_is_silently_served_as_the_oldest(
    caller: Caller, asked: str, served: str
) -> None:
    answer = caller.shopify("{ shop { name } }", version=asked)
    assert (answer.status_code, answer.headers["X-Shopify-API-Version"]) == (200, served)


def test_a_refund_moves_the_money_and_shows_in_the_order(caller: Caller) -> None:
    made = caller.shopify_refund("k1")
    assert made["userErrors"] == []
    assert made["refund"]["totalRefundedSet"]["shopMoney"] == {"amount": "12.0", "currencyCode": "USD"}
    got = caller.order(
        f"""displayFinancialStatus totalRefundedSet {MONEY}
        lineItems(first: 5) {{ nodes {{ refundableQuantity }} }}
        transactions {{ kind amountSet {MONEY} parentTransaction {{ id }} }}
        refunds {{ id createdAt refundLineItems(first: 5) {{ nodes {{ quantity lineItem {{ id }} }} }} }}"""
    )
    assert got["displayFinancialStatus"] == "PARTIALLY_REFUNDED"
    assert got["lineItems"]["nodes"] == [{"refundableQuantity": 1}]
    assert [one["kind"] for one in got["transactions"]] == ["SALE", "REFUND"]
    assert got["transactions"][1]["parentTransaction"] == {"id": SALE_GID}
    assert got["refunds"][0]["refundLineItems"]["nodes"] == [{"quantity": 1, "lineItem": {"id": LINE_GID}}]
    assert caller.ledger()["refunds"][0]["idempotency_key"] == "k1"


def test_a_refund_without_a_key_is_an_error_since_2026_04(caller: Caller) -> None:
    document = REFUND.replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
    refused = caller.shopify(document, input=refund_input("12.00")).json()
    assert refused["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert caller.refunded() == 0
    accepted = caller.shopify(document, version="2026-01", input=refund_input("12.00")).json()
    assert accepted["data"]["refundCreate"]["userErrors"] == []


def test_the_same_key_and_input_is_the_same_refund(caller: Caller) -> None:
    first, second = caller.shopify_refund("k1"), caller.shopify_refund("k1")
    assert first["refund"]["id"] == second["refund"]["id"]
    assert caller.refunded() == 1200


def test_the_same_key_with_other_input_is_refused(caller: Caller) -> None:
    caller.shopify_refund("k1", "12.00")
    second = caller.shopify_refund("k1", "11.00")
    assert "different operation parameters" in second["userErrors"][0]["message"]
    assert caller.refunded() == 1200


def test_a_refused_refund_leaves_its_key_unused(caller: Caller) -> None:
    assert caller.shopify_refund("k1", "99.00")["userErrors"]
    assert caller.shopify_refund("k1", "12.00")["userErrors"] == []


def test_eight_threads_with_one_key_make_one_refund(caller: Caller) -> None:
    # A late answer bends nothing, so these are held against the contract like any others.
    slow = {"vendor": "shopify", "operation": "refundCreate", "kind": "latency", "latency_ms": 300}
    caller.control("faults", slow)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: caller.shopify_refund("k1"), range(8)))
    refunds = {one["refund"]["id"] for one in made if one["refund"]}
    busy = [one["userErrors"][0]["message"] for one in made if not one["refund"]]
    assert len(refunds) == 1
    assert busy
    assert all("in progress" in message for message in busy)
    assert caller.refunded() == 1200


def test_eight_threads_never_refund_more_than_was_paid(caller: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(
                lambda number: caller.shopify_refund(f"k{number}", "10.00", refundLineItems=[]), range(8)
            )
        )
    assert Counter(bool(one["refund"]) for one in made) == {True: 2, False: 6}
    assert caller.refunded() == 2000


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"refundLineItems": [{"lineItemId": LINE_GID, "quantity": 3}]}, "more items than were purchased"),
    ({"refundLineItems": [{"lineItemId": LINE_GID, "quantity": 0}]}, "greater than 0"),
    ({"refundLineItems": [{"lineItemId": "gid://shopify/LineItem/9", "quantity": 1}]}, "does not belong"),
    ({"shipping": {"amount": "5.00"}}, "refundable shipping"),
    ({"currency": "EUR"}, "order's currency"),
    ({"orderId": "gid://shopify/Order/9"}, "does not exist"),
    ({"transactions": [], "refundLineItems": []}, "at least one"),
]


@pytest.mark.parametrize(("wish", "why"), REFUSED)
def test_a_refund_that_the_order_does_not_bear_is_refused(
    caller: Caller, wish: dict[str, Any], why: str
) -> None:
    made = caller.shopify_refund("k1", **wish)
    assert made["refund"] is None
    assert why in made["userErrors"][0]["message"]
    assert caller.refunded() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"parentId": None}, "parentId"),
        ({"gateway": "shopify_payments"}, "gateway"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": "-1.00"}, "amount"),
        ({"kind": "SALE"}, "kind"),
    ],
)
def test_a_wrong_transaction_is_named_by_its_field(
    caller: Caller, changes: dict[str, Any], field: str
) -> None:
    wish = refund_input("12.00")
    wish["transactions"][0].update(changes)
    answer = caller.shopify(REFUND, input=wish, key="k1").json()["data"]["refundCreate"]
    assert answer["userErrors"][0]["field"] == ["transactions", "0", field]


def test_suggested_refund_adds_lines_and_shipping_up_to_what_is_left(caller: Caller) -> None:
    lines = f'refundLineItems: [{{lineItemId: "{LINE_GID}", quantity: 1}}], refundShipping: true'
    fields = (
        f"amountSet {MONEY} suggestedTransactions {{ gateway amountSet {MONEY} parentTransaction {{ id }} }}"
    )
    got = caller.order(f"suggestedRefund({lines}) {{ {fields} }}")["suggestedRefund"]
    assert got["amountSet"]["shopMoney"]["amount"] == "16.9"
    assert got["suggestedTransactions"][0]["parentTransaction"] == {"id": SALE_GID}
    caller.shopify_refund("k1", "20.00", refundLineItems=[])
    capped = caller.order(f"suggestedRefund({lines}) {{ {fields} }}")["suggestedRefund"]
    assert capped["amountSet"]["shopMoney"]["amount"] == "8.9"


def test_odd_cents_of_a_line_add_up_to_its_price(caller: Caller) -> None:
    line = {**order()["lines"][0], "quantity": 3, "unit_price": "10.00", "discount": "0.01"}
    caller.control("orders", order(lines=[line], shipping="0.00", total="29.99"))
    fields = f'suggestedRefund(refundLineItems: [{{lineItemId: "{LINE_GID}", quantity: 1}}]) {{ amountSet {MONEY} }}'
    amounts = []
    for number in range(3):
        amount = caller.order(fields)["suggestedRefund"]["amountSet"]["shopMoney"]["amount"]
        caller.shopify_refund(f"k{number}", amount)
        amounts.append(amount)
    assert sorted(amounts) == ["10.0", "10.0", "9.99"]
    assert caller.refunded() == 2999


def test_yen_have_no_minor_unit(caller: Caller) -> None:
    line = {**order()["lines"][0], "quantity": 1, "unit_price": "3000", "tax": "0", "discount": "0"}
    caller.control("orders", order(currency="JPY", lines=[line], shipping="0", total="3000"))
    assert caller.order(f"totalPriceSet {MONEY}")["totalPriceSet"]["shopMoney"]["amount"] == "3000.0"
    caller.shopify_refund("k1", "3000")
    assert caller.ledger()["refunds"][0]["amount_minor"] == 3000


def test_tags_are_added_once_and_seen_in_the_ledger(caller: Caller) -> None:
    document = """mutation Tag($id: ID!, $tags: [String!]!) {
      tagsAdd(id: $id, tags: $tags) { node { id } userErrors { message } } }"""
    for _ in range(2):
        answer = caller.shopify(document, id=ORDER_GID, tags=["fraud"]).json()["data"]["tagsAdd"]
        assert answer == {"node": {"id": ORDER_GID}, "userErrors": []}
    assert caller.ledger()["tags"] == [{"shop": "north", "order_id": "5001001", "tag": "fraud"}]
    assert caller.order("tags")["tags"] == ["fraud"]
    missing = caller.shopify(document, id="gid://shopify/Order/9", tags=["fraud"]).json()["data"]["tagsAdd"]
    assert missing["userErrors"]


def test_a_customer_tells_all_orders(caller: Caller) -> None:
    caller.control("orders", order(id=5001002, name="#1002", charge=None))
    document = """{ customer(id: "gid://shopify/Customer/7") {
      numberOfOrders orders(first: 1) { nodes { name } pageInfo { hasNextPage endCursor } } } }"""
    got = caller.shopify(document).json()["data"]["customer"]
    assert (got["numberOfOrders"], got["orders"]["nodes"]) == ("2", [{"name": "#1001"}])
    assert got["orders"]["pageInfo"]["hasNextPage"] is True
    assert got["orders"]["pageInfo"]["endCursor"]


def test_orders_are_found_by_name(caller: Caller) -> None:
    answer = caller.shopify('{ orders(first: 5, query: "name:#1001") { nodes { id } } }').json()
    assert answer["data"]["orders"]["nodes"] == [{"id": ORDER_GID}]


def test_stock_is_told_by_sku_and_unknown_stock_is_not_tracked(caller: Caller) -> None:
    document = """{ productVariants(first: 1, query: "sku:LAMP") { nodes { id inventoryQuantity
      inventoryItem { tracked inventoryLevels(first: 1) {
        nodes { quantities(names: ["available"]) { quantity } } } } } } }"""
    before = caller.shopify(document).json()["data"]["productVariants"]["nodes"][0]
    assert before["inventoryItem"]["tracked"] is False
    caller.control("stock", {"shop": "north", "sku": "LAMP", "available": 4})
    after = caller.shopify(document).json()["data"]["productVariants"]["nodes"][0]
    assert (after["id"], after["inventoryQuantity"]) == ("gid://shopify/ProductVariant/21", 4)
    assert after["inventoryItem"]["inventoryLevels"]["nodes"] == [{"quantities": [{"quantity": 4}]}]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"query": 3}', b"not json"])
def test_a_body_without_a_query_is_a_400(caller: Caller, body: bytes) -> None:
    url = "/north/shopify/admin/api/2026-07/graphql.json"
    answer = caller.client.post(url, content=body, headers={"X-Shopify-Access-Token": "shpat_north"})
    assert answer.status_code == 400


def test_a_foreign_global_id_is_an_error(caller: Caller) -> None:
    answer = caller.shopify('{ order(id: "gid://shopify/Customer/7") { id } }').json()
    assert "Invalid global id" in answer["errors"][0]["message"]


def test_a_line_is_refunded_at_most_as_often_as_it_was_bought(caller: Caller) -> None:
    for key in ("k1", "k2"):
        assert caller.shopify_refund(key, "1.00")["userErrors"] == []
    third = caller.shopify_refund("k3", "1.00")
    assert third["userErrors"][0]["field"] == ["refundLineItems", "0", "quantity"]
    twice = [{"lineItemId": LINE_GID, "quantity": 1}] * 3
    assert caller.shopify_refund("k4", "1.00", refundLineItems=twice)["refund"] is None
    assert caller.refunded() == 200


def test_discounts_and_refunded_shipping_are_told_apart(caller: Caller) -> None:
    line = {**order()["lines"][0], "discount": "4.00"}
    caller.control("orders", order(lines=[line], total="24.90"))
    caller.shopify_refund("k1", "4.90", refundLineItems=[], shipping={"amount": "4.90"})
    got = caller.order(
        f"""lineItems(first: 1) {{ nodes {{ discountAllocations {{ allocatedAmountSet {MONEY} }} }} }}
        refunds {{ refundShippingLines(first: 1) {{ nodes {{ subtotalAmountSet {MONEY} }} }} }}"""
    )
    [cut] = got["lineItems"]["nodes"][0]["discountAllocations"]
    assert cut["allocatedAmountSet"]["shopMoney"]["amount"] == "4.0"
    [shipping] = got["refunds"][0]["refundShippingLines"]["nodes"]
    assert shipping["subtotalAmountSet"]["shopMoney"]["amount"] == "4.9"
    assert caller.shopify_refund("k2", "1.00", shipping={"amount": "0.01"})["userErrors"]
