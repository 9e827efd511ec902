"""A refund that somebody else paid is written into the shop's order, and Shopify is never made to pay it again."""

from dataclasses import replace
from typing import Any

import pytest

from tests.adapters import shopify_answers as told
from tests.adapters.faking import CORRELATION, KEY, NORTH
from tools import wire
from tools.adapters import shopify
from tools.adapters.shopify_gateways import MANUAL_GATEWAYS
from tools.errors import InvalidArgs, OutcomeUnknown, Refused
from tools.snapshots import RefundResult

BY_STRIPE = shopify.RecordedRefund("1001", 1200, "USD", "stripe", note="case 5")
IN_CASH = shopify.RecordedRefund("1001", 1200, "USD", "cash_on_delivery", "31")


def written(amount: str = "12.00", **changes: Any) -> dict[str, Any]:
    """The movement of a refund that was only written down."""
    usual = {"gateway": "manual", "manualPaymentGateway": True, "parentTransaction": None}
    return told.back(amount, **{**usual, **changes})


def record(
    wish: shopify.RecordedRefund = BY_STRIPE, data: Any = None, **changes: Any
) -> tuple[RefundResult, Any]:
    vendor = told.shop(OpsRefund=data or told.made("12.00", written()))
    with wire.transport_override(vendor.transport):
        result = shopify.record_refund(NORTH, replace(wish, **changes), key=KEY, correlation_id=CORRELATION)
    return result, vendor.json()["variables"]["input"]


def test_what_stripe_paid_is_written_down_without_naming_its_transaction() -> None:
    result, sent = record(lines=(shopify.RefundedLine("11", 1, "RETURN", "71"),))
    assert result == RefundResult(ref="880", amount_minor=1200, currency="USD", status="succeeded")
    assert sent["transactions"] == [
        {"orderId": told.gid("Order", 1001), "amount": "12.00", "kind": "REFUND", "gateway": "manual"}
    ]
    assert (sent["note"], sent["notify"]) == (f"case 5 [{KEY}]", False)
    assert sent["refundLineItems"][0]["restockType"] == "RETURN"


def test_what_was_paid_in_cash_is_written_down_under_the_tender_that_took_it() -> None:
    parent = {"id": told.gid("OrderTransaction", 31)}
    moved = written(gateway="cash_on_delivery", parentTransaction=parent)
    _, sent = record(IN_CASH, told.made("12.00", moved))
    assert (sent["transactions"][0]["gateway"], sent["transactions"][0]["parentId"]) == (
        "cash_on_delivery",
        told.gid("OrderTransaction", 31),
    )


@pytest.mark.parametrize("gateway", ["stripe", "shopify_payments", "paypal", "gift_card", "", "Überweisung"])
def test_no_transaction_of_a_gateway_that_could_pay_is_ever_named(gateway: str) -> None:
    vendor = told.shop(OpsRefund=told.made("12.00", written()))
    with wire.transport_override(vendor.transport), pytest.raises(InvalidArgs):
        shopify.record_refund(NORTH, replace(IN_CASH, gateway=gateway), key=KEY, correlation_id=CORRELATION)
    assert vendor.asked == []


def test_a_merchants_own_name_is_written_under_where_the_shop_says_that_it_is_manual() -> None:
    _, sent = record(
        IN_CASH, told.made("12.00", written(gateway="Vorkasse")), gateway="Vorkasse", by_hand=True
    )
    (moved,) = sent["transactions"]
    assert (moved["gateway"], moved["parentId"]) == ("Vorkasse", told.gid("OrderTransaction", 31))


@pytest.mark.parametrize("gateway", ["stripe", "shopify_payments", "paypal", "gift_card", "", "Überweisung"])
def test_only_manual_gateways_are_ever_written_under(gateway: str) -> None:
    _, sent = record(gateway=gateway)
    assert sent["transactions"][0]["gateway"] in MANUAL_GATEWAYS
    assert "parentId" not in sent["transactions"][0]


@pytest.mark.parametrize(
    ("moves", "code"),
    [
        ([told.back("12.00")], "moved_money"),  # paid twice: Shopify's own tender gave it back as well
        ([written("6.00"), told.back("6.00")], "moved_money"),
        ([written(manualPaymentGateway=False)], "moved_money"),  # its name alone proves nothing
        ([told.back("12.00", status="PENDING")], "moved_money"),
        ([written("0.00", kind="VOID")], "moved_money"),
        ([written("12.01")], "echo_mismatch"),
        ([written(amountSet=told.bag("12.00", "EUR"))], "echo_mismatch"),
        ([written(parentTransaction={"id": told.gid("OrderTransaction", 31)})], "echo_mismatch"),
    ],
)
def test_only_an_answer_that_proves_that_no_money_moved_is_believed(moves: Any, code: str) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        record(data=told.made("12.00", *moves))
    assert caught.value.code == code


@pytest.mark.parametrize(
    "changes",
    [
        {"transactions": {"nodes": []}},
        {"order": {"id": told.gid("Order", 1002), "test": False}},
        {"order": {"id": told.gid("Order", 1001), "test": True}},
    ],
)
def test_an_answer_to_another_question_is_an_unknown_outcome(changes: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        record(data=told.made("12.00", written(), **changes))


def test_what_shopify_does_not_write_down_is_refused() -> None:
    no = {"refundCreate": {"refund": None, "userErrors": [{"field": ["transactions"], "message": "No"}]}}
    for data in (no, told.made("12.00", written(status="FAILURE"))):
        with pytest.raises(Refused):
            record(data=data)


@pytest.mark.parametrize("changes", [{"amount_minor": 0}, {"lines": (shopify.RefundedLine("11", 0),)}])
def test_a_record_that_can_not_be_meant_is_not_sent(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgs):
        record(**changes)


def find(*refunds: dict[str, Any]) -> RefundResult | None:
    data = {"order": {"id": told.gid("Order", 1001), "refunds": list(refunds)}}
    with wire.transport_override(told.shop(OpsRefunds=data).transport):
        return shopify.find_recorded_refund(NORTH, "1001", key=KEY, correlation_id=CORRELATION)


def test_a_record_is_found_by_its_key() -> None:
    ours = told.refund(881, note=f"case 5 [{KEY}]", transactions=told.page(written()))
    assert find(told.refund(), ours) == RefundResult(
        ref="881", amount_minor=1200, currency="USD", status="succeeded"
    )
    assert find(told.refund()) is None


def test_a_record_for_which_money_moved_is_a_persons() -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        find(told.refund(881, note=f"case 5 [{KEY}]"))
    assert caught.value.code == "moved_money"


def test_a_refund_that_a_manual_gateway_answers_is_not_believed_to_be_paid() -> None:
    vendor = told.shop(OpsRefund=told.made("12.00", told.back(manualPaymentGateway=True)))
    wish = shopify.RefundRequest("1001", "31", "shopify_payments", 1200, "USD")
    with wire.transport_override(vendor.transport), pytest.raises(OutcomeUnknown):
        shopify.refund(NORTH, wish, key=KEY, correlation_id=CORRELATION)


def sent(**changes: Any) -> Any:
    vendor = told.shop(OpsRefund=told.made())
    wish = replace(shopify.RefundRequest("1001", "31", "shopify_payments", 1200, "USD"), **changes)
    with wire.transport_override(vendor.transport):
        shopify.refund(NORTH, wish, key=KEY, correlation_id=CORRELATION)
    return vendor.json()["variables"]["input"]


def test_duties_go_back_whole_or_by_the_pieces_of_their_line() -> None:
    duties = (shopify.RefundedDuty("61"), shopify.RefundedDuty("62", "FULL"))
    assert sent(lines=(shopify.RefundedLine("11", 1),), duties=duties)["refundDuties"] == [
        {"dutyId": told.gid("Duty", 61), "refundType": "PROPORTIONAL"},
        {"dutyId": told.gid("Duty", 62), "refundType": "FULL"},
    ]
    assert "refundDuties" not in sent()


def test_shopify_adds_the_tax_of_shipping_by_itself() -> None:
    assert sent(shipping_minor=428, shipping_tax_minor=28)["shipping"] == {"amount": "4.00"}
    assert sent(shipping_minor=428)["shipping"] == {"amount": "4.28"}


def test_an_amount_goes_back_without_any_line() -> None:
    assert (sent()["refundLineItems"], sent()["transactions"][0]["amount"]) == ([], "12.00")


@pytest.mark.parametrize(
    "changes",
    [
        {"duties": (shopify.RefundedDuty("61"),)},  # a share of no pieces
        {"duties": (shopify.RefundedDuty("61", "FULL"), shopify.RefundedDuty("61", "FULL"))},
        {"duties": (shopify.RefundedDuty("", "FULL"),)},
        {"shipping_minor": 100, "shipping_tax_minor": 101},
        {"shipping_minor": 100, "shipping_tax_minor": -1},
    ],
)
def test_duties_and_shipping_that_can_not_be_meant_are_not_sent(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgs):
        sent(**changes)


def test_shopify_is_asked_about_the_very_duties() -> None:
    vendor = told.shop(OpsSuggestedRefund={"order": told.suggestion()})
    wish = shopify.RefundRequest(
        "1001", "", "", 1, "USD", duties=(shopify.RefundedDuty("62", "FULL"),), shipping_minor=428,
        shipping_tax_minor=28,
    )  # fmt: skip
    with wire.transport_override(vendor.transport):
        shopify.suggested_refund(NORTH, wish, correlation_id=CORRELATION)
    asked = vendor.json()["variables"]
    assert asked["duties"] == [{"dutyId": told.gid("Duty", 62), "refundType": "FULL"}]
    assert asked["shipping"] == "4.00"


def test_what_shopify_suggests_is_told_for_every_tender() -> None:
    card = told.suggestion()["suggestedRefund"]["suggestedTransactions"][0]
    gift = {**card, "gateway": "gift_card", "amountSet": told.bag("3.00"),
            "parentTransaction": {"id": told.gid("OrderTransaction", 32)}}  # fmt: skip
    vendor = told.shop(OpsSuggestedRefund={"order": told.suggestion(suggestedTransactions=[card, gift])})
    wish = shopify.RefundRequest("1001", "", "", 1, "USD")
    with wire.transport_override(vendor.transport):
        found = shopify.suggested_refund(NORTH, wish, correlation_id=CORRELATION)
    assert [(part.transaction_external_id, part.gateway, part.amount_minor) for part in found.parts] == [
        ("31", "shopify_payments", 1200),
        ("32", "gift_card", 300),
    ]
