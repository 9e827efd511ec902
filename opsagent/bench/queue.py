"""How soon a queue wakes up and how fast it drains, beside a bare loop, stock django-q2 and procrastinate."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import psycopg

from opsagent import processes
from opsagent.bench import disk
from opsagent.bench.figures import Series, ratio_of_rates, ratio_of_seconds, to_bare_insert
from opsagent.bench.grounds import Grounds
from opsagent.bench.intake import Failed
from opsagent.bench.marking import PLACE, Marks
from opsagent.bench.peers import listening
from opsagent.supervisor import MANAGE, manage

WAKE_OF_BARE, DRAIN_QUIET, DRAIN_BUSY = 3.0, 10.0, 4.0
PROBES = 60
DONE_SECONDS = 120.0
START_SECONDS = 60.0
PAUSE = 0.004
STOCK = {
    "DJANGO_SETTINGS_MODULE": "opsagent.bench.peers.settings",
    "BENCH_URLS": "opsagent.bench.peers.plain",
}


@dataclass(frozen=True)
class Size:
    """How much to measure: in each round so many wake-ups, one after the other, and so many tasks at once."""

    rounds: int
    wakes: int
    tasks: int


@dataclass(frozen=True)
class Contender:
    """A queue: its worker's command line, how tasks get in, where those stand that are `left`, and its setting up."""

    name: str
    worker: tuple[str, ...]
    kind: str
    left: str
    own_database: bool = True
    environment: dict[str, str] = field(default_factory=dict)
    setting_up: tuple[str, ...] = ()
    needs: str = ""


# Where each queue keeps what is not done yet.
DJANGO_LEFT = "django_q_ormq"


def module(name: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"opsagent.bench.peers.{name}", *arguments)


CONTENDERS = (
    Contender(
        "ours",
        manage("workers", "--cluster", "default"),
        "django",
        DJANGO_LEFT,
        False,
        {"Q_CLUSTER_NAME": "default"},
    ),
    Contender("bare", module("listening"), "bare", "bare_task"),
    Contender(
        "stock_django_q2",
        (sys.executable, "-m", "django", "qcluster"),
        "django",
        DJANGO_LEFT,
        True,
        STOCK,
        module("setup", "stock"),
    ),
    Contender(
        "procrastinate",
        module("procrastinating", "work"),
        "procrastinate",
        "procrastinate_jobs WHERE status IN ('todo', 'doing')",
        True,
        {},
        module("procrastinating", "setup"),
        "procrastinate",
    ),
)


def measure(grounds: Grounds, size: Size, say: Callable[[str], None]) -> dict[str, Any]:
    """Round after round, each queue in its turn; the JSON's content."""
    probe = disk.fsync_ms(grounds.folder, PROBES)
    skipped: dict[str, str] = {}
    with ExitStack() as stack:
        racing = []
        for one in CONTENDERS:
            if one.needs and find_spec(one.needs) is None:
                skipped[one.name] = f"{one.needs} is not installed (requirements-bench.txt)"
                say(f"Without {one.name}: {skipped[one.name]}.")
                continue
            say(f"Starting {one.name}.")
            racing.append(stack.enter_context(_racer(grounds, one)))
        grounds.analyse()
        for number in range(size.rounds):
            say(f"Round {number + 1} of {size.rounds}.")
            for racer in racing:
                racer.wake(size.wakes)
                racer.drain(size.tasks)
    bare = disk.insert_ms(grounds.url, b"x" * 200, PROBES)
    probes = [probe, disk.fsync_ms(grounds.folder, PROBES)]
    series = {racer.contender.name: racer.series for racer in racing}
    ratios = _ratios(series) | to_bare_insert(series["ours"], bare)
    return {
        "benchmark": "queue",
        "fsync_ms": probes,
        "bare_insert_ms": bare,
        "rounds": size.rounds,
        "wakes": size.wakes,
        "tasks": size.tasks,
        "contenders": {name: found.as_dict() for name, found in series.items()},
        "skipped": skipped,
        "ratios": ratios,
        "goals": _goals(ratios, max(probes)),
    }


class _Racer:
    """A running queue and what it has shown so far; `seconds` of its series are wake-ups, `rates` are drains."""

    def __init__(self, contender: Contender, url: str, marks: Marks, entrance: subprocess.Popen[str]) -> None:
        self.contender, self.marks, self.entrance = contender, marks, entrance
        self.database = psycopg.connect(url, autocommit=True, prepare_threshold=0)
        self.series = Series(contender.name)
        self.numbers = itertools.count(1)

    def wake(self, times: int) -> None:
        """One task at a time into an idle queue: from before it is queued until it begins."""
        for _ in range(times):
            number = next(self.numbers)
            before = self._put(number, 1)
            self.wait_for(number, 1)
            self.series.seconds.append(self.marks.began[number] - before)
            # Time for the worker to be back at waiting.
            time.sleep(10 * PAUSE)

    def drain(self, tasks: int) -> None:
        """Many at once: from when the first begins until the queue holds none of them any more."""
        first = next(self.numbers)
        self.numbers = itertools.count(first + tasks)
        self._put(first, tasks)
        self.wait_for(first, tasks)
        if not processes.wait_until(self._is_empty, DONE_SECONDS, PAUSE):
            raise Failed(f"{self.contender.name} kept tasks that were done.")
        ended = time.monotonic()
        began = min(self.marks.began[number] for number in range(first, first + tasks))
        self.series.rates.append(tasks / (ended - began))

    def _is_empty(self) -> bool:
        query = f"SELECT NOT EXISTS (SELECT FROM {self.contender.left})"  # noqa: S608 - a literal of this file
        return bool((self.database.execute(query).fetchone() or [False])[0])

    def _put(self, first: int, count: int) -> float:
        if self.entrance.stdin is None or self.entrance.stdout is None:
            raise Failed(f"{self.contender.name} has no entrance.")
        self.entrance.stdin.write(f"{first} {count}\n")
        self.entrance.stdin.flush()
        return float(self.entrance.stdout.readline())

    def wait_for(self, first: int, count: int) -> None:
        """Until each of these has begun; raises Failed."""

        def done() -> bool:
            return self.marks.read().keys() >= set(range(first, first + count))

        if not processes.wait_until(done, DONE_SECONDS, PAUSE if count == 1 else 10 * PAUSE):
            raise Failed(f"{self.contender.name} did not do {count} tasks within {DONE_SECONDS:.0f} seconds.")


@contextmanager
def _racer(grounds: Grounds, one: Contender) -> Iterator[_Racer]:
    place = grounds.folder_of_logs / f"marks-{one.name}"
    place.write_bytes(b"")
    url = grounds.database(one.name)[0] if one.own_database else grounds.url
    environment = {**grounds.environment, **one.environment, "DATABASE_URL": url, PLACE: str(place)}
    if one.setting_up:
        _run(one.setting_up, environment, one.name)
    if one.kind == "bare":
        with psycopg.connect(url, autocommit=True) as database:
            database.execute(listening.TABLE)
    with (grounds.folder_of_logs / f"queue-{one.name}.log").open("ab") as output:
        worker = processes.spawn(one.worker, env=environment, cwd=MANAGE.parent, output=output)
        entrance = subprocess.Popen(
            module("queueing", one.kind),
            env=environment,
            cwd=MANAGE.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
        )
    try:
        racer = _Racer(one, url, Marks(place), entrance)
        if entrance.stdout is None or entrance.stdout.readline() != "ready\n":
            raise Failed(f"Nothing can be queued for {one.name}.")
        racer.wait_for(0, 1)
        yield racer
        racer.marks.close()
        racer.database.close()
    finally:
        if entrance.stdin is not None:
            entrance.stdin.close()
        entrance.wait()
        processes.end_group(worker, signal.SIGTERM, 10)


def _run(program: tuple[str, ...], environment: dict[str, str], name: str) -> None:
    done = subprocess.run(
        program, env=environment, cwd=MANAGE.parent, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{name} could not be set up: {done.stderr[-600:]}")


def _ratios(series: dict[str, Series]) -> dict[str, float]:
    ours, found = series["ours"], {}
    for name, other in series.items():
        if name != "ours":
            found[f"drain_to_{name}"] = ratio_of_rates(ours, other)
            found[f"idle_p50_to_{name}"] = ratio_of_seconds(ours, other, 0.5)
    return found


def _goals(ratios: dict[str, float], probe: float) -> dict[str, bool | None]:
    wanted = DRAIN_QUIET if probe < disk.QUIET_MS else DRAIN_BUSY
    return {
        f"idle wake-up p50 at most {WAKE_OF_BARE:g} times a bare loop": ratios["idle_p50_to_bare"]
        <= WAKE_OF_BARE,
        f"drains at least {wanted:g} times stock django-q2": ratios["drain_to_stock_django_q2"] >= wanted,
    }
