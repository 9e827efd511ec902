"""The benchmarks run, in a form too small to say anything about speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from opsagent.bench.figures import Series, percentile, ratio_of_rates, to_bare_insert
from opsagent.bench.loading import whole
from opsagent.management.commands.bench import Command
from opsagent.supervisor import manage

KEYS = {
    "benchmark",
    "fsync_ms",
    "bare_insert_ms",
    "rounds",
    "contenders",
    "skipped",
    "ratios",
    "goals",
}
TO_INSERT = {"p50_to_bare_insert", "rate_to_bare_insert"}
GOALS = {"intake": 4, "queue": 2, "execute": 0}


def tiny(what: str, database_url: str, data_dir: Path) -> dict[str, Any]:
    """The command as a person runs it, in a process of its own."""
    environment = {**os.environ, "DATABASE_URL": database_url, "OPSAGENT_DATA_DIR": str(data_dir)}
    sizes = ("--rounds", "1", "--count", "3", "--wakes", "1", "--json")
    done = subprocess.run(
        manage("bench", what, *sizes), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "what",
    # Each of the others starts half a dozen processes and databases too, which the ordinary run has no time for.
    [
        "intake",
        pytest.param("queue", marks=pytest.mark.nightly),
        pytest.param("execute", marks=pytest.mark.nightly),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_benchmark_prints_one_line_and_leaves_nothing(what: str, database_url: str, tmp_path: Path) -> None:
    found = tiny(what, database_url, tmp_path)
    assert found["benchmark"] == what
    assert found.keys() >= KEYS
    assert len(found["goals"]) == GOALS[what]
    assert found["ratios"].keys() >= TO_INSERT
    assert all(found["ratios"][name] > 0 for name in TO_INSERT)
    assert all(told["p50_ms"] > 0 for told in found["contenders"].values())
    with psycopg.connect(database_url) as database:
        left = database.execute("SELECT datname FROM pg_database WHERE datname LIKE 'opsagent_bench%'")
        assert left.fetchall() == []


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_the_queue_holds_its_goals() -> None:
    """At a size that says something: status 1 where an idle worker wakes late or a full one drains slowly.

    On a server of its own: that of the tests doesn't wait for its disk, so a bare loop would have nothing to do there.
    """
    with tempfile.TemporaryDirectory(prefix="opsagent-bench-test-", ignore_cleanup_errors=True) as made:
        # The database's own user passes through it, which pytest's folders don't allow where root runs the tests.
        Path(made).chmod(0o711)
        environment = {**os.environ, "DATABASE_URL": "", "OPSAGENT_DATA_DIR": str(Path(made) / "data")}
        sizes = ("--rounds", "3", "--count", "200", "--wakes", "20", "--json", "--hold")
        done = subprocess.run(
            manage("bench", "queue", *sizes), env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    ("goals", "words"),
    [
        ({"fast": True, "slow": False}, "Missed: slow"),
        ({"fast": None}, "not measured: fast"),
        ({"fast": False, "light": False}, "Missed: fast; light"),
    ],
)
def test_a_missed_goal_is_a_failure_where_it_is_to_be_held(goals: dict[str, Any], words: str) -> None:
    result = {"goals": goals}
    Command().tell(result, as_json=True, hold=False)
    with pytest.raises(CommandError, match=words):
        Command().tell(result, as_json=True, hold=True)


def test_goals_that_were_met_hold() -> None:
    Command().tell({"goals": {"fast": True}}, as_json=True, hold=True)


def test_what_promises_nothing_cannot_be_held() -> None:
    with pytest.raises(CommandError, match="Nothing is promised about execute"):
        call_command("bench", "execute", "--hold")


def test_ours_is_stated_beside_one_bare_insert() -> None:
    ours = Series("ours", rates=[50.0], seconds=[0.004, 0.006, 0.02])
    assert to_bare_insert(ours, 2.0) == {"p50_to_bare_insert": 3.0, "rate_to_bare_insert": 0.1}


def test_production_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "MODE", "production")
    with pytest.raises(CommandError, match="refuse production"):
        call_command("bench", "intake")


def test_peers_are_not_part_of_what_is_benchmarked() -> None:
    """No peer's package is imported by the command itself."""
    code = (
        "import django; django.setup(); import opsagent.management.commands.bench, sys; print(*sys.modules)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "opsagent.settings"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert not {"djstripe", "procrastinate", "opsagent.bench.peers.plain"} & set(done.stdout.split())


@pytest.mark.parametrize(("share", "value"), [(0.5, 2.0), (0.99, 4.0), (0.25, 1.0), (1.0, 4.0), (0.0, 1.0)])
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == value


def test_ratios_are_taken_within_a_round() -> None:
    ours, other = Series("ours", rates=[10, 100, 30]), Series("other", rates=[20, 200, 10])
    assert ratio_of_rates(ours, other) == 0.5


@pytest.mark.parametrize(
    ("answer", "is_whole"),
    [
        (b"HTTP/1.1 200 OK\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", True),
    ],
)
def test_an_answer_is_awaited_to_its_end(answer: bytes, is_whole: bool) -> None:
    assert whole(answer) == is_whole
