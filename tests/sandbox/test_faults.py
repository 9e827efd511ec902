"""Planted failures: each kind, how it is matched, and what the vendor did all the same."""

import json
import time

import httpx
import pytest

from tests.sandbox.world import Caller


def test_a_timeout_before_execution_moves_no_money(caller: Caller) -> None:
    caller.fault("stripe", "timeout_before", "refunds.create", seconds=5)
    with pytest.raises(httpx.ReadTimeout):
        impatient(caller)
    assert caller.refunded() == 0
    assert caller.refund("k1").status_code == 200


def test_a_timeout_after_execution_moved_the_money(caller: Caller) -> None:
    caller.fault("stripe", "timeout_after", "refunds.create", seconds=5)
    with pytest.raises(httpx.ReadTimeout):
        impatient(caller)
    assert caller.refunded() == 500
    assert caller.refund("k1").headers["Idempotent-Replayed"] == "true"
    assert caller.refunded() == 500


def test_an_answer_dropped_after_execution_is_found_by_the_same_key(caller: Caller) -> None:
    caller.fault("stripe", "dropped_after", "refunds.create")
    with pytest.raises(httpx.RemoteProtocolError):
        caller.refund("k1")
    assert caller.refunded() == 500
    assert caller.refund("k1").status_code == 200
    assert caller.refunded() == 500


def test_a_connection_dropped_before_execution_did_nothing(caller: Caller) -> None:
    caller.fault("stripe", "dropped_before", "refunds.create")
    with pytest.raises(httpx.RemoteProtocolError):
        caller.refund("k1")
    assert caller.refunded() == 0


@pytest.mark.parametrize(("executes", "moved"), [(False, 0), (True, 500)])
def test_a_stored_500_is_replayed_under_its_key(caller: Caller, executes: bool, moved: int) -> None:
    caller.fault("stripe", "stored_500", "refunds.create", executes=executes)
    first, second = caller.refund("k1"), caller.refund("k1")
    assert (first.status_code, second.status_code) == (500, 500)
    assert second.json()["error"]["type"] == "api_error"
    assert second.headers["Idempotent-Replayed"] == "true"
    assert caller.refunded() == moved


def test_an_unstored_500_leaves_the_key_free(caller: Caller) -> None:
    caller.fault("stripe", "unstored_500", "refunds.create")
    assert caller.refund("k1").status_code == 500
    assert caller.refund("k1").status_code == 200
    assert caller.refunded() == 500


def test_a_key_forgotten_after_execution_refunds_again(caller: Caller) -> None:
    caller.fault("stripe", "unstored_500", "refunds.create", executes=True)
    assert [caller.refund("k1").status_code for _ in range(2)] == [500, 200]
    assert caller.refunded() == 1000


def test_too_many_requests_name_the_time_to_wait_and_do_nothing(caller: Caller) -> None:
    caller.fault("*", "rate_limited", retry_after=7, times=4)
    answers = every_vendor(caller).values()
    assert [(one.status_code, one.headers["Retry-After"]) for one in answers] == [(429, "7")] * 4
    assert caller.ledger() == {"refunds": [], "messages": [], "tags": []}


def test_shopify_throttles_with_a_200(caller: Caller) -> None:
    caller.fault("shopify", "throttled", "shop")
    answer = caller.shopify("{ shop { name } }")
    assert answer.status_code == 200
    assert answer.json()["errors"][0]["extensions"]["code"] == "THROTTLED"


def test_half_a_json_breaks_off_after_the_work(caller: Caller) -> None:
    caller.fault("stripe", "half_json", "refunds.create")
    answer = caller.refund("k1")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert caller.refunded() == 500


def test_html_comes_with_a_200(caller: Caller) -> None:
    caller.fault("shopify", "html_200", "order")
    answer = caller.shopify('{ order(id: "gid://shopify/Order/5001001") { id } }')
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_latency_delays_the_answer(caller: Caller) -> None:
    caller.fault("stripe", "latency", latency_ms=200)
    started = time.monotonic()
    assert caller.stripe("GET", "charges/ch_1").status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_fault_strikes_its_vendor_shop_and_operation_as_often_as_asked(caller: Caller) -> None:
    caller.fault("stripe", "unstored_500", "refunds.create", times=2)
    caller.fault("stripe", "unstored_500", "charges.retrieve", shop="sakura")
    assert caller.stripe("GET", "charges/ch_1").status_code == 200
    assert caller.klaviyo("m1").status_code == 202
    assert [caller.refund("k1").status_code for _ in range(3)] == [500, 500, 200]


def test_a_fault_without_end_stays_until_it_is_deleted(caller: Caller) -> None:
    caller.fault("*", "unstored_500", times=None)
    assert {one.status_code for one in every_vendor(caller).values()} == {500}
    assert caller.client.delete("/_control/faults").status_code == 200
    assert caller.refund("k1").status_code == 200


@pytest.mark.parametrize("wish", [{"kind": "meteor"}, {"kind": "latency", "speed": 3}])
def test_an_unknown_fault_is_refused_by_name(caller: Caller, wish: dict[str, object]) -> None:
    answer = caller.client.post("/_control/faults", json={"vendor": "stripe", "operation": "*", **wish})
    assert answer.status_code == 400
    assert "unknown fault" in answer.json()["error"]


def impatient(caller: Caller) -> None:
    with httpx.Client(base_url=caller.client.base_url, timeout=0.3) as client:
        Caller(client).refund("k1")


def every_vendor(caller: Caller) -> dict[str, httpx.Response]:
    return {
        "stripe": caller.refund("k1"),
        "shopify": caller.shopify("{ shop { name } }"),
        "klaviyo": caller.klaviyo("m1"),
        "whatsapp": caller.whatsapp(),
    }
