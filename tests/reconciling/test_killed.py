"""A process that is killed at any moment of its reading: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.models import Entry
from cases.models import Cursor, InboundEvent
from tests.docs.pages import ROOT
from tests.flow.world import World
from tests.reconciling.turns import cursor, late
from tests.reconciling.vendors import Vendors

pytestmark = pytest.mark.django_db(transaction=True)

READS = """
import json, os, signal, sys
import django
django.setup()
from django.db import connection
from tests.flow.vendors import over
from tests.reconciling.vendors import Vendors
from cases.reconciling.running import reconcile

fake, left = Vendors(""), int(sys.argv[2])
fake.lists["events"] = json.load(open(sys.argv[3]))

def kill_one(execute, sql, params, many, context):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)

with over(fake), connection.execute_wrapper(kill_one):
    print(reconcile(int(sys.argv[1])))
"""


def run(row: Cursor, statements: int, events: Path, database_url: str) -> subprocess.CompletedProcess[str]:
    """A worker that is killed as it begins its so manieth statement."""
    environment = {**os.environ, "DATABASE_URL": database_url, "OPSAGENT_MODE": "test"}
    words = [sys.executable, "-c", READS, str(row.pk), str(statements), str(events)]
    return subprocess.run(
        words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "moments",
    [(17, 41), pytest.param(tuple(range(3, 90, 4)), marks=[pytest.mark.nightly, pytest.mark.timeout(600)])],
)
def test_a_killed_reading_is_made_good_by_the_next(
    world: World, vendors: Vendors, database_url: str, tmp_path: Path, moments: tuple[int, ...]
) -> None:
    row = cursor("events")
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    for _ in range(7):
        vendors.happens(world.charge_step(world.sold(world.customer(), days=1)), long_ago)
    events = tmp_path / "events.json"
    events.write_text(json.dumps(vendors.lists["events"]))
    killed = 0
    for statements in moments:
        Cursor.objects.filter(pk=row.pk).update(next_at=long_ago, lease_until=None)
        done = run(row, statements, events, database_url)
        killed += done.returncode == -signal.SIGKILL
        assert len(late()) == Entry.objects.filter(action="event.found_late").count()
    assert killed > len(moments) / 2, done.stderr
    Cursor.objects.filter(pk=row.pk).update(next_at=long_ago, lease_until=None)
    assert run(row, 0, events, database_url).stdout.strip().endswith("done")
    row.refresh_from_db()
    assert {event.external_id for event in late()} == {event["id"] for event in vendors.lists["events"]}
    assert (row.found, InboundEvent.objects.count()) == (7, 7)
    assert set(InboundEvent.objects.values_list("duplicates", flat=True)) == {0}
