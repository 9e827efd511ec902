"""Our way to run migrations leaves what Django's leaves."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps.registry import Apps
from django.core.management import call_command
from django.core.management.commands import migrate
from django.db import connection, models
from django.db.migrations import AddField, AlterField, CreateModel, Migration, RunPython
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

from opsagent.environment import PRODUCTION, TEST
from opsagent.migrating import Executor
from opsagent.postgres_home import installed_programs
from opsagent.simulation.databases import using

BOX = CreateModel("Box", [("id", models.AutoField(primary_key=True)), ("name", models.TextField())])
ITEM = CreateModel(
    "Item",
    [("id", models.AutoField(primary_key=True)), ("box", models.ForeignKey("audit.Box", models.CASCADE))],
)
TYPE = "SELECT data_type FROM information_schema.columns WHERE table_name = %s AND column_name = %s"


def run(*migrations: list[Operation]) -> None:
    """Each list is the operations of one more migration."""
    executor = Executor(connection)
    state = executor.loader.project_state(executor.loader.graph.leaf_nodes())
    for number, operations in enumerate(migrations):
        migration = type("More", (Migration,), {"operations": operations})(f"9{number:03}", "audit")
        state = executor.apply_migration(state, migration)


def type_of(table: str, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(TYPE, [table, column])
        return str(cursor.fetchall()[0][0])


@pytest.mark.django_db
def test_a_wider_key_widens_the_columns_that_refer_to_it() -> None:
    run([BOX, ITEM], [AlterField("Box", "id", models.BigAutoField(primary_key=True))])
    assert (type_of("audit_box", "id"), type_of("audit_item", "box_id")) == ("bigint", "bigint")


@pytest.mark.django_db
def test_code_within_a_migration_sees_every_relation() -> None:
    counted: list[int] = []

    def count(apps: Apps, _editor: Any) -> None:
        box: Any = apps.get_model("audit", "Box")
        apps.get_model("audit", "Item").objects.create(box=box.objects.create(name="A", label="A"))
        counted.append(box.objects.filter(item__box__label="A", item__isnull=False).count())

    label = AddField("Box", "label", models.TextField(default=""))
    run([BOX, ITEM, label], [RunPython(count, RunPython.noop)])
    assert counted == [1]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mode", "url", "thrown_away", "executor"),
    [
        (TEST, "", False, Executor),
        (TEST, "postgres://elsewhere", False, MigrationExecutor),
        (TEST, "postgres://elsewhere", True, Executor),
        (PRODUCTION, "", False, MigrationExecutor),
        (PRODUCTION, "postgres://elsewhere", True, MigrationExecutor),
    ],
)
def test_a_shops_own_database_is_migrated_by_django_alone(
    settings: Any, mode: str, url: str, thrown_away: bool, executor: type[MigrationExecutor]
) -> None:
    settings.MODE, settings.DATABASE_URL = mode, url
    call_command("migrate", plan=True, verbosity=0, thrown_away=thrown_away)
    assert vars(migrate)["MigrationExecutor"] is executor


@pytest.fixture
def empty_database() -> Iterator[str]:
    name = "migrated_anew"
    yield name
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def made_anew(name: str, server: Path) -> tuple[str, list[tuple[str, str]]]:
    """The schema of a database that is migrated from nothing, and the migrations that it remembers."""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    with using(name):
        call_command("migrate", verbosity=0, interactive=False)
        with connection.cursor() as cursor:
            cursor.execute("SELECT app, name FROM django_migrations ORDER BY id")
            known = cursor.fetchall()
    program = installed_programs() / "pg_dump"
    command: list[str | Path] = [program, "--schema-only", "--restrict-key=same", "-h", server, "-U"]
    dump = subprocess.run(
        [*command, connection.settings_dict["USER"], name], check=True, capture_output=True, text=True
    )
    return dump.stdout, known


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_every_table_is_as_django_would_make_it(
    empty_database: str, embedded_server: Path, settings: Any
) -> None:
    ours = made_anew(empty_database, embedded_server)
    settings.MODE = PRODUCTION
    stock = made_anew(empty_database, embedded_server)
    assert ours[0].count("CREATE TABLE") > 50
    assert ours == stock
