"""Starts processes, starts them again when they end or fall silent, and ends them all.

No process outlives the supervisor: a clean stop ends them in order, and after kill -9 the kernel does (launch.py).
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Self

import psutil
import structlog

from opsagent import processes
from opsagent.environment import make_data_dir
from opsagent.heartbeat import FOLDER_VARIABLE, Heartbeat
from opsagent.postgres import Postgres
from opsagent.postgres_home import PostgresError

log = structlog.get_logger(__name__)

MANAGE = Path(__file__).resolve().parent.parent / "manage.py"
CLUSTERS = ("urgent", "default", "planner", "bulk")
TICK_SECONDS = 0.2
# A process group imports Django before its first sign of life.
START_GRACE_SECONDS = 60.0
STEADY_SECONDS = 30.0
SERVED_SECONDS = 10.0
BACKOFF_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0)
LOG_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Spec:
    """One process group: `rank` orders start (upwards) and stop (downwards), equals go together."""

    name: str
    program: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    heartbeat: bool = False
    rank: int = 1
    stop_seconds: float = 10.0
    ready: Callable[[], bool] | None = None


@dataclass(frozen=True)
class Event:
    """What happened to a process group; `kind` is started, ended, silent, stopped or failed."""

    name: str
    kind: str
    detail: str = ""


class Group:
    """A Spec's running process group."""

    def __init__(self, spec: Spec, run_dir: Path, silence: float, logs: Path | None) -> None:
        self.spec = spec
        self.silence = silence
        self.logs = logs
        self.heartbeat = Heartbeat(run_dir / spec.name) if spec.heartbeat else None
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.due_at = 0.0
        self.failures = 0
        self.restarts = -1

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def start(self) -> None:
        env = {**os.environ, **self.spec.env}
        env.pop(FOLDER_VARIABLE, None)
        if self.heartbeat:
            self.heartbeat.clear()
            env[FOLDER_VARIABLE] = str(self.heartbeat.folder)
        self.started_at = time.monotonic()
        self.restarts += 1
        output = self._log()
        try:
            self.process = processes.spawn(self.spec.program, env=env, cwd=MANAGE.parent, output=output)
        finally:
            if output:
                output.close()

    def ready(self) -> bool:
        """Whether it has shown that it works: by its own test, its first sign of life, or by running."""
        if self.process is None or self.process.poll() is not None:
            return False
        if self.spec.ready:
            return self.spec.ready()
        return self.heartbeat is None or self.heartbeat.last() is not None

    def trouble(self) -> Event | None:
        """Why the group must be started anew, or None."""
        if self.process is None:
            return None
        if (code := self.process.poll()) is not None:
            return Event(self.spec.name, "ended", f"exit code {code}")
        if self.heartbeat:
            first = self.heartbeat.last() is None
            silence = self.heartbeat.silence(self.started_at)
            if silence > (max(START_GRACE_SECONDS, self.silence) if first else self.silence):
                return Event(self.spec.name, "silent", f"{silence:.0f} seconds without a sign of life")
        return None

    def end(self) -> None:
        """Kills what is left of the group and plans its next start, later with each failure in a row."""
        if self.process:
            processes.end_group(self.process, signal.SIGKILL, 0)
        self.process = None
        steady = time.monotonic() - self.started_at > STEADY_SECONDS
        self.failures = 0 if steady else min(self.failures + 1, len(BACKOFF_SECONDS) - 1)
        self.due_at = time.monotonic() + BACKOFF_SECONDS[self.failures]

    def _log(self) -> IO[bytes] | None:
        if self.logs is None:
            return None
        path = self.logs / f"{self.spec.name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path.open("ab")


class Keeper:
    """Starts the embedded server again when it dies, later with each failure in a row."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self.failures = 0
        self.due_at = 0.0
        self.started_at = time.monotonic()
        self.down = False

    def turn(self, stopped: Callable[[], bool]) -> Event | None:
        """Does what has to be done now; what happened, or None. Blocks while the server starts."""
        if not self.down:
            return None if self.server.alive() else self._fell()
        return self._again(stopped) if time.monotonic() >= self.due_at else None

    def _fell(self) -> Event:
        code = self.server.process.poll() if self.server.process else None
        self.server.kill()
        served = time.monotonic() - self.started_at > SERVED_SECONDS
        self._later(0 if served else self.failures)
        return Event(self.server.name, "ended", f"exit code {code}")

    def _again(self, stopped: Callable[[], bool]) -> Event | None:
        try:
            self.server.start(stopped)
        except (PostgresError, OSError) as error:
            self.server.kill()
            self._later(self.failures)
            return None if stopped() else Event(self.server.name, "failed", str(error))
        self.down, self.started_at = False, time.monotonic()
        return Event(self.server.name, "started", f"at {self.server.socket()}")

    def _later(self, failures: int) -> None:
        self.down = True
        self.due_at = time.monotonic() + BACKOFF_SECONDS[failures]
        self.failures = min(failures + 1, len(BACKOFF_SECONDS) - 1)


class Supervisor:
    """Keeps process groups running from a thread of its own, between `__enter__` and `__exit__`.

    `run_dir` takes the signs of life and belongs to this supervisor alone; `logs` is a folder for the output, or
    None to share ours; `postgres` is started again when it dies, but is its owner's to stop. `on_event` is called
    from the supervisor's thread.
    """

    def __init__(
        self,
        specs: Sequence[Spec],
        *,
        run_dir: Path,
        silence: float = 12.0,
        logs: Path | None = None,
        postgres: Postgres | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if logs:
            logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.groups = [Group(spec, run_dir, silence, logs) for spec in sorted(specs, key=lambda s: s.rank)]
        self.keeper = Keeper(postgres) if postgres else None
        self.on_event = on_event
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def wait_ready(self, seconds: float = START_GRACE_SECONDS) -> bool:
        """Blocks until every group has shown that it works; False if one has not in time."""
        return processes.wait_until(lambda: all(group.ready() for group in self.groups), seconds)

    def not_ready(self) -> list[str]:
        return [group.spec.name for group in self.groups if not group.ready()]

    def pids(self) -> dict[str, int]:
        """Process id of each running group's leader, by name."""
        return {group.spec.name: group.pid for group in self.groups if group.pid}

    def restarts(self) -> dict[str, int]:
        return {group.spec.name: max(0, group.restarts) for group in self.groups}

    def stop(self) -> None:
        """Ends every group, the highest rank first, and returns when all are gone."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for rank in sorted({group.spec.rank for group in self.groups}, reverse=True):
            self._stop_together([group for group in self.groups if group.spec.rank == rank])

    def _run(self) -> None:
        for group in self.groups:
            if self._stop.is_set():
                return
            self._start(group)
            if group.spec.ready:
                self._await(group)
        while not self._stop.wait(TICK_SECONDS):
            self._guard_postgres()
            for group in self.groups:
                self._guard(group)

    def _await(self, group: Group) -> None:
        """Gives those of a higher rank a group that works; one that ends meanwhile is guarded as any other."""
        processes.wait_until(
            lambda: group.ready() or group.trouble() is not None or self._stop.is_set(), START_GRACE_SECONDS
        )

    def _guard(self, group: Group) -> None:
        if group.process is None:
            if time.monotonic() >= group.due_at:
                self._start(group)
        elif trouble := group.trouble():
            group.end()
            self._tell(trouble)

    def _guard_postgres(self) -> None:
        if self.keeper and (event := self.keeper.turn(self._stop.is_set)):
            self._tell(event)

    def _start(self, group: Group) -> None:
        try:
            group.start()
        except OSError as error:
            group.end()
            self._tell(Event(group.spec.name, "failed", str(error)))
        else:
            self._tell(Event(group.spec.name, "started", f"process {group.pid}"))

    def _stop_together(self, groups: Sequence[Group]) -> None:
        running = [(group.spec, group.process) for group in groups if group.process]
        for _, process in running:
            processes.ask_to_end(process)
        began = time.monotonic()
        for spec, process in running:
            left = began + spec.stop_seconds - time.monotonic()
            processes.wait_until(lambda process=process: process.poll() is not None, max(0.0, left))  # type: ignore[misc]
            processes.end_group(process, signal.SIGKILL, 0)
            self._tell(Event(spec.name, "stopped"))
        for group in groups:
            group.process = None

    def _tell(self, event: Event) -> None:
        log.info("process", name=event.name, kind=event.kind, detail=event.detail)
        if self.on_event:
            self.on_event(event)


@contextmanager
def run_folder(data_dir: Path) -> Iterator[Path]:
    """A folder for one supervisor's signs of life; those of supervisors that were killed are removed."""
    for left in data_dir.glob("run-*"):
        owner = left.name.removeprefix("run-")
        if not (owner.isdigit() and psutil.pid_exists(int(owner))):
            shutil.rmtree(left, ignore_errors=True)
    folder = make_data_dir(data_dir) / f"run-{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def cluster_spec(name: str) -> Spec:
    return Spec(
        name, manage("workers", "--cluster", name), env={"Q_CLUSTER_NAME": name}, heartbeat=True, rank=2
    )


def cluster_specs() -> list[Spec]:
    return [cluster_spec(name) for name in CLUSTERS]


def watch_spec() -> Spec:
    return Spec("watch", manage("watch"), heartbeat=True, rank=2)


def web_spec(port: int, ready: Callable[[], bool] | None = None, threads: int = 4) -> Spec:
    """The web server on the loopback; granian in the same environment as this Python."""
    program = (
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    )
    options = ("--workers", "1", "--blocking-threads", str(threads), "--no-ws", "opsagent.wsgi:application")
    return Spec("web", program + options, rank=3, ready=ready)


def sandbox_spec(port: int, ledger: Path, ready: Callable[[], bool] | None = None) -> Spec:
    """The vendors' stand-ins on the loopback; the ledger is their own SQLite file."""
    program = manage("sandbox", "--port", str(port), "--ledger", str(ledger))
    return Spec("sandbox", program, rank=0, ready=ready)


def manage(*arguments: str) -> tuple[str, ...]:
    """The command line of a management command in this environment."""
    return (sys.executable, str(MANAGE), *arguments)
