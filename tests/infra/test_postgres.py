import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from django.db import connection

from opsagent import processes
from opsagent.postgres import Postgres, end_orphan, read_place, serves
from opsagent.postgres_home import Home, PostgresError, reachable

OWNER = """
import sys, time
from pathlib import Path
from opsagent.postgres import Postgres
server = Postgres(Path(sys.argv[1]), Path(sys.argv[2]), durable=False)
server.start()
print(server.process.pid if server.process else 0, flush=True)
time.sleep(60)
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server's user can pass through, which pytest's own are not when root runs the tests."""
    with tempfile.TemporaryDirectory(prefix="opsagent-test-") as made:
        Path(made).chmod(0o711)
        yield Path(made)


@pytest.fixture
def state(open_folder: Path) -> Iterator[Path]:
    yield open_folder / "a data folder"
    if (open_folder / "place").exists():
        shutil.rmtree(read_place(open_folder / "place"), ignore_errors=True)


@pytest.fixture
def server(state: Path) -> Iterator[Postgres]:
    with Postgres(state, state.parent / "place", durable=False) as server:
        yield server


def connect(server: Postgres) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server.url)


def select_one(server: Postgres) -> object:
    with connect(server) as connected:
        row = connected.execute("SELECT 1").fetchone()
    return row and row[0]


@contextmanager
def owner_elsewhere(state: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that owns the server, and the postmaster's process id."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(state), str(state.parent / "place")],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as owner:
        assert owner.stdout
        yield owner, int(owner.stdout.readline())
        owner.kill()


@pytest.mark.django_db
def test_tests_run_on_a_real_postgresql() -> None:
    assert connection.vendor == "postgresql"
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        assert cursor.fetchone()[0].startswith("PostgreSQL")


def test_server_answers_only_at_its_private_socket(server: Postgres) -> None:
    assert select_one(server) == 1
    assert server.socket().stat().st_mode & 0o077 == 0
    assert server.process
    assert not psutil.Process(server.process.pid).net_connections(kind="inet")


def test_stopped_server_leaves_no_socket_and_no_place(state: Path) -> None:
    with Postgres(state, state.parent / "place", durable=False) as server:
        folder = server.socket()
    assert not folder.exists()
    assert not server.place.exists()


def test_second_start_finds_the_same_rows(state: Path) -> None:
    with Postgres(state, state.parent / "place", durable=False) as server, connect(server) as connected:
        connected.execute("CREATE TABLE note AS SELECT 'kept' AS words")
    with Postgres(state, state.parent / "place", durable=False) as server, connect(server) as connected:
        assert connected.execute("SELECT words FROM note").fetchall() == [("kept",)]


def test_killed_owner_takes_its_server_along(state: Path) -> None:
    with owner_elsewhere(state) as (_, postmaster):
        assert psutil.pid_exists(postmaster)
    assert processes.wait_until(lambda: not psutil.pid_exists(postmaster), 10)


def test_server_comes_back_after_its_owner_was_killed(state: Path) -> None:
    with owner_elsewhere(state):
        left = read_place(state.parent / "place")
    with Postgres(state, state.parent / "place", durable=False) as server:
        assert select_one(server) == 1
    assert not left.exists()


def test_running_server_of_another_process_is_used_and_left_running(state: Path) -> None:
    with owner_elsewhere(state) as (_, postmaster):
        with Postgres(state, state.parent / "place", durable=False) as guest:
            assert select_one(guest) == 1
            assert not guest.owned
        assert psutil.pid_exists(postmaster)


def test_killed_server_starts_again_at_the_same_socket(server: Postgres) -> None:
    before = server.socket()
    server.kill()
    assert not server.alive()
    server.start()
    assert server.socket() == before
    assert select_one(server) == 1


class TestAfterAKilledPostmaster:
    @pytest.fixture
    def busy(self, server: Postgres) -> Iterator[int]:
        """A backend that computes, and so doesn't notice that its postmaster is gone."""
        with closing(connect(server)) as connected:
            asking = threading.Thread(target=count_for_ever, args=[connected])
            asking.start()
            yield connected.info.backend_pid
            # Were it still at work, it would be waited for without an end.
            if serves(connected.info.backend_pid, server.home.data):
                os.kill(connected.info.backend_pid, signal.SIGKILL)
            asking.join()

    def kill(self, server: Postgres) -> None:
        assert server.process
        server.process.kill()
        server.process.wait()

    def test_a_busy_child_that_outlived_it_is_gone_before_the_next_start(
        self, server: Postgres, busy: int
    ) -> None:
        assert processes.wait_until(lambda: psutil.Process(busy).cpu_times().user > 0.1, 30)
        self.kill(server)
        assert serves(busy, server.home.data)
        server.start()
        assert not serves(busy, server.home.data)
        assert select_one(server) == 1

    def test_files_that_name_a_stranger_by_its_number_stop_nothing(self, server: Postgres) -> None:
        self.kill(server)
        told = (server.home.data / "postmaster.pid").read_text().splitlines()
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
            for path in (server.home.data / "postmaster.pid", server.socket() / ".s.PGSQL.5432.lock"):
                path.write_text("\n".join([str(stranger.pid), *told[1:]]) + "\n")
            server.start()
            assert stranger.poll() is None
            stranger.kill()
        assert select_one(server) == 1

    def test_a_socket_folder_that_was_cleaned_away_is_made_again_where_it_was(self, server: Postgres) -> None:
        before = server.socket()
        shutil.rmtree(before)
        self.kill(server)
        server.start()
        assert (read_place(server.place), server.socket()) == (before, before)
        assert before.stat().st_mode & 0o077 == 0
        assert select_one(server) == 1

    def test_a_name_that_somebody_else_took_is_left_to_them_and_the_place_tells_the_new_one(
        self, server: Postgres
    ) -> None:
        before = server.socket()
        shutil.rmtree(before)
        before.write_text("not ours")
        self.kill(server)
        server.start()
        assert read_place(server.place) == server.socket() != before
        assert before.read_text() == "not ours"
        before.unlink()
        assert select_one(server) == 1

    def test_a_start_that_is_given_up_ends_at_once(self, server: Postgres) -> None:
        self.kill(server)
        (server.home.data / "postgresql.conf").rename(server.home.data / "away.conf")
        with pytest.raises(PostgresError, match="configuration file"):
            server.start()
        (server.home.data / "away.conf").rename(server.home.data / "postgresql.conf")
        began = time.monotonic()
        # As a shell leaves it to what it starts in the background.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with suppress(PostgresError):
                server.start(lambda: True)
        finally:
            signal.signal(signal.SIGINT, before)
        server.stop()
        assert time.monotonic() - began < 5


def count_for_ever(connected: psycopg.Connection[tuple[object, ...]]) -> None:
    # A series in FROM would be written to the disk first, all of it.
    with suppress(psycopg.OperationalError):
        connected.execute(
            "SELECT count(*) FROM (SELECT generate_series(1, 10000000000) AS a) numbers WHERE a % 7 = 8"
        )


def test_pid_of_another_program_in_a_stale_pid_file_is_not_touched(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / "postmaster.pid").write_text(f"{stranger.pid}\n")
    end_orphan(tmp_path)
    assert stranger.poll() is None
    assert not (tmp_path / "postmaster.pid").exists()
    stranger.kill()
    stranger.wait()


def test_place_of_no_server_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="No embedded database is running"):
        read_place(tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user for the server")
class TestAsRoot:
    @pytest.fixture
    def closed(self, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr("opsagent.postgres_home.DURABLE_PLACES", (open_folder,))
        (open_folder / "closed").mkdir(mode=0o700)
        return open_folder / "closed" / "data"

    def test_server_runs_under_an_unprivileged_user(self, server: Postgres) -> None:
        assert server.process
        assert psutil.Process(server.process.pid).uids().effective != 0

    def test_data_moves_out_of_a_folder_that_the_server_may_not_enter(self, closed: Path) -> None:
        home = Home(closed)
        assert home.account
        assert home.folder != closed
        assert reachable(home.folder, home.account)
        assert closed.parent.stat().st_mode & 0o777 == 0o700

    def test_next_run_finds_the_moved_data(self, closed: Path) -> None:
        first = Home(closed).folder
        assert Home(closed).folder == first

    def test_copied_checkout_does_not_share_the_moved_data(self, closed: Path) -> None:
        first = Home(closed).folder
        copy = closed.with_name("copy")
        copy.mkdir()
        (copy / "moved_to").write_text((closed / "moved_to").read_text())
        second = Home(copy).folder
        assert second != first

    def test_programs_that_the_server_may_not_reach_are_copied(
        self, closed: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # As if the virtual environment stood under /root.
        monkeypatch.setattr(
            "opsagent.postgres_home.reachable",
            lambda path, _: not path.is_relative_to(sys.prefix) and "closed" not in path.parts,
        )
        home = Home(closed)
        done = subprocess.run(
            processes.launched([home.programs / "initdb", "--version"], user=home.user),
            capture_output=True,
            check=True,
        )
        assert b"initdb (PostgreSQL)" in done.stdout


def test_place_names_the_owner(server: Postgres) -> None:
    assert json.loads(server.place.read_text())["pid"] == os.getpid()


def test_sigint_to_the_owner_group_is_a_clean_stop(server: Postgres) -> None:
    assert server.process
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(10) == 0
