"""Budgets and circuits between processes of their own, as workers are."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings

from tests.adapters.passing import pass_time
from tools import circuits, pacing
from tools.circuits import Line
from tools.models import Circuit

PROCESSES = 3
# Becomes several processes, as a cluster's main one does, each with a connection of its own. Each says that it is
# there, waits for its letter, works, and tells how often it was let through.
WORKERS = """
import os, sys, time
import django
django.setup()
from tools import budgets, circuits
from tools.circuits import Line
from tools.models import Circuit

def take(seconds):
    ends, mine = time.monotonic() + float(seconds), 0
    while time.monotonic() < ends:
        mine += budgets.take("north", "stripe", 1, write=True) == 0
    return mine

def probe(times):
    line = Line("north", "stripe", Circuit.Work.READ)
    return sum(circuits.claim_probe(line, 20) for _ in range(int(times)))

processes, work, much = int(sys.argv[1]), sys.argv[2], sys.argv[3]
children = []
for _ in range(processes - 1):
    child = os.fork()
    if not child:
        children.clear()
        break
    children.append(child)
Circuit.objects.exists()
os.write(1, b"here\\n")
os.read(0, 1)
os.write(1, b"%d\\n" % {"take": take, "probe": probe}[work](much))
for child in children:
    os.waitpid(child, 0)
"""


def run(url: str, *job: str) -> tuple[int, float]:
    """What all processes were let through together, and the seconds that it took."""
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "opsagent.settings"}
    with subprocess.Popen(
        [sys.executable, "-c", WORKERS, str(PROCESSES), *job],
        cwd=Path(settings.BASE_DIR),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as first:
        assert first.stdout is not None
        try:
            assert [first.stdout.readline() for _ in range(PROCESSES)] == ["here\n"] * PROCESSES
            began = time.monotonic()
            told = first.communicate("g" * PROCESSES, timeout=60)[0]
        except BaseException:
            os.killpg(first.pid, signal.SIGKILL)
            raise
        return sum(int(line) for line in told.split()), time.monotonic() - began


@pytest.mark.django_db(transaction=True)
def test_processes_share_one_budget(database_url: str) -> None:
    pacing.learn("north", "stripe", 30, 20, 30)
    taken, seconds = run(database_url, "take", "1")
    assert 30 + 20 * 0.5 < taken <= 30 + 20 * seconds


@pytest.mark.django_db(transaction=True)
def test_of_all_processes_one_probes(database_url: str) -> None:
    line = Line("north", "stripe", Circuit.Work.READ)
    for _ in range(circuits.OPENS_AFTER):
        circuits.failed(line, probe=False)
    pass_time(31)
    assert run(database_url, "probe", "200")[0] == 1
