"""What goes out to Klaviyo, byte for byte, and what its answers mean."""

from collections.abc import Callable

import httpx
import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor
from tools import wire
from tools.adapters import klaviyo
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, ReadOnly, Refused, ToolError, Unavailable
from tools.models import Drift, NewField
from tools.snapshots import SendResult

ACCEPTED = httpx.Response(202)


def profile(status: int = 201, **changes: object) -> httpx.Response:
    return httpx.Response(
        status, json={"data": {"type": "profile", "id": "01GD", "attributes": {}, **changes}}
    )


def event(vendor: Vendor, email: str = "ada@example.com", metric: str = "Opsagent message") -> SendResult:
    with wire.transport_override(vendor.transport):
        return klaviyo.send_event(
            NORTH,
            metric,
            unique_id=KEY,
            email=email,
            properties={"text": "Hello"},
            correlation_id=CORRELATION,
        )


def upsert(vendor: Vendor, email: str = "ada@example.com", first_name: str = "Ada") -> str:
    with wire.transport_override(vendor.transport):
        return klaviyo.upsert_profile(NORTH, email=email, first_name=first_name, correlation_id=CORRELATION)


def erase(vendor: Vendor, email: str = "ada@example.com") -> None:
    with wire.transport_override(vendor.transport):
        klaviyo.request_deletion(NORTH, email=email, correlation_id=CORRELATION)


def account(vendor: Vendor) -> str:
    with wire.transport_override(vendor.transport):
        return klaviyo.read_account(NORTH, correlation_id=CORRELATION)


def test_a_message_is_an_event_that_counts_once() -> None:
    vendor = Vendor(ACCEPTED)
    assert event(vendor).ref == str(KEY)
    request, data = vendor.asked[0], vendor.json()["data"]
    assert (request.headers["revision"], request.url.path) == ("2026-07-15", "/api/events")
    assert request.headers["Authorization"] == "Klaviyo-API-Key pk_north"
    assert (data["type"], data["attributes"]["unique_id"]) == ("event", str(KEY))


def test_a_lost_message_is_repeated_byte_for_byte() -> None:
    vendor = Vendor(httpx.ReadTimeout("lost"), ACCEPTED)
    event(vendor)
    assert vendor.asked[0].content == vendor.asked[1].content


@pytest.mark.parametrize("status", [200, 201])
def test_a_profile_is_made_or_changed_by_the_same_call(status: int) -> None:
    vendor = Vendor(profile(status))
    assert upsert(vendor) == "01GD"
    assert vendor.json()["data"]["attributes"] == {"email": "ada@example.com", "first_name": "Ada"}


def test_what_we_do_not_know_of_a_person_erases_nothing() -> None:
    vendor = Vendor(profile())
    upsert(vendor, first_name="")
    assert vendor.json()["data"]["attributes"] == {"email": "ada@example.com"}


def test_a_person_can_be_erased_at_klaviyo() -> None:
    vendor = Vendor(ACCEPTED)
    erase(vendor)
    data = vendor.json()["data"]
    assert (data["type"], vendor.asked[0].url.path) == (
        "data-privacy-deletion-job",
        "/api/data-privacy-deletion-jobs",
    )
    assert data["attributes"]["profile"]["data"]["attributes"] == {"email": "ada@example.com"}


def test_the_key_names_its_account() -> None:
    assert (
        account(Vendor(httpx.Response(200, json={"data": [{"type": "account", "id": "AbC123"}]}))) == "AbC123"
    )


@pytest.mark.parametrize("data", [[], [{"type": "account"}], [{"type": "shop", "id": "1"}], None])
def test_an_account_that_is_none_is_drift(data: object) -> None:
    with pytest.raises(ContractDrift):
        account(Vendor(httpx.Response(200, json={"data": data})))
    assert Drift.objects.get().operation == "accounts"


@pytest.mark.parametrize(
    "body", [{"data": {"type": "profile", "id": ""}}, {"data": None}, [], {"data": {"id": "1"}}]
)
def test_an_unreadable_profile_may_have_been_written(body: object) -> None:
    with pytest.raises(OutcomeUnknown):
        upsert(Vendor(httpx.Response(201, json=body)))
    assert Drift.objects.count() == 1


def test_a_field_that_klaviyo_adds_is_counted_and_stops_nothing() -> None:
    assert upsert(Vendor(profile(mood="sunny"))) == "01GD"
    assert NewField.objects.get().field_path == "data.mood"


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (httpx.Response(400, json={"errors": [{"code": "invalid"}]}), Refused, "invalid"),
        (httpx.Response(401, json={"errors": [{"code": "not_authenticated"}]}), Refused, "not_authenticated"),
        (httpx.Response(409, json={"errors": [{"code": "duplicate_profile"}]}), Refused, "duplicate_profile"),
        (httpx.Response(400, json={"errors": [{"code": "ada@example.com is odd"}]}), Refused, "http_400"),
        (httpx.Response(400, content=b"<html>"), Refused, "http_400"),
        (httpx.Response(429, json={"errors": [{"code": "throttled"}]}), Unavailable, "throttled"),
        (httpx.Response(503, headers={"Retry-After": "3"}), Unavailable, "http_503"),
        (httpx.Response(500, json={"errors": [{"code": "error"}]}), OutcomeUnknown, "http_500"),
        (httpx.ConnectError("no"), Unavailable, "ConnectError"),
    ],
)
def test_each_no_of_klaviyo_has_a_name(
    answer: httpx.Response | Exception, error: type[ToolError], code: str
) -> None:
    with pytest.raises(error) as caught:
        event(Vendor(answer))
    assert caught.value.code == code


def test_a_throttle_tells_when_to_come_back() -> None:
    answer = httpx.Response(429, headers={"Retry-After": "40"}, json={"errors": [{"code": "throttled"}]})
    with pytest.raises(Unavailable) as caught:
        event(Vendor(answer))
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 40


@pytest.mark.parametrize("revision", ["2027-01-15", ""])
def test_a_message_under_another_revision_has_left_and_the_next_waits(revision: str) -> None:
    assert event(Vendor(httpx.Response(202, headers={"revision": revision}))).ref == str(KEY)
    assert (Drift.objects.get().field_path, Drift.objects.get().finding) == ("revision", "version")
    vendor = Vendor(ACCEPTED)
    with pytest.raises(ReadOnly):
        event(vendor)
    assert vendor.asked == []


@pytest.mark.parametrize("send", [event, upsert, erase])
def test_nobody_is_written_to_without_an_address(send: Callable[..., object]) -> None:
    vendor = Vendor(ACCEPTED)
    with pytest.raises(InvalidArgs):
        send(vendor, email="")
    assert vendor.asked == []


def test_a_metric_that_klaviyo_would_cut_is_not_sent() -> None:
    with pytest.raises(InvalidArgs):
        event(Vendor(ACCEPTED), metric="x" * 128)
