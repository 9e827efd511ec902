"""The control API and the ledger: what happens without us, and what survives."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from tests.sandbox.listening import Listener
from tests.sandbox.world import KEYS, ORDER_GID, Caller, order
from tools.sandbox.server import Sandbox

ORDER_PATH = "orders/north/5001001"


def test_a_fulfilment_is_replaced_by_its_id(caller: Caller) -> None:
    first = {"id": 1, "tracking_number": "T1", "carrier": "UPS", "created_at": "2026-11-02T09:00:00Z"}
    caller.control(f"{ORDER_PATH}/fulfilments", {**first, "status": "in_transit", "line_ids": [11]})
    fields = """displayFulfillmentStatus fulfillments { id status displayStatus createdAt inTransitAt deliveredAt
      trackingInfo { company number url } fulfillmentLineItems(first: 5) { nodes { quantity lineItem { id } } } }"""
    got = caller.order(fields)
    assert got["displayFulfillmentStatus"] == "FULFILLED"
    assert got["fulfillments"][0]["displayStatus"] == "IN_TRANSIT"
    assert got["fulfillments"][0]["deliveredAt"] is None
    delivered = {**first, "status": "delivered", "delivered_at": "2026-11-04T12:00:00Z", "line_ids": [11]}
    caller.control(f"{ORDER_PATH}/fulfilments", delivered)
    [only] = caller.order(fields)["fulfillments"]
    assert (only["displayStatus"], only["deliveredAt"]) == ("DELIVERED", "2026-11-04T12:00:00Z")
    assert only["trackingInfo"] == [{"company": "UPS", "number": "T1", "url": None}]
    assert only["fulfillmentLineItems"]["nodes"][0]["quantity"] == 2


def test_part_of_the_lines_is_part_of_the_delivery(caller: Caller) -> None:
    lines = [*order()["lines"], {**order()["lines"][0], "id": 12}]
    caller.control("orders", order(lines=lines, total="52.90"))
    body = {"id": 1, "status": "delivered", "created_at": "2026-11-02T09:00:00Z", "line_ids": [12]}
    caller.control(f"{ORDER_PATH}/fulfilments", body)
    assert caller.order("displayFulfillmentStatus")["displayFulfillmentStatus"] == "PARTIALLY_FULFILLED"


def test_risk_can_rise_after_the_order(caller: Caller) -> None:
    caller.control(f"{ORDER_PATH}/risk", {"level": "HIGH"})
    got = caller.order("risk { assessments { riskLevel } recommendation }")["risk"]
    assert got == {"assessments": [{"riskLevel": "HIGH"}], "recommendation": "CANCEL"}


def test_a_return_shows_in_the_order(caller: Caller) -> None:
    caller.control(
        f"{ORDER_PATH}/returns", {"id": 5, "status": "requested", "lines": [{"id": 11, "quantity": 1}]}
    )
    got = caller.order("returnStatus returns(first: 5) { nodes { id status totalQuantity } }")
    assert got["returnStatus"] == "RETURN_REQUESTED"
    assert got["returns"]["nodes"] == [
        {"id": "gid://shopify/Return/5", "status": "REQUESTED", "totalQuantity": 1}
    ]


def test_a_refund_by_hand_counts_at_both_vendors_and_once_in_the_ledger(caller: Caller) -> None:
    body = {"id": "9001", "amount": "12.00", "lines": [{"id": 11, "quantity": 1}]}
    for _ in range(2):
        caller.control(f"{ORDER_PATH}/refunds", body)
    assert caller.stripe("GET", "charges/ch_1").json()["amount_refunded"] == 1200
    got = caller.order(
        """refunds { id transactions(first: 1) { nodes { receiptJson } } }
        lineItems(first: 1) { nodes { refundableQuantity } }"""
    )
    assert [refund["id"] for refund in got["refunds"]] == ["gid://shopify/Refund/9001"]
    receipt = json.loads(got["refunds"][0]["transactions"]["nodes"][0]["receiptJson"])
    assert got["lineItems"]["nodes"] == [{"refundableQuantity": 1}]
    [row] = caller.ledger()["refunds"]
    assert (row["vendor"], row["by"], row["amount_minor"]) == ("stripe", "dashboard", 1200)
    assert receipt["id"] == row["id"]


def test_a_refund_by_hand_without_charge_is_shopifys(caller: Caller) -> None:
    caller.control("orders", order(gateway="shopify_payments", charge=None))
    caller.control(f"{ORDER_PATH}/refunds", {"id": 9001, "amount": "5.00", "lines": []})
    [row] = caller.ledger()["refunds"]
    assert (row["vendor"], row["id"], row["charge"]) == ("shopify", "gid://shopify/Refund/9001", None)


@pytest.mark.parametrize(
    ("path", "body", "word"),
    [
        ("orders", {"shop": "north"}, "missing"),
        ("orders", order(total="28.905"), "not an amount"),
        ("orders", order(risk="SCARY"), "level must be"),
        ("shops", {}, "slug"),
        ("clock", {}, "advance"),
        ("clock", {"advance": -1}, "negative"),
        ("disputes", {"shop": "north", "id": "du_1", "charge": "ch_9", "amount": "1", "reason": "x", "status": "lost"},
         "no charge"),
        (f"{ORDER_PATH}/fulfilments", {"id": 1, "status": "lost", "created_at": "2026-11-02"}, "status must be"),
    ],
)  # fmt: skip
def test_a_wrong_control_request_says_what_is_wrong(
    caller: Caller, path: str, body: dict[str, Any], word: str
) -> None:
    answer = caller.client.post(f"/_control/{path}", json=body)
    assert answer.status_code == 400
    assert word in answer.json()["error"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/_control/weather"), ("GET", "/_control/orders"), ("POST", "/_control/orders/north/9/risk"),
     ("GET", "/north/paypal/v1/x"), ("GET", "/"), ("POST", "/north")],
)  # fmt: skip
def test_an_unknown_path_is_a_clear_404(caller: Caller, method: str, path: str) -> None:
    answer = caller.client.request(method, path, json={} if method == "POST" else None)
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_an_unknown_shop_has_no_keys(caller: Caller) -> None:
    url, headers = "/south/stripe/v1/charges/ch_1", {"Authorization": "Bearer sk_test_north"}
    assert caller.client.get(url, headers=headers).status_code == 401


def test_reset_forgets_everything(caller: Caller) -> None:
    caller.refund("k1")
    caller.klaviyo("m1")
    caller.control("reset")
    assert caller.ledger() == {"refunds": [], "messages": [], "tags": []}


def test_a_body_without_length_or_too_long_is_refused(caller: Caller) -> None:
    chunked = caller.client.post("/_control/orders", content=iter([b"{}"]))
    assert chunked.status_code == 411
    assert caller.client.post("/_control/orders", content=b" " * 2_000_000).status_code == 413


def test_a_restart_keeps_orders_keys_and_ledger(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    with Sandbox(ledger=ledger) as first, httpx.Client(base_url=first.base_url) as client:
        caller = Caller(client)
        caller.control("shops", KEYS)
        caller.control("orders", order())
        caller.fault("shopify", "html_200")
        made = caller.refund("k1").json()
    with Sandbox(ledger=ledger) as second, httpx.Client(base_url=second.base_url) as client:
        caller = Caller(client)
        again = caller.refund("k1")
        assert (again.json(), again.headers["Idempotent-Replayed"]) == (made, "true")
        assert caller.shopify("{ shop { name } }").headers["Content-Type"].startswith("text/html")
        assert caller.refunded() == 500


def test_what_was_answered_survives_a_kill(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite3"
    with process(ledger) as (running, url), httpx.Client(base_url=url) as client:
        caller = Caller(client)
        caller.control("shops", KEYS)
        caller.control("orders", order())
        made = caller.refund("k1").json()
        os.kill(running.pid, signal.SIGKILL)
    with Sandbox(ledger=ledger) as second, httpx.Client(base_url=second.base_url) as client:
        assert Caller(client).refund("k1").json() == made
        assert Caller(client).order("id")["id"] == ORDER_GID


def test_the_process_ends_on_a_polite_signal(tmp_path: Path) -> None:
    with process(tmp_path / "ledger.sqlite3") as (running, url):
        assert httpx.get(f"{url}/_control/health").json() == {"ok": True}
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0


def events(caller: Caller) -> list[tuple[str, str]]:
    return [(event["type"], event["id"]) for event in caller.stripe("GET", "events").json()["data"]]


def test_a_story_that_posts_its_own_webhooks_names_stripes_events(caller: Caller, listener: Listener) -> None:
    before = events(caller)
    caller.listen("stripe", listener.url)
    second = order(id=5001002, charge={**order()["charge"], "id": "ch_2", "payment_intent": "pi_2"})
    caller.control("orders", {**second, "events": {}})
    assert events(caller) == before
    told = {"shop": "north", "charge": "ch_2", "type": "charge.succeeded"}
    caller.control("charges", {**told, "events": {"charge.succeeded": "evt_told"}})
    warning = {"shop": "north", "id": "issfr_1", "charge": "ch_2"}
    caller.control(
        "fraud_warnings", {**warning, "events": {"radar.early_fraud_warning.created": "evt_warned"}}
    )
    assert set(events(caller)) - set(before) == {
        ("charge.succeeded", "evt_told"),
        ("radar.early_fraud_warning.created", "evt_warned"),
    }
    assert caller.deliveries() == []


def test_a_story_of_another_day_happens_when_it_is_told(caller: Caller) -> None:
    at = "2030-01-02T03:04:05Z"
    parcel = {"id": 9, "status": "delivered", "created_at": "2026-01-01T00:00:00Z", "line_ids": []}
    caller.control(f"orders/north/{order()['id']}/fulfilments", {**parcel, "at": at})
    assert caller.order("updatedAt")["updatedAt"] == at
    caller.control("fraud_warnings", {"shop": "north", "id": "issfr_1", "charge": order()["charge"]["id"],
                                      "created_at": "2026-01-01T00:00:00Z", "at": at})  # fmt: skip
    newest = caller.stripe("GET", "events").json()["data"][0]
    assert newest["created"] == int(datetime.fromisoformat(at).timestamp())


def test_it_listens_on_the_loopback_alone(sandbox: Sandbox) -> None:
    assert sandbox.base_url.startswith("http://127.0.0.1:")
    with pytest.raises(OSError, match="in use"):
        Sandbox(sandbox.port, ledger=sandbox.ledger.with_name("other.sqlite3")).start()


def test_production_refuses_the_command(settings: Settings, tmp_path: Path) -> None:
    settings.MODE = "production"
    with pytest.raises(CommandError, match="production"):
        call_command("sandbox", "--ledger", str(tmp_path / "ledger.sqlite3"))
    assert list(tmp_path.iterdir()) == []


def test_production_refuses_the_program_without_django_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.sandbox", "--ledger", str(tmp_path / "ledger.sqlite3")]
    mode = {**os.environ, "OPSAGENT_MODE": "production"}
    ended = subprocess.run(command, env=mode, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, "production" in ended.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


class process:  # noqa: N801 - reads as the verb that it is
    """A sandbox in a process of its own, on a free port."""

    def __init__(self, ledger: Path) -> None:
        self.command = [sys.executable, "-m", "tools.sandbox", "--ledger", str(ledger)]

    def __enter__(self) -> tuple[subprocess.Popen[str], str]:
        self.running = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.running.stdout
        return self.running, self.running.stdout.readline().split()[-1]

    def __exit__(self, *_: object) -> None:
        self.running.kill()
        self.running.wait(10)
        assert self.running.stdout
        self.running.stdout.close()
