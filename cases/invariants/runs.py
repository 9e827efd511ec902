"""A check of all invariants, timed and kept: by the command, and every night.

watch_invariants ─▶ row of the night, task ─▶ check_invariants: all queries ─▶ row ─▶ desk and its page
                                                   then: some payments read at their vendors ─▶ the same row
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q

from audit import sources
from cases.invariants import invariants
from cases.invariants.base import Invariant, Scope, Violation
from cases.invariants.chain import NAME as CHAIN
from cases.invariants.chain import last_entry
from cases.invariants.naming import name_of
from cases.invariants.vendors import Reading, read_vendors
from cases.models import InvariantRun, Shop
from cases.telling import ring

log = structlog.get_logger(__name__)

# In UTC, since one run looks at all shops; after the vendors' own nightly check has begun.
QUIET = timedelta(hours=3, minutes=40)
# A task that has not begun by then was lost, and one that has not ended by then has died.
FORGOTTEN = timedelta(seconds=60)
LONGEST = timedelta(minutes=5)
MOST_ATTEMPTS = 3
# At night the vendors are read within what the cluster gives a task, and what reading may take of their budgets.
MOST_READ = 200
READING_SECONDS = 20.0
# A run keeps the first ones; the command tells all.
MOST_KEPT = 500


@dataclass(frozen=True, slots=True)
class Checked:
    """What one invariant's query found, and how long it took."""

    invariant: Invariant
    milliseconds: int
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A check of all invariants; the audit chain was verified from the entry after `entries_from`, 0 is all of it."""

    checks: tuple[Checked, ...]
    milliseconds: int
    entries_from: int
    entries_until: int

    @property
    def violations(self) -> list[Violation]:
        return [row for check in self.checks for row in check.violations]

    @property
    def chain_held(self) -> bool:
        return not any(check.violations for check in self.checks if check.invariant.name == CHAIN)


def check(scope: Scope, *, whole_chain: bool = False) -> Report:
    """Ask every invariant once. Without `whole_chain` the log is verified from where the last kept run ended."""
    began, until = time.monotonic(), last_entry()
    since = 0 if whole_chain or not scope.everything else verified_until()
    checks = []
    for invariant in invariants(entries_after=since):
        start = time.monotonic()
        found = tuple(invariant.violations(scope))
        checks.append(Checked(invariant, _milliseconds(start), found))
    return Report(tuple(checks), _milliseconds(began), since, until)


def _milliseconds(since: float) -> int:
    return round((time.monotonic() - since) * 1000)


def verified_until() -> int:
    """The newest audit entry up to which a kept run found the chain whole; 0 where none has."""
    held = InvariantRun.objects.filter(chain_held=True, ended_at__isnull=False)
    # A restored or emptied log counts from its beginning.
    known = held.filter(entries_until__lte=last_entry()).order_by("-entries_until")
    return known.values_list("entries_until", flat=True).first() or 0


def keep(run: InvariantRun, report: Report, now: datetime) -> None:
    """Write what a run found into its row."""
    found = report.violations
    run.ended_at, run.checked, run.broken = now, len(report.checks), len(found)
    run.found = [as_json(one) for one in found[:MOST_KEPT]]
    run.milliseconds, run.chain_held = report.milliseconds, report.chain_held
    run.entries_from, run.entries_until = report.entries_from, report.entries_until
    run.full = report.entries_from == 0
    run.save()
    log.info("invariants.checked", run=run.pk, violations=len(found), milliseconds=report.milliseconds)


def keep_reading(run: InvariantRun, reading: Reading) -> None:
    """Write what the vendors said into the row of a run that has ended."""
    run.compared, run.unread = reading.compared, reading.unread
    run.broken += len(reading.violations)
    run.found = [*run.found, *map(as_json, reading.violations)][-MOST_KEPT:]
    run.save(update_fields=["compared", "unread", "broken", "found"])
    log.info("invariants.compared", run=run.pk, payments=reading.compared, unread=reading.unread)


def as_json(one: Violation) -> dict[str, Any]:
    """A violation as a row keeps it and the command's last line tells it."""
    return {
        "invariant": one.invariant,
        "row": one.row,
        **name_of(one.row),
        "facts": one.facts,
        "case": one.case_id,
        "shop": one.shop_id,
    }


def watch_invariants() -> int:
    """The watch job: ask for the night's run once, and again where it was lost. Returns how many it asked for."""
    now = sources.now()
    night = last_night(now)
    if Shop.objects.filter(created_at__lt=_moment(night)).exists():
        with transaction.atomic():
            row, new = InvariantRun.objects.get_or_create(night=night, defaults={"asked_at": now})
            if new:
                ring("check_invariants", row.pk)
                return 1
    return _lost(now)


def last_night(now: datetime) -> date:
    """The day whose quiet hour has passed last."""
    return (now.astimezone(UTC) - QUIET).date()


def _moment(night: date) -> datetime:
    return datetime(night.year, night.month, night.day, tzinfo=UTC) + QUIET


def _lost(now: datetime) -> int:
    unbegun = Q(began_at__isnull=True, asked_at__lt=now - FORGOTTEN)
    died = Q(began_at__lt=now - LONGEST)
    rows = InvariantRun.objects.filter(unbegun | died, night__isnull=False, ended_at__isnull=True)
    with transaction.atomic():
        ids = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
        mine = InvariantRun.objects.filter(pk__in=ids)
        mine.filter(attempts__gte=MOST_ATTEMPTS).update(
            began_at=F("asked_at"), ended_at=now, error="not_ended_in_time"
        )
        again = list(mine.filter(ended_at__isnull=True).values_list("pk", flat=True))
        InvariantRun.objects.filter(pk__in=again).update(asked_at=now, began_at=None)
        for run_id in again:
            ring("check_invariants", run_id)
    return len(again)


def check_invariants(run_id: int) -> int | None:
    """The task: check all and keep what was found. How many violations; None where another worker has it."""
    now = sources.now()
    mine = InvariantRun.objects.filter(pk=run_id, began_at__isnull=True, ended_at__isnull=True)
    if not mine.update(began_at=now, attempts=F("attempts") + 1):
        return None
    run = InvariantRun.objects.get(pk=run_id)
    # The whole chain, unless a log that has grown too long for one task has kept it from ending before.
    report = check(Scope(), whole_chain=run.attempts < MOST_ATTEMPTS)
    keep(run, report, sources.now())
    # Kept already, so that a vendor who keeps us waiting takes nothing of it away.
    night = run.night or last_night(now)
    keep_reading(run, read_vendors(Scope(), most=MOST_READ, night=night, patience=READING_SECONDS))
    return run.broken


def kept_by_hand(report: Report, began_at: datetime, reading: Reading | None = None) -> InvariantRun:
    """The row of a run that somebody asked for by the command."""
    run = InvariantRun(asked_at=began_at, began_at=began_at, attempts=1)
    keep(run, report, sources.now())
    if reading is not None:
        keep_reading(run, reading)
    return run
