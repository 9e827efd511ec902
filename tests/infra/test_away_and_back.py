"""PostgreSQL is killed under a web server and its workers, and stays away for a while."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest
from django.db import connection, connections
from django_q.models import OrmQ

from cases.models import Case, InboundEvent
from opsagent import processes
from opsagent.demo.player import hook_path, signed_headers
from opsagent.demo.postmark import Letter
from opsagent.demo.script import Step
from opsagent.demo.stage import Stage
from opsagent.postgres import Postgres
from opsagent.supervisor import Event, Supervisor, cluster_spec, web_spec
from tests.flow.world import SECRETS, north


@dataclass
class Place:
    """A web server and the cluster that takes its events, over a database that is kept running."""

    server: Postgres
    supervisor: Supervisor
    web: httpx.Client
    events: list[Event]
    stage: Stage

    def mail(self) -> Step:
        who = self.stage.cast.newcomer("north", "en")
        letter = Letter(name=who.full_name, address=who.email, subject="A question", text="Where is it?")
        return self.stage.writes("north", letter, self.stage.start, story_id=None)

    def post(self, step: Step) -> httpx.Response:
        return self.web.post(hook_path(step), content=step.body, headers=signed_headers(step, SECRETS))


@pytest.fixture
def server(embedded_postgres: Postgres | None) -> Iterator[Postgres]:
    """The run's own server, which for once has to keep what it committed."""
    if embedded_postgres is None:
        pytest.skip("a database that somebody else runs is not ours to kill")
    name = connection.settings_dict["NAME"]
    with psycopg.connect(embedded_postgres.url, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = on')
        admin.execute("CHECKPOINT")
    yield embedded_postgres
    if not embedded_postgres.alive():
        embedded_postgres.start()
    with psycopg.connect(embedded_postgres.url, autocommit=True) as admin:
        admin.execute(f'ALTER DATABASE "{name}" RESET synchronous_commit')


@pytest.fixture
def place(
    database_url: str, server: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    # As people run it, with connections that stay open; the vendors are away.
    told = {
        "DATABASE_URL": database_url,
        "OPSAGENT_MODE": "demo",
        "OPSAGENT_DATA_DIR": str(tmp_path),
        **SECRETS,
    }
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    events: list[Event] = []
    with closing(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10)) as web:
        specs = [web_spec(port, answering(web)), cluster_spec("planner")]
        with Supervisor(
            specs, run_dir=tmp_path / "run", logs=tmp_path / "logs", postgres=server, on_event=events.append
        ) as supervisor:
            assert supervisor.wait_ready(60), supervisor.not_ready()
            yield Place(
                server, supervisor, web, events, Stage(random.Random(7), datetime.now(UTC), roomy=False)
            )
    connections.close_all()


def answering(web: httpx.Client) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            return web.get("/admin/login/").is_success
        except httpx.TransportError:
            return False

    return ready


@pytest.mark.django_db(transaction=True)
def test_the_web_asks_to_come_back_until_the_killed_database_is_back_and_nothing_is_lost(
    place: Place,
) -> None:
    north()
    early = [place.mail() for _ in range(3)]
    assert [place.post(step).status_code for step in early] == [200] * 3
    pids = place.supervisor.pids()
    connections.close_all()
    # It can't come back before we have looked.
    settings = place.server.home.data / "postgresql.conf"
    settings.rename(settings.with_suffix(".away"))
    assert place.server.process
    place.server.process.kill()
    late = [place.mail() for _ in range(3)]
    refused = [place.post(step) for step in late]
    assert {answer.status_code for answer in refused} == {503}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    settings.with_suffix(".away").rename(settings)
    assert all(delivered(place, step) for step in late)
    told = InboundEvent.objects.values_list("external_id", flat=True)
    assert sorted(told) == sorted(step.external_id for step in early + late)
    assert Case.objects.count() == len(early + late)
    # Who waited for work goes on with it, in the same processes.
    assert processes.wait_until(lambda: not OrmQ.objects.filter(key="planner").exists(), 30)
    assert place.supervisor.pids() == pids
    assert [event.kind for event in place.events if event.name == "postgres"][-1] == "started"


def delivered(place: Place, step: Step) -> bool:
    """As vendors do: again, until it is taken."""
    ends = time.monotonic() + 20
    while (answer := place.post(step)).status_code == 503 and time.monotonic() < ends:
        time.sleep(0.2)
    return answer.status_code == 200
