"""Stripe's stand-in: keys, replays, over-refunds and error objects as Stripe documents them."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx
import pytest

from tests.sandbox.world import Caller


def at_once(workers: int, call: Callable[[int], httpx.Response]) -> list[int]:
    barrier = Barrier(workers)

    def go(number: int) -> int:
        barrier.wait()
        return call(number).status_code

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(go, range(workers)))


def test_a_refund_is_answered_as_stripe_answers(caller: Caller) -> None:
    answer = caller.refund("k1", 500, {"metadata[tool_call]": "17"}, reason="requested_by_customer")
    refund = answer.json()
    assert answer.status_code == 200
    assert (refund["object"], refund["amount"], refund["currency"]) == ("refund", 500, "usd")
    assert (refund["charge"], refund["payment_intent"], refund["status"]) == ("ch_1", "pi_1", "succeeded")
    assert refund["metadata"] == {"tool_call": "17"}
    assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    assert answer.headers["Idempotency-Key"] == "k1"


def test_the_same_key_and_body_moves_money_once(caller: Caller) -> None:
    first, second = caller.refund("k1"), caller.refund("k1")
    assert second.json() == first.json()
    assert "Idempotent-Replayed" not in first.headers
    assert second.headers["Idempotent-Replayed"] == "true"
    assert second.headers["Original-Request"] == first.headers["Request-Id"]
    assert caller.refunded() == 500


def test_the_same_key_with_another_amount_is_an_error(caller: Caller) -> None:
    caller.refund("k1", 500)
    second = caller.refund("k1", 600)
    assert (second.status_code, second.json()["error"]["type"]) == (400, "idempotency_error")
    assert caller.refunded() == 500


def test_without_a_key_a_repeated_request_refunds_twice(caller: Caller) -> None:
    caller.refund()
    caller.refund()
    assert caller.refunded() == 1000


def until_taken(caller: Caller) -> None:
    """Waits until the planted fault has met its request, which holds its key from before then."""
    end = time.monotonic() + 10
    while caller.client.get("/_control/faults").json()["faults"]:
        assert time.monotonic() < end, "no request came"
        time.sleep(0.01)


def test_one_key_from_eight_threads_refunds_once(caller: Caller) -> None:
    caller.fault("stripe", "latency", "refunds.create", latency_ms=300)
    statuses = Counter(at_once(8, lambda number: caller.refund("k1")))
    assert statuses[200] >= 1
    assert statuses[409] >= 1
    assert statuses[200] + statuses[409] == 8
    assert caller.refunded() == 500


def test_a_key_in_use_says_so(caller: Caller) -> None:
    caller.fault("stripe", "latency", "refunds.create", latency_ms=500)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(caller.refund, "k1")
        until_taken(caller)
        second = caller.refund("k1")
        assert first.result().status_code == 200
    assert second.json()["error"]["code"] == "idempotency_key_in_use"
    assert second.headers["Stripe-Should-Retry"] == "true"


def test_eight_threads_never_refund_more_than_was_paid(caller: Caller) -> None:
    statuses = Counter(at_once(8, lambda number: caller.refund(f"k{number}", 1000)))
    assert statuses == {200: 2, 400: 6}
    assert caller.refunded() == 2000
    charge = caller.stripe("GET", "charges/ch_1").json()
    assert (charge["amount"], charge["amount_refunded"], charge["refunded"]) == (2890, 2000, False)


def test_a_refund_above_the_rest_is_refused_with_the_parameter(caller: Caller) -> None:
    caller.refund("k1", 2000)
    error = caller.refund("k2", 1000).json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "amount")
    assert "greater than unrefunded amount on charge" in error["message"]


def test_a_charge_that_went_back_whole_is_already_refunded(caller: Caller) -> None:
    assert caller.refund("k1", None).json()["amount"] == 2890
    assert caller.refund("k2", 1).json()["error"]["code"] == "charge_already_refunded"
    assert caller.stripe("GET", "charges/ch_1").json()["refunded"] is True


def test_an_executed_refusal_is_replayed_under_its_key(caller: Caller) -> None:
    first, second = caller.refund("k1", 5000), caller.refund("k1", 5000)
    assert (first.status_code, second.status_code) == (400, 400)
    assert second.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"amount": "0"}, "parameter_invalid_integer"),
        ({"amount": "-5"}, "parameter_invalid_integer"),
        ({"amount": "5.00"}, "parameter_invalid_integer"),
        ({"amount": "5", "colour": "red"}, "parameter_unknown"),
    ],
)
def test_a_request_that_fails_validation_leaves_its_key_unused(
    caller: Caller, form: dict[str, str], code: str
) -> None:
    refused = caller.stripe("POST", "refunds", "k1", data={"charge": "ch_1", **form})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, code)
    assert caller.refund("k1").status_code == 200


def test_an_unknown_reason_is_refused(caller: Caller) -> None:
    assert caller.refund("k1", reason="goodwill").json()["error"]["param"] == "reason"


@pytest.mark.parametrize(
    "path", ["charges/ch_9", "refunds/re_9", "payment_intents/pi_9", "payment_intents/ch_1"]
)
def test_a_missing_object_is_a_404_with_its_code(caller: Caller, path: str) -> None:
    answer = caller.stripe("GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "resource_missing")


def test_refunding_an_unknown_charge_is_a_404(caller: Caller) -> None:
    answer = caller.stripe("POST", "refunds", "k1", data={"charge": "ch_9"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "charge")


def test_a_refund_can_name_the_payment_intent(caller: Caller) -> None:
    answer = caller.stripe("POST", "refunds", "k1", data={"payment_intent": "pi_1", "amount": "300"})
    assert answer.json()["charge"] == "ch_1"


def test_refunds_of_a_charge_are_listed_newest_first_and_paged(caller: Caller) -> None:
    names = [caller.refund(f"k{number}", 100).json()["id"] for number in range(3)]
    page = caller.stripe("GET", "refunds", params={"charge": "ch_1", "limit": 2}).json()
    assert [one["id"] for one in page["data"]] == [names[2], names[1]]
    assert (page["object"], page["has_more"]) == ("list", True)
    rest = caller.stripe("GET", "refunds", params={"charge": "ch_1", "starting_after": names[1]}).json()
    assert [one["id"] for one in rest["data"]] == [names[0]]
    assert caller.stripe("GET", f"refunds/{names[0]}").json()["amount"] == 100


def test_charge_and_payment_intent_tell_card_risk_and_order(caller: Caller) -> None:
    charge = caller.stripe("GET", "charges/ch_1").json()
    assert charge["payment_method_details"]["card"]["fingerprint"] == "fp"
    assert charge["outcome"]["risk_level"] == "normal"
    assert charge["metadata"]["order_id"] == "5001001"
    intent = caller.stripe("GET", "payment_intents/pi_1").json()
    assert (intent["latest_charge"], intent["amount_received"]) == ("ch_1", 2890)


def test_a_disputed_charge_gives_no_refund_but_an_inquiry_does(caller: Caller) -> None:
    dispute = {"shop": "north", "charge": "ch_1", "amount": "28.90", "reason": "fraudulent", "id": "du_1"}
    caller.control("disputes", {**dispute, "status": "warning_needs_response"})
    assert caller.refund("k1").status_code == 200
    due = "2026-11-20T00:00:00Z"
    caller.control("disputes", {**dispute, "status": "needs_response", "evidence_due_by": due})
    assert caller.refund("k2").json()["error"]["code"] == "charge_disputed"
    listed = caller.stripe("GET", "disputes", params={"charge": "ch_1"}).json()["data"]
    assert [(one["id"], one["amount"], one["status"]) for one in listed] == [("du_1", 2890, "needs_response")]
    assert listed[0]["evidence_details"]["due_by"] == 1795132800
    assert listed[0]["is_charge_refundable"] is False


@pytest.mark.parametrize("given", ["", "Bearer sk_other", "Basic ###", "Bearer"])
def test_a_wrong_key_is_a_401(caller: Caller, given: str) -> None:
    url = "/north/stripe/v1/charges/ch_1"
    answer = caller.client.get(url, headers={"Authorization": given})
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")


def test_an_unknown_url_is_named(caller: Caller) -> None:
    answer = caller.stripe("GET", "payouts")
    assert answer.status_code == 404
    assert "GET: /v1/payouts" in answer.json()["error"]["message"]


def test_a_pending_refund_settles_or_fails_later(caller: Caller) -> None:
    caller.fault("stripe", "pending", "refunds.create")
    refund = caller.refund("k1", 2890).json()
    assert (refund["status"], refund["balance_transaction"]) == ("pending", None)
    assert caller.refund("k2", 100).json()["error"]["code"] == "charge_already_refunded"
    caller.control(f"refunds/north/{refund['id']}", {"status": "failed"})
    assert caller.stripe("GET", f"refunds/{refund['id']}").json()["status"] == "failed"
    assert caller.refunded() == 0
    assert caller.refund("k3", 100).status_code == 200
