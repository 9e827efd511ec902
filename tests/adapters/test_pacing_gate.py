"""The gate at work: real calls over a faked wire, held back or let through by the shared rows."""

import httpx
import pytest
from django.db import connection

from cases.models import Shop
from tests.adapters.faking import Vendor, call
from tests.adapters.passing import pass_time
from tests.flow.threads import at_once
from tools import budgets, pacing, wire
from tools.errors import HeldBack, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.models import Circuit, RateBudget
from tools.wire import Call, Kind, Pace

READ, SAFE, UNSAFE = Kind.READ, Kind.IDEMPOTENT_WRITE, Kind.UNSAFE_WRITE
SLOW = 1e-9


def ask(vendor: Vendor, kind: Kind = READ, pace: Pace | None = None) -> wire.Answer:
    with wire.transport_override(vendor.transport, pace):
        return wire.send(call(kind, vendor="stripe"), pacing.GATE)


def failure(vendor: Vendor, kind: Kind = READ, pace: Pace | None = None) -> ToolError:
    with pytest.raises(ToolError) as caught:
        ask(vendor, kind, pace)
    return caught.value


def well() -> Vendor:
    return Vendor(httpx.Response(200))


def away() -> Vendor:
    return Vendor(httpx.ConnectError("nobody there"))


def break_down(kind: Kind = READ) -> None:
    """Two sends of three attempts: the fifth failure opens the circuit, so the sixth attempt isn't made."""
    vendor = away()
    failure(vendor, kind)
    failure(vendor, kind)
    assert len(vendor.asked) == 5


def test_each_attempt_takes_its_share() -> None:
    pacing.learn("north", "stripe", 100, SLOW, 100)
    ask(Vendor(httpx.Response(500), httpx.Response(200)))
    assert RateBudget.objects.get().level == pytest.approx(98)


def test_a_short_wait_for_the_budget_is_slept_here() -> None:
    pacing.learn("north", "stripe", 10, 1, 0)
    vendor = well()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        pass_time(seconds)

    ask(vendor, SAFE, Pace(sleep=sleep, uniform=lambda low, high: high))
    assert slept == [pytest.approx(1.25, abs=0.1)]
    assert len(vendor.asked) == 1


def test_a_long_wait_for_the_budget_goes_back_to_the_queue_unsent() -> None:
    pacing.learn("north", "stripe", 10, 0.1, 0)
    vendor = well()
    slept: list[float] = []
    error = failure(vendor, SAFE, Pace(sleep=slept.append))
    assert isinstance(error, HeldBack)
    assert error.code == "rate_budget"
    assert error.retry_after == pytest.approx(10, abs=0.5)
    assert (vendor.asked, slept) == ([], [])


def test_no_call_sleeps_longer_than_eight_seconds_in_all() -> None:
    pacing.learn("north", "stripe", 10, 0.5, 0)
    slept: list[float] = []
    error = failure(well(), SAFE, Pace(sleep=slept.append))
    assert isinstance(error, HeldBack)
    assert 2 <= len(slept) <= 4
    assert sum(slept) <= 8


def test_nobody_sleeps_past_the_deadline_of_the_call() -> None:
    pacing.learn("north", "stripe", 10, 0.5, 0)
    slept: list[float] = []
    with wire.transport_override(well().transport, Pace(sleep=slept.append)), pytest.raises(HeldBack):
        wire.send(call(SAFE, vendor="stripe", deadline_seconds=2), pacing.GATE)
    assert slept == []


def test_readers_stop_early_and_writers_still_get_through() -> None:
    pacing.learn("north", "stripe", 100, SLOW, 20)
    assert isinstance(failure(well(), READ), HeldBack)
    assert ask(well(), UNSAFE).status == 200


def test_a_vendor_that_does_not_answer_is_left_alone() -> None:
    break_down()
    vendor = well()
    error = failure(vendor)
    assert isinstance(error, HeldBack)
    assert error.code == "circuit_open"
    assert error.retry_after == pytest.approx(30, abs=1)
    assert vendor.asked == []


def test_an_open_circuit_uses_up_no_budget() -> None:
    break_down()
    before = RateBudget.objects.get().level
    failure(well())
    assert RateBudget.objects.get().level == before


def test_reads_that_fail_do_not_stop_a_write() -> None:
    break_down(READ)
    assert ask(well(), SAFE).status == 200


def test_after_its_rest_one_answer_brings_the_vendor_back() -> None:
    break_down()
    pass_time(31)
    assert ask(well()).status == 200
    assert Circuit.objects.get().open_until is None


def test_a_vendor_that_is_still_away_is_asked_once_and_left_alone_for_longer() -> None:
    break_down()
    pass_time(31)
    vendor = away()
    error = failure(vendor)
    assert (len(vendor.asked), error.code) == (1, "ConnectError")
    assert isinstance(error, Unavailable)
    assert error.retry_after == pytest.approx(60, abs=1)


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        (httpx.ReadTimeout("lost"), True),
        (httpx.ConnectTimeout("late"), True),
        (httpx.RemoteProtocolError("hung up"), True),
        (httpx.DecodingError("not gzip"), True),
        (httpx.Response(500), True),
        (httpx.Response(503, headers={"Retry-After": "0"}), True),
        (httpx.Response(408), True),
        (httpx.Response(302), True),  # a login page or a parked domain
        (httpx.Response(429), False),
        (httpx.Response(425), False),
        (httpx.Response(400), False),
        (httpx.Response(401), False),
        (httpx.Response(404), False),
        (httpx.PoolTimeout("all our own"), False),
        (httpx.LocalProtocolError("our mistake"), False),
    ],
)
def test_only_what_is_the_vendors_fault_opens_the_circuit(
    answer: httpx.Response | Exception, opens: bool
) -> None:
    pacing.learn("north", "stripe", 1000, 1000, 1000)
    for _ in range(6):
        failure(Vendor(answer), SAFE)
    assert Circuit.objects.filter(open_until__isnull=False).exists() is opens


@pytest.mark.parametrize("answer", [httpx.Response(404), httpx.Response(429)])
def test_a_no_to_the_probe_is_an_answer_too(answer: httpx.Response) -> None:
    break_down()
    pass_time(31)
    failure(Vendor(answer))
    assert Circuit.objects.get().open_until is None


def test_a_probe_that_never_left_is_handed_to_the_next() -> None:
    break_down()
    pass_time(31)
    failure(Vendor(httpx.PoolTimeout("all our own")))
    assert ask(well()).status == 200


def test_a_probe_that_is_interrupted_is_handed_to_the_next() -> None:
    break_down()
    pass_time(31)

    def interrupt(request: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(Vendor(interrupt))
    assert ask(well()).status == 200


def test_a_throttle_empties_the_budget_for_everybody() -> None:
    failure(Vendor(httpx.Response(429, headers={"Retry-After": "45"})))
    vendor = well()
    error = failure(vendor, UNSAFE)
    assert isinstance(error, HeldBack)
    assert error.retry_after == pytest.approx(45, abs=1)
    assert vendor.asked == []


def test_a_throttle_inside_a_success_leaves_the_budget_to_the_vendors_figures() -> None:
    def throttled(asked: Call, answer: wire.Answer) -> ToolError:
        pacing.learn("north", "stripe", 2000, SLOW, 700)
        return Unavailable(vendor="stripe", code="THROTTLED", retry_after=60)

    with wire.transport_override(well().transport), pytest.raises(Unavailable):
        wire.send(call(vendor="stripe", judge=throttled), pacing.GATE)
    assert RateBudget.objects.get().level == 700
    assert not Circuit.objects.exists()


def test_a_doubt_is_not_forgotten_because_the_second_try_was_held_back() -> None:
    pacing.learn("north", "stripe", 10, SLOW, 1)
    assert isinstance(failure(Vendor(httpx.ReadTimeout("lost")), SAFE), OutcomeUnknown)


def test_what_was_sent_and_not_executed_does_not_count_as_held_back() -> None:
    pacing.learn("north", "stripe", 10, 0.01, 1)
    error = failure(away(), SAFE)
    assert isinstance(error, Unavailable)
    assert not isinstance(error, HeldBack)
    assert error.retry_after == pytest.approx(100, abs=1)


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_not_lost_because_it_cannot_be_noted() -> None:
    def answer_and_cut(request: httpx.Request) -> httpx.Response:
        connection.connection.close()  # the database goes away while the vendor works
        return httpx.Response(200, content=b"done")

    try:
        assert ask(Vendor(answer_and_cut), UNSAFE).body == b"done"
    finally:
        connection.close()


def test_a_refusal_is_told_as_before() -> None:
    assert isinstance(failure(Vendor(httpx.Response(402))), Refused)


def test_the_standing_of_a_shop_names_each_vendor_that_it_asked(north: Shop) -> None:
    pacing.learn("north", "shopify", 2000, SLOW, 500)
    break_down(SAFE)
    shopify, stripe = pacing.standing(north.pk)
    assert (shopify.vendor, shopify.budget_percent, shopify.writes_rest_until) == ("shopify", 25, None)
    assert (stripe.vendor, stripe.reads_rest_until) == ("stripe", None)
    assert stripe.writes_rest_until == Circuit.objects.get().open_until


def test_a_budget_in_debt_stands_at_nothing(north: Shop) -> None:
    pacing.learn("north", "stripe", 10, 1, 10)
    budgets.empty("north", "stripe", 600)
    assert [one.budget_percent for one in pacing.standing(north.pk)] == [0]


@pytest.mark.django_db(transaction=True)
def test_of_eight_calls_at_once_one_reaches_a_vendor_that_may_be_back() -> None:
    break_down()
    pass_time(31)
    reached: list[httpx.Request] = []

    def hear(request: httpx.Request) -> httpx.Response:
        reached.append(request)
        raise httpx.ConnectError("still away")

    def one(number: int) -> str:
        return failure(Vendor(hear)).code

    codes = at_once(one)
    assert len(reached) == 1
    assert sorted(codes) == ["ConnectError"] + ["circuit_open"] * 7
