"""Answers bent field by field, headers of another version, and a port that is slow, reset or closed."""

import time
from typing import Any

import httpx
import pytest

from tests.sandbox.world import ORDER_GID, Caller

TITLES = f'{{ order(id: "{ORDER_GID}") {{ name lineItems(first: 5) {{ nodes {{ title quantity }} }} }} }}'
NODES = "data.order.lineItems.nodes"


def line(caller: Caller) -> dict[str, Any]:
    return dict(caller.shopify(TITLES).json()["data"]["order"]["lineItems"]["nodes"][0])


@pytest.mark.parametrize(
    ("kind", "settings", "seen"),
    [
        ("removed_field", {"field": f"{NODES}.0.title"}, {"quantity": 2}),
        ("removed_field", {"field": f"{NODES}.*.quantity"}, {"title": "Lamp"}),
        ("retyped_field", {"field": f"{NODES}.*.quantity"}, {"title": "Lamp", "quantity": "2"}),
        ("null_field", {"field": f"{NODES}.*.title"}, {"title": None, "quantity": 2}),
        ("new_enum_value", {"field": f"{NODES}.*.title", "value": "X"}, {"title": "X", "quantity": 2}),
        ("added_field", {"field": f"{NODES}.*.hue", "value": 3}, {"title": "Lamp", "quantity": 2, "hue": 3}),
        ("removed_field", {"field": "data.order.weather"}, {"title": "Lamp", "quantity": 2}),
    ],
)
def test_one_field_is_bent_and_the_rest_stays(
    caller: Caller, kind: str, settings: dict[str, Any], seen: dict[str, Any]
) -> None:
    caller.fault("shopify", kind, "order", **settings)
    assert line(caller) == seen
    assert line(caller) == {"title": "Lamp", "quantity": 2}


def test_a_removed_field_of_stripe_is_gone_though_the_money_moved(caller: Caller) -> None:
    caller.fault("stripe", "removed_field", "refunds.create", field="amount")
    assert "amount" not in caller.refund("k1").json()
    assert caller.refunded() == 500


@pytest.mark.parametrize(
    ("kind", "header"),
    [("version_header", "X-Shopify-API-Version"), ("deprecation_header", "X-Shopify-API-Deprecated-Reason")],
)
def test_a_header_tells_of_another_version(caller: Caller, kind: str, header: str) -> None:
    caller.fault("shopify", kind, value="2026-10")
    assert caller.shopify("{ shop { name } }").headers[header] == "2026-10"


def test_a_storm_lasts_its_seconds_and_is_listed_till_then(caller: Caller) -> None:
    caller.fault("stripe", "storm", seconds=60)
    assert [caller.stripe("GET", "charges/ch_1").status_code for _ in range(3)] == [429] * 3
    assert len(caller.client.get("/_control/faults").json()["faults"]) == 1
    caller.wait(61)
    assert caller.stripe("GET", "charges/ch_1").status_code == 200
    assert caller.client.get("/_control/faults").json()["faults"] == []


def test_a_slow_drip_comes_whole_in_the_end(caller: Caller) -> None:
    caller.fault("stripe", "slow_drip", latency_ms=1)
    started = time.monotonic()
    assert caller.stripe("GET", "refunds").json()["object"] == "list"
    assert time.monotonic() - started > 0.05


def test_a_closed_port_refuses_everybody_and_opens_again(caller: Caller) -> None:
    caller.fault("*", "connection_refused", seconds=1.5)
    base = str(caller.client.base_url)
    with httpx.Client(base_url=base, timeout=5) as fresh, pytest.raises(httpx.ConnectError):
        fresh.get("/_control/health")
    with httpx.Client(base_url=base, timeout=5) as fresh:
        assert health_once_open(fresh) == {"ok": True}


def health_once_open(fresh: httpx.Client) -> object:
    end = time.monotonic() + 30
    while True:
        try:
            return fresh.get("/_control/health").json()
        except httpx.ConnectError:
            assert time.monotonic() < end, "the port stayed closed"
            time.sleep(0.05)


def test_a_reset_connection_did_nothing(caller: Caller) -> None:
    caller.fault("stripe", "reset_before", "refunds.create")
    with pytest.raises(httpx.TransportError):
        caller.refund("k1")
    assert caller.refunded() == 0


@pytest.mark.parametrize("wish", [{"kind": "removed_field"}, {"kind": "new_enum_value", "field": "status"}])
def test_a_bend_without_its_field_or_value_is_refused(caller: Caller, wish: dict[str, Any]) -> None:
    answer = caller.client.post("/_control/faults", json={"vendor": "stripe", **wish})
    assert (answer.status_code, "needs" in answer.json()["error"]) == (400, True)


def test_free_text_needs_a_message_within_a_day(caller: Caller) -> None:
    wish: dict[str, Any] = {"type": "text", "text": {"body": "hi"}}
    assert caller.whatsapp(**wish).json()["error"]["code"] == 131047
    caller.control("inbound", {"shop": "north", "from": "+15005550006", "text": "hello"})
    assert caller.whatsapp(**wish).status_code == 200
    caller.wait(24 * 3600 + 1)
    assert caller.whatsapp(**wish).json()["error"]["code"] == 131047


@pytest.mark.parametrize(("status", "code"), [("PAUSED", 132015), ("REJECTED", 132001), ("APPROVED", None)])
def test_only_an_approved_template_leaves(caller: Caller, status: str, code: int | None) -> None:
    caller.control("templates", {"shop": "north", "name": "refund_done", "language": "en", "status": status})
    assert caller.whatsapp().json().get("error", {}).get("code") == code
    french = {"name": "refund_done", "language": {"code": "fr"}}
    assert caller.whatsapp(template=french).json()["error"]["code"] == 132001


def test_templates_are_listed_page_by_page(caller: Caller) -> None:
    for number in range(3):
        caller.control("templates", {"shop": "north", "name": f"t{number}", "language": "en"})
    url, headers = "/north/whatsapp/v23.0/10659/message_templates", {"Authorization": "Bearer EAA_north"}
    first = caller.client.get(url, headers=headers, params={"limit": 2}).json()
    after = first["paging"]["cursors"]["after"]
    rest = caller.client.get(url, headers=headers, params={"limit": 2, "after": after}).json()
    assert [one["name"] for one in first["data"] + rest["data"]] == ["t0", "t1", "t2"]
    assert "next" not in rest["paging"]
    assert caller.client.get(first["paging"]["next"], headers=headers).json() == rest


def test_a_profile_is_made_changed_and_erased(caller: Caller) -> None:
    headers = {"Authorization": "Klaviyo-API-Key pk_north", "revision": "2026-07-15"}
    profile = {"type": "profile", "attributes": {"email": "ada@example.com", "first_name": "Ada"}}
    url = "/north/klaviyo/api/profile-import"
    answers = [caller.client.post(url, json={"data": profile}, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 200]
    assert len({one.json()["data"]["id"] for one in answers}) == 1
    person = {"data": {"type": "profile", "attributes": {"email": "ada@example.com"}}}
    wish = {"type": "data-privacy-deletion-job", "attributes": {"profile": person}}
    gone = caller.client.post(
        "/north/klaviyo/api/data-privacy-deletion-jobs", json={"data": wish}, headers=headers
    )
    assert (gone.status_code, gone.content, gone.headers["revision"]) == (202, b"", "2026-07-15")
    assert caller.client.post(url, json={"data": profile}, headers=headers).status_code == 201
    assert (
        caller.client.get("/north/klaviyo/api/accounts", headers=headers).json()["data"][0]["type"]
        == "account"
    )
