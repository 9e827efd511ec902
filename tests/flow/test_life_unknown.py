"""A vendor goes away with an answer of ours, and comes back: two minutes later nobody has to ask any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import transaction

from audit.sources import Clock
from cases.invariants import violations
from cases.models import Case, Handoff
from cases.tasks import execute, sweep
from cases.waiting import close
from opsagent.demo import accounts
from tests import factories
from tests.flow.turns import damaged, fresh, planner, refund, scripted_shop
from tests.flow.vendors import sums
from tests.flow.world import SECRETS, World, drain
from tools import wire
from tools.models import Circuit, ToolCall
from tools.sandbox.server import Sandbox

pytestmark = pytest.mark.django_db

# The sweep comes more often than that: whoever looks so rarely must still keep the promise.
TICK = timedelta(seconds=15)
PROMISE = timedelta(seconds=120)
HOUR = timedelta(hours=1)


def asked(sandbox: Sandbox, path: str, **body: Any) -> httpx.Response:
    answer = httpx.post(f"{sandbox.base_url}/_control/{path}", json=body)
    return answer.raise_for_status()


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Sandbox]:
    """The vendors over real HTTP, on the test's own clock; they may be stopped and started again."""
    with Sandbox(ledger=tmp_path / "ledger.sqlite", clock=lambda: clock.at) as running:
        variables = {**accounts.environment(tmp_path, running.base_url), **SECRETS}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        for shop in accounts.for_sandbox(variables):
            asked(running, "shops", **shop)
        with httpx.HTTPTransport() as real, wire.transport_override(real):
            yield running


@pytest.fixture
def world(shop: Any, sandbox: Sandbox) -> World:
    return World(shop)


def lost(world: World, sandbox: Sandbox, kind: str = "dropped_after", **fault: Any) -> ToolCall:
    """A refund under way whose answer never came; `dropped_after` is made at Stripe, `dropped_before` is not."""
    scripted_shop(world)
    row = damaged(world)
    for order in world.stage.orders:
        asked(sandbox, "orders", **order)
    with planner(refund(row)):
        drain(only=["advance"])
    call = ToolCall.objects.select_related("payment").filter(amount_minor__gt=0).latest("pk")
    asked(sandbox, "faults", vendor="stripe", operation="refunds.create", kind=kind, times=3, **fault)
    assert execute(call.pk) == "unknown"
    httpx.delete(f"{sandbox.base_url}/_control/faults")
    return call


def tick(clock: Clock, time: timedelta = TICK) -> None:
    """As the watch and the workers do it."""
    clock.advance(time)
    sweep()
    drain(only=["settle", "execute"])


def away(clock: Clock, sandbox: Sandbox, time: timedelta) -> None:
    """Nobody answers for so long, and everybody keeps asking."""
    sandbox.stop()
    ends = clock.at + time
    step = max(timedelta(seconds=20), time / 10)
    while clock.at < ends:
        tick(clock, step)
    # The last look and the last probe come at the worst moment.
    for _ in range(2):
        tick(clock, timedelta(seconds=16))


def until_settled(clock: Clock, calls: list[ToolCall]) -> timedelta:
    """How long it takes from now until none is unknown; at most five minutes."""
    began = clock.at
    while any(fresh(call).state == "unknown" for call in calls) and clock.at - began < timedelta(minutes=5):
        tick(clock)
    return clock.at - began


def paid(sandbox: Sandbox) -> list[str]:
    """The keys under which Stripe has refunded, from its own ledger."""
    rows = httpx.get(f"{sandbox.base_url}/_control/ledger").json()["refunds"]
    return sorted(row["idempotency_key"] for row in rows)


@pytest.mark.parametrize("hours", [0.05, 19])
def test_what_was_made_is_found_two_minutes_after_the_vendor_is_back(
    world: World, sandbox: Sandbox, clock: Clock, hours: float
) -> None:
    calls = [lost(world, sandbox), lost(world, sandbox)]
    away(clock, sandbox, hours * HOUR)
    assert [fresh(call).state for call in calls] == ["unknown", "unknown"]
    assert Circuit.objects.filter(vendor="stripe", work="read", open_until__isnull=False).exists()
    sandbox.start()
    assert until_settled(clock, calls) <= PROMISE
    assert {(fresh(call).state, call.settled_by) for call in calls} == {("succeeded", "reading")}
    assert paid(sandbox) == sorted(str(call.idempotency_key) for call in calls)
    assert violations() == []


def test_what_was_not_made_is_made_once_two_minutes_after_the_vendor_is_back(
    world: World, sandbox: Sandbox, clock: Clock
) -> None:
    call = lost(world, sandbox, "dropped_before")
    away(clock, sandbox, 3 * HOUR)
    sandbox.start()
    assert until_settled(clock, [call]) <= PROMISE
    assert (fresh(call).state, paid(sandbox)) == ("succeeded", [str(call.idempotency_key)])
    assert sums(call) == (0, call.amount_minor)


def test_both_circuits_open_at_their_worst_moment_are_within_the_promise(
    world: World, sandbox: Sandbox, clock: Clock
) -> None:
    call = lost(world, sandbox, "dropped_before")
    sandbox.stop()
    tick(clock, timedelta(seconds=20))
    # A probe has just failed at the very moment at which the vendor comes back.
    rest = clock.at + timedelta(seconds=60)
    for work in ("read", "write"):
        Circuit.objects.update_or_create(
            shop=world.shop, vendor="stripe", work=work,
            defaults={"failures": 9, "open_until": rest, "changed_at": clock.at},
        )  # fmt: skip
    sandbox.start()
    assert until_settled(clock, [call]) <= PROMISE
    assert paid(sandbox) == [str(call.idempotency_key)]


def test_after_twenty_hours_away_what_was_made_is_still_found(
    world: World, sandbox: Sandbox, clock: Clock
) -> None:
    call = lost(world, sandbox)
    away(clock, sandbox, 30 * HOUR)
    sandbox.start()
    assert until_settled(clock, [call]) <= PROMISE
    assert (fresh(call).state, len(paid(sandbox))) == ("succeeded", 1)


def test_after_twenty_hours_away_what_left_no_trace_is_a_persons_and_never_sent_again(
    world: World, sandbox: Sandbox, clock: Clock
) -> None:
    call = lost(world, sandbox, "dropped_before")
    away(clock, sandbox, 20 * HOUR)
    sandbox.start()
    for _ in range(6):
        tick(clock, timedelta(minutes=20))
    assert (fresh(call).state, paid(sandbox)) == ("unknown", [])
    assert Handoff.objects.get().reason == "unknown"
    assert sums(call) == (call.amount_minor, 0)


class TestStoredError:
    """Stripe keeps what it answered to a key first, and tells it again for a day, a broken answer too."""

    def test_a_refund_behind_a_stored_error_is_found_by_reading(
        self, world: World, sandbox: Sandbox, clock: Clock
    ) -> None:
        call = lost(world, sandbox, "stored_500", executes=True)
        assert until_settled(clock, [call]) <= PROMISE
        assert (fresh(call).state, call.settled_by) == ("succeeded", "reading")
        assert len(paid(sandbox)) == 1

    def test_an_error_that_is_only_told_again_ends_the_sending_and_never_the_call(
        self, world: World, sandbox: Sandbox, clock: Clock, wires: list[str]
    ) -> None:
        call = lost(world, sandbox, "stored_500", executes=False)
        wires.clear()
        for _ in range(5):
            tick(clock, timedelta(seconds=20))
        assert (fresh(call).state, call.error) == ("unknown", "stored_error")
        assert (wires.count("POST"), wires.count("GET") >= 5) == (0, True)
        assert (paid(sandbox), sums(call)) == ([], (call.amount_minor, 0))

    def test_a_person_has_it_after_ten_minutes_and_says_what_became_of_it(
        self, world: World, sandbox: Sandbox, clock: Clock
    ) -> None:
        call = lost(world, sandbox, "stored_500", executes=False)
        for _ in range(3):
            tick(clock, timedelta(minutes=5))
        assert (Handoff.objects.get().reason, Handoff.objects.get().detail) == ("unknown", "stored_error")
        assert fresh(call).state == "unknown"

    def test_a_closed_case_is_opened_for_it_once(self, world: World, sandbox: Sandbox, clock: Clock) -> None:
        call = lost(world, sandbox, "stored_500", executes=False)
        case = Case.objects.filter(pk=call.case_id)
        for _ in range(2):
            with transaction.atomic():
                close(case.get(), by_name="agent")
            for _ in range(3):
                tick(clock, timedelta(minutes=5))
            told = Handoff.objects.get()
            assert (told.reason, told.decision_id) == ("unknown", call.decision_id)
            assert case.get().state == ("closed" if told.state == "resolved" else "handoff")
            by = told.claimed_by or factories.make_user()
            Handoff.objects.update(state="resolved", claimed_by=by, claimed_at=clock.at, resolved_at=clock.at)

    @pytest.mark.parametrize(("minutes", "sent"), [(-1, True), (1, False)])
    def test_the_same_key_is_used_for_twenty_hours_and_not_a_minute_longer(
        self, world: World, sandbox: Sandbox, clock: Clock, minutes: int, sent: bool
    ) -> None:
        call = lost(world, sandbox, "dropped_before")
        assert call.first_sent_at is not None or fresh(call).first_sent_at is not None
        clock.at = fresh(call).first_sent_at + 20 * HOUR + timedelta(minutes=minutes)
        tick(clock, timedelta(0))
        assert paid(sandbox) == ([str(call.idempotency_key)] if sent else [])
        assert fresh(call).state == ("succeeded" if sent else "unknown")

    def test_a_key_that_stripe_has_pruned_pays_nothing_twice(
        self, world: World, sandbox: Sandbox, clock: Clock
    ) -> None:
        call = lost(world, sandbox, "stored_500", executes=True)
        clock.advance(25 * HOUR)
        assert until_settled(clock, [call]) <= PROMISE
        assert (fresh(call).state, len(paid(sandbox))) == ("succeeded", 1)


@pytest.fixture
def wires(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> list[str]:
    """The methods of all that Stripe is asked, as its own door sees them."""
    seen: list[str] = []
    respond = sandbox.respond

    def watched(request: Any) -> Any:
        if "/stripe/" in request.path:
            seen.append(request.method)
        return respond(request)

    monkeypatch.setattr(sandbox, "respond", watched)
    return seen
