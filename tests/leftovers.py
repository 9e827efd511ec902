"""Puts the database back as the migrations left it, after a test that committed.

Django's flush truncates every table and makes roles, permissions and content types anew, for half a second of work;
this deletes from the tables that have rows alone. Nothing else differs: it waits for every transaction that is
still open, and leaves the sequences as they are.
"""

from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql


@dataclass(frozen=True)
class AsMigrated:
    """The rows that migrations and their signals leave, by table, in COPY's own text, a sorted line each."""

    rows: dict[str, bytes]

    @classmethod
    def remember(cls) -> "AsMigrated":
        with connection.cursor() as cursor:
            return cls({table: copied(cursor, table) for table in with_rows(cursor, tables(cursor))})

    def put_back(self) -> None:
        """Deletes whatever was committed since, also from tables that forbid it, and brings back what was deleted."""
        with transaction.atomic(), connection.cursor() as cursor:
            every = tables(cursor)
            # A thread that a test left behind must not commit after this.
            cursor.execute(sql.SQL("LOCK TABLE {}").format(sql.SQL(", ").join(map(sql.Identifier, every))))
            # Neither foreign keys nor the triggers of append-only tables run.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in with_rows(cursor, every):
                if self.rows.get(table) != copied(cursor, table):
                    cursor.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            for table in self.rows.keys() - set(with_rows(cursor, every)):
                with cursor.copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))) as copy:
                    copy.write(self.rows[table])
        ContentType.objects.clear_cache()


def may_pass_triggers(cursor: CursorWrapper) -> bool:
    """Whether we are the server's superuser, as we are on the embedded one."""
    cursor.execute("SHOW is_superuser")
    return bool(cursor.fetchone() == ("on",))


def tables(cursor: CursorWrapper) -> list[str]:
    """The tables of all models: what Django's flush empties."""
    return sorted(connection.introspection.django_table_names(only_existing=True, include_views=False))


def with_rows(cursor: CursorWrapper, tables: list[str]) -> list[str]:
    parts = [
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table), sql.Identifier(table))
        for table in tables
    ]
    cursor.execute(sql.SQL(" UNION ALL ").join(parts))
    return [table for (table,) in cursor.fetchall()]


def copied(cursor: CursorWrapper, table: str) -> bytes:
    with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
        # Rows stand in the order of the disk, which an update changes.
        return b"".join(sorted(b"".join(map(bytes, copy)).splitlines(keepends=True)))
