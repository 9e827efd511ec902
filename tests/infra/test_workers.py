"""Real clusters under real kill -9: each test starts processes and takes seconds."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from django.db import connections
from django_q.models import OrmQ
from django_q.tasks import async_task

from opsagent import processes
from opsagent.supervisor import MANAGE, Spec, Supervisor, cluster_spec, watch_spec

pytestmark = pytest.mark.django_db(transaction=True)

SILENCE = 4.0
RECOVERY = 18.0


@pytest.fixture
def environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.fixture
def supervise(environment: None, tmp_path: Path) -> Iterator[Callable[[Spec], Supervisor]]:
    started: list[Supervisor] = []

    def start(spec: Spec) -> Supervisor:
        supervisor = Supervisor([spec], run_dir=tmp_path / "run", silence=SILENCE, logs=tmp_path / "logs")
        started.append(supervisor.__enter__())
        assert supervisor.wait_ready(30), (tmp_path / "logs" / f"{spec.name}.log").read_text()
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop()
    connections.close_all()


def new_task_is_done(seconds: float) -> bool:
    # What a killed cluster had in memory comes back only after the retry time; the watch process is quicker.
    async_task("opsagent.heartbeat.beat", cluster="urgent")
    newest = OrmQ.objects.latest("pk").pk
    return processes.wait_until(lambda: not OrmQ.objects.filter(pk=newest).exists(), seconds)


def recovers() -> bool:
    return processes.wait_until(lambda: new_task_is_done(1), RECOVERY)


def family(pid: int) -> list[psutil.Process]:
    leader = psutil.Process(pid)
    return [leader, *leader.children(recursive=True)]


def gone(members: list[psutil.Process]) -> bool:
    return not any(member.is_running() and member.status() != psutil.STATUS_ZOMBIE for member in members)


def the_worker(pid: int) -> psutil.Process:
    # The sentinel forks its workers before its monitor and its pusher.
    sentinel = psutil.Process(pid).children()[0]
    return min(sentinel.children(), key=lambda child: child.pid)


def test_task_is_done_and_acknowledged(supervise: Callable[[Spec], Supervisor]) -> None:
    supervise(cluster_spec("urgent"))
    assert new_task_is_done(5)


def test_cluster_recovers_from_a_killed_idle_worker(supervise: Callable[[Spec], Supervisor]) -> None:
    supervisor = supervise(cluster_spec("urgent"))
    the_worker(supervisor.pids()["urgent"]).kill()
    assert recovers()


def test_killed_cluster_leaves_no_orphan_and_comes_back(supervise: Callable[[Spec], Supervisor]) -> None:
    supervisor = supervise(cluster_spec("urgent"))
    members = family(supervisor.pids()["urgent"])
    assert len(members) == 5
    members[0].kill()
    assert processes.wait_until(lambda: gone(members), 5)
    assert recovers()


@pytest.mark.nightly
@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_cluster_recovers_from_the_kill_of_any_member(
    supervise: Callable[[Spec], Supervisor], place: int
) -> None:
    supervisor = supervise(cluster_spec("urgent"))
    family(supervisor.pids()["urgent"])[place].kill()
    assert recovers()


def test_killed_workers_command_leaves_no_orphan(environment: None) -> None:
    command = [sys.executable, str(MANAGE), "workers", "--only", "urgent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as workers:
        assert workers.stdout
        assert workers.stdout.readline() == b"Workers are ready.\n"
        members = family(workers.pid)
        workers.kill()
    assert len(members) == 6
    assert processes.wait_until(lambda: gone(members), 5)
    connections.close_all()


def test_interrupted_workers_command_ends_cleanly(environment: None) -> None:
    command = [sys.executable, str(MANAGE), "workers", "--only", "urgent"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as workers:
        assert workers.stdout
        workers.stdout.readline()
        members = family(workers.pid)
        os.kill(workers.pid, signal.SIGINT)
        assert workers.wait(15) == 0
    assert gone(members)
    connections.close_all()


def test_watch_shows_signs_of_life_and_ends_cleanly(supervise: Callable[[Spec], Supervisor]) -> None:
    supervisor = supervise(watch_spec())
    members = family(supervisor.pids()["watch"])
    supervisor.stop()
    assert gone(members)
