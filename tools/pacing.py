"""How fast and whether a vendor may be asked, shared by all processes through the database.

stopped? ──▶ open circuit? ──▶ a share of the rate budget ──▶ the probe, if due ──▶ the attempt ──▶ what it taught
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import Error

from audit import sources
from tools import budgets, circuits, stops
from tools.budgets import learn
from tools.circuits import Line
from tools.errors import HeldBack
from tools.models import Circuit, RateBudget
from tools.wire import LONGEST_SLEEP_SECONDS, Call, Gate, Health, Kind, News

__all__ = ["GATE", "Standing", "for_a_write", "held_back", "learn", "standing"]

log = structlog.get_logger(__name__)

# No write is cheaper, by any vendor's count.
LEAST_COST = 1.0


_for_a_write: ContextVar[bool] = ContextVar("for_a_write", default=False)


@contextmanager
def for_a_write() -> Iterator[None]:
    """Lets the readings that a write rests on use what is kept for writes: without them it would wait all the same."""
    token = _for_a_write.set(True)
    try:
        yield
    finally:
        _for_a_write.reset(token)


class _Shared(Gate):
    """The gate of all processes: a budget per shop and vendor, a circuit per class of operation."""

    def before(self, call: Call) -> bool:
        """Whether this attempt probes an open circuit. Raises HeldBack, with what to wait for."""
        self.still(call)
        line = _line(call)
        left = circuits.left(line)
        if left is not None and left > 0:
            raise _held(call, HeldBack.CIRCUIT_OPEN, left)
        writes = call.kind is not Kind.READ or _for_a_write.get()
        wait = budgets.take(call.shop, call.vendor, call.cost, write=writes)
        if wait:
            raise _held(call, HeldBack.RATE_BUDGET, wait)
        if left is None:
            return False
        if not circuits.claim_probe(line, call.deadline_seconds):
            # Somebody else was quicker; by the time that a probe takes, it is known.
            raise _held(call, HeldBack.CIRCUIT_OPEN, call.deadline_seconds)
        return True

    def still(self, call: Call) -> None:
        """Raises HeldBack where a person has stopped it."""
        stops.refuse(call.shop, call.vendor, call.operation)

    def after(self, call: Call, news: News) -> None:
        """Learns from the attempt. What can't be written down must not cost us the vendor's answer."""
        try:
            self._learn(call, news)
        except Error:
            log.exception(
                "pace_not_kept",
                vendor=call.vendor,
                operation=call.operation,
                correlation_id=str(call.correlation_id),
            )

    def _learn(self, call: Call, news: News) -> None:
        line = _line(call)
        if news.health is Health.ILL:
            circuits.failed(line, probe=news.probe)
        elif news.health is Health.WELL or (news.health is Health.BUSY and news.probe):
            circuits.answered(line)
        elif news.probe:
            circuits.let_go(line)
        # A throttle inside a 2xx comes with the vendor's own figures, which the adapter hands to `learn`.
        if news.health is Health.BUSY and news.status >= 400:
            budgets.empty(call.shop, call.vendor, news.retry_after or 0)


GATE: Gate = _Shared()


def held_back(shop: str, vendor: str) -> HeldBack | None:
    """What keeps any write to this vendor from leaving now, asked before one is begun; takes and locks nothing.

    A share that comes within what a worker may sleep is no reason: the gate itself waits for that.
    """
    left = circuits.left(Line(shop, vendor, Circuit.Work.WRITE))
    if left is not None and left > 0:
        return HeldBack(vendor=vendor, code=HeldBack.CIRCUIT_OPEN, retry_after=left)
    wait = budgets.wait_for(shop, vendor, LEAST_COST)
    if wait > LONGEST_SLEEP_SECONDS:
        return HeldBack(vendor=vendor, code=HeldBack.RATE_BUDGET, retry_after=wait)
    return None


def _line(call: Call) -> Line:
    work = Circuit.Work.READ if call.kind is Kind.READ else Circuit.Work.WRITE
    return Line(call.shop, call.vendor, work)


def _held(call: Call, code: str, seconds: float) -> HeldBack:
    return HeldBack(vendor=call.vendor, operation=call.operation, code=code, retry_after=seconds)


@dataclass(frozen=True)
class Standing:
    """How a shop stands with a vendor. `budget_percent` is what is left now; None where nothing was asked yet.

    A circuit's date is the moment until which nothing of its class is sent; None where it is closed.
    """

    vendor: str
    budget_percent: int | None
    reads_rest_until: datetime | None
    writes_rest_until: datetime | None


def standing(shop_id: int) -> Sequence[Standing]:
    """Each vendor that the shop has asked, by name: what is left of its budget and whether its circuits are open."""
    now = sources.now()
    levels = {row.vendor: _percent(row, now) for row in RateBudget.objects.filter(shop_id=shop_id)}
    rests = {
        (row.vendor, row.work): row.open_until
        for row in Circuit.objects.filter(shop_id=shop_id, open_until__gt=now)
    }
    vendors = sorted({*levels, *(vendor for vendor, _ in rests)})
    return [
        Standing(
            vendor,
            levels.get(vendor),
            rests.get((vendor, Circuit.Work.READ)),
            rests.get((vendor, Circuit.Work.WRITE)),
        )
        for vendor in vendors
    ]


def _percent(row: RateBudget, now: datetime) -> int:
    restored = row.per_second * max(0.0, (now - row.level_at).total_seconds())
    return round(100 * max(0.0, min(row.capacity, row.level + restored)) / row.capacity)
