"""Our way to run migrations leaves what Django's leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations import AddField, AlterField, CreateModel, Migration, RunPython
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

from opsagent.migrating import Executor
from opsagent.simulation.databases import using

BOX = CreateModel("Box", [("id", models.AutoField(primary_key=True)), ("name", models.TextField())])
ITEM = CreateModel(
    "Item",
    [("id", models.AutoField(primary_key=True)), ("box", models.ForeignKey("audit.Box", models.CASCADE))],
)
COLUMNS = """
    SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default, is_identity
    FROM information_schema.columns WHERE table_schema = 'public'
"""
# Names that are made of an object's number tell two databases apart that are the same.
DEFINED = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
    UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT '', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def run(*migrations: list[Operation]) -> None:
    """Each list is the operations of one more migration."""
    executor = Executor(connection)
    state = executor.loader.project_state(executor.loader.graph.leaf_nodes())
    for number, operations in enumerate(migrations):
        migration = type("More", (Migration,), {"operations": operations})(f"9{number:03}", "audit")
        state = executor.apply_migration(state, migration)


def type_of(table: str, column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"{COLUMNS} AND table_name = %s AND column_name = %s", [table, column])
        return str(cursor.fetchall()[0][2])


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


@pytest.fixture
def empty_database() -> Iterator[str]:
    name = "migrated_by_django"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield name
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def schema() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(COLUMNS)
        columns = cursor.fetchall()
        cursor.execute(DEFINED)
        return sorted(map(str, columns + cursor.fetchall()))


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_every_table_is_as_django_would_make_it(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = []
    for executor in (Executor, MigrationExecutor):
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {empty_database} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {empty_database} TEMPLATE template0")
        monkeypatch.setattr("django.core.management.commands.migrate.MigrationExecutor", executor)
        with using(empty_database):
            call_command("migrate", verbosity=0, interactive=False)
            tables.append(schema())
    assert len(tables[0]) > 1000
    assert tables[0] == tables[1]
