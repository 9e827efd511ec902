"""A large shop out of a small one: every row of the cases that were played, copied so many times, set by set.

A copy's ids are the original's plus a stride, so what belongs together stays together, and the log of each copy is
chained as the database's trigger does it. Foreign keys aren't checked, which would take longer than all the rest.
"""

from __future__ import annotations

import re
from typing import Any

from django.apps import apps
from django.db import connection, models
from psycopg import sql

# Further apart than the ids that a test plays.
STRIDE = 10_000
GROWN = (
    *("cases.Person", "cases.Conversation", "tools.Order", "tools.OrderLine", "tools.Payment", "cases.Case"),
    *(
        "cases.InboundEvent",
        "cases.Message",
        "approvals.Decision",
        "approvals.ApprovalRequest",
        "cases.Handoff",
    ),
    *("tools.ToolCall", "tools.LedgerEntry", "approvals.RiskFlag"),
)
# Unique words, which each copy has to have of its own.
NAMES = frozenset("external_id email whatsapp_id phone vendor_ref instrument payment_intent".split())
SHIFT = sql.SQL("({column} + k * {stride})")
ANEW = sql.SQL("md5({column}::text || '-' || k)::uuid")
NAMED = sql.SQL("CASE WHEN {column} = '' THEN '' ELSE {column} || '-' || k END")
# Of the entries that are copied, what each becomes in the copy number k. A shop's own stream becomes one for each copy.
COPIED = """
    CREATE TEMPORARY TABLE copied AS
    SELECT e.*, row_number() OVER (PARTITION BY e.stream ORDER BY e.seq) AS place
    FROM audit_entry e
    WHERE e.stream LIKE 'case/%%' OR e.stream LIKE 'order/%%' OR e.subject_type = 'cases.inboundevent'
"""
# All entries in one place of all streams at once: as the trigger chains them, only many at a time.
ENTRIES = """
    INSERT INTO audit_entry (stream, seq, prev_hash, hash, at, action, actor_kind, actor_id, shop_id, subject_type,
                             subject_id, correlation_id, body)
    SELECT c.to_stream, c.place, before.hash,
           encode(sha256(convert_to(
               before.hash || ':' || c.to_stream || ':' || c.place || ':' || made.body, 'UTF8')), 'hex'),
           at, action, actor_kind, actor_id, shop_id, subject_type, c.to_subject, correlation_id, made.body
    FROM (
        SELECT e.*, CASE WHEN split_part(stream, '/', 2) ~ '^[0-9]+$'
                         THEN split_part(stream, '/', 1) || '/' || (split_part(stream, '/', 2)::bigint + k * %(stride)s)
                         ELSE stream || '-' || k END AS to_stream,
               CASE WHEN subject_id ~ '^[0-9]+$' THEN (subject_id::bigint + k * %(stride)s)::text
                    ELSE subject_id END AS to_subject
        FROM copied e, generate_series(1, %(copies)s) AS k
        WHERE e.place = %(place)s
    ) c
    CROSS JOIN LATERAL (SELECT coalesce(
        (SELECT p.hash FROM audit_entry p WHERE p.stream = c.to_stream AND p.seq = c.place - 1), repeat('0', 64)
    ) AS hash) before
    CROSS JOIN LATERAL (SELECT replace(c.body, '"subject":{"id":"' || c.subject_id || '"',
                                       '"subject":{"id":"' || c.to_subject || '"') AS body) made
"""
HEADS = """
    INSERT INTO audit_streamhead (stream, seq, hash)
    SELECT DISTINCT ON (e.stream) e.stream, e.seq, e.hash FROM audit_entry e
    ORDER BY e.stream, e.seq DESC
    ON CONFLICT (stream) DO NOTHING
"""


def grow(copies: int) -> None:
    """Copy what was played `copies` times. Needs a superuser's connection, and leaves the sequences as they were."""
    with connection.cursor() as cursor:
        # No trigger fires, and no foreign key is looked at.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for label in GROWN:
            cursor.execute(_copy(apps.get_model(label), copies))
        cursor.execute(COPIED, {})
        cursor.execute("SELECT max(place) FROM copied")
        for place in range(1, cursor.fetchone()[0] + 1):
            cursor.execute(ENTRIES, {"copies": copies, "stride": STRIDE, "place": place})
        cursor.execute(HEADS)
        cursor.execute("SET LOCAL session_replication_role = origin")
        cursor.execute("ANALYZE")


def _copy(model: type[models.Model], copies: int) -> sql.Composed:
    fields: list[Any] = [field for field in model._meta.concrete_fields if not field.generated]
    columns = sql.SQL(", ").join(sql.Identifier(field.column) for field in fields)
    return sql.SQL(
        "INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, generate_series(1, {n}) AS k"
    ).format(
        table=sql.Identifier(model._meta.db_table),
        columns=columns,
        values=sql.SQL(", ").join(_value(field) for field in fields),
        n=sql.Literal(copies),
    )


def _value(field: Any) -> sql.Composable:
    """What stands in this column of the copy number k."""
    column = sql.Identifier(field.column)
    parts = {"column": column, "stride": sql.Literal(STRIDE)}
    target = field.related_model if field.is_relation else None
    if field.column == "raw":
        return sql.SQL("''::bytea")
    if field.column in ("request", "effect"):
        return _body(column, is_json=field.column == "effect")
    if target is not None and target._meta.label not in GROWN:
        return column
    if isinstance(field if target is None else target._meta.pk, models.UUIDField):
        return ANEW.format(**parts)
    if field.primary_key or target is not None:
        return SHIFT.format(**parts)
    return NAMED.format(**parts) if field.column in NAMES else column


def _body(column: sql.Identifier, *, is_json: bool) -> sql.Composable:
    """An effect names orders, lines and payments by their ids."""
    if is_json:
        return column
    body: sql.Composable = column
    for name, label in (("order", "tools.Order"), ("line", "tools.OrderLine"), ("payment", "tools.Payment")):
        ids = apps.get_model(label)._default_manager.filter(pk__lt=STRIDE).values_list("pk", flat=True)
        for pk in ids:
            for end in (",", "}"):
                was, now = sql.Literal(f'"{name}":{pk}{end}'), sql.Literal(f'"{name}":')
                body = sql.SQL("replace({body}, {was}, {now} || ({pk} + k * {stride}) || {end})").format(
                    body=body, was=was, now=now, pk=pk, stride=STRIDE, end=sql.Literal(end)
                )
    return body


def plan_of(query: str) -> list[str]:
    """How the database answers a query, for whoever asks why it is slow."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {query}")
        return [re.sub(r"\s+$", "", line) for (line,) in cursor.fetchall()]
