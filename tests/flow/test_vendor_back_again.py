"""A vendor takes an answer of ours with it and comes back: at each vendor, for each call that a person would miss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from audit.sources import Clock
from cases.models import Case, Handoff, Shop
from cases.tasks import sweep
from tests.flow.stand import Stand, lost, stand, until_quiet, work
from tests.flow.test_cancelling_orders import SOLD, cancelled, sold
from tests.flow.test_equal_refunds import delivered, one_lamp
from tests.flow.turns import fresh
from tools.models import ToolCall

pytestmark = pytest.mark.django_db

PROMISE = timedelta(seconds=120)
# The sweep comes more often than that: whoever looks so rarely must still keep the promise.
TICK = timedelta(seconds=15)
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Step:
    """A call by its tool and vendor, in what was paid through `paid`."""

    tool: str
    operation: str
    paid: str


STEPS = {
    "refund by stripe": Step("issue_refund", "stripe.refunds.create", "stripe"),
    "refund by the shop": Step("issue_refund", "shopify.refundCreate", "shopify"),
    "record at the shop": Step("record_refund", "shopify.refundCreate", "stripe"),
    "cancelling at the shop": Step("cancel_order", "shopify.orderCancel", "stripe"),
}
# It knows no key, so what left no trace is a person's.
WITHOUT_KEY = ("cancelling at the shop",)


@pytest.fixture
def vendors(clock: Clock) -> Iterator[Stand]:
    with stand(clock) as found:
        yield found


def unknown(shop: Shop, vendors: Stand, clock: Clock, step: Step, *, made: bool) -> ToolCall:
    """The call whose answer was lost, after or before the vendor did it; nobody answers any more."""
    if step.tool == "cancel_order":
        case = sold(shop, vendors, SOLD[step.paid]())
        cancelled(case)
    else:
        case = delivered(shop, vendors, step.paid)
        one_lamp(case, clock)

    def goes() -> None:
        vendors.gone = True
        lost()

    (vendors.after if made else vendors.before)[step.operation] = goes
    work()
    call = ToolCall.objects.get(case=case, tool=step.tool)
    assert (call.state, vendors.gone) == ("unknown", True)
    return call


def tick(clock: Clock, time: timedelta = TICK) -> None:
    clock.advance(time)
    sweep()
    work()


def back_after(clock: Clock, vendors: Stand, hours: float, call: ToolCall) -> timedelta:
    """Everybody keeps asking while nobody answers; how long it takes once somebody does, at most five minutes."""
    for _ in range(12):
        tick(clock, hours * HOUR / 12)
    assert fresh(call).state == "unknown"
    vendors.gone, began = False, clock.at
    while fresh(call).state == "unknown" and clock.at - began < timedelta(minutes=5):
        tick(clock)
    return clock.at - began


@pytest.mark.parametrize("name", sorted(STEPS))
@pytest.mark.parametrize("hours", [0.1, pytest.param(30, marks=pytest.mark.nightly)])
def test_what_was_made_is_found_within_two_minutes_of_the_vendor_being_back(
    shop: Shop, vendors: Stand, clock: Clock, name: str, hours: float
) -> None:
    call = unknown(shop, vendors, clock, STEPS[name], made=True)
    assert back_after(clock, vendors, hours, call) <= PROMISE
    assert fresh(call).state in ("succeeded", "pending")
    assert vendors.asked.count(STEPS[name].operation) == 1


@pytest.mark.parametrize("name", sorted(set(STEPS) - set(WITHOUT_KEY)))
def test_what_was_not_made_is_made_once_within_two_minutes_of_the_vendor_being_back(
    shop: Shop, vendors: Stand, clock: Clock, name: str
) -> None:
    call = unknown(shop, vendors, clock, STEPS[name], made=False)
    assert back_after(clock, vendors, 3, call) <= PROMISE
    assert fresh(call).state == "succeeded"
    until_quiet(clock)
    assert [minor for _vendor, minor in vendors.books()] == [1200]


@pytest.mark.parametrize("name", sorted(STEPS))
def test_after_twenty_hours_only_reading_decides_and_a_person_has_what_left_no_trace(
    shop: Shop, vendors: Stand, clock: Clock, name: str
) -> None:
    call = unknown(shop, vendors, clock, STEPS[name], made=False)
    back_after(clock, vendors, 20, call)
    for _ in range(6):
        tick(clock, timedelta(minutes=20))
    assert fresh(call).state == "unknown"
    # The one try that the vendor never did.
    assert vendors.asked.count(STEPS[name].operation) == 1
    assert Handoff.objects.get(case=call.case).reason == "unknown"
    assert Case.objects.get(pk=call.case_id).state == Case.State.HANDOFF
