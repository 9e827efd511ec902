"""The demo's house: its database, its processes, and the day that is played in it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import structlog
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections
from psycopg import sql

from cases.models import InboundEvent, Shop
from cases.rates import read_now
from opsagent.demo import accounts, cast
from opsagent.demo.kills import Killer
from opsagent.demo.patience import patiently
from opsagent.demo.player import Player, Tally
from opsagent.demo.script import Neutral, Step, Story
from opsagent.demo.shops import SHOPS
from opsagent.demo.story import story as tell_story
from opsagent.demo.summary import under_way
from opsagent.postgres import Postgres, server_url
from opsagent.processes import wait_until
from opsagent.supervisor import (
    Event,
    Spec,
    Supervisor,
    cluster_specs,
    run_folder,
    sandbox_spec,
    watch_spec,
    web_spec,
)

log = structlog.get_logger(__name__)

HEADLESS_DATABASE = "opsagent_headless"
WEB_PORT = 8000
SETTLE_SECONDS = 90.0
READY_SECONDS = 60.0
# How far back the story's first order may lie.
HISTORY = timedelta(days=120)

# Whatever stands outside the system's own schemas, in any of them.
TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\\_toast%'
"""

Report = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What to play. `headless` uses a database of its own, made anew."""

    seed: int
    events: int
    port: int | None
    headless: bool
    undo_seconds: int
    kills: int = 0


@dataclass
class House:
    """A running demo: where it is, and who works there."""

    web: str
    sandbox: str
    secrets: dict[str, str]
    staff: list[cast.Colleague]
    supervisor: Supervisor


@contextmanager
def database(plan: Plan) -> Iterator[Postgres | None]:
    """The demo's database, running and migrated; the embedded server is started where DATABASE_URL is unset."""
    if settings.DATABASE_URL:
        with _prepared(plan):
            yield None
        return
    with Postgres(settings.DATA_DIR / "postgres", settings.POSTGRES_PLACE) as server:
        if plan.headless:
            os.environ["DATABASE_URL"] = server_url(server.socket(), HEADLESS_DATABASE)
        with _prepared(plan):
            yield server


@contextmanager
def _prepared(plan: Plan) -> Iterator[None]:
    if plan.headless:
        _fresh_database()
    call_command("migrate", verbosity=0, interactive=False)
    _refuse_strangers()
    try:
        yield
    finally:
        connections.close_all()


def _fresh_database() -> None:
    """Drop and make the headless database. Raises CommandError where it holds a shop that isn't the demo's."""
    if settings.DATABASE_URL:
        # A database that somebody named is theirs: nothing is dropped, and it must be empty of others' shops.
        if "cases_shop" in connection.introspection.table_names():
            _refuse_strangers()
        main = str(connection.settings_dict["NAME"])
        _recreate(f"{main}_headless")
        os.environ["DATABASE_URL"] = _with_name(settings.DATABASE_URL, f"{main}_headless")
        return
    _recreate(HEADLESS_DATABASE)


def _with_name(url: str, name: str) -> str:
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


def _recreate(name: str) -> None:
    """Drop and make. Raises CommandError where the name belongs to a database that no demo made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone():
            _refuse_foreign(name)
        for statement in ("DROP DATABASE IF EXISTS {} WITH (FORCE)", "CREATE DATABASE {}"):
            cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))
    connection.close()
    connection.settings_dict["NAME"] = name


def _refuse_foreign(name: str) -> None:
    """Raises CommandError unless the database is empty, or holds our tables and no shop but the demo's."""
    with psycopg.connect(**{**connection.get_connection_params(), "dbname": name}) as other:
        tables = {row[0] for row in other.execute(TABLES)}
        if not tables:
            return
        ours = ("django_", *(f"{app.label}_" for app in apps.get_app_configs()))
        if "cases_shop" not in tables or not all(table.startswith(ours) for table in tables):
            raise CommandError(
                f"The demo would make the database {name} anew, but the one of this name isn't its own. "
                "Rename it, or name another DATABASE_URL."
            )
        _refuse([row[0] for row in other.execute("SELECT slug FROM cases_shop")])


def _refuse_strangers() -> None:
    _refuse(Shop.objects.values_list("slug", flat=True))


def _refuse(slugs: Iterable[str]) -> None:
    others = sorted(set(slugs) - set(SHOPS))
    if others:
        raise CommandError(
            f"This database holds other shops ({', '.join(others)}), so the demo doesn't touch it. "
            "Unset DATABASE_URL, or name an empty database."
        )


@contextmanager
def house(plan: Plan, postgres: Postgres | None, data_dir: Path, report: Report) -> Iterator[House]:
    """Shops, staff and all processes, ready to work; everything is stopped at the end."""
    sandbox_port, web_port = _free_port(), web_port_for(plan)
    sandbox, web = f"http://127.0.0.1:{sandbox_port}", f"http://127.0.0.1:{web_port}"
    secrets = accounts.environment(data_dir, sandbox)
    os.environ.update(secrets)
    os.environ.setdefault("OPSAGENT_SITE_URL", web.replace("127.0.0.1", "localhost"))
    shops = cast.open_shops(datetime.now(UTC) - HISTORY, plan.undo_seconds)
    staff = cast.hire(data_dir, shops)
    connections.close_all()
    ledger = data_dir / ("sandbox-headless.sqlite" if plan.headless else "sandbox.sqlite")
    if plan.headless:
        for old in ledger.parent.glob(f"{ledger.name}*"):
            old.unlink()
    specs: list[Spec] = [
        sandbox_spec(sandbox_port, ledger, Vendors(sandbox, accounts.told_sandbox(secrets, web)).ready),
        *cluster_specs(),
        watch_spec(),
        web_spec(web_port, lambda: _answers(f"{web}/admin/login/"), threads=2),
    ]
    with (
        run_folder(data_dir) as run_dir,
        Supervisor(
            specs,
            run_dir=run_dir,
            silence=settings.HEARTBEAT_SECONDS,
            logs=_logs(data_dir),
            postgres=postgres,
            on_event=lambda event: _tell(event, report),
        ) as supervisor,
    ):
        if not supervisor.wait_ready(READY_SECONDS):
            late = ", ".join(supervisor.not_ready())
            raise CommandError(f"These did not start: {late}. Their output is in {data_dir / 'logs'}.")
        # Before the first event, since its refund may be of two currencies.
        read_now()
        yield House(web, sandbox, secrets, staff, supervisor)


class Vendors:
    """The sandbox as the others wait for it: nobody asks it anything before it knows its shops."""

    def __init__(self, sandbox: str, told: list[tuple[str, Neutral]]) -> None:
        self.sandbox, self.told = sandbox, told
        self.knows = False

    def ready(self) -> bool:
        """Whether it answers; the first time it does, it hears what it must know. It remembers over restarts."""
        if not _answers(f"{self.sandbox}/_control/health"):
            return False
        if not self.knows:
            self.knows = self._introduce()
        return self.knows

    def _introduce(self) -> bool:
        try:
            # Of an earlier demo, whose web server had another port.
            httpx.delete(f"{self.sandbox}/_control/webhooks", timeout=10).raise_for_status()
            for path, body in self.told:
                httpx.post(f"{self.sandbox}{path}", json=body, timeout=10).raise_for_status()
        except httpx.HTTPError:
            log.exception("demo.sandbox_not_told")
            return False
        return True


def _logs(data_dir: Path) -> Path:
    folder = data_dir / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _tell(event: Event, report: Report) -> None:
    if event.kind in ("ended", "silent", "failed"):
        report(f"{event.name} {event.kind} {event.detail}, starting it again".replace("  ", " "))


def web_port_for(plan: Plan) -> int:
    """The asked port; without one 8000, or any free one where that is taken, as by a second checkout's demo.

    Raises CommandError where somebody asked for a port that is in use.
    """
    if plan.port is not None:
        if not _is_free(plan.port):
            raise CommandError(
                f"Port {plan.port} is in use. Stop what uses it, or give another one with --port."
            )
        return plan.port
    return _free_port() if plan.headless or not _is_free(WEB_PORT) else WEB_PORT


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # A port whose last user has just ended is free for the web server as well.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).status_code < 500
    except httpx.TransportError:
        return False


class Progress:
    """Which day is played and how far, so that a demo that was stopped goes on where it was; headless begins anew."""

    def __init__(self, plan: Plan, data_dir: Path) -> None:
        self.path = None if plan.headless else data_dir / "demo-story.json"
        self.seed, self.events, self.played = plan.seed, plan.events, 0
        self.start = datetime.now(UTC).replace(microsecond=0)
        if self.path is not None and self.path.exists() and InboundEvent.objects.exists():
            known: dict[str, Any] = json.loads(self.path.read_text())
            self.seed, self.events, self.played = (
                int(known["seed"]),
                int(known["events"]),
                int(known["played"]),
            )
            self.start = datetime.fromisoformat(known["start"])

    def story(self) -> Story:
        """The day, the same at every call."""
        return tell_story(self.seed, self.events, self.start)

    def reached(self, place: int) -> None:
        """Note that this step was delivered; a crash just before delivers it once more, which changes nothing."""
        if self.path is None or place <= self.played:
            return
        self.played = place
        known = {"seed": self.seed, "events": self.events, "played": place, "start": self.start.isoformat()}
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(known))
        draft.replace(self.path)


def play(
    home: House,
    progress: Progress,
    story: Story,
    on_step: Callable[[Step], None],
    killer: Killer | None = None,
) -> Tally:
    """Play the day and wait until the agent has done what it can."""

    def step_done(place: int, step: Step) -> None:
        progress.reached(place)
        if killer:
            killer.reached(place)
        on_step(step)

    player = Player(home.web, home.sandbox, home.secrets, settle)
    try:
        tally = player.play(story, progress.played, step_done)
    finally:
        player.close()
    if killer:
        killer.finish()
    settle()
    return tally


def settle() -> bool:
    """Wait until nothing is under way any more; False where it still is after a minute and a half."""
    return wait_until(lambda: not patiently(under_way), SETTLE_SECONDS, pause=0.1)
