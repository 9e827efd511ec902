"""What is written down about a call: enough to find it again, and nothing about anybody."""

import logging

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.adapters.faking import CORRELATION, Vendor, call
from tools import wire
from tools.errors import ToolError
from tools.wire import Kind

steady = settings(max_examples=60, derandomize=True, database=None, deadline=None)
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=9, max_size=24)
EMAIL = st.builds("{}@{}.example".format, WORD, WORD)
KEYS = {
    "event", "log_level", "vendor", "operation", "shop", "kind", "outcome", "attempt", "milliseconds",
    "correlation_id",
}  # fmt: skip


def send(vendor: Vendor, **changes: object) -> None:
    with wire.transport_override(vendor.transport):
        try:
            wire.send(call(**changes))  # type: ignore[arg-type]
        except ToolError as error:
            # The error itself goes to the log too, by its text.
            logging.getLogger("tools.test").warning("%s %r", error, error)


@steady
@given(who=EMAIL, status=st.sampled_from([200, 302, 400, 429, 500]))
def test_no_address_of_a_person_is_ever_written_down(who: str, status: int) -> None:
    answer = httpx.Response(status, headers={"X-Customer": who}, content=f'{{"email": "{who}"}}'.encode())
    for end in (answer, httpx.ReadTimeout(f"lost {who}"), httpx.InvalidURL(f"no address: {who}")):
        with capture_logs() as lines:
            send(
                Vendor(end),
                kind=Kind.READ,
                url=f"https://acme.example/people/{who}?email={who}",
                headers={"X-Email": who},
                content=who.encode(),
            )
        assert lines
        assert who not in str(lines)
        assert all(set(line) == KEYS for line in lines)


@pytest.mark.parametrize("end", [httpx.Response(200), httpx.Response(500), httpx.ConnectError("no")])
def test_each_attempt_is_written_down_with_its_correlation_id(end: httpx.Response | Exception) -> None:
    with capture_logs() as lines:
        send(Vendor(end), kind=Kind.READ)
    outcome = str(end.status_code) if isinstance(end, httpx.Response) else "ConnectError"
    assert {line["outcome"] for line in lines} == {outcome}
    assert {line["correlation_id"] for line in lines} == {str(CORRELATION)}
    assert [line["attempt"] for line in lines] == list(range(1, len(lines) + 1))


def test_the_error_that_staff_and_log_see_holds_no_word_of_the_answer() -> None:
    vendor = Vendor(httpx.Response(422, content=b"ada@fern.example is unknown"))
    with wire.transport_override(vendor.transport), pytest.raises(ToolError) as caught:
        wire.send(call(url="https://acme.example/?email=ada@fern.example"))
    assert "ada" not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_the_libraries_below_write_nothing_down_either(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    send(Vendor(httpx.Response(200)), url="https://hooks.example/services/secret")
    assert "secret" not in caplog.text
    for name in ("httpx", "httpcore", "httpcore.connection", "httpcore.http11"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO), name


def test_a_call_that_is_printed_shows_neither_headers_nor_content() -> None:
    shown = repr(call(headers={"Authorization": "Bearer hush"}, content=b"ada@fern.example"))
    assert "hush" not in shown
    assert "ada" not in shown
