"""What goes out to Shopify, byte for byte, and what its envelope says: errors, version and price."""

import json

import httpx
import pytest
from structlog.testing import capture_logs

from cases.models import Shop
from tests.adapters import shopify_answers as told
from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor
from tools import wire
from tools.adapters import shopify, shopify_call
from tools.adapters.shopify_documents import REFUND_CREATE, VERSION
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, ReadOnly, Refused, ToolError, Unavailable
from tools.models import Drift, RateBudget
from tools.outcomes import LONGEST_WAIT, after_error
from tools.snapshots import RefundResult
from tools.wire import Kind

WISH = shopify.RefundRequest("1001", "31", "shopify_payments", 1200, "USD")
SERVED = {"X-Shopify-API-Version": "2026-10"}


def refund(vendor: Vendor, wish: shopify.RefundRequest = WISH) -> RefundResult:
    with wire.transport_override(vendor.transport):
        return shopify.refund(NORTH, wish, key=KEY, correlation_id=CORRELATION)


def read(vendor: Vendor) -> object:
    with wire.transport_override(vendor.transport):
        return shopify.read_order(NORTH, "1001", correlation_id=CORRELATION)


def throttled(requested: float, left: float, restores: float) -> httpx.Response:
    status = {"maximumAvailable": 2000, "currentlyAvailable": left, "restoreRate": restores}
    content = {
        "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
        "extensions": {"cost": {"requestedQueryCost": requested, "throttleStatus": status}},
    }
    return httpx.Response(200, json=content)


@pytest.mark.parametrize(
    "answer",
    [
        told.answer({"order": None}, **SERVED),
        httpx.Response(200, json={"errors": [{"message": "no such field"}]}, headers=SERVED),
        httpx.Response(404, json={"errors": "Not Found"}, headers=SERVED),
        httpx.Response(500, headers=SERVED),
        told.answer({"order": None}, **{"X-Shopify-API-Version": ""}),  # the header is there: it isn't ours
    ],
)
def test_a_reading_that_another_version_served_is_drift_whatever_it_says(answer: httpx.Response) -> None:
    with pytest.raises(ContractDrift) as caught:
        read(Vendor(answer))
    assert (caught.value.field_path, caught.value.finding) == ("X-Shopify-API-Version", "version")
    assert Drift.objects.get().operation == "order"


def test_a_write_that_another_version_served_was_done_and_is_the_last(north: Shop) -> None:
    vendor = Vendor(told.answer(told.made(), **SERVED))
    assert refund(vendor).amount_minor == 1200
    assert Drift.objects.get(operation="refundCreate").finding == "version"
    with pytest.raises(ReadOnly):
        refund(vendor)
    assert len(vendor.asked) == 1


def test_an_answer_by_the_version_that_was_asked_for_is_no_drift() -> None:
    refund(Vendor(told.answer(told.made(), **{"X-Shopify-API-Version": VERSION})))
    assert not Drift.objects.exists()


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "THROTTLED"}}]}, Unavailable),
        ({"errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}], "data": None}, Refused),
        ({"errors": [{"message": "x", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}, Refused),
        ({"errors": [{"message": "Field 'x' doesn't exist"}]}, Refused),  # never executed: no data
        (
            {"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}], "data": None},
            OutcomeUnknown,
        ),
        ({"errors": "Something"}, OutcomeUnknown),
        ({"errors": [{"extensions": {"code": 7}}], "data": None}, OutcomeUnknown),
        ({"data": {"refundCreate": {"refund": None, "userErrors": []}}}, OutcomeUnknown),
        ({"data": {"refundCreate": {"userErrors": []}}}, OutcomeUnknown),
        ({"data": None}, OutcomeUnknown),
        ({}, OutcomeUnknown),
        ([], OutcomeUnknown),
    ],
)
def test_a_mutation_that_went_wrong_says_whether_it_may_have_run(
    content: object, error: type[ToolError]
) -> None:
    with pytest.raises(error):
        refund(Vendor(httpx.Response(200, json=content)))


def test_what_shopify_has_against_a_wish_is_named_by_its_field() -> None:
    errors = [
        {"field": ["input", "transactions"], "message": "Refund for ines@customer.example is too large"}
    ]
    with pytest.raises(Refused) as caught:
        refund(Vendor(told.answer({"refundCreate": {"refund": None, "userErrors": errors}})))
    assert (caught.value.code, caught.value.detail) == ("input.transactions", "")
    assert "ines" not in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [
        "This request is currently in progress, please try again.",
        "The same idempotency key cannot be used with different operation parameters.",
    ],
)
def test_a_complaint_about_the_key_may_hide_a_refund(message: str) -> None:
    errors = [{"field": None, "message": message}]
    with pytest.raises(OutcomeUnknown):
        refund(Vendor(told.answer({"refundCreate": {"refund": None, "userErrors": errors}})))


def test_a_retry_sends_the_same_bytes_and_key() -> None:
    vendor = Vendor(httpx.ReadTimeout("lost"), httpx.Response(200, json={"data": None}))
    lines = (shopify.RefundedLine("11", 1),)
    wish = shopify.RefundRequest("1", "31", "shopify_payments", 3000, "JPY", lines=lines, shipping_minor=500)
    with pytest.raises(OutcomeUnknown):
        refund(vendor, wish)
    assert vendor.asked[0].content == vendor.asked[1].content
    sent = vendor.json()["variables"]["input"]
    assert (sent["transactions"][0]["amount"], sent["shipping"]["amount"]) == ("3000", "500")
    assert str(KEY) in sent["note"]


def test_a_throttled_call_says_when_its_price_can_be_paid() -> None:
    vendor = Vendor(throttled(requested=500, left=100, restores=20))
    with pytest.raises(Unavailable) as caught:
        read(vendor)
    assert (caught.value.code, caught.value.retry_after) == ("THROTTLED", 20.0)


def test_the_vendor_tells_the_budget_how_much_is_left(north: Shop) -> None:
    answer = told.answer(told.made())
    content = {**answer.json(), **throttled(56, 1234, 100).json()}
    del content["errors"]
    refund(Vendor(httpx.Response(200, json=content)))
    budget = RateBudget.objects.get(shop=north, vendor="shopify")
    assert (budget.capacity, budget.per_second) == (2000, 100)
    assert budget.level == pytest.approx(1234, abs=60)


@pytest.mark.parametrize(
    ("most", "left", "restores"),
    [
        (2000, 2000, 0),
        (2000, 2000, 1e-9),  # would be full again after sixty thousand years
        (2000, 2000, -100),
        (1e12, 2000, 100),  # a fifth of it, kept for writes, is more than there is
        (2000, -1e300, 100),
        (float("nan"), float("nan"), float("nan")),
        (2000, float("-inf"), 100),
    ],
)
def test_a_bucket_that_can_not_be_holds_back_no_later_call(
    north: Shop, most: float, left: float, restores: float
) -> None:
    status = {"maximumAvailable": most, "currentlyAvailable": left, "restoreRate": restores}
    cost = {"requestedQueryCost": 1e308, "throttleStatus": status}
    content = json.dumps({"data": told.made(), "extensions": {"cost": cost}})
    refund(Vendor(httpx.Response(200, content=content)))
    budget = RateBudget.objects.get(shop=north, vendor="shopify")
    assert (budget.capacity, budget.per_second) == (2000, 100)
    assert budget.level > 1000


def test_no_wish_for_rest_is_longer_than_a_day() -> None:
    vendor = Vendor(throttled(requested=1e308, left=0, restores=100))
    with pytest.raises(Unavailable) as caught:
        read(vendor)
    assert caught.value.retry_after == 86_400
    assert after_error(caught.value, 1).wait == LONGEST_WAIT


@pytest.mark.parametrize("extensions", [None, {}, {"cost": None}, {"cost": {"requestedQueryCost": "7"}}, []])
def test_a_price_that_can_not_be_read_changes_nothing_else(extensions: object) -> None:
    content = {"data": told.made(), "extensions": extensions}
    assert refund(Vendor(httpx.Response(200, json=content))).amount_minor == 1200


def test_what_is_logged_of_an_answer_carries_the_correlation_id() -> None:
    content = {"data": told.made(), "extensions": {"cost": "much"}}
    with capture_logs() as lines:
        refund(Vendor(httpx.Response(200, headers=SERVED, json=content)))
    ours = {line["event"]: line["correlation_id"] for line in lines}
    events = ["vendor_call", "other_version", "shopify_cost_unreadable"]
    assert ours == dict.fromkeys(events, str(CORRELATION))


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (REFUND_CREATE.replace(" @idempotent(key: $key)", ""), {"key": str(KEY)}),
        (REFUND_CREATE, {}),
        (REFUND_CREATE, {"key": ""}),
    ],
)
def test_no_refund_leaves_without_its_key(document: str, variables: dict[str, object]) -> None:
    with pytest.raises(InvalidArgs):
        shopify_call.request(NORTH, "refundCreate", Kind.IDEMPOTENT_WRITE, document, variables, CORRELATION)


def test_a_call_carries_the_shops_token_and_the_correlation_id_and_its_price() -> None:
    vendor = told.shop(OpsRefund=told.made())
    refund(vendor)
    (request,) = vendor.asked
    assert request.url == f"https://north.example/admin/api/{VERSION}/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == "shpat_north"
    assert request.headers["X-Correlation-Id"] == str(CORRELATION)
    assert set(json.loads(request.content)) == {"query", "variables"}
