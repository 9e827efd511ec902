"""What goes out to WhatsApp, byte for byte, and what each answer means for the message."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tools import wire
from tools.adapters import whatsapp, whatsapp_reading
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, ReadOnly, Refused, ToolError, Unavailable
from tools.models import Drift
from tools.snapshots import SendResult, TemplateSnapshot

USER_ID = "DE.13491208655302741918"
Send = Callable[..., SendResult]


def sent(to: str = "4915112345678", **changes: Any) -> httpx.Response:
    contact = {"input": to, "wa_id": to}
    return httpx.Response(200, json={"contacts": [contact], "messages": [{"id": "wamid.9", **changes}]})


def template(vendor: Vendor, to: str = "4915112345678", text: str = "#1001") -> SendResult:
    with wire.transport_override(vendor.transport):
        return whatsapp.send_template(
            NORTH, to, "refund_done", "de", [text], callback_data="k1", correlation_id=CORRELATION
        )


def words(vendor: Vendor, to: str = "4915112345678", text: str = "Gern geschehen.") -> SendResult:
    with wire.transport_override(vendor.transport):
        return whatsapp.send_text(NORTH, to, text, callback_data="k1", correlation_id=CORRELATION)


def test_a_template_is_sent_once_and_carries_our_reference() -> None:
    vendor = Vendor(sent())
    assert template(vendor) == SendResult(ref="wamid.9")
    body = vendor.json()
    assert (body["to"], body["recipient_type"], body["biz_opaque_callback_data"]) == (
        "4915112345678",
        "individual",
        "k1",
    )
    assert body["template"]["language"] == {"code": "de", "policy": "deterministic"}
    assert vendor.asked[0].url == "https://graph.example/v23.0/1065/messages"


def test_words_of_a_person_go_as_they_are() -> None:
    vendor = Vendor(sent())
    words(vendor, text="Line one\nLine two")
    assert vendor.json()["text"] == {"body": "Line one\nLine two", "preview_url": False}
    assert vendor.json()["biz_opaque_callback_data"] == "k1"


@pytest.mark.parametrize("send", [template, words])
@pytest.mark.parametrize("to", [USER_ID, "US.ENT.11815799212886844830"])
def test_a_customer_without_a_phone_number_is_addressed_by_user_id(send: Send, to: str) -> None:
    # In `to` it would be taken for a number, answered with 200, and reach nobody.
    vendor = Vendor(sent(to))
    send(vendor, to=to)
    assert vendor.json()["recipient"] == to
    assert "to" not in vendor.json()


def test_an_answer_without_wa_id_is_read() -> None:
    answer = httpx.Response(200, json={"contacts": [{"input": USER_ID}], "messages": [{"id": "wamid.9"}]})
    assert template(Vendor(answer), to=USER_ID).ref == "wamid.9"


def test_an_answer_about_somebody_else_is_an_unknown_outcome_and_stops_the_next() -> None:
    with pytest.raises(OutcomeUnknown):
        template(Vendor(sent("491719999999")))
    assert Drift.objects.get().field_path == "contacts.*.input"
    later = Vendor(sent())
    with pytest.raises(ReadOnly):
        template(later)
    assert later.asked == []


def test_a_number_may_come_back_in_another_spelling() -> None:
    assert template(Vendor(sent("+49 151 12345678"))).ref == "wamid.9"


@pytest.mark.parametrize(
    ("status", "pending"), [("accepted", False), ("held_for_quality_assessment", True), ("paused", True)]
)
def test_a_message_that_is_held_back_is_not_sent_yet(status: str, pending: bool) -> None:
    assert template(Vendor(sent(message_status=status))).pending is pending


ANSWERS: list[tuple[httpx.Response | Exception, type[ToolError], str]] = [
    (httpx.Response(400, json={"error": {"code": 132001}}), Refused, "template_not_approved"),
    (httpx.Response(400, json={"error": {"code": 132015}}), Refused, "template_not_approved"),
    (httpx.Response(400, json={"error": {"code": 131047}}), Refused, "window_closed"),
    (httpx.Response(400, json={"error": {"code": 131062}}), Refused, "needs_phone_number"),
    (httpx.Response(401, json={"error": {"code": 190}}), Refused, "token_invalid"),
    (httpx.Response(400, json={"error": {"code": 99}}), Refused, "99"),  # a code that nobody has told us of
    (httpx.Response(400, json={"error": {"code": 130429}}), Unavailable, "130429"),  # too many at once
    (httpx.Response(400, json={"error": {"code": 131056}}), Unavailable, "131056"),
    (httpx.Response(429, json={"error": {"code": 4}}), Unavailable, "4"),
    (httpx.Response(400, json={"error": {"code": 131000}}), OutcomeUnknown, "131000"),  # "something went wrong"
    (httpx.Response(500, json={"error": {"code": 132001}}), OutcomeUnknown, "http_500"),
    (httpx.Response(400, content=b"no"), Refused, "http_400"),
    (httpx.Response(200, json={"messages": []}), OutcomeUnknown, "unreadable"),
    (httpx.Response(200, json={"messages": [{"id": "w", "message_status": "lost"}]}), OutcomeUnknown, "unreadable"),
    (httpx.Response(200, content=b"<html>"), OutcomeUnknown, "not_json"),
    (httpx.ReadTimeout("lost"), OutcomeUnknown, "ReadTimeout"),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "error", "code"), ANSWERS)
def test_each_answer_says_what_became_of_the_message(
    answer: httpx.Response | Exception, error: type[ToolError], code: str
) -> None:
    with pytest.raises(error) as caught:
        template(Vendor(answer))
    assert caught.value.code == code


@pytest.mark.parametrize("answer", [row[0] for row in ANSWERS if row[1] is OutcomeUnknown])
def test_a_message_that_may_have_left_is_not_sent_twice(answer: httpx.Response | Exception) -> None:
    vendor = Vendor(answer)
    with pytest.raises(OutcomeUnknown):
        template(vendor)
    assert len(vendor.asked) == 1


@pytest.mark.parametrize(
    ("send", "changes"),
    [
        (template, {"to": ""}),
        (template, {"text": "x" * 901}),
        (words, {"to": ""}),
        (words, {"text": ""}),
        (words, {"text": "x" * 4097}),
    ],
)
def test_what_nobody_can_get_is_not_sent(send: Send, changes: dict[str, str]) -> None:
    vendor = Vendor(sent())
    with pytest.raises(InvalidArgs):
        send(vendor, **changes)
    assert vendor.asked == []


def test_a_newer_version_that_serves_a_message_stops_the_next_one() -> None:
    answer = sent()
    answer.headers["facebook-api-version"] = "v25.0"
    assert template(Vendor(answer)).ref == "wamid.9"
    assert (Drift.objects.get().finding, Drift.objects.get().field_path) == (
        "version",
        "facebook-api-version",
    )


def page(*names: str, after: str = "", more: bool = False, **changes: Any) -> httpx.Response:
    rows = [{"name": name, "language": "en", "status": "APPROVED", "id": "1", **changes} for name in names]
    paging = {
        "cursors": {"before": "b", "after": after},
        **({"next": "https://graph.example"} if more else {}),
    }
    return httpx.Response(200, json={"data": rows, "paging": paging})


def templates(vendor: Vendor) -> tuple[TemplateSnapshot, ...]:
    with wire.transport_override(vendor.transport):
        return whatsapp_reading.list_templates(NORTH, correlation_id=CORRELATION)


class TestTemplates:
    @pytest.fixture(autouse=True)
    def account(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NORTH_WHATSAPP_BUSINESS_ACCOUNT_ID", "77")

    def test_all_pages_are_read(self) -> None:
        vendor = Vendor(page("one", after="c1", more=True), page("two", after="c2"))
        assert [row.name for row in templates(vendor)] == ["one", "two"]
        assert vendor.asked[0].url.path == "/v23.0/77/message_templates"
        assert vendor.asked[1].url.params["after"] == "c1"

    def test_a_state_is_kept_as_the_vendor_writes_it(self) -> None:
        (row,) = templates(Vendor(page("one", status="IN_APPEAL", category="UTILITY")))
        assert (row.status, row.category, row.language) == ("IN_APPEAL", "UTILITY", "en")

    def test_pages_that_go_in_a_circle_are_not_taken_for_the_whole(self) -> None:
        with pytest.raises(ContractDrift):
            templates(Vendor(page("one", after="c1", more=True)))

    @pytest.mark.parametrize("changes", [{"status": None}, {"status": 1}, {"language": ""}])
    def test_a_template_without_a_state_is_drift(self, changes: dict[str, Any]) -> None:
        with pytest.raises(ContractDrift):
            templates(Vendor(page("one", **changes)))
        assert Drift.objects.get().operation == "message_templates.list"

    def test_an_older_version_that_serves_a_reading_is_drift(self) -> None:
        answer = page("one")
        answer.headers["facebook-api-version"] = "v24.0"
        with pytest.raises(ContractDrift):
            templates(Vendor(answer))
