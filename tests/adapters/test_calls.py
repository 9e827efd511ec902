"""What goes out to the vendors, byte for byte, and how their smaller answers are understood."""

import httpx
import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor
from tools import wire
from tools.adapters import shopify, stripe
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused, ToolError, Unavailable


def refund_by_stripe(vendor: Vendor) -> object:
    with wire.transport_override(vendor.transport):
        return stripe.refund(NORTH, "ch_1", 1200, "USD", key=KEY, case_id="5", correlation_id=CORRELATION)


MADE = {"object": "refund", "id": "re_1", "amount": 1200, "charge": "ch_1", "currency": "usd", "created": 1}


def test_a_refund_by_stripe_names_its_key_its_case_and_its_version() -> None:
    vendor = Vendor(httpx.Response(200, json={**MADE, "status": "succeeded"}))
    refund_by_stripe(vendor)
    (request,) = vendor.asked
    assert request.headers["Idempotency-Key"] == str(KEY)
    assert request.headers["Stripe-Version"] == "2026-10-28.endive"
    form = dict(httpx.QueryParams(request.content.decode()))
    assert (form["amount"], form["charge"], form["metadata[call]"]) == ("1200", "ch_1", str(KEY))


@pytest.mark.parametrize(
    "changes",
    [{"amount": 1201}, {"currency": "eur"}, {"charge": "ch_2"}, {"status": "halfway"}, {"id": None}],
)
def test_an_answer_to_another_question_is_an_unknown_outcome(changes: dict[str, object]) -> None:
    with pytest.raises(OutcomeUnknown):
        refund_by_stripe(Vendor(httpx.Response(200, json={**MADE, "status": "succeeded", **changes})))


def test_a_refund_that_the_bank_refuses_at_once_is_refused() -> None:
    with pytest.raises(Refused):
        refund_by_stripe(Vendor(httpx.Response(200, json={**MADE, "status": "failed"})))


def test_nothing_is_sent_for_an_amount_of_nothing() -> None:
    vendor = Vendor(httpx.Response(200))
    with wire.transport_override(vendor.transport), pytest.raises(InvalidArgs):
        stripe.refund(NORTH, "ch_1", 0, "USD", key=KEY, case_id="5", correlation_id=CORRELATION)
    assert vendor.asked == []


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
        "1", "31", "shopify_payments", 3000, "JPY", lines=(("11", 1),), shipping_minor=500
    )
    with wire.transport_override(vendor.transport), pytest.raises(OutcomeUnknown):
        shopify.refund(NORTH, request, key=KEY, correlation_id=CORRELATION)
    assert vendor.asked[0].content == vendor.asked[1].content
    wish = vendor.json()["variables"]["input"]
    assert (wish["transactions"][0]["amount"], wish["shipping"]["amount"]) == ("3000", "500")
    assert str(KEY) in wish["note"]
