"""What the stand-ins answer to our own documents and requests is what the vendors' contracts promise."""

from typing import Any

import pytest

from tests.contracts.answers import assert_klaviyo_answer, assert_shopify_answer, assert_stripe_answer
from tests.contracts.answers import assert_whatsapp_answer as assert_whatsapp
from tests.sandbox.world import ORDER_GID, Caller
from tools.adapters.table import named

OF_AN_ORDER = ("order", "lines", "parcels", "refunds", "cancellation", "note")


def document(name: str) -> str:
    operation = named("shopify", name)
    assert operation is not None
    return operation.document


@pytest.mark.parametrize("name", OF_AN_ORDER)
def test_our_questions_about_an_order_are_answered_as_the_schema_says(caller: Caller, name: str) -> None:
    caller.shopify_refund("k1")
    answer = caller.shopify(document(name), id=ORDER_GID).json()
    assert answer["data"]["order"] is not None
    assert_shopify_answer(document(name), {"id": ORDER_GID}, answer)


def test_a_tag_is_answered_as_the_schema_says(caller: Caller) -> None:
    variables: dict[str, Any] = {"id": ORDER_GID, "tags": ["vip"]}
    assert_shopify_answer(
        document("tagsAdd"), variables, caller.shopify(document("tagsAdd"), **variables).json()
    )


def test_a_document_that_is_not_valid_is_answered_without_data(caller: Caller) -> None:
    answer = caller.shopify("{ nonsense }").json()
    assert answer["errors"]
    assert "data" not in answer or answer["data"] is None


def test_stripes_objects_are_answered_as_the_contract_says(caller: Caller) -> None:
    assert_stripe_answer("refunds.create", caller.refund("k1").json())
    assert_stripe_answer("refunds.list", caller.stripe("GET", "refunds", params={"charge": "ch_1"}).json())
    assert_stripe_answer("charges.retrieve", caller.stripe("GET", "charges/ch_1").json())
    assert_stripe_answer("payment_intents.retrieve", caller.stripe("GET", "payment_intents/pi_1").json())


def test_disputes_and_events_are_answered_as_the_contract_says(caller: Caller) -> None:
    dispute = {"shop": "north", "charge": "ch_1", "amount": "28.90", "reason": "general", "id": "du_1"}
    caller.control("disputes", {**dispute, "status": "warning_needs_response"})
    assert_stripe_answer("disputes.list", caller.stripe("GET", "disputes").json())
    assert_stripe_answer("disputes.retrieve", caller.stripe("GET", "disputes/du_1").json())
    assert_stripe_answer("events.list", caller.stripe("GET", "events").json())
    assert_stripe_answer(
        "early_fraud_warnings.list", caller.stripe("GET", "radar/early_fraud_warnings").json()
    )


def test_messages_are_answered_as_the_contracts_say(caller: Caller) -> None:
    assert_klaviyo_answer("events.create", caller.klaviyo("m1").content)
    assert_whatsapp("messages.send", caller.whatsapp().json())
