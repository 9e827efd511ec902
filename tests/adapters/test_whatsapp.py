"""What goes out to WhatsApp, byte for byte, and what each answer means for the message."""

import httpx
import pytest

from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tools import wire
from tools.adapters import whatsapp
from tools.errors import OutcomeUnknown, Refused, ToolError, Unavailable
from tools.snapshots import SendResult


def send_whatsapp(vendor: Vendor) -> SendResult:
    with wire.transport_override(vendor.transport):
        return whatsapp.send_template(
            NORTH, "DE.123", "refund_done", "de", ["#1001"], callback_data="k1", correlation_id=CORRELATION
        )


def test_a_template_is_sent_once_and_carries_our_reference() -> None:
    vendor = Vendor(httpx.Response(200, json={"messages": [{"id": "wamid.9"}]}))
    assert send_whatsapp(vendor).ref == "wamid.9"
    sent = vendor.json()
    assert (sent["to"], sent["recipient_type"], sent["biz_opaque_callback_data"]) == (
        "DE.123",
        "individual",
        "k1",
    )
    assert sent["template"]["language"] == {"code": "de", "policy": "deterministic"}
    assert vendor.asked[0].url == "https://graph.example/v23.0/1065/messages"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(400, json={"error": {"code": 132001}}), Refused),  # no such template
        (httpx.Response(400, json={"error": {"code": 130429}}), Unavailable),  # too many at once
        (httpx.Response(400, json={"error": {"code": 131000}}), OutcomeUnknown),  # "something went wrong"
        (httpx.Response(400, content=b"no"), Refused),
        (httpx.Response(200, json={"messages": []}), OutcomeUnknown),
        (httpx.ReadTimeout("lost"), OutcomeUnknown),
    ],
)
def test_a_message_without_a_key_is_sent_again_only_when_none_has_left(
    answer: httpx.Response | Exception, error: type[ToolError]
) -> None:
    vendor = Vendor(answer)
    with pytest.raises(error):
        send_whatsapp(vendor)
    assert len(vendor.asked) == (3 if error is Unavailable else 1)
