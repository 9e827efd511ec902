import threading
import time
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from structlog.testing import capture_logs

from opsagent import heartbeat
from opsagent.watch import Watch

pytestmark = pytest.mark.django_db

calls: list[str] = []


def good() -> None:
    calls.append("good")


def bad() -> None:
    calls.append("bad")
    raise CommandError("no")


@pytest.fixture(autouse=True)
def fresh() -> None:
    calls.clear()


def job(name: str) -> str:
    return f"{__name__}.{name}"


def test_each_due_job_is_called() -> None:
    Watch({job("good"): 60}).turn()
    assert calls == ["good"]


def test_job_that_is_not_due_waits() -> None:
    watch = Watch({job("good"): 60})
    watch.turn()
    watch.turn()
    assert calls == ["good"]


def test_failing_job_is_logged_and_stops_no_other() -> None:
    with capture_logs() as logs:
        Watch({job("bad"): 60, job("good"): 60}).turn()
    assert calls == ["bad", "good"]
    assert [(entry["event"], entry["job"]) for entry in logs] == [("watch_job_failed", job("bad"))]


def test_failing_job_gets_its_next_turn() -> None:
    watch = Watch({job("bad"): 0})
    watch.turn()
    watch.turn()
    assert calls == ["bad", "bad"]


def test_every_turn_is_a_sign_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(heartbeat.FOLDER_VARIABLE, str(tmp_path))
    Watch({}).turn()
    assert heartbeat.Heartbeat(tmp_path).silence(since=0) < 5


def test_long_job_is_busy_and_not_silent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(heartbeat.FOLDER_VARIABLE, str(tmp_path))
    watch = Watch({})
    seen: list[float] = []
    watch.jobs = [("long", lambda: seen.append(heartbeat.Heartbeat(tmp_path).silence(since=0)), 1.0)]
    watch.due = {"long": 0.0}
    watch.turn()
    assert seen == [0.0]
    assert not list(tmp_path.glob("busy-*"))


def test_watch_ends_when_it_is_told_to() -> None:
    stop = threading.Event()
    stop.set()
    began = time.monotonic()
    Watch({}).run(stop)
    assert time.monotonic() - began < 1
