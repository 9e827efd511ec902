"""Money back through Shopify: asked first what it would give, sent once, and believed only by its echo."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from tests.adapters import shopify_answers as told
from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor
from tools import wire
from tools.adapters import shopify
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, Refused
from tools.snapshots import RefundResult, SuggestedRefund

WISH = shopify.RefundRequest("1001", "31", "shopify_payments", 1200, "USD")


def wish(**changes: Any) -> shopify.RefundRequest:
    return replace(WISH, **changes)


def refund(data: Any, **changes: Any) -> RefundResult:
    with wire.transport_override(told.shop(OpsRefund=data).transport):
        return shopify.refund(NORTH, wish(**changes), key=KEY, correlation_id=CORRELATION)


def suggested(order: Any, **changes: Any) -> SuggestedRefund:
    with wire.transport_override(told.shop(OpsSuggestedRefund={"order": order}).transport):
        return shopify.suggested_refund(NORTH, wish(**changes), correlation_id=CORRELATION)


def sent(**changes: Any) -> Any:
    vendor = told.shop(OpsRefund=told.made())
    with wire.transport_override(vendor.transport):
        shopify.refund(NORTH, wish(**changes), key=KEY, correlation_id=CORRELATION)
    return vendor.json()["variables"]["input"]


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        (told.made("12.01"), {}),
        (told.made("12.00", told.back(amountSet=told.bag("12.00", "EUR"))), {}),
        (told.made(order={"id": told.gid("Order", 1002), "test": False}), {}),
        (told.made(order={"id": told.gid("Order", 1001), "test": True}), {}),  # one test, one live
        (told.made(), {"is_test": True}),
        (told.made("12.00", told.back(test=True)), {}),
        (told.made("12.00", told.back(parentTransaction={"id": told.gid("OrderTransaction", 32)})), {}),
        (told.made("12.00", told.back(kind="SALE")), {}),  # no money went back
        (told.made("12.00", told.back(status="HALFWAY")), {}),
    ],
)
def test_an_answer_to_another_question_is_an_unknown_outcome(data: Any, changes: dict[str, Any]) -> None:
    with pytest.raises(OutcomeUnknown):
        refund(data, **changes)


def test_a_test_order_is_refunded_as_a_test() -> None:
    order = {"id": told.gid("Order", 1001), "test": True}
    assert refund(told.made("12.00", told.back(test=True), order=order), is_test=True).status == "succeeded"


@pytest.mark.parametrize(("status", "result"), [("SUCCESS", "succeeded"), ("PENDING", "pending")])
def test_a_refund_is_as_far_as_its_transaction(status: str, result: str) -> None:
    assert refund(told.made("12.00", told.back(status=status))).status == result


def test_a_refund_whose_transaction_failed_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        refund(told.made("12.00", told.back(status="FAILURE")))
    assert caught.value.code == "transaction_failed"


def test_pieces_go_back_to_where_they_are_kept_or_nowhere() -> None:
    lines = (
        shopify.RefundedLine("11", 1, "RETURN", "71"),
        shopify.RefundedLine("12", 2, "CANCEL", "71"),
        shopify.RefundedLine("13", 1),
    )
    assert sent(lines=lines)["refundLineItems"] == [
        {"lineItemId": told.gid("LineItem", 11), "quantity": 1, "restockType": "RETURN",
         "locationId": told.gid("Location", 71)},
        {"lineItemId": told.gid("LineItem", 12), "quantity": 2, "restockType": "CANCEL",
         "locationId": told.gid("Location", 71)},
        {"lineItemId": told.gid("LineItem", 13), "quantity": 1, "restockType": "NO_RESTOCK"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"shipping_minor": -1},
        {"lines": (shopify.RefundedLine("11", 0),)},
        {"lines": (shopify.RefundedLine("11", 1, "RETURN"),)},
        {"lines": (shopify.RefundedLine("11", 1, "CANCEL"),)},
        {"lines": (shopify.RefundedLine("11", 1, "NO_RESTOCK", "71"),)},
    ],
)
def test_a_wish_that_can_not_be_meant_is_not_sent(changes: dict[str, Any]) -> None:
    vendor = told.shop(OpsRefund=told.made(), OpsSuggestedRefund={"order": told.suggestion()})
    with wire.transport_override(vendor.transport):
        with pytest.raises(InvalidArgs):
            shopify.refund(NORTH, wish(**changes), key=KEY, correlation_id=CORRELATION)
        with pytest.raises(InvalidArgs):
            shopify.suggested_refund(NORTH, wish(**changes), correlation_id=CORRELATION)
    assert vendor.asked == []


def test_the_customer_hears_of_a_refund_from_us_alone() -> None:
    assert sent()["notify"] is False


def test_shopify_is_asked_about_the_very_lines_and_shipping() -> None:
    vendor = told.shop(OpsSuggestedRefund={"order": told.suggestion()})
    line = shopify.RefundedLine("11", 1, "RETURN", "71")
    with wire.transport_override(vendor.transport):
        shopify.suggested_refund(NORTH, wish(lines=(line,), shipping_minor=490), correlation_id=CORRELATION)
    asked = vendor.json()["variables"]
    assert (asked["shipping"], asked["lines"]) == ("4.90", sent(lines=(line,))["refundLineItems"])


def test_what_shopify_suggests_is_told_by_transaction() -> None:
    found = suggested(told.suggestion("20.00"))
    assert (found.amount_minor, found.maximum_minor, found.is_test) == (1200, 2000, False)
    (part,) = found.parts
    assert (part.transaction_external_id, part.gateway, part.maximum_minor) == (
        "31",
        "shopify_payments",
        2000,
    )


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (None, "not_found"),
        ({"id": told.gid("Order", 1001), "test": False, "suggestedRefund": None}, "nothing_suggested"),
    ],
)
def test_nothing_to_suggest_is_a_no(order: Any, code: str) -> None:
    with pytest.raises(Refused) as caught:
        suggested(order)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "order",
    [
        told.suggestion(maximumRefundableSet=told.bag("26.42", "EUR")),
        told.suggestion(maximumRefundableSet=None),
        {**told.suggestion(), "id": told.gid("Order", 1002)},
    ],
)
def test_a_suggestion_in_another_form_is_drift(order: Any) -> None:
    with pytest.raises(ContractDrift):
        suggested(order)


@pytest.mark.parametrize(
    ("order", "changes", "code"),
    [
        (told.suggestion("12.00"), {}, ""),
        (told.suggestion("11.99"), {}, "more_than_suggested"),
        (told.suggestion(parent=32), {}, "more_than_suggested"),  # another tender could, ours can't
        (told.suggestion("26.42", suggestedTransactions=[]), {}, ""),  # goodwill names no line
        (told.suggestion("11.99", suggestedTransactions=[]), {}, "more_than_suggested"),
        (told.suggestion("26.42", maximumRefundableSet=told.bag("11.00")), {}, "more_than_suggested"),
        (told.suggestion(), {"is_test": True}, "test_mode"),
        (told.suggestion(), {"is_test": False}, ""),
    ],
)
def test_more_than_shopify_would_give_is_refused(order: Any, changes: dict[str, Any], code: str) -> None:
    found = suggested(order, **changes)
    refused = ""
    try:
        shopify.refuse_more_than(found, wish(**changes))
    except Refused as refusal:
        refused = refusal.code
    assert refused == code


def find(*refunds: dict[str, Any]) -> RefundResult | None:
    data = {"order": {"id": told.gid("Order", 1001), "refunds": list(refunds)}}
    with wire.transport_override(told.shop(OpsRefunds=data).transport):
        return shopify.find_refund(NORTH, "1001", key=KEY, correlation_id=CORRELATION)


def test_our_refund_is_found_by_the_key_in_its_note() -> None:
    ours = told.refund(881, note=f"case 5 [{KEY}] and a word by staff")
    found = find(told.refund(), told.refund(882, note=f"case 6 [{uuid4()}]"), ours)
    assert found == RefundResult(ref="881", amount_minor=1200, currency="USD", status="succeeded")
    assert find(told.refund(), told.refund(882, note=None)) is None


def test_a_list_that_may_not_be_whole_proves_no_absence() -> None:
    for refunds in (
        [told.refund(name) for name in range(8)],
        [told.refund(transactions=told.page(more=True))],
    ):
        with pytest.raises(Refused) as caught:
            find(*refunds)
        assert caught.value.code == "order_too_long"


def test_refunds_of_another_order_are_not_ours() -> None:
    data = {"order": {"id": told.gid("Order", 1002), "refunds": []}}
    vendor: Vendor = told.shop(OpsRefunds=data)
    with wire.transport_override(vendor.transport), pytest.raises(ContractDrift):
        shopify.find_refund(NORTH, "1001", key=KEY, correlation_id=CORRELATION)
