import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from opsagent import processes
from opsagent.heartbeat import FOLDER_VARIABLE, Heartbeat
from opsagent.postgres import Postgres
from opsagent.supervisor import Event, Spec, Supervisor

SLEEPER = "import time; time.sleep(60)"
WITH_CHILD = """
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
time.sleep(60)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
BEATS_ONCE = f"""
import os, pathlib, time
(pathlib.Path(os.environ["{FOLDER_VARIABLE}"]) / "beat").write_text(str(time.monotonic()))
time.sleep(60)
"""
FORKS = """
import multiprocessing, os, sys, time
sys.path.insert(0, sys.argv[1])
from opsagent.launch import forks_die_with_parent
forks_die_with_parent()
def grandchild():
    time.sleep(60)
def child():
    inner = multiprocessing.get_context("fork").Process(target=grandchild)
    inner.start()
    os.write(1, b"%d\\n" % inner.pid)
    time.sleep(60)
outer = multiprocessing.get_context("fork").Process(target=child)
outer.start()
os.write(1, b"%d\\n" % outer.pid)
time.sleep(60)
"""

ROOT = Path(__file__).parents[2]


def python(code: str, name: str = "one", **options: object) -> Spec:
    return Spec(name, (sys.executable, "-c", code), **options)  # type: ignore[arg-type]


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def supervise(tmp_path: Path, events: list[Event]) -> Iterator[Callable[..., Supervisor]]:
    started: list[Supervisor] = []

    def start(*specs: Spec, silence: float = 12.0) -> Supervisor:
        supervisor = Supervisor(
            specs, run_dir=tmp_path, silence=silence, logs=tmp_path, on_event=events.append
        )
        started.append(supervisor.__enter__())
        assert supervisor.wait_ready(15)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def test_killed_process_is_started_again(supervise: Callable[..., Supervisor], events: list[Event]) -> None:
    supervisor = supervise(python(SLEEPER))
    first = supervisor.pids()["one"]
    os.kill(first, signal.SIGKILL)
    assert processes.wait_until(lambda: supervisor.pids().get("one", first) != first, 10)
    assert kinds(events) == ["started", "ended", "started"]
    assert supervisor.restarts() == {"one": 1}


def test_silent_process_is_ended_and_started_again(
    supervise: Callable[..., Supervisor], events: list[Event]
) -> None:
    supervisor = supervise(python(BEATS_ONCE, heartbeat=True), silence=1.0)
    first = supervisor.pids()["one"]
    assert processes.wait_until(lambda: supervisor.pids().get("one", first) != first, 10)
    assert gone(first)
    assert "silent" in kinds(events)


def test_stop_ends_the_whole_group(supervise: Callable[..., Supervisor]) -> None:
    supervisor = supervise(python(WITH_CHILD))
    leader = psutil.Process(supervisor.pids()["one"])
    assert processes.wait_until(lambda: bool(leader.children()), 5)
    child = leader.children()[0].pid
    supervisor.stop()
    assert gone(leader.pid)
    assert processes.wait_until(lambda: gone(child), 5)


def test_process_that_ignores_the_request_is_killed_at_the_deadline(
    supervise: Callable[..., Supervisor],
) -> None:
    supervisor = supervise(python(DEAF, stop_seconds=0.5))
    pid = supervisor.pids()["one"]
    time.sleep(0.3)
    began = time.monotonic()
    supervisor.stop()
    assert gone(pid)
    assert time.monotonic() - began < 5


def test_higher_ranks_stop_first(supervise: Callable[..., Supervisor], events: list[Event]) -> None:
    supervisor = supervise(python(SLEEPER, "base", rank=0), python(SLEEPER, "top", rank=3))
    supervisor.stop()
    assert [event.name for event in events if event.kind == "stopped"] == ["top", "base"]


def test_program_that_can_not_start_is_tried_later(
    supervise: Callable[..., Supervisor], events: list[Event], tmp_path: Path
) -> None:
    with Supervisor(
        [Spec("one", ("/no/such/program",))], run_dir=tmp_path, logs=tmp_path, on_event=events.append
    ):
        assert processes.wait_until(lambda: kinds(events).count("started") > 1, 5)
    assert kinds(events)[:2] == ["started", "ended"]


def test_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    code = f"""
        import sys, time
        from pathlib import Path
        from opsagent.supervisor import Spec, Supervisor
        spec = Spec("one", (sys.executable, "-c", {SLEEPER!r}))
        with Supervisor([spec], run_dir=Path({str(tmp_path)!r})) as supervisor:
            supervisor.wait_ready()
            print(supervisor.pids()["one"], file=sys.stderr, flush=True)
            time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=ROOT) as supervisor:
        assert supervisor.stderr
        pid = int(supervisor.stderr.readline())
        supervisor.kill()
    assert processes.wait_until(lambda: gone(pid), 5)


def test_forks_end_with_their_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", FORKS, str(ROOT)], stdout=subprocess.PIPE) as leader:
        assert leader.stdout
        pids = [int(leader.stdout.readline()) for _ in range(2)]
        leader.kill()
    assert processes.wait_until(lambda: all(gone(pid) for pid in pids), 5)


class TestDatabase:
    """The embedded server, kept by the supervisor."""

    @pytest.fixture
    def server(self) -> Iterator[Postgres]:
        with tempfile.TemporaryDirectory(prefix="opsagent-test-") as made:
            Path(made).chmod(0o711)
            with Postgres(Path(made) / "a data folder", Path(made) / "place", durable=False) as server:
                yield server

    @pytest.fixture
    def kept(self, server: Postgres, tmp_path: Path, events: list[Event]) -> Iterator[Postgres]:
        with Supervisor([], run_dir=tmp_path, postgres=server, on_event=events.append):
            yield server

    def kill(self, server: Postgres) -> None:
        assert server.process
        server.process.send_signal(signal.SIGKILL)

    def test_it_is_started_again_each_time(self, kept: Postgres, events: list[Event]) -> None:
        for round_ in (1, 2):
            self.kill(kept)
            assert processes.wait_until(lambda: len(events) == 2 * round_, 20)  # noqa: B023
            assert kept.answers()
        assert kinds(events) == ["ended", "started"] * 2
        assert {event.name for event in events} == {"postgres"}

    def test_one_that_can_not_start_is_tried_later_and_later_and_says_why(
        self, kept: Postgres, events: list[Event]
    ) -> None:
        settings = kept.home.data / "postgresql.conf"
        settings.rename(settings.with_suffix(".away"))
        self.kill(kept)
        assert processes.wait_until(lambda: kinds(events).count("failed") == 3, 20)
        assert "postgresql.conf" in events[1].detail
        settings.with_suffix(".away").rename(settings)
        assert processes.wait_until(lambda: kinds(events)[-1] == "started", 20)
        assert kept.answers()

    def test_a_stop_does_not_wait_for_a_server_that_stays_away(
        self, server: Postgres, tmp_path: Path, events: list[Event]
    ) -> None:
        with Supervisor([], run_dir=tmp_path, postgres=server, on_event=events.append):
            (server.home.data / "postgresql.conf").unlink()
            self.kill(server)
            assert processes.wait_until(lambda: "failed" in kinds(events), 20)
            began = time.monotonic()
        assert time.monotonic() - began < 5


class TestHeartbeat:
    def test_silence_counts_from_the_start_at_the_earliest(self, tmp_path: Path) -> None:
        assert Heartbeat(tmp_path).silence(since=time.monotonic() - 5) == pytest.approx(5, abs=0.5)

    def test_busy_process_may_be_silent(self, tmp_path: Path) -> None:
        Heartbeat(tmp_path).busy(60)
        assert Heartbeat(tmp_path).silence(since=0) == 0

    def test_busy_process_that_died_may_not(self, tmp_path: Path) -> None:
        with subprocess.Popen(["/bin/true"]) as dead:
            dead.wait()
        (tmp_path / f"busy-{dead.pid}").write_text(str(time.monotonic() + 60))
        assert Heartbeat(tmp_path).silence(since=time.monotonic() - 5) > 4

    def test_work_past_its_deadline_is_silence(self, tmp_path: Path) -> None:
        Heartbeat(tmp_path).busy(-1)
        assert Heartbeat(tmp_path).silence(since=time.monotonic() - 5) > 4

    def test_unwritable_folder_stops_no_work(self, tmp_path: Path) -> None:
        Heartbeat(tmp_path / "missing").beat()
        assert Heartbeat(tmp_path / "missing").last() is None
