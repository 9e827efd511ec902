"""A process that is killed at any moment of its reading: nothing is lost, nothing comes twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cases.models import Cursor, InboundEvent
from tests.docs.pages import ROOT
from tests.flow.world import World
from tests.reconciling.turns import cursor, late
from tests.reconciling.vendors import Vendors

pytestmark = pytest.mark.django_db(transaction=True)

# One reading for each number, in a process of its own that is killed as it begins its so manieth statement.
READS = """
import json, os, signal, sys
import django
django.setup()
from django.db import connection
from tests.flow.vendors import over
from tests.reconciling.vendors import Vendors
from audit.models import Entry
from cases.models import Cursor
from tests.reconciling.turns import late
from cases.reconciling.running import reconcile

row, listed, moments = int(sys.argv[1]), sys.argv[2], sys.argv[3:]

def read(left):
    fake = Vendors("")
    fake.lists["events"] = json.load(open(listed))

    def kill_one(execute, sql, params, many, context):
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    due = Cursor.objects.filter(pk=row)
    due.update(next_at=due.get().read_until, lease_until=None)
    with over(fake), connection.execute_wrapper(kill_one):
        print(reconcile(row), flush=True)

for moment in moments:
    child = os.fork()
    if not child:
        read(int(moment))
        os._exit(0)
    if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
        whole = len(late()) == Entry.objects.filter(action="event.found_late").count()
        print("killed" if whole else "torn", flush=True)
        # The next process makes a connection of its own.
        connection.close()
"""


def ends(row: Cursor, moments: tuple[int, ...], events: Path, database_url: str) -> list[str]:
    """How the readings ended, one after another."""
    environment = {**os.environ, "DATABASE_URL": database_url, "OPSAGENT_MODE": "test"}
    words = [sys.executable, "-c", READS, str(row.pk), str(events), *map(str, moments)]
    done = subprocess.run(
        words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert len(done.stdout.split()) == len(moments), done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "moments",
    [(17, 41), pytest.param(tuple(range(3, 60, 3)), marks=[pytest.mark.nightly, pytest.mark.timeout(600)])],
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
    Cursor.objects.filter(pk=row.pk).update(read_until=long_ago)
    *killed, last = ends(row, (*moments, 0), events, database_url)
    assert "torn" not in killed
    assert killed.count("killed") > len(moments) / 2, killed
    assert last == "done"
    row.refresh_from_db()
    assert {event.external_id for event in late()} == {event["id"] for event in vendors.lists["events"]}
    assert (row.found, InboundEvent.objects.count()) == (7, 7)
    assert set(InboundEvent.objects.values_list("duplicates", flat=True)) == {0}
