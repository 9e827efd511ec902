"""Klaviyo, WhatsApp and Slack: who may send, what is kept, and what a repetition does."""

import pytest

from tests.sandbox.world import Caller


def test_klaviyo_accepts_an_event_with_an_empty_202(caller: Caller) -> None:
    answer = caller.klaviyo("m1")
    assert (answer.status_code, answer.content) == (202, b"")
    message = caller.ledger()["messages"][0]
    assert (message["vendor"], message["unique_id"], message["to"]) == ("klaviyo", "m1", "ada@example.com")
    assert (message["metric"], message["properties"]) == ("refund_done", {"order": "#1001"})


def test_klaviyo_keeps_one_event_per_unique_id(caller: Caller) -> None:
    assert [caller.klaviyo(name).status_code for name in ("m1", "m1", "m2")] == [202, 202, 202]
    assert [message["unique_id"] for message in caller.ledger()["messages"]] == ["m1", "m2"]


def test_klaviyo_without_unique_id_sends_again(caller: Caller) -> None:
    caller.klaviyo(None)
    caller.klaviyo(None)
    assert len(caller.ledger()["messages"]) == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"revision": "2026-07-15"}, 401),
        ({"Authorization": "Bearer pk_north", "revision": "2026-07-15"}, 401),
        ({"Authorization": "Klaviyo-API-Key pk_other", "revision": "2026-07-15"}, 401),
        ({"Authorization": "Klaviyo-API-Key pk_north"}, 400),
    ],
)
def test_klaviyo_asks_for_key_and_revision(caller: Caller, headers: dict[str, str], status: int) -> None:
    answer = caller.klaviyo("m1", headers)
    assert answer.status_code == status
    assert set(answer.json()["errors"][0]) >= {"id", "code", "title", "detail"}
    assert caller.ledger()["messages"] == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"data": {"type": "event", "attributes": {}}}'])
def test_klaviyo_refuses_what_is_no_event(caller: Caller, body: bytes) -> None:
    headers = {"Authorization": "Klaviyo-API-Key pk_north", "revision": "2026-07-15"}
    assert caller.client.post("/north/klaviyo/api/events", content=body, headers=headers).status_code == 400


def test_whatsapp_sends_a_template_and_names_the_message(caller: Caller) -> None:
    answer = caller.whatsapp().json()
    assert answer["messages"][0]["id"].startswith("wamid.")
    assert answer["contacts"] == [{"input": "+15005550006", "wa_id": "15005550006"}]
    message = caller.ledger()["messages"][0]
    assert (message["template"], message["unique_id"], message["to"]) == (
        "refund_done",
        "call-1",
        "+15005550006",
    )


def test_whatsapp_has_no_key_so_a_repetition_sends_twice(caller: Caller) -> None:
    names = {caller.whatsapp().json()["messages"][0]["id"] for _ in range(2)}
    assert len(names) == 2
    assert len(caller.ledger()["messages"]) == 2


def test_whatsapp_refuses_strangers_other_numbers_and_free_text(caller: Caller) -> None:
    assert caller.whatsapp(token="EAA_other").json()["error"]["code"] == 190
    assert caller.whatsapp(phone="7").json()["error"]["code"] == 100
    assert caller.whatsapp(type="text", text={"body": "hi"}).json()["error"]["code"] == 131047
    assert caller.whatsapp(template={"name": "refund_done"}).status_code == 400
    assert caller.ledger()["messages"] == []


def test_slack_answers_ok_and_keeps_the_announcement(caller: Caller) -> None:
    answer = caller.client.post("/north/slack", json={"text": "A hand-off waits"})
    assert (answer.status_code, answer.text) == (200, "ok")
    assert caller.ledger()["messages"][0]["properties"] == {"text": "A hand-off waits"}
    assert caller.client.post("/north/slack/T1/B1/x", json={"text": "again"}).text == "ok"
    assert caller.client.post("/north/slack", json={}).text == "no_text"
    assert caller.client.post("/north/slack", content=b"{").text == "invalid_payload"
