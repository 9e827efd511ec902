"""The audit chain, as queries over many entries at a time: what `audit.verify` follows entry by entry.

A chain that was verified up to an entry needs only what came after it. An edit of older entries is found by a full
verification alone.
"""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from cases.invariants.base import Ask, Invariant

# Entries get their number before they are committed, so that one with a lower number may be seen later.
OVERLAP = 10_000

# Each entry by itself, in one pass: carrying all texts through a join costs more than reading them twice. A text is
# compared with its columns as it was written: sorted keys, no spaces, so all but `data` is a known beginning and end.
EDITED = """
    SELECT e.stream || ' #' || e.seq, CASE
               WHEN e.hash <> made.hash THEN 'its text or place is not what its hash was made from'
               ELSE 'its columns do not say what its text says' END,
           CASE WHEN e.stream ~ '^case/[0-9]+$' THEN substr(e.stream, 6)::bigint END, e.shop_id
    FROM audit_entry e
    CROSS JOIN LATERAL (SELECT encode(sha256(convert_to(
        e.prev_hash || ':' || e.stream || ':' || e.seq || ':' || e.body, 'UTF8')), 'hex') AS hash) made
    CROSS JOIN LATERAL (SELECT
        '{"action":' || to_json(e.action::text)
            || ',"actor":{"id":' || to_json(e.actor_id::text) || ',"kind":' || to_json(e.actor_kind::text)
            || '},"at":"' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
            || '+00:00","correlation_id":"' || e.correlation_id || '","data":' AS begins,
        ',"shop":' || coalesce(e.shop_id::text, 'null') || ',"subject":{"id":' || to_json(e.subject_id::text)
            || ',"type":' || to_json(e.subject_type::text) || '}}' AS ends
    ) said
    WHERE e.id > %(since)s
      AND (e.hash <> made.hash OR NOT starts_with(e.body, said.begins)
        OR right(e.body, length(said.ends)) <> said.ends) {scope}
    ORDER BY e.stream, e.seq
"""

# Each entry beside the one before it and the head of its stream.
UNLINKED = """
    SELECT e.stream || ' #' || e.seq, CASE
               WHEN e.seq > 1 AND b.hash IS NULL THEN 'the entry before it is missing'
               WHEN e.prev_hash <> coalesce(b.hash, repeat('0', 64)) THEN 'it does not follow the entry before it'
               WHEN h.seq IS NULL THEN 'the stream has no head'
               ELSE 'the head does not stand at the last entry' END,
           CASE WHEN e.stream ~ '^case/[0-9]+$' THEN substr(e.stream, 6)::bigint END, e.shop_id
    FROM audit_entry e
    LEFT JOIN audit_entry b ON b.stream = e.stream AND b.seq = e.seq - 1
    LEFT JOIN audit_streamhead h ON h.stream = e.stream
    WHERE e.id > %(since)s
      AND (e.seq > 1 AND b.hash IS NULL OR e.prev_hash <> coalesce(b.hash, repeat('0', 64))
        OR h.seq IS NULL OR e.seq > h.seq OR e.seq = h.seq AND e.hash <> h.hash) {scope}
    ORDER BY e.stream, e.seq
"""

# A head whose last entry is gone.
HEADLESS = """
    SELECT h.stream, format('the head counts %%s entries, and the last is not there', h.seq),
           CASE WHEN h.stream ~ '^case/[0-9]+$' THEN substr(h.stream, 6)::bigint END, NULL::bigint
    FROM audit_streamhead h
    WHERE NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.stream = h.stream AND e.seq = h.seq) {scope}
    ORDER BY h.stream
"""

OF_CASES = "{0}.stream = ANY(ARRAY(SELECT 'case/' || one FROM unnest(%(cases)s::bigint[]) AS one))"
OF_SHOPS = (
    "({0}.stream IN (SELECT 'case/' || k.id FROM cases_case k WHERE k.shop_id = ANY(%(shops)s))"
    " OR {0}.stream IN (SELECT 'order/' || o.id FROM tools_order o WHERE o.shop_id = ANY(%(shops)s))"
    " OR {0}.stream IN (SELECT 'shop/' || s.slug FROM cases_shop s WHERE s.id = ANY(%(shops)s)))"
)


def last_entry() -> int:
    """The number of the newest entry; 0 in an empty log."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM audit_entry")
        return int(cursor.fetchone()[0])


def broken_after(since: int) -> Invariant:
    """The chain's invariant over the entries after this one, with an overlap; 0 is all of them."""

    def ask(query: str, table: str) -> Ask:
        since_here = max(0, since - OVERLAP)
        return Ask(query, OF_CASES.format(table), OF_SHOPS.format(table), since=since_here)

    return Invariant(
        NAME,
        _("The log was changed after it was written: its chain doesn't hold here."),
        _("Keep the database as it is, and compare the log with a copy that lies outside."),
        (ask(EDITED, "e"), ask(UNLINKED, "e"), ask(HEADLESS, "h")),
    )


NAME = "the audit chain holds"
