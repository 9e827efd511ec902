"""Whether a vendor answers at all: one circuit per shop, vendor and class of operation, shared by all processes.

closed ──5 failures in a row──▶ open for 30 s ──over──▶ one caller probes ──answer──▶ closed
                                    ▲                        │
                                    └── for a minute ◀───────┘ failure
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from audit import sources
from tools.models import Circuit

OPENS_AFTER = 5
FIRST_SECONDS = 30.0
# Money whose answer was lost is looked up within two minutes of its vendor being back, and so no rest is longer.
LONGEST_SECONDS = 60.0
# How long after its deadline a probe is waited for; whoever died with one in hand blocks nobody for longer.
GRACE_SECONDS = 10.0

NOW = "COALESCE(%(held)s, clock_timestamp())"
WHOSE = "s.slug = %(shop)s AND c.shop_id = s.id AND c.vendor = %(vendor)s AND c.work = %(work)s"
LEFT = f"""
    SELECT EXTRACT(EPOCH FROM c.open_until - {NOW})::float8
    FROM tools_circuit AS c, cases_shop AS s WHERE {WHOSE} AND c.open_until IS NOT NULL
"""  # noqa: S608 - our own words alone
CLAIM = f"""
    UPDATE tools_circuit AS c
    SET open_until = {NOW} + make_interval(secs => %(seconds)s), changed_at = {NOW}
    FROM cases_shop AS s WHERE {WHOSE} AND c.open_until <= {NOW}
    RETURNING c.id
"""  # noqa: S608
CLOSE = f"""
    UPDATE tools_circuit AS c SET failures = 0, open_until = NULL, changed_at = {NOW}
    FROM cases_shop AS s WHERE {WHOSE} AND c.failures > 0
"""  # noqa: S608
LET_GO = f"""
    UPDATE tools_circuit AS c SET open_until = {NOW}, changed_at = {NOW}
    FROM cases_shop AS s WHERE {WHOSE} AND c.open_until > {NOW}
"""  # noqa: S608
# A failure that was under way when the circuit opened says nothing new: only the probe's makes it stay open longer.
FAIL = f"""
    INSERT INTO tools_circuit AS c (shop_id, vendor, work, failures, open_until, changed_at)
    SELECT s.id, %(vendor)s, %(work)s, 1, NULL, {NOW} FROM cases_shop AS s WHERE s.slug = %(shop)s
    ON CONFLICT (shop_id, vendor, work) DO UPDATE
    SET failures = c.failures + 1, changed_at = {NOW},
        open_until = CASE WHEN c.failures + 1 >= %(opens)s THEN {NOW} + make_interval(
            secs => LEAST(%(longest)s, %(first)s * 2 ^ LEAST(c.failures + 1 - %(opens)s, 16))) END
    WHERE %(probe)s OR c.open_until IS NULL
"""  # noqa: S608


@dataclass(frozen=True)
class Line:
    """One circuit's name: to which vendor of which shop, for which class of operation."""

    shop: str
    vendor: str
    work: Circuit.Work

    @property
    def values(self) -> dict[str, Any]:
        """The name, as a statement's values."""
        return {"shop": self.shop, "vendor": self.vendor, "work": self.work.value, "held": sources.held()}


def left(line: Line) -> float | None:
    """Seconds for which nothing is sent; not above 0 where a probe is due; None where the circuit is closed."""
    with connection.cursor() as cursor:
        cursor.execute(LEFT, line.values)
        found = cursor.fetchone()
    return None if found is None else float(found[0])


def claim_probe(line: Line, deadline_seconds: float) -> bool:
    """Whether the caller is the one who tries whether the vendor is back."""
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {**line.values, "seconds": deadline_seconds + GRACE_SECONDS})
        return cursor.fetchone() is not None


def failed(line: Line, *, probe: bool) -> None:
    """Counts a failure of the vendor's; the fifth in a row opens the circuit, a probe's opens it for longer."""
    times = {"opens": OPENS_AFTER, "first": FIRST_SECONDS, "longest": LONGEST_SECONDS}
    _do(FAIL, {**line.values, **times, "probe": probe})


def answered(line: Line) -> None:
    """The vendor is there: closes the circuit."""
    _do(CLOSE, line.values)


def let_go(line: Line) -> None:
    """A probe that found nothing out: the next caller may try."""
    _do(LET_GO, line.values)


def _do(statement: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
