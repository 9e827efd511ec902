"""Turns of the reconcilers, as the watch and the queue make them."""

from __future__ import annotations

from datetime import timedelta

from audit.sources import Clock
from cases.models import Cursor, InboundEvent
from cases.reconciling.running import reconcile, ring_due
from tests.flow.world import forget_tasks

LATER = timedelta(minutes=10)


def cursor(resource: str = "orders") -> Cursor:
    """The shop's cursor for this resource, made on first sight."""
    if not Cursor.objects.exists():
        ring_due()
        forget_tasks()
    return Cursor.objects.get(resource=resource)


def read(resource: str, clock: Clock | None = None, *, after: timedelta = LATER) -> str | None:
    """One turn, after some time has passed."""
    row = cursor(resource)
    if clock is not None:
        clock.advance(after)
    Cursor.objects.filter(pk=row.pk).update(next_at=row.read_until)
    return reconcile(row.pk)


def read_all(clock: Clock | None = None) -> None:
    """Everything to its end."""
    for resource in ("orders", "events", "disputes", "refunds", "fraud_warnings"):
        outcome = read(resource, clock, after=timedelta(0) if resource != "orders" else LATER)
        while outcome == "more":
            outcome = read(resource)
        assert outcome == "done", (resource, outcome, cursor(resource).error)


def late() -> list[InboundEvent]:
    """What was found late, oldest first."""
    return list(InboundEvent.objects.filter(found_late_seconds__isnull=False).order_by("pk"))
