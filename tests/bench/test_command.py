"""The benchmarks run, in a form too small to say anything about speed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError

from opsagent.bench.figures import Series, percentile, ratio_of_rates
from opsagent.bench.loading import whole
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
    assert all(told["p50_ms"] > 0 for told in found["contenders"].values())
    with psycopg.connect(database_url) as database:
        left = database.execute("SELECT datname FROM pg_database WHERE datname LIKE 'opsagent_bench%'")
        assert left.fetchall() == []


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
