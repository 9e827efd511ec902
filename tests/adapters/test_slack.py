"""What goes out to Slack, and what its few answers mean."""

import httpx
import pytest

from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tools import wire
from tools.adapters import slack
from tools.errors import ContractDrift, InvalidArgs, OutcomeUnknown, ReadOnly, Refused, ToolError, Unavailable


def announce(vendor: Vendor, text: str = "Three hand-offs wait") -> None:
    with wire.transport_override(vendor.transport):
        slack.announce(NORTH, text, correlation_id=CORRELATION)


OK = httpx.Response(200, content=b"ok")


def test_an_announcement_goes_to_the_shops_channel() -> None:
    vendor = Vendor(OK)
    announce(vendor)
    assert vendor.json()["text"] == "Three hand-offs wait"
    assert str(vendor.asked[0].url) == "https://slack.example/services/T0/B0/secret"


def test_a_name_can_not_call_everybody_in_the_channel() -> None:
    vendor = Vendor(OK)
    announce(vendor, "Fish & <!channel> waits")
    assert vendor.json()["text"] == "Fish &amp; &lt;!channel&gt; waits"


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (httpx.Response(400, content=b"invalid_payload"), Refused, "invalid_payload"),
        (httpx.Response(403, content=b"action_prohibited"), Refused, "action_prohibited"),
        (httpx.Response(404, content=b"channel_not_found"), Refused, "channel_not_found"),
        (httpx.Response(410, content=b"channel_is_archived"), Refused, "channel_is_archived"),
        (httpx.Response(404, content=b"<html>Not here</html>"), Refused, "http_404"),
        (httpx.Response(429, headers={"Retry-After": "30"}), Unavailable, "rate_limited"),
        (httpx.Response(500, content=b"rollup_error"), OutcomeUnknown, "http_500"),
        (httpx.ConnectError("no"), Unavailable, "ConnectError"),
        (httpx.ReadTimeout("lost"), OutcomeUnknown, "ReadTimeout"),
    ],
)
def test_each_no_of_slack_has_a_name(
    answer: httpx.Response | Exception, error: type[ToolError], code: str
) -> None:
    with pytest.raises(error) as caught:
        announce(Vendor(answer))
    assert caught.value.code == code


def test_a_page_that_is_not_slack_is_drift_and_stops_the_next() -> None:
    with pytest.raises(ContractDrift):
        announce(Vendor(httpx.Response(200, content=b"<html>Sign in to the network</html>")))
    later = Vendor(OK)
    with pytest.raises(ReadOnly):
        announce(later)
    assert later.asked == []


@pytest.mark.parametrize("text", ["", "  ", "x" * 3001])
def test_nothing_and_far_too_much_are_not_announced(text: str) -> None:
    vendor = Vendor(OK)
    with pytest.raises(InvalidArgs):
        announce(vendor, text)
    assert vendor.asked == []
