"""What nobody tells us: orders that don't leave and parcels that don't move open a case of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from audit import sources
from cases.handoff import wants_thought
from cases.models import Case, Person
from cases.opening import case_for_order
from tools.ledger import lock_order
from tools.models import Order, Payment, Shipment

log = structlog.get_logger()

Subject = Case.Subject

BATCH = 100
# A shop's history comes in a burst: an order is late only once we have known it for a while.
KNOWN_FOR = timedelta(hours=1)
STUCK_AFTER = timedelta(days=10)
PAID = ("paid", "partially_refunded")
NOT_LEFT = ("", "unfulfilled", "open", "in_progress", "pending_fulfillment")
MOVING = (Shipment.Status.IN_TRANSIT, Shipment.Status.OUT_FOR_DELIVERY)

Orders = QuerySet[Order]


def watch_orders() -> int:
    """Open cases for what is late, each order and subject once. Returns how many it opened."""
    now = sources.now()
    opened = 0
    for subject, late in LATE.items():
        ids = list(late(now).order_by("pk").values_list("pk", flat=True)[:BATCH])
        opened += sum(_try(order_id, subject, now) for order_id in ids)
    return opened


def _try(order_id: int, subject: str, now: datetime) -> bool:
    """One order that can't be handled must not hide the others."""
    try:
        return _open(order_id, subject, now)
    except Exception:
        log.exception("watching.failed", order=order_id, subject=subject)
        return False


def _open(order_id: int, subject: str, now: datetime) -> bool:
    with transaction.atomic():
        lock_order(order_id)
        order = LATE[subject](now).select_related("shop").filter(pk=order_id).first()
        if order is None:
            return False
        person = Person.objects.filter(pk=order.person_id).first() if order.person_id else None
        wants_thought(case_for_order(order.shop, order, subject, sources.random_id(), person))
    return True


def _owed(subject: str, now: datetime) -> Orders:
    """Paid orders of connected shops that nobody is working on and that had no such case before."""
    cases = Case.objects.filter(order=OuterRef("pk"))
    given_back = Payment.objects.filter(
        order=OuterRef("pk"),
        captured_minor__gt=0,
        captured_minor__lte=F("refunded_minor") + F("reserved_minor") + F("elsewhere_minor"),
    )
    return Order.objects.filter(
        ~Exists(cases.filter(~Q(state=Case.State.CLOSED) | Q(subject=subject))),
        ~Exists(given_back),
        placed_at__gte=F("shop__cutover_at"),
        heard_at__lt=now - KNOWN_FOR,
        cancelled_at__isnull=True,
        financial_status__in=PAID,
    )


def _unfulfilled(now: datetime) -> Orders:
    """Past the promise, and no parcel has left."""
    parcels = Shipment.objects.filter(order=OuterRef("pk")).exclude(status=Shipment.Status.CANCELLED)
    owed = _owed(Subject.UNFULFILLED, now)
    return owed.filter(~Exists(parcels), promised_at__lt=now, fulfillment_status__in=NOT_LEFT)


def _stuck(now: datetime) -> Orders:
    """A parcel is on its way, and the carrier has said nothing of it for days."""
    silent = Q(moved_at__lt=now - STUCK_AFTER) | Q(moved_at__isnull=True, shipped_at__lt=now - STUCK_AFTER)
    parcels = Shipment.objects.filter(silent, order=OuterRef("pk"), status__in=MOVING)
    return _owed(Subject.STUCK_PARCEL, now).filter(Exists(parcels))


LATE: dict[str, Callable[[datetime], Orders]] = {
    Subject.UNFULFILLED: _unfulfilled,
    Subject.STUCK_PARCEL: _stuck,
}
