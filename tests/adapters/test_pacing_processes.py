"""Budgets and circuits between processes of their own, as workers are."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from tests.adapters.passing import pass_time
from tools import circuits, pacing
from tools.circuits import Line
from tools.models import Circuit

PROCESSES = 3
# Says that it is there, waits for the word, works, and tells how often it was let through.
WORKER = """
import sys, time
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

print("here", flush=True)
sys.stdin.readline()
print({"take": take, "probe": probe}[sys.argv[1]](sys.argv[2]), flush=True)
"""


@contextmanager
def workers(url: str, *job: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that have connected and wait for the word."""
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "opsagent.settings"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, *job],
            cwd=Path(settings.BASE_DIR),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def run(url: str, *job: str) -> tuple[int, float]:
    """What all processes were let through together, and the seconds that it took."""
    with workers(url, *job) as all_of_them:
        for process in all_of_them:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
        began = time.monotonic()
        for process in all_of_them:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        told = sum(int(process.communicate(timeout=60)[0]) for process in all_of_them)
        return told, time.monotonic() - began


@pytest.mark.django_db(transaction=True)
def test_processes_share_one_budget(database_url: str) -> None:
    pacing.learn("north", "stripe", 30, 20, 30)
    taken, seconds = run(database_url, "take", "2")
    assert 30 + 20 * 1.5 < taken <= 30 + 20 * seconds


@pytest.mark.django_db(transaction=True)
def test_of_all_processes_one_probes(database_url: str) -> None:
    line = Line("north", "stripe", Circuit.Work.READ)
    for _ in range(circuits.OPENS_AFTER):
        circuits.failed(line, probe=False)
    pass_time(31)
    assert run(database_url, "probe", "200")[0] == 1
