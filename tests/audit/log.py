"""What the tests of the log share: a short way to write, and two ways past the guards."""

import importlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.contrib.auth.models import Group
from django.db import connection, transaction

from audit import sources
from audit.actors import SYSTEM, Actor
from audit.models import Entry, Json
from audit.services import record

append_only = importlib.import_module("audit.migrations.0002_append_only")


def allow_truncate() -> None:
    """Let Django's flush empty the log between transactional tests; for the test database only."""
    with connection.cursor() as cursor:
        cursor.execute(append_only.NEVER_TRUNCATED_BACK)


def write(
    stream: str = "case/1",
    action: str = "case.opened",
    data: Mapping[str, Json] | None = None,
    by: Actor = SYSTEM,
    shop_id: int | None = None,
) -> Entry:
    """One entry in a transaction of its own, about a row that every database has."""
    with transaction.atomic():
        subject, _ = Group.objects.get_or_create(name="agents")
        return record(
            action,
            by=by,
            stream=stream,
            subject=subject,
            shop_id=shop_id,
            correlation_id=sources.random_id(),
            data=data,
        )


@contextmanager
def guards_off() -> Iterator[None]:
    """What the tables' owner can do: switch the triggers off and on again without a trace."""
    with connection.cursor() as cursor:
        # A table with checks still to come can't be altered.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_streamhead DISABLE TRIGGER USER")
        yield
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_streamhead ENABLE TRIGGER USER")
