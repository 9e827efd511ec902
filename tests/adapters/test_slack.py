"""What goes out to Slack, and what its few answers mean."""

import httpx

from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tools import wire
from tools.adapters import slack


def test_an_announcement_goes_to_the_shops_channel() -> None:
    vendor = Vendor(httpx.Response(200, content=b"ok"))
    with wire.transport_override(vendor.transport):
        slack.announce(NORTH, "Three hand-offs wait", correlation_id=CORRELATION)
    assert vendor.json() == {"text": "Three hand-offs wait"}
