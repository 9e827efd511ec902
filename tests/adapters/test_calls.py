"""What goes out to the vendors, byte for byte, and how their smaller answers are understood."""

import httpx
import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor
from tools import wire
from tools.adapters import shopify
from tools.errors import ContractDrift, OutcomeUnknown, Refused, ToolError, Unavailable


def test_an_old_version_that_is_served_for_a_new_one_is_drift() -> None:
    vendor = Vendor(
        httpx.Response(200, json={"data": {"order": None}}, headers={"X-Shopify-API-Version": "2026-10"})
    )
    with wire.transport_override(vendor.transport), pytest.raises(ContractDrift) as caught:
        shopify.read_order(NORTH, "1", correlation_id=CORRELATION)
    assert caught.value.field_path == "X-Shopify-API-Version"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"errors": [{"message": "x", "extensions": {"code": "THROTTLED"}}]}, Unavailable),
        ({"errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}], "data": None}, Refused),
        ({"errors": [{"message": "Field 'x' doesn't exist"}]}, Refused),  # never executed: no data
        (
            {"errors": [{"message": "x", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}], "data": None},
            OutcomeUnknown,
        ),
        ({"errors": "Something"}, OutcomeUnknown),
        ({"data": {"refundCreate": {"refund": None, "userErrors": []}}}, OutcomeUnknown),
        ({"data": None}, OutcomeUnknown),
        ([], OutcomeUnknown),
    ],
)
def test_a_mutation_that_went_wrong_says_whether_it_may_have_run(
    content: object, error: type[ToolError]
) -> None:
    request = shopify.RefundRequest("1", "31", "shopify_payments", 1200, "USD")
    vendor = Vendor(httpx.Response(200, json=content))
    with wire.transport_override(vendor.transport), pytest.raises(error):
        shopify.refund(NORTH, request, key=KEY, correlation_id=CORRELATION)


def test_a_retry_sends_the_same_bytes_and_key() -> None:
    vendor = Vendor(httpx.ReadTimeout("lost"), httpx.Response(200, json={"data": None}))
    request = shopify.RefundRequest(
        "1", "31", "shopify_payments", 3000, "JPY", lines=(shopify.RefundedLine("11", 1),), shipping_minor=500
    )
    with wire.transport_override(vendor.transport), pytest.raises(OutcomeUnknown):
        shopify.refund(NORTH, request, key=KEY, correlation_id=CORRELATION)
    assert vendor.asked[0].content == vendor.asked[1].content
    wish = vendor.json()["variables"]["input"]
    assert (wish["transactions"][0]["amount"], wish["shipping"]["amount"]) == ("3000", "500")
    assert str(KEY) in wish["note"]
