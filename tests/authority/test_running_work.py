"""A switch stops what runs: it is asked for before each attempt, and nothing new leaves within two seconds of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta

import httpx
import pytest

from approvals.limits import engage_switch, release_switch
from approvals.models import KillSwitch
from audit import sources
from cases import services, tasks
from cases.models import Case, Handoff, Shop
from tests import factories
from tests.adapters.faking import CORRELATION, KEY, NORTH, Vendor, call
from tests.adapters.mail_servers import mail_server
from tests.authority.rows import acting, decide_refund, failures, refundable_case, refunded, together
from tools import pacing, stops, wire
from tools.adapters import email, klaviyo, shopify, slack, stripe, whatsapp
from tools.errors import HeldBack
from tools.models import Order, Payment, ToolCall
from tools.wire import Pace

BUSY, BROKEN = httpx.Response(429), httpx.Response(500)
NO_REFUNDS = httpx.Response(200, json={"object": "list", "data": [], "has_more": False})
SCOPES = [
    ("everything", ""),
    ("shop", ""),
    ("vendor", "stripe"),
    ("tool", "issue_refund"),
    ("planner", "rules"),
]


def small_refund(shop: Shop) -> ToolCall:
    case = refundable_case(shop=shop)
    made = decide_refund(case).calls[0]
    Case.objects.filter(pk=case.pk).update(
        state="waiting", wait_reason="effect", wake_at=factories.now() + timedelta(hours=1)
    )
    return made


def engage(shop: Shop, scope: str = "everything", key: str = "") -> KillSwitch:
    which = shop.pk if scope == "shop" else None
    return engage_switch(
        scope=scope, key=key, shop_id=which, reason="Doubled refunds", by=acting(shop, "agent")
    )


def release(shop: Shop) -> None:
    by = acting(shop, "finance approver")
    for row in KillSwitch.objects.filter(released_at__isnull=True):
        release_switch(row.pk, by=by)


def during_sleep(work: Callable[[], object]) -> Pace:
    """A pace at which this happens while the call sleeps for the first time; a vendor's budget fills up in time."""
    left = [work]

    def sleep(seconds: float) -> None:
        if left:
            left.pop()()
        time.sleep(min(seconds, 0.05))

    return Pace(sleep=sleep, uniform=lambda low, high: high)


def execute(made: ToolCall, vendor: Vendor, pace: Pace | None = None, *, later: int = 0) -> str | None:
    past = sources.frozen(factories.now() + later * MINUTE) if later else nullcontext()
    with wire.transport_override(vendor.transport, pace), past:
        return tasks.execute(made.pk)


MINUTE = timedelta(minutes=1)


@pytest.mark.django_db
@pytest.mark.parametrize(("scope", "key"), SCOPES)
def test_what_sleeps_before_its_next_attempt_is_stopped_when_it_wakes(
    north: Shop, scope: str, key: str
) -> None:
    made, vendor = small_refund(north), Vendor(BUSY, refunded)
    assert execute(made, vendor, during_sleep(lambda: engage(north, scope, key))) == "reserved"
    assert len(vendor.asked) == 1
    # Its turn comes again, and the switch still holds: a person has it, and the money is free.
    assert execute(made, vendor, later=2) == "cancelled"
    made.refresh_from_db()
    assert (made.error, len(vendor.asked)) == ("switch.engaged", 1)
    assert (Payment.objects.get().reserved_minor, Handoff.objects.get().reason) == (0, "failed")


@pytest.mark.django_db
def test_a_switch_of_something_else_lets_the_next_attempt_go(north: Shop) -> None:
    made, vendor = small_refund(north), Vendor(BUSY, refunded)

    def others() -> None:
        engage(north, "tool", "send_message")
        engage(north, "vendor", "klaviyo")
        engage(north, "planner", "llm")
        engage(factories.make_shop(), "shop")

    assert execute(made, vendor, during_sleep(others)) == "succeeded"
    assert len(vendor.asked) == 2


@pytest.mark.django_db
def test_what_never_left_is_as_if_nobody_had_begun_it(north: Shop) -> None:
    """It waits for its share of the vendor's rate: stopped there, nothing was sent and it can still be undone."""
    made, vendor = small_refund(north), Vendor(refunded)
    pacing.learn("north", "stripe", 10, 1, 0)
    assert execute(made, vendor, during_sleep(lambda: engage(north))) == "reserved"
    made.refresh_from_db()
    assert (made.attempts, made.first_sent_at, vendor.asked) == (0, None, [])
    assert services.undo(made.pk, by=acting(north, "agent")).state == "cancelled"


@pytest.mark.django_db
def test_a_switch_that_is_released_in_time_lets_it_go_on_once(north: Shop) -> None:
    made, vendor = small_refund(north), Vendor(BUSY, refunded)
    execute(made, vendor, during_sleep(lambda: engage(north)))
    release(north)
    assert execute(made, vendor, later=2) == "succeeded"
    keys = {request.headers["Idempotency-Key"] for request in vendor.asked}
    assert (len(vendor.asked), len(keys), Payment.objects.get().refunded_minor) == (2, 1, 1500)


@pytest.mark.django_db
@pytest.mark.parametrize(("scope", "key", "read"), [("vendor", "stripe", 0), ("tool", "issue_refund", 1)])
def test_what_has_left_stays_unknown_and_is_settled_as_ever(
    north: Shop, scope: str, key: str, read: int
) -> None:
    made, vendor = small_refund(north), Vendor(BROKEN, NO_REFUNDS)
    assert execute(made, vendor, during_sleep(lambda: engage(north, scope, key))) == "unknown"
    with wire.transport_override(vendor.transport):
        # A vendor that is stopped isn't read either; a tool that is stopped is still found out about.
        assert tasks.settle(made.pk) == "unknown"
    assert len(vendor.asked) == 1 + read
    assert Payment.objects.get().reserved_minor == 1500
    release(north)
    again = Vendor(NO_REFUNDS, refunded)
    with wire.transport_override(again.transport):
        assert tasks.settle(made.pk) == "succeeded"
    assert again.asked[-1].headers["Idempotency-Key"] == vendor.asked[0].headers["Idempotency-Key"]
    assert Payment.objects.get().refunded_minor == 1500


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("scope", "key"), [one for one in SCOPES if one[0] != "vendor"] + [("vendor", "shopify")]
)
def test_the_reading_that_a_refund_rests_on_is_not_made_either(north: Shop, scope: str, key: str) -> None:
    made, vendor = small_refund(north), Vendor(refunded)
    Order.objects.update(read_at=None)
    engage(north, scope, key)
    assert execute(made, vendor) is None
    made.refresh_from_db()
    assert (made.state, made.error, vendor.asked) == ("cancelled", "switch.engaged", [])
    assert Handoff.objects.get().reason == "failed"


def klaviyo_event() -> None:
    klaviyo.send_event(
        NORTH, "Opsagent message", unique_id=KEY, email="ada@example.com", properties={"text": "Hello"},
        correlation_id=CORRELATION,
    )  # fmt: skip


def whatsapp_text() -> None:
    whatsapp.send_text(NORTH, "4915112345678", "Hi", callback_data=str(KEY), correlation_id=CORRELATION)


def mail() -> None:
    letter = email.Mail("North", "shop@north.example", "ada@example.com", "Hello", "Hello")
    email.send_mail(NORTH, letter, key=KEY, correlation_id=CORRELATION)


def sign_in_for_mail() -> None:
    email.sign_in(NORTH, correlation_id=CORRELATION)


def stock() -> None:
    shopify.read_stock(NORTH, "1", correlation_id=CORRELATION)


def charge() -> None:
    stripe.read_charge(NORTH, "ch_1", correlation_id=CORRELATION)


@pytest.mark.django_db
@pytest.mark.parametrize("scope", ["everything", "shop", "vendor"])
@pytest.mark.parametrize(
    ("vendor", "leaves"),
    [
        ("klaviyo", klaviyo_event),
        ("whatsapp", whatsapp_text),
        ("email", mail),
        ("email", sign_in_for_mail),
        ("shopify", stock),
        ("stripe", charge),
    ],
)
def test_nothing_leaves_for_a_vendor_or_shop_that_is_stopped(
    north: Shop, monkeypatch: pytest.MonkeyPatch, scope: str, vendor: str, leaves: Callable[[], None]
) -> None:
    engage(north, scope, vendor if scope == "vendor" else "")
    wired = Vendor(httpx.Response(200))
    with mail_server() as server, wire.transport_override(wired.transport):
        monkeypatch.setenv("NORTH_EMAIL_URL", server.url)
        with pytest.raises(HeldBack) as caught:
            leaves()
    assert (caught.value.code, wired.asked, server.heard) == ("switch.engaged", [], [])


@pytest.mark.django_db
def test_colleagues_still_hear_of_what_presses(north: Shop) -> None:
    engage(north)
    wired = Vendor(httpx.Response(200, text="ok"))
    with wire.transport_override(wired.transport):
        slack.announce(NORTH, "Case 7 waits for a person.", correlation_id=CORRELATION)
    assert len(wired.asked) == 1


@contextmanager
def stopped_at(look: int) -> Iterator[None]:
    """Somebody stops everything between one look and the next."""
    looks = iter(range(1_000))

    def answer(shop: str, vendor: str, work: stops.Work) -> datetime | None:
        return factories.now() if next(looks) >= look else None

    known = list(stops._asked)
    stops.ask(answer)
    try:
        yield
    finally:
        stops.ask(known[0])


@pytest.mark.django_db
def test_a_mail_is_not_handed_over_where_signing_in_took_too_long(
    north: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server() as server, stopped_at(look=1):
        monkeypatch.setenv("NORTH_EMAIL_URL", server.url)
        with pytest.raises(HeldBack):
            mail()
    assert (server.envelopes, server.mails) == ([], [])


@pytest.mark.django_db
def test_asking_takes_one_statement(north: Shop, django_assert_num_queries: Callable[[int], object]) -> None:
    with django_assert_num_queries(1):  # type: ignore[attr-defined]
        stops.refuse("north", "stripe")


@pytest.mark.django_db
def test_whether_anything_is_stopped_is_never_unknown(north: Shop) -> None:
    """With nobody to ask nothing leaves: a wiring that is forgotten must not open what people have shut."""
    known = list(stops._asked)
    stops._asked.clear()
    try:
        with pytest.raises(ValueError, match="not enough values"), wire.transport_override(refuses()):
            wire.send(call(vendor="stripe"), pacing.GATE)
    finally:
        stops.ask(known[0])


def refuses() -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError("something left")

    return httpx.MockTransport(answer)


WORKERS, SLOW, WISH = 6, 0.3, 3


@pytest.mark.django_db(transaction=True)
def test_two_seconds_after_a_switch_nothing_new_leaves(north: Shop) -> None:
    """Six workers with real sleeps at a vendor that answers slowly: "not now, in three seconds"."""
    calls = [small_refund(north) for _ in range(WORKERS)]
    came: list[float] = []
    all_asked = threading.Barrier(WORKERS + 1)
    wires: dict[int, list[str]] = {made.pk: [] for made in calls}

    def at_vendor(made: ToolCall) -> httpx.MockTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            came.append(time.monotonic())
            wires[made.pk].append(request.headers["Idempotency-Key"])
            time.sleep(SLOW)
            if len(wires[made.pk]) > 1:
                return refunded(request)
            all_asked.wait(20)
            return httpx.Response(429, headers={"Retry-After": str(WISH)})

        return httpx.MockTransport(answer)

    def work(made: ToolCall) -> Callable[[], object]:
        def run() -> object:
            with wire.transport_override(at_vendor(made), Pace()):
                return tasks.execute(made.pk)

        return run

    by = acting(north, "agent")
    committed: list[float] = []

    def stop() -> None:
        all_asked.wait(20)
        time.sleep(SLOW)
        engage_switch(scope="everything", key="", shop_id=None, reason="Doubled refunds", by=by)
        committed.append(time.monotonic())

    ended = together(*[work(made) for made in calls], stop)
    assert (failures(ended), ended[:-1]) == ([], ["reserved"] * WORKERS)
    assert len(came) == WORKERS
    assert max(came) < committed[0] + 2
    _goes_on(north, calls, wires, at_vendor)


def _goes_on(
    north: Shop,
    calls: list[ToolCall],
    wires: dict[int, list[str]],
    at_vendor: Callable[[ToolCall], httpx.MockTransport],
) -> None:
    """Released, each is sent once more, under its own key, and pays once."""
    release(north)
    for made in calls:
        with wire.transport_override(at_vendor(made)), sources.frozen(factories.now() + 2 * MINUTE):
            assert tasks.execute(made.pk) == "succeeded"
    assert {len(keys) for keys in wires.values()} == {2}
    assert all(len(set(keys)) == 1 for keys in wires.values())
    assert [row.refunded_minor for row in Payment.objects.all()] == [1500] * WORKERS
