"""The assertions that the sandbox's answers are held to tell a good answer from a bad one."""

import copy
from typing import Any

import pytest

from tests.adapters.stripe_faking import without
from tests.contracts.answers import (
    assert_klaviyo_answer,
    assert_shopify_answer,
    assert_stripe_answer,
    needs_specs,
)
from tests.contracts.answers import assert_whatsapp_answer as assert_whatsapp

ORDER = """
query One($id: ID!) {
  order(id: $id) { id tags displayFinancialStatus totalPriceSet { shopMoney { amount currencyCode } } cancelledAt }
}
"""
GOOD: dict[str, Any] = {
    "data": {
        "order": {
            "id": "gid://shopify/Order/1",
            "tags": ["vip"],
            "displayFinancialStatus": "PAID",
            "totalPriceSet": {"shopMoney": {"amount": "1.00", "currencyCode": "EUR"}},
            "cancelledAt": None,
        }
    },
    "extensions": {"cost": {}},
}
VARIABLES = {"id": "gid://shopify/Order/1"}


def changed(**fields: object) -> dict[str, Any]:
    answer = copy.deepcopy(GOOD)
    answer["data"]["order"].update(fields)
    return answer


def test_a_good_answer_of_shopify_passes() -> None:
    assert_shopify_answer(ORDER, VARIABLES, GOOD)
    assert_shopify_answer(ORDER, VARIABLES, {"data": {"order": None}})
    assert_shopify_answer(ORDER, VARIABLES, {"errors": [{"message": "Throttled"}]})


@pytest.mark.parametrize(
    "answer",
    [
        changed(id=None),
        changed(id=1),
        changed(tags="vip"),
        changed(tags=[None]),
        changed(displayFinancialStatus="SOLD"),
        changed(totalPriceSet={"shopMoney": {"amount": "1.00"}}),
        changed(totalPriceSet={"shopMoney": {"amount": 1.0, "currencyCode": "EUR"}}),
        changed(note="not asked for"),
        {"data": {}},
        {"data": None},
        {**GOOD, "debug": 1},
    ],
)
def test_a_bad_answer_of_shopify_is_caught(answer: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        assert_shopify_answer(ORDER, VARIABLES, answer)


def test_a_bad_question_to_shopify_is_caught() -> None:
    with pytest.raises(AssertionError):
        assert_shopify_answer(ORDER.replace("tags", "labels"), VARIABLES, GOOD)
    with pytest.raises(AssertionError):
        assert_shopify_answer(ORDER, {}, GOOD)


REFUND: dict[str, Any] = {
    "id": "re_1",
    "object": "refund",
    "amount": 100,
    "charge": "ch_1",
    "created": 1,
    "currency": "eur",
    "status": "succeeded",
    "metadata": {"call": "k"},
    "failure_reason": None,
}


def test_a_good_refund_of_stripe_passes() -> None:
    assert_stripe_answer("refunds.create", REFUND)
    assert_stripe_answer(
        "refunds.list", {"object": "list", "url": "/v1/refunds", "has_more": False, "data": [REFUND]}
    )


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "100"},
        {"amount": True},
        {"created": None},
        {"object": "charge"},
        {"colour": "red"},
        {"metadata": {"n": 1}},
    ],
)
def test_a_bad_refund_of_stripe_is_caught(change: dict[str, object]) -> None:
    with pytest.raises(AssertionError):
        assert_stripe_answer("refunds.create", {**REFUND, **change})


def test_a_refund_of_stripe_without_its_id_is_caught() -> None:
    with pytest.raises(AssertionError):
        assert_stripe_answer("refunds.create", without(REFUND, "id"))


@needs_specs
def test_klaviyo_and_whatsapp_are_held_to_theirs() -> None:
    assert_klaviyo_answer("events.create", b"")
    assert_whatsapp("messages.send", {"messaging_product": "whatsapp", "messages": [{"id": "wamid.1"}]})
    with pytest.raises(AssertionError):
        assert_klaviyo_answer("events.create", {"data": {}})
    with pytest.raises(AssertionError):
        assert_whatsapp("messages.send", {"messages": [{"id": 5}]})
