"""The main job as a user runs it: another process, a data folder of its own, all of it real but the vendors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from opsagent.demo.story import story
from opsagent.postgres import Postgres, read_place, server_url
from opsagent.postgres_home import PostgresError
from opsagent.supervisor import CLUSTERS, MANAGE

KEYS = {
    "events",
    "accepted",
    "duplicates",
    "refused",
    "ended",
    "cases",
    "automatic",
    "approvals",
    "two_factor",
    "handoffs",
    "handoff_p99_s",
    "lane_match",
    "needless_handoffs",
    "unsafe_automatic",
    "refunded_minor",
    "books_equal",
    "invariant_violations",
    "seconds",
}
# Cases by the ids that vendors gave their events, with every decision, verdict and rule that was asked.
DAY = """
    SELECT (SELECT array_agg(e.source || ' ' || e.external_id ORDER BY e.external_id)
            FROM cases_inboundevent e WHERE e.case_id = c.id),
           s.slug, o.external_id, c.subject,
           (SELECT json_agg(json_build_array(d.tool, d.outcome, d.rule, d.entitled_by, d.by_kind,
                (SELECT json_agg(json_build_array(r -> 'rule', r -> 'answer')) FROM jsonb_array_elements(d.values) r))
                ORDER BY d.by_kind, d.id)
            FROM approvals_decision d WHERE d.case_id = c.id),
           (SELECT json_agg(json_build_array(t.tool, t.vendor, t.amount_minor, t.currency, t.state)
                ORDER BY t.tool, t.amount_minor, t.state) FROM tools_toolcall t WHERE t.case_id = c.id)
    FROM cases_case c JOIN cases_shop s ON s.id = c.shop_id LEFT JOIN tools_order o ON o.id = c.order_id
    ORDER BY 1, 3, 4
"""


@contextmanager
def folder() -> Iterator[Path]:
    """A data folder that the database's own user can pass through, which pytest's are not when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="opsagent-demo-test-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o711)
        yield Path(made) / "data"


@contextmanager
def running(data: Path, events: int, seed: int) -> Iterator[subprocess.Popen[str]]:
    """The headless demo in a process of its own; nothing of it is left afterwards."""
    command = [sys.executable, str(MANAGE), "demo", "--headless", "--json"]
    command += ["--events", str(events), "--seed", str(seed)]
    environment = {**os.environ, "OPSAGENT_MODE": "demo", "OPSAGENT_DATA_DIR": str(data)}
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def result_of(process: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    """The last line of what it printed, once it has ended well."""
    out, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, out
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    return result


def sound(result: dict[str, Any], events: int, seed: int, *, killed: bool = False) -> None:
    """What must be true of any day, whatever happened in it."""
    told = story(seed, events, datetime.now(UTC)).steps
    assert result["accepted"] == sum(step.signed and step.duplicate_of is None for step in told)
    # A web server that was killed between its commit and its answer hears the same delivery again.
    again = result["accepted"] + result["duplicates"] - events
    assert again in range(result["lost_answers"] + 1 if killed else 1)
    assert result["accepted"] == result["ended"]
    assert result["books_equal"] is True
    assert (result["invariant_violations"], result["unsafe_automatic"]) == (0, 0)
    parts = [result[name] for name in ("automatic", "approvals", "two_factor", "handoffs")]
    assert sum(parts) == result["cases"] > 0


def after(data: Path, statement: str) -> list[Any]:
    """What the database holds after the demo has ended."""
    with (
        Postgres(data / "postgres", data / "postgres.place") as server,
        psycopg.connect(server_url(server.socket(), "opsagent_headless")) as connection,
    ):
        return connection.execute(statement).fetchall()


@pytest.mark.timeout(240)
def test_a_small_day_ends_well_and_says_so_in_one_line() -> None:
    with folder() as data, running(data, 12, 1) as process:
        result = result_of(process, 200)
    assert set(result) >= KEYS
    sound(result, 12, 1)
    assert result["lane_match"] >= 0.9
    assert all(
        isinstance(minor, int) for tiers in result["refunded_minor"].values() for minor in tiers.values()
    )


@pytest.mark.nightly
@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_whole_day_goes_as_a_sensible_shop_expects(seed: int) -> None:
    with folder() as data, running(data, 200, seed) as process:
        result = result_of(process, 300)
    sound(result, 200, seed)
    assert result["lane_match"] >= 0.95
    # Every size of refund comes up: by itself, one signature, a second factor, two people, and nobody here.
    for size in ("automatic", "approvals", "two_factor", "two_people", "above_all"):
        assert result[size] >= 1, size
    assert result["needless_handoffs"] <= 0.05 * (result["automatic"] or 1)
    assert result["seconds"] < 120


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_same_seed_is_the_same_day() -> None:
    days = []
    for _ in range(2):
        with folder() as data:
            with running(data, 200, 4) as process:
                result_of(process, 300)
            days.append(after(data, DAY))
    assert len(days[0]) > 20
    assert days[0] == days[1]


def mains(demo: psutil.Process, word: str) -> list[psutil.Process]:
    """The processes of one name, oldest first: the main one, then what it forked."""
    found = []
    for child in demo.children(recursive=True):
        try:
            if word in " ".join(child.cmdline()):
                found.append(child)
        except psutil.Error:
            continue
    return sorted(found, key=lambda process: (process.create_time(), process.pid))


# Behind a cluster's main process stand its sentinel and then its workers.
VICTIMS = [
    *((f"workers --cluster {name}", 2) for name in CLUSTERS),
    ("granian", 1),
    ("manage.py sandbox", 0),
    ("manage.py watch", 0),
    *((f"workers --cluster {name}", 0) for name in CLUSTERS),
    ("granian", 0),
]


@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_kill_9_of_every_process_in_the_middle_of_a_day_loses_and_doubles_nothing() -> None:
    with folder() as data, running(data, 200, 5) as process:
        demo = psutil.Process(process.pid)
        _wait(lambda: bool(mains(demo, "granian")) and bool(mains(demo, "manage.py watch")), 90)
        time.sleep(2)
        killed = [name for name in VICTIMS if _kill(demo, *name)]
        family = demo.children(recursive=True)
        result = result_of(process, 400)
        assert len(killed) >= len(VICTIMS) - 3, killed
        assert not [
            child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE
        ]
        day = after(data, DAY)
    sound(result, 200, 5, killed=True)
    # What the stand-ins paid is what we booked, and no decision paid twice: books_equal and the invariants say so.
    assert len(day) == result["cases"]


CIRCUITS = """
    SELECT s.slug || ' ' || c.vendor || ' ' || c.work FROM tools_circuit c JOIN cases_shop s ON s.id = c.shop_id
    WHERE c.open_until IS NOT NULL
"""
CALLS = (
    "SELECT id, tool, state FROM tools_toolcall WHERE state IN ('reserved', 'sending', 'pending', 'unknown')"
)
AWAY_SECONDS = 20.0


def ask(data: Path, statement: str) -> list[Any]:
    """One question to the running demo's database."""
    url = server_url(read_place(data / "postgres.place"), "opsagent_headless")
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_vendors_that_are_away_open_circuits_which_close_again_and_forget_no_case() -> None:
    opened: set[str] = set()
    closed: set[str] = set()
    with folder() as data, running(data, 100, 8) as process:
        demo = psutil.Process(process.pid)
        _wait(lambda: bool(mains(demo, "granian")), 90)
        # In the middle of effects, so that calls are lost on their way and others find nobody there.
        _wait(lambda: len(ask(data, CALLS)) >= 2, 120)
        ends, kills = time.monotonic() + AWAY_SECONDS, 0
        while time.monotonic() < ends:
            for sandbox in mains(demo, "manage.py sandbox"):
                sandbox.kill()
                kills += 1
            opened.update(row[0] for row in ask(data, CIRCUITS))
            time.sleep(0.1)
        while demo.status() != psutil.STATUS_ZOMBIE:
            try:
                still = {row[0] for row in ask(data, CIRCUITS)}
            except (PostgresError, OSError, psycopg.Error):
                # The day is over, and its database is stopped.
                break
            closed |= opened - still
            opened |= still
            time.sleep(0.2)
        result = result_of(process, 400)
        left = after(data, CALLS)
    sound(result, 100, 8, killed=True)
    assert kills >= 2
    assert left == []
    # Where nobody asks again before the day is over, the next caller's probe will close it.
    assert closed, opened


@pytest.mark.nightly
@pytest.mark.timeout(300)
def test_kill_9_of_the_demo_itself_leaves_nothing_running() -> None:
    with folder() as data, running(data, 200, 6) as process:
        demo = psutil.Process(process.pid)
        _wait(lambda: bool(mains(demo, "granian")), 90)
        family = demo.children(recursive=True)
        process.kill()
        process.wait(10)
        _wait(
            lambda: (
                not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in family)
            ),
            20,
        )
        with running(data, 30, 6) as again:
            sound(result_of(again, 200), 30, 6)


def _kill(demo: psutil.Process, word: str, place: int) -> bool:
    """Kill one process, as soon as it is there; False where the day was over before."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends and demo.status() != psutil.STATUS_ZOMBIE:
        found = mains(demo, word)
        if len(found) > place:
            found[place].kill()
            time.sleep(1)
            return True
        time.sleep(0.1)
    return False


def _wait(done: Callable[[], bool], seconds: float) -> None:
    ends = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < ends, "It never happened."
        time.sleep(0.1)
