"""Reads the central bank's exchange rates four times a day, so that caps hold over currencies.

watch_rates ─▶ row of the reading, task ─▶ read_rates: the file ─▶ dated rates ─▶ the same row, with an error or without
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from django.db import transaction

from approvals import rates
from approvals.errors import Invalid
from approvals.models import RateReading
from audit import sources
from audit.actors import SYSTEM
from cases.telling import ring
from tools.adapters import ecb
from tools.adapters.ecb import DailyRates
from tools.errors import ToolError

log = structlog.get_logger(__name__)

SOURCE = "European Central Bank"
EVERY = timedelta(hours=6)
# After a failure, or a task that was lost.
AGAIN = timedelta(minutes=15)


def watch_rates() -> int:
    """Queue a reading where one is due; 0 where it isn't, or no address of a file is set."""
    if not ecb.rates_url():
        return 0
    now, last = sources.now(), RateReading.objects.order_by("-id").first()
    if last is not None and now - last.asked_at < (EVERY if last.as_of else AGAIN):
        return 0
    with transaction.atomic():
        row = RateReading.objects.create(source=SOURCE, asked_at=now)
        ring("read_rates", row.pk)
    return 1


def read_rates(reading_id: int) -> int | None:
    """The task: the newest day's rates; how many were new, None where they can't be read. Reads once per row."""
    row = RateReading.objects.filter(pk=reading_id, ended_at=None).first()
    if row is None or not ecb.rates_url():
        return None
    try:
        found = ecb.read_daily(ecb.rates_url(), correlation_id=sources.random_id())
        return _keep(row, found)
    except ToolError as error:
        code = error.code
    except Invalid:
        code = "not_taken"
    log.warning("rates.not_read", code=code, reading=row.pk)
    _end(row, error=code)
    return None


def _keep(row: RateReading, found: DailyRates) -> int:
    with transaction.atomic():
        pairs = [(ecb.BASE, quote, rate) for quote, rate in found.rates.items() if quote in rates.CURRENCIES]
        new = rates.keep(pairs, as_of=found.as_of, source=SOURCE, by=SYSTEM)
        _end(row, as_of=found.as_of)
    return new


def _end(row: RateReading, **found: object) -> None:
    RateReading.objects.filter(pk=row.pk, ended_at=None).update(ended_at=sources.now(), **found)


def read_now() -> RateReading:
    """A reading at once and in this process; its row says what became of it."""
    row = RateReading.objects.create(source=SOURCE, asked_at=sources.now())
    read_rates(row.pk)
    row.refresh_from_db()
    return row
