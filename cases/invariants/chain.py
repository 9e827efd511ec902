"""The audit chain, as one query over many entries at a time: what `audit.verify` follows entry by entry.

A chain that was verified up to an entry needs only what came after it. An edit of older entries is found by a full
verification alone.
"""

from __future__ import annotations

from django.db import connection
from django.utils.translation import gettext_lazy as _

from cases.invariants.base import Invariant, Scope, Violation, rows_of

# Entries get their number before they are committed, so that one with a lower number may be seen later.
OVERLAP = 10_000

# Each entry beside the one before it and the head of its stream. Its text is compared with its columns as it was
# written: sorted keys, no spaces, so all but `data` is a known beginning and a known end.
BROKEN = """
    WITH looked AS (
        SELECT e.*, b.hash AS before, h.seq AS head_seq, h.hash AS head_hash,
               encode(sha256(convert_to(
                   e.prev_hash || ':' || e.stream || ':' || e.seq || ':' || e.body, 'UTF8')), 'hex') AS made,
               starts_with(e.body, '{"action":' || to_json(e.action::text)
                   || ',"actor":{"id":' || to_json(e.actor_id::text) || ',"kind":' || to_json(e.actor_kind::text)
                   || '},"at":"' || to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
                   || '+00:00","correlation_id":"' || e.correlation_id || '","data":') AS begins,
               right(e.body, length(ends.text)) = ends.text AS closes
        FROM audit_entry e
        LEFT JOIN audit_entry b ON b.stream = e.stream AND b.seq = e.seq - 1
        LEFT JOIN audit_streamhead h ON h.stream = e.stream
        CROSS JOIN LATERAL (SELECT ',"shop":' || coalesce(e.shop_id::text, 'null')
            || ',"subject":{"id":' || to_json(e.subject_id::text)
            || ',"type":' || to_json(e.subject_type::text) || '}}' AS text) ends
        WHERE e.id > %(since)s {scope}
    )
    SELECT stream || ' #' || seq, CASE
               WHEN seq > 1 AND before IS NULL THEN 'the entry before it is missing'
               WHEN prev_hash <> coalesce(before, repeat('0', 64)) THEN 'it does not follow the entry before it'
               WHEN hash <> made THEN 'its text or place is not what its hash was made from'
               WHEN NOT (begins AND closes) THEN 'its columns do not say what its text says'
               WHEN head_seq IS NULL THEN 'the stream has no head'
               ELSE 'the head does not stand at the last entry' END,
           CASE WHEN stream ~ '^case/[0-9]+$' THEN substr(stream, 6)::bigint END, shop_id
    FROM looked
    WHERE (seq > 1 AND before IS NULL) OR prev_hash <> coalesce(before, repeat('0', 64)) OR hash <> made
       OR NOT (begins AND closes) OR head_seq IS NULL OR seq > head_seq OR (seq = head_seq AND hash <> head_hash)
    ORDER BY stream, seq
"""

# A head whose last entry is gone.
HEADS = """
    SELECT h.stream, format('the head counts %%s entries, and the last is not there', h.seq),
           CASE WHEN h.stream ~ '^case/[0-9]+$' THEN substr(h.stream, 6)::bigint END, NULL::bigint
    FROM audit_streamhead h
    WHERE NOT EXISTS (SELECT 1 FROM audit_entry e WHERE e.stream = h.stream AND e.seq = h.seq) {scope}
    ORDER BY h.stream
"""

OF_CASES = "{0}.stream IN (SELECT 'case/' || one FROM unnest(%(cases)s::bigint[]) AS one)"
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

    def find(invariant: Invariant, scope: Scope) -> list[Violation]:
        name, more = invariant.name, {"since": max(0, since - OVERLAP)}
        entries = rows_of(name, BROKEN, scope, OF_CASES.format("e"), OF_SHOPS.format("e"), more)
        return entries + rows_of(name, HEADS, scope, OF_CASES.format("h"), OF_SHOPS.format("h"))

    return Invariant(
        NAME,
        _("The log was changed after it was written: its chain doesn't hold here."),
        _("Keep the database as it is, and compare the log with a copy that lies outside."),
        find=find,
    )


NAME = "the audit chain holds"
