"""The embedded PostgreSQL: started as a child of ours, reached through a private Unix socket, never through TCP."""

import fcntl
import getpass
import json
import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import psutil
import psycopg
from psycopg import pq, sql

from opsagent import processes
from opsagent.postgres_home import Home, PostgresError, write_atomically

USER = DATABASE = "opsagent"
PORT = 5432
START_SECONDS = 60.0
# After a crash the server first does again what its log holds, and answers nobody meanwhile.
RECOVERY_SECONDS = 900.0
STOP_SECONDS = 20.0
LOG_BYTES = 10 * 1024 * 1024

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    # Workers would need shared memory of their own, which a container may not grant.
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # Values in statements and in an error's detail are customers' words.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
}
# For made-up data that a crash may take away.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """One embedded server; `state` is its folder, `place` the file that tells others where its socket is.

    A server that another live process owns is used and left running. As a context manager it starts and stops.
    Raises PostgresError.
    """

    name = "postgres"

    def __init__(self, state: Path, place: Path, *, durable: bool = True) -> None:
        self.home = Home(state)
        self.place = place
        self.settings = SETTINGS if durable else SETTINGS | FAST_SETTINGS
        self.process: subprocess.Popen[bytes] | None = None
        self.socket_dir: Path | None = None
        self._lock: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def owned(self) -> bool:
        """Whether this process started the server, and so must stop it."""
        return self._lock is not None

    @property
    def url(self) -> str:
        return server_url(self.socket())

    def socket(self) -> Path:
        if not self.socket_dir:
            self.socket_dir = read_place(self.place)
        return self.socket_dir

    def own(self) -> bool:
        """Takes the lock that makes this process the server's owner; False if another process has it.

        The lock ends with the process that holds it, even after kill -9, so a server without an owner is an orphan.
        """
        if self._lock is None:
            folder = self.home.folder
            lock = (self.home.state / "lock").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                return False
            self._lock = lock
            end_orphan(folder / "data")
        return True

    def start(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """Starts the server, or finds the running one; returns when it answers and the database exists.

        Called again after a crash it clears away what the dead server left and comes back at the same socket, where
        that name can still be had; else the place tells the new one. `given_up` is asked while it waits.
        """
        if not self.own():
            if not processes.wait_until(lambda: self.place.exists() and self.answers(), START_SECONDS):
                raise PostgresError(
                    f"Another process holds {self.home.state} but its database does not answer."
                )
            return
        if not (self.home.data / "PG_VERSION").exists():
            self._initialise()
        self._admit_us()
        # A child that outlived its postmaster would keep the memory, and so keep the next server from starting.
        end_servers(self.home.data)
        self._make_socket_folder()
        self._launch(given_up)
        self._ensure_database()
        write_atomically(self.place, json.dumps({"socket_dir": str(self.socket_dir), "pid": os.getpid()}))

    def alive(self) -> bool:
        return not self.owned or (self.process is not None and self.process.poll() is None)

    def answers(self) -> bool:
        try:
            self._connect("postgres").close()
        except (psycopg.OperationalError, PostgresError):
            self.socket_dir = None if not self.owned else self.socket_dir
            return False
        return True

    def stop(self) -> None:
        """Ends the server if this process owns it, and gives up the ownership."""
        if self._lock is None:
            return
        if self.process is not None:
            # Who is asked before it is PostgreSQL may be deaf, as what a shell starts in the background is.
            processes.wait_until(self._asked_to_end, STOP_SECONDS)
            processes.end_group(self.process, signal.SIGINT, 0)
        self._forget_socket()
        self.process = self.socket_dir = None
        self._lock.close()
        self._lock = None

    def _asked_to_end(self) -> bool:
        if self.process is not None:
            processes.ask_to_end(self.process, signal.SIGINT)
        return self.process is None or self.process.poll() is not None

    def kill(self) -> None:
        """Ends the server as a crash would; `start` brings it back at the same socket."""
        if self.process is not None:
            processes.end_group(self.process, signal.SIGKILL, 1)

    def _initialise(self) -> None:
        draft = self.home.folder / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.home.hand_over(draft)
        arguments = ["-U", USER, "-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        # Nothing but the path is trusted to the environment: the server has no business with our secrets.
        done = subprocess.run(
            processes.launched(
                [self._program("initdb"), "-D", draft, *arguments, "--locale=C", "--no-sync"],
                user=self.home.user,
            ),
            env=self._environment(),
            cwd="/",
            capture_output=True,
            check=False,
        )
        if done.returncode != 0:
            raise PostgresError(f"initdb failed: {done.stderr.decode(errors='replace').strip()[-600:]}")
        draft.rename(self.home.data)

    def _admit_us(self) -> None:
        """Lets in, by the kernel's word on who is at the socket, the user who runs this process."""
        self._write("pg_hba.conf", "local all all peer map=ours\n")
        self._write("pg_ident.conf", f'ours "{our_name()}" {USER}\n')

    def _write(self, name: str, text: str) -> None:
        path = self.home.data / name
        path.write_text(text)
        self.home.hand_over(path)

    def _make_socket_folder(self) -> None:
        if self.socket_dir is None:
            self._forget_socket()
        elif self.home.renewed(self.socket_dir):
            return
        self.socket_dir = self.home.socket_folder()

    def _launch(self, given_up: Callable[[], bool]) -> None:
        options = [part for item in self.settings.items() for part in ("-c", "=".join(item))]
        path = self.home.state / "postgres.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            began = log.tell()
            self.process = processes.spawn(
                [
                    self._program("postgres"),
                    "-D",
                    self.home.data,
                    "-k",
                    self.socket(),
                    *options,
                ],
                env=self._environment(),
                cwd=Path("/"),
                output=log,
                # Fast shutdown: the server rolls back, writes a checkpoint and ends.
                signum=signal.SIGINT,
                user=self.home.user,
            )
        if not self._came_up(given_up):
            raise PostgresError(f"PostgreSQL did not start: {_last_words(path, began)}")

    def _came_up(self, given_up: Callable[[], bool]) -> bool:
        def over() -> bool:
            return self.answers() or not self.alive() or given_up()

        # Ending a long recovery would only make it begin anew.
        if not processes.wait_until(over, START_SECONDS) and self._recovers():
            processes.wait_until(lambda: over() or not self._recovers(), RECOVERY_SECONDS)
        return self.alive() and self.answers()

    def _recovers(self) -> bool:
        """Whether somebody listens at the socket who turns everybody away for now."""
        return pq.PGconn.ping(f"host='{self.socket()}' port={PORT}".encode()) == pq.Ping.REJECT

    def _program(self, name: str) -> Path:
        return self.home.programs / name

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}

    def _connect(self, database: str) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.socket()), port=PORT, user=USER, dbname=database, autocommit=True, connect_timeout=5
        )

    def _ensure_database(self) -> None:
        try:
            with self._connect("postgres") as connection:
                found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if not found.fetchone():
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        except psycopg.Error as error:
            raise PostgresError(f"PostgreSQL started and went away again: {error}") from error

    def _forget_socket(self) -> None:
        """Removes the place and the socket's folder, ours or one that a killed owner left."""
        if self.place.exists():
            left = read_place(self.place)
            if left.name.startswith("opsagent-") and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            self.place.unlink()


def server_url(socket_dir: Path, database: str = DATABASE) -> str:
    """DATABASE_URL of a database on the embedded server."""
    return f"postgres://{USER}@/{database}?host={socket_dir}&port={PORT}"


def read_place(place: Path) -> Path:
    """The socket folder that a running server's owner wrote down; raises PostgresError if there is none."""
    try:
        said: dict[str, str] = json.loads(place.read_text())
    except FileNotFoundError as error:
        raise PostgresError("No embedded database is running.") from error
    return Path(said["socket_dir"])


def read_owner(place: Path) -> int:
    """Process id of the running server's owner."""
    return int(json.loads(place.read_text())["pid"])


def our_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return getpass.getuser()


def _last_words(log: Path, began: int) -> str:
    """The end of what the log tells since `began`, an offset in bytes."""
    return log.read_bytes()[began:].decode(errors="replace").strip()[-600:] or "it said nothing"


def end_orphan(data: Path) -> None:
    """Ends a postmaster whose owner is gone, and removes the pid file of a dead one."""
    pid_file = data / "postmaster.pid"
    with suppress(FileNotFoundError, ValueError, IndexError):
        pid = int(pid_file.read_text().splitlines()[0])
        for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if serves(pid, data):
                os.kill(pid, signum)
            processes.wait_until(lambda: not serves(pid, data), STOP_SECONDS / 2)
        # A number that another program has taken since would make postgres refuse to start.
        if not serves(pid, data):
            pid_file.unlink(missing_ok=True)


def end_servers(data: Path) -> None:
    """Kills whatever still serves this data folder, a dead postmaster's children too, and removes its pid file.

    They stand in sessions of their own, so that their folder is all that tells whose they are.
    """
    for process in (left := servers(data)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    if processes.wait_until(lambda: not any(serves(process.pid, data) for process in left), STOP_SECONDS):
        (data / "postmaster.pid").unlink(missing_ok=True)


def servers(data: Path) -> list[psutil.Process]:
    """The postmaster of this data folder and its children, with or without it."""
    return [process for process in psutil.process_iter() if serves(process.pid, data)]


def serves(pid: int, data: Path) -> bool:
    """Whether the process is a server of this data folder: a process id alone proves nothing after a crash."""
    try:
        process = psutil.Process(pid)
        if process.name() != "postgres" or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return Path(process.cwd()) == data.resolve()
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
        return False
