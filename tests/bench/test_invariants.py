"""How long the invariants take where there are many cases: seconds, since they are asked of a live database."""

from __future__ import annotations

import sys
import time

import psutil
import pytest
from django.db import connection, transaction

from audit import sources
from cases.invariants import violations
from cases.invariants.base import Scope
from cases.invariants.runs import check, kept_by_hand
from cases.models import Case
from cases.planner.protocol import Proposal
from tests.bench.growing import grow
from tests.flow.conftest import _accounts, fake, shop, world
from tests.flow.turns import asks, damaged, planner
from tests.flow.vendors import Vendors
from tests.flow.world import World, drain
from tests.invariants.planting import Day, run

__all__ = ["_accounts", "fake", "shop", "world"]

CASES = 100_000
SECONDS = 20.0
SECONDS_FOR_ONE = 0.5
# Of PostgreSQL's own work, which neighbours on the machine make no longer.
CPU_SECONDS = 10.0


def play(world: World) -> int:
    """Two refunds that ran by themselves, one that waits for a signature, a hand-off and a wait; how many cases."""
    day = Day(world)
    day.play()
    day.refunded("small")
    day.refunded("mid")
    for proposal in (Proposal(tool="escalate", arguments={"reason": "unclear"}, note="Who knows."), asks()):
        damaged(world)
        with planner(proposal):
            drain()
    return Case.objects.count()


def cpu_of_database() -> float:
    """Seconds of processor time that this connection's server process has taken."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        times = psutil.Process(cursor.fetchone()[0]).cpu_times()
    return float(times.user + times.system)


@pytest.mark.django_db
def test_copies_of_good_books_are_good_books(world: World, fake: Vendors) -> None:
    played = play(world)
    grow(3)
    assert Case.objects.count() == 4 * played
    assert violations() == []


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.django_db(transaction=True)
def test_a_hundred_thousand_cases_take_seconds(
    world: World, fake: Vendors, capsys: pytest.CaptureFixture[str]
) -> None:
    played = play(world)
    with transaction.atomic():
        grow(CASES // played - 1)
    with connection.cursor() as cursor:
        # As a database that has been running for a while keeps itself.
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT count(*) FROM audit_entry")
        entries = cursor.fetchone()[0]
    whole = check(Scope(), whole_chain=True)
    assert whole.violations == []
    kept_by_hand(whole, sources.now())
    before = cpu_of_database()
    report = check(Scope())
    cpu = cpu_of_database() - before
    assert (report.violations, report.entries_from > 0) == ([], True)
    began = time.monotonic()
    assert violations(cases=[Case.objects.order_by("pk")[Case.objects.count() // 2].pk]) == []
    one = time.monotonic() - began
    with capsys.disabled():
        size = f"{Case.objects.count()} cases, {entries} entries"
        took = f"{report.milliseconds} ms, {cpu:.1f} s of processor, whole chain {whole.milliseconds} ms"
        head = f"{size}: {took}, one case {one:.3f} s"
        rows = [f"{checked.milliseconds:>8} ms  {checked.invariant.name}" for checked in report.checks]
        sys.stdout.write("\n".join(["", head, *rows, ""]))
    assert cpu < CPU_SECONDS
    assert report.milliseconds / 1000 < SECONDS
    assert one < SECONDS_FOR_ONE
    last = Case.objects.order_by("-pk")[0]
    run("UPDATE cases_message SET state = 'queued' WHERE case_id = %s AND direction = 'out'", last.pk)
    assert {row.case_id for row in check(Scope()).violations} == {last.pk}
