"""Where a benchmark takes place: a database of its own with a shop in it, dropped at the end, and free ports."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections
from psycopg import sql

from opsagent.bench.orders import SHOP
from opsagent.demo import accounts, cast
from opsagent.environment import make_data_dir
from opsagent.postgres import Postgres, server_url
from opsagent.postgres_home import PostgresError

NAME = "opsagent_bench"
# Two runs in one checkout each take a server of their own.
SERVERS = 4
HISTORY = timedelta(days=30)


@dataclass
class Grounds:
    """A migrated database with the demo's shops; `folder` is on the disk that it writes to, as far as we know."""

    url: str
    folder: Path
    data_dir: Path
    secrets: dict[str, str]
    environment: dict[str, str]
    stack: ExitStack
    peers: dict[str, str] = field(default_factory=dict)

    @property
    def folder_of_logs(self) -> Path:
        folder = self.data_dir / "logs"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def database(self, peer: str) -> tuple[str, bool]:
        """The address of a peer's own database, dropped with ours, and whether it is still empty."""
        is_new = peer not in self.peers
        if is_new:
            self.peers[peer] = named(self.url, f"{urlsplit(self.url).path[1:]}_{peer}")
            self.stack.enter_context(_database(self.url, self.peers[peer]))
        return self.peers[peer], is_new

    def analyse(self) -> None:
        """Tell every planner what the tables hold, as autovacuum does on a server that runs for minutes."""
        for url in (self.url, *self.peers.values()):
            with psycopg.connect(url, autocommit=True) as database:
                database.execute("ANALYZE")

    @property
    def shopify_secret(self) -> str:
        return self.secrets[f"{SHOP.upper()}_SHOPIFY_WEBHOOK_SECRETS"]


@contextmanager
def grounds(data_dir: Path, sandbox: str) -> Iterator[Grounds]:
    """The benchmark's database for the block, on the server that DATABASE_URL names or an embedded durable one."""
    with _server(make_data_dir(data_dir)) as (url, folder):
        mine = named(url, f"{NAME}_{os.getpid()}")
        with _database(url, mine), _using(mine), ExitStack() as stack:
            yield _furnished(mine, folder, data_dir, sandbox, stack)


def named(url: str, name: str) -> str:
    """The same server's database of another name."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _server(data_dir: Path) -> Iterator[tuple[str, Path]]:
    if settings.DATABASE_URL:
        yield settings.DATABASE_URL, data_dir
        return
    mine = _free_server(data_dir)
    settings.POSTGRES_PLACE = mine.place
    try:
        with mine:
            yield server_url(mine.socket()), mine.home.folder
    except PostgresError as error:
        raise CommandError(str(error)) from error


def _free_server(data_dir: Path) -> Postgres:
    for number in range(SERVERS):
        state = data_dir / f"bench-postgres-{number}"
        found = Postgres(state, state / "place")
        if found.own():
            return found
    raise CommandError(f"{SERVERS} benchmarks in this checkout hold a database server each.")


@contextmanager
def _database(beside: str, url: str) -> Iterator[None]:
    """Make a database on the server of another one, and drop it at the end."""
    name = sql.Identifier(urlsplit(url).path[1:])
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name)
    with psycopg.connect(beside, autocommit=True) as admin:
        admin.execute(drop)
        admin.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield
        finally:
            admin.execute(drop)


@contextmanager
def _using(url: str) -> Iterator[None]:
    """This process's own connections lead there within the block."""
    known, before = connections.settings["default"], dict(connections.settings["default"])
    connections.close_all()
    for place in (known, connection.settings_dict):
        place.update(_settings_of(url))
    try:
        yield
    finally:
        connections.close_all()
        for place in (known, connection.settings_dict):
            place.update(before)


def _settings_of(url: str) -> dict[str, object]:
    found = psycopg.conninfo.conninfo_to_dict(url)
    return {
        "NAME": found.get("dbname", ""),
        "USER": found.get("user", ""),
        "PASSWORD": found.get("password", ""),
        "HOST": found.get("host", ""),
        "PORT": str(found.get("port", "")),
    }


def _furnished(url: str, folder: Path, data_dir: Path, sandbox: str, stack: ExitStack) -> Grounds:
    call_command("migrate", verbosity=0, interactive=False, thrown_away=True)
    secrets = accounts.environment(data_dir, sandbox)
    os.environ.update(secrets)
    cast.open_shops(datetime.now(UTC) - HISTORY, undo_seconds=0)
    connections.close_all()
    environment = {**os.environ, "DATABASE_URL": url, "OPSAGENT_LOG_LEVEL": "WARNING"}
    return Grounds(url, folder, data_dir, secrets, environment, stack)
