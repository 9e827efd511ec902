import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from opsagent import processes
from opsagent.postgres import Postgres
from opsagent.supervisor import MANAGE

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def data() -> Iterator[Path]:
    # Short and open to the server's user, which pytest's folders are not when root runs the tests.
    with tempfile.TemporaryDirectory(prefix="opsagent-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "my data"


@pytest.fixture
def run(data: Path) -> Iterator[Run]:
    """manage.py in an environment where no database is named or running."""
    environment = {**os.environ, "OPSAGENT_DATA_DIR": str(data), "OPSAGENT_MODE": "test"}
    environment.pop("DATABASE_URL", None)

    def manage(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(MANAGE), *arguments],
            env={**environment, **more},
            capture_output=True,
            text=True,
            check=False,
        )

    yield manage
    if (data / "postgres.place").exists():
        manage("db", "stop")


def test_detached_server_starts_serves_and_stops(run: Run) -> None:
    assert run("db", "start", "--detach").returncode == 0
    url = run("db", "url").stdout.strip()
    assert url.startswith("postgres://opsagent@/opsagent?host=")
    assert run("db", "status").stdout.strip().endswith(url)
    assert run("showmigrations", "auth").returncode == 0
    assert run("db", "stop").stdout == "Stopped.\n"
    assert run("db", "status").returncode == 1


def test_a_killed_server_is_started_again_and_the_log_says_so(run: Run, data: Path) -> None:
    run("db", "start", "--detach")
    server = Postgres(data / "postgres", data / "postgres.place")
    before = server.socket()
    psutil.Process(int((server.home.data / "postmaster.pid").read_text().split()[0])).kill()
    assert processes.wait_until(lambda: "kind=started" in (data / "db.log").read_text(), 20)
    assert "kind=ended" in (data / "db.log").read_text()
    assert (server.socket(), server.answers()) == (before, True)


def test_second_start_says_that_it_runs(run: Run) -> None:
    run("db", "start", "--detach")
    again = run("db", "start")
    assert again.returncode == 1
    assert "PostgreSQL runs already" in again.stderr


def test_stop_without_a_server_is_no_mistake(run: Run) -> None:
    assert run("db", "stop").stdout == "No embedded PostgreSQL was running.\n"


@pytest.mark.parametrize("command", [("migrate",), ("db", "status"), ("workers",)])
def test_command_without_a_database_is_one_sentence(run: Run, command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "running" in done.stderr


def test_named_database_needs_no_embedded_one(run: Run) -> None:
    done = run("db", "start", DATABASE_URL="postgres://u:p@localhost/ops")
    assert done.returncode == 1
    assert "DATABASE_URL is set" in done.stderr


def test_settings_start_nothing(run: Run) -> None:
    assert run("check").returncode == 0
    assert run("db", "status").returncode == 1
