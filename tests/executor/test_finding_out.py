"""A call whose outcome is open, to the last column: who looks at it, what the vendor says, and what is sent again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from structlog.testing import capture_logs

from audit.sources import Clock
from cases.models import Shop
from tests import factories
from tests.authority.rows import refunded
from tests.executor.rows import Caller, lone, money, refund, told, vendor
from tests.flow.turns import fresh
from tools import execution, settling
from tools.errors import OutcomeUnknown
from tools.execution import LEASE, NUDGE, SAME_KEY_FOR
from tools.models import ToolCall

REFUSED = httpx.Response(400, json={"error": {"type": "invalid_request_error", "code": "charge_disputed"}})


class Stripe:
    """Keeps what it makes; loses its answer to a write where `lost`, before or after the work."""

    def __init__(self) -> None:
        self.asked: list[httpx.Request] = []
        self.kept: list[dict[str, object]] = []
        self.makes, self.loses = True, False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.method == "GET":
            return httpx.Response(200, json={"object": "list", "has_more": False, "data": self.kept})
        made = refunded(request).json()
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        if self.makes:
            self.kept.append({**made, "metadata": {"call": form["metadata[call]"]}})
        if self.loses:
            raise httpx.ReadTimeout("lost", request=request)
        return httpx.Response(200, json=made)

    @property
    def ways(self) -> list[str]:
        return [request.method for request in self.asked]


def lost(north: Shop, *, made: bool) -> tuple[ToolCall, Stripe]:
    """A refund whose answer never came, and the vendor, which can be heard again."""
    call, stripe, caller = refund(north), Stripe(), Caller()
    stripe.makes, stripe.loses = made, True
    with vendor(stripe):
        execution.run(call.pk, before_send=caller.before_send, after_outcome=caller.after_outcome)
    assert fresh(call).state == "unknown"
    stripe.makes, stripe.loses = True, False
    stripe.asked.clear()
    return call, stripe


def settle(call: ToolCall, caller: Caller | None = None) -> str | None:
    caller = caller or Caller()
    return settling.settle(call.pk, before_send=caller.before_send, after_outcome=caller.after_outcome)


def test_whoever_looks_has_the_call_for_as_long_as_a_sender(north: Shop, clock: Clock) -> None:
    call, stripe = lost(north, made=True)
    seen: list[ToolCall] = []

    def look(request: httpx.Request) -> httpx.Response:
        seen.append(ToolCall.objects.get(pk=call.pk))
        return stripe(request)

    clock.advance(timedelta(minutes=1))
    with vendor(look):
        settle(call)
    assert [(row.fence, row.attempts, row.state) for row in seen] == [(2, 2, "unknown")]
    assert seen[0].lease_until == clock.at + LEASE


def test_what_the_vendor_has_done_ends_it_by_reading(north: Shop, clock: Clock) -> None:
    (call, stripe), caller = lost(north, made=True), Caller()
    with vendor(stripe):
        assert settle(call, caller) == "succeeded"
    assert stripe.ways == ["GET"]
    assert (fresh(call).settled_by, call.vendor_ref) == ("reading", stripe.kept[0]["id"])
    assert (caller.before, caller.after, money(call)) == ([], [(0, "succeeded")], (0, 1500))


def test_what_the_vendor_has_tried_and_failed_has_failed(north: Shop, clock: Clock) -> None:
    call, stripe = lost(north, made=True)
    stripe.kept[0]["status"] = "failed"
    with vendor(stripe):
        assert settle(call) == "failed"
    assert (fresh(call).error, call.settled_by) == ("failed_at_vendor", "reading")


def test_what_left_no_trace_is_sent_again_once_nobody_objects(north: Shop, clock: Clock) -> None:
    (call, stripe), caller = lost(north, made=False), Caller()
    with vendor(stripe):
        assert settle(call, caller) == "succeeded"
    assert stripe.ways == ["GET", "POST"]
    assert (caller.before, fresh(call).settled_by) == ([(0, "unknown")], "")


def test_what_somebody_objects_to_stays_open_with_the_reason(north: Shop, clock: Clock) -> None:
    (call, stripe), caller = lost(north, made=False), Caller(stop="risk." + "x" * 70)
    clock.advance(timedelta(minutes=1))
    with vendor(stripe):
        assert settle(call, caller) == "unknown"
    assert (stripe.ways, fresh(call).error) == (["GET"], ("risk." + "x" * 70)[:64])
    assert (call.lease_until, money(call), caller.after) == (clock.at + NUDGE, (1500, 0), [])


def test_who_has_lost_the_call_while_asking_sends_nothing(north: Shop, clock: Clock) -> None:
    (call, stripe), caller = lost(north, made=False), Caller()

    def taken(request: httpx.Request) -> httpx.Response:
        ToolCall.objects.filter(pk=call.pk).update(fence=9)
        return stripe(request)

    with vendor(taken):
        assert settle(call, caller) == "unknown"
    assert (stripe.ways, caller.before, fresh(call).fence) == (["GET"], [], 9)


@pytest.mark.parametrize("answer", [REFUSED, httpx.ReadTimeout("lost"), httpx.Response(401)])
def test_a_later_no_takes_the_doubt_not_back(
    north: Shop, clock: Clock, answer: httpx.Response | Exception
) -> None:
    (call, stripe), caller = lost(north, made=False), Caller()
    with vendor(stripe, answer):
        assert settle(call, caller) == "unknown"
    assert fresh(call).error
    assert (call.lease_until, money(call), caller.after) == (clock.at + NUDGE, (1500, 0), [])


def test_a_vendor_that_has_it_on_its_way_now_has_it_on_its_way(north: Shop, clock: Clock) -> None:
    (call, stripe), caller = lost(north, made=True), Caller()
    stripe.kept[0]["status"] = "pending"
    with vendor(stripe):
        assert settle(call, caller) == "pending"
        assert (caller.after, fresh(call).settled_by) == ([(0, "pending")], "reading")
        assert settle(call, caller) == "pending"
    assert (stripe.ways, caller.after) == (["GET", "GET"], [(0, "pending")])
    assert (told(call)[-1], fresh(call).lease_until) == ("call.pending", clock.at + NUDGE)


def test_what_is_on_its_way_and_left_no_trace_is_not_sent_again(north: Shop, clock: Clock) -> None:
    call, stripe, caller = lone(north, state="pending", first_sent_at=clock.at), Stripe(), Caller()
    with vendor(stripe):
        assert settle(call, caller) == "pending"
    assert (stripe.ways, caller.before) == (["GET"], [])


@pytest.mark.parametrize(
    ("change", "writes"),
    [
        ({}, 1),
        ({"error": OutcomeUnknown.STORED}, 0),
        ({"age": SAME_KEY_FOR - timedelta(seconds=1)}, 1),
        ({"age": SAME_KEY_FOR}, 0),
    ],
)
def test_the_same_key_is_sent_again_only_while_it_can_do_no_harm(
    north: Shop, clock: Clock, change: dict[str, Any], writes: int
) -> None:
    call, stripe = lost(north, made=False)
    ToolCall.objects.filter(pk=call.pk).update(error=change.get("error", ""))
    clock.advance(change.get("age", timedelta(0)))
    with vendor(stripe):
        settle(call)
    assert stripe.ways == ["GET", *["POST"] * writes]
    assert fresh(call).state == ("succeeded" if writes else "unknown")
    if not writes:
        assert (call.lease_until, call.error) == (clock.at + NUDGE, change.get("error", ""))


def test_a_vendor_that_knows_no_key_is_never_sent_the_same_again(north: Shop, clock: Clock) -> None:
    case = factories.make_case(north)
    decision = factories.make_decision(case, tool="send_message")
    message = factories.make_message(case, direction="out")
    nothing: dict[str, Any] = {"payment": None, "amount_minor": 0, "value_minor": 0, "currency": ""}
    call = factories.make_call(
        decision, tool="send_message", vendor="whatsapp", state="unknown", message=message, **nothing
    )
    caller = Caller()
    with vendor() as fake:
        assert settle(call, caller) == "unknown"
    assert (fake.asked, caller.before, fresh(call).attempts) == ([], [], 1)


def test_a_vendor_that_can_not_be_read_is_asked_later_and_told_of_in_the_log(
    north: Shop, clock: Clock
) -> None:
    call, _stripe = lost(north, made=False)
    caller = Caller()
    with capture_logs() as logs, vendor(httpx.Response(401, json={"error": {"type": "x"}})) as fake:
        assert settle(call, caller) == "unknown"
    assert {request.method for request in fake.asked} == {"GET"}
    (said,) = [entry for entry in logs if entry["event"] == "call.not_settled"]
    assert (said["call"], said["correlation_id"]) == (call.pk, str(call.correlation_id))
    assert (said["log_level"], bool(said["code"])) == ("warning", True)
    assert (fresh(call).lease_until, caller.before) == (clock.at + NUDGE, [])


@pytest.mark.parametrize("state", ["reserved", "sending", "succeeded", "failed", "cancelled", "failed_later"])
def test_nobody_looks_for_what_is_not_open(north: Shop, clock: Clock, state: str) -> None:
    call = lone(north, state=state)
    with vendor() as fake:
        assert settle(call) is None
    assert (fake.asked, fresh(call).fence, call.attempts) == ([], 0, 0)
