"""Tags, notes and cancellations at Shopify: done once, echoed, and settled by reading where the answer is lost."""

from typing import Any

import httpx
import pytest

from tests.adapters import shopify_answers as told
from tests.adapters.faking import CORRELATION, NORTH, Vendor
from tools import wire
from tools.adapters import shopify
from tools.errors import OutcomeUnknown, Refused, Unavailable
from tools.snapshots import CancelResult

ORDER = told.gid("Order", 1001)


def tag(data: Any) -> None:
    with wire.transport_override(told.shop(OpsTags=data).transport):
        shopify.add_tags(NORTH, "1001", ["fraud-suspect"], correlation_id=CORRELATION)


def test_a_tag_is_echoed_by_its_order() -> None:
    tag({"tagsAdd": {"node": {"id": ORDER}, "userErrors": []}})


@pytest.mark.parametrize(
    ("node", "errors", "error"),
    [
        (None, [{"field": ["id"], "message": "Order does not exist"}], Refused),
        (None, [], OutcomeUnknown),
        ({"id": told.gid("Order", 1002)}, [], OutcomeUnknown),
    ],
)
def test_a_tag_without_its_echo_is_not_believed(node: Any, errors: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        tag({"tagsAdd": {"node": node, "userErrors": errors}})


def noted(note: str | None) -> dict[str, Any]:
    return {"id": ORDER, "note": note}


def note(before: str | None, after: dict[str, Any] | None, text: str = "case 5: agreed") -> Vendor:
    payload: dict[str, Any] = {"orderUpdate": {"order": after, "userErrors": []}}
    vendor = told.shop(OpsNote={"order": noted(before)}, OpsUpdate=payload)
    with wire.transport_override(vendor.transport):
        shopify.add_note(NORTH, "1001", text, correlation_id=CORRELATION)
    return vendor


def test_a_note_is_written_below_what_stands_there() -> None:
    vendor = note("Ring twice.", noted("Ring twice.\ncase 5: agreed"))
    assert vendor.json()["variables"]["input"] == {"id": ORDER, "note": "Ring twice.\ncase 5: agreed"}


def test_a_note_on_an_empty_page_is_the_whole_note() -> None:
    assert note(None, noted("case 5: agreed")).json()["variables"]["input"]["note"] == "case 5: agreed"


def test_a_note_that_stands_there_already_is_not_written_again() -> None:
    assert told.asked(note("Ring twice.\r\ncase 5: agreed\r\n", None)) == ["OpsNote"]


def test_shopify_may_write_line_ends_its_own_way() -> None:
    note("Ring\r\ntwice.", noted("Ring\r\ntwice.\r\ncase 5: agreed"))


@pytest.mark.parametrize("after", [None, noted("case 5: agreed"), {"id": told.gid("Order", 2), "note": None}])
def test_a_note_without_its_echo_is_not_believed(after: dict[str, Any] | None) -> None:
    with pytest.raises(OutcomeUnknown):
        note("Ring twice.", after)


def cancel(*answers: httpx.Response | Exception) -> tuple[Vendor, Any]:
    vendor = Vendor(*answers)

    def ask() -> str:
        with wire.transport_override(vendor.transport):
            return shopify.cancel_order(
                NORTH, "1001", reason="CUSTOMER", restock=True, refund=True, note="case 5",
                correlation_id=CORRELATION,
            )  # fmt: skip

    return vendor, ask


def payload(job: Any = None, *errors: dict[str, Any]) -> httpx.Response:
    return told.answer({"orderCancel": {"job": job, "orderCancelUserErrors": list(errors)}})


def test_a_cancellation_is_a_job_and_tells_the_customer_nothing() -> None:
    vendor, ask = cancel(payload({"id": told.gid("Job", "j-1"), "done": False}))
    assert ask() == "j-1"
    sent = vendor.json()["variables"]
    assert (sent["notifyCustomer"], sent["restock"]) == (False, True)
    assert sent["refundMethod"] == {"originalPaymentMethodsRefund": True}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.ReadTimeout("lost"),
        httpx.Response(502),
        httpx.Response(200, content=b'{"data": {"orderCa'),
        payload(None),
        payload(None, {"code": "INTERNAL_ERROR", "field": None, "message": "Something went wrong"}),
        told.answer({"orderCancel": None}),
    ],
)
def test_a_cancellation_whose_answer_is_lost_is_asked_for_once(answer: httpx.Response | Exception) -> None:
    vendor, ask = cancel(answer)
    with pytest.raises(OutcomeUnknown):
        ask()
    assert len(vendor.asked) == 1


def test_a_cancellation_that_never_left_may_be_asked_for_again() -> None:
    vendor, ask = cancel(httpx.ConnectError("down"))
    with pytest.raises(Unavailable):
        ask()
    assert len(vendor.asked) > 1


def test_an_order_that_can_not_be_cancelled_is_refused_with_its_code() -> None:
    _vendor, ask = cancel(
        payload(None, {"code": "INVALID", "field": ["orderId"], "message": "It is fulfilled"})
    )
    with pytest.raises(Refused) as caught:
        ask()
    assert caught.value.code == "INVALID"


def find(job: str, at: str | None, done: Any) -> CancelResult | None:
    order = {"id": ORDER, "test": False, "cancelledAt": at, "cancelReason": None, "cancellation": None}
    told_job = None if done is None else {"id": told.gid("Job", "j-1"), "done": done}
    vendor = told.shop(OpsCancellation={"order": order}, OpsJob={"job": told_job})
    with wire.transport_override(vendor.transport):
        return shopify.find_cancellation(NORTH, "1001", job, correlation_id=CORRELATION)


@pytest.mark.parametrize(
    ("job", "at", "done", "status"),
    [
        ("j-1", "2026-11-04T10:00:00Z", True, "succeeded"),
        ("j-1", "2026-11-04T10:00:00Z", False, "succeeded"),
        ("", "2026-11-04T10:00:00Z", None, "succeeded"),
        ("j-1", None, False, "pending"),
        ("j-1", None, True, "failed"),
        ("j-1", None, None, None),  # Shopify has forgotten the job
        ("", None, None, None),  # the answer with the job was lost
    ],
)
def test_the_order_and_its_job_tell_how_a_cancellation_went(
    job: str, at: str | None, done: Any, status: str | None
) -> None:
    found = find(job, at, done)
    assert (found.status if found else None) == status
