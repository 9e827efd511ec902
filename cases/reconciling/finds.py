"""Whether a reading tells what nobody told us; only then it becomes an event, found late.

Each check is made before anything is stored, and what it finds goes through the intake like a webhook's body. A
reading that only confirms what webhooks told brings our rows up to date, and leaves no event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import structlog
from django.db import transaction

from approvals.models import RiskFlag
from cases import refunds
from cases.intake import readings
from cases.intake.receiving import Find, receive, undone
from cases.models import Handoff, InboundEvent
from cases.reconciling.cursors import Turn
from cases.reconciling.told import Told, told
from tools import orders as graph
from tools.models import Dispute, Order, Payment
from tools.snapshots import DisputeSnapshot, FraudWarningSnapshot, OrderSnapshot, RefundSnapshot, Snapshot

log = structlog.get_logger()


def known_ids(turn: Turn, source: str, external_ids: Iterable[str]) -> set[str]:
    """Those that are stored already, in one query, whatever became of them."""
    rows = InboundEvent.objects.filter(shop=turn.shop, source=source, external_id__in=list(external_ids))
    return set(rows.values_list("external_id", flat=True))


def find_order(turn: Turn, seen: OrderSnapshot) -> bool:
    """An order as it was read; whether that told something new."""
    before = told(turn.shop.pk, seen.external_id)
    is_new = before is None or not _confirms(turn, seen, before)
    if is_new:
        _take(
            turn, readings.ORDER, f"{seen.external_id}:{seen.updated_at.isoformat()}", seen, seen.updated_at
        )
    rows = Order.objects.filter(shop=turn.shop, external_id=seen.external_id)
    rows.exclude(read_as_of__gt=seen.updated_at).update(read_as_of=seen.updated_at)
    return is_new


def _confirms(turn: Turn, seen: OrderSnapshot, before: Told) -> bool:
    """Records the order for good where that changes nothing of what webhooks tell, else not at all."""

    def is_told() -> bool:
        change = graph.record_order(turn.shop.pk, seen)
        after = told(turn.shop.pk, seen.external_id, payments=before.payments)
        if after != before or change.over or any(refunds.took_back(record) for record in change.refunds):
            return False
        for record in change.refunds:
            refunds.settle_ours(record)
        return True

    return _kept_if(turn, is_told)


def _kept_if(turn: Turn, is_told: Callable[[], bool]) -> bool:
    """What `is_told` writes stays where it says yes. One that trips is no: the intake trips too, and keeps why."""
    try:
        with transaction.atomic():
            if is_told():
                return True
            transaction.set_rollback(True)
    except Exception as problem:
        if undone(problem):
            raise
        log.warning(
            "reconcile.not_recorded",
            problem=type(problem).__name__,
            correlation_id=str(turn.correlation_id),
        )
    return False


def find_dispute(turn: Turn, source: str, seen: DisputeSnapshot, at: datetime) -> bool:
    """A dispute as it was read; whether its state was news. `at` is the vendor's time of the change."""
    if Dispute.objects.filter(shop=turn.shop, external_id=seen.external_id, status=seen.status).exists():
        return False
    payments = Payment.objects.filter(shop=turn.shop)
    if seen.charge:
        placed = payments.filter(external_id=seen.charge).exists()
    else:
        placed = payments.filter(order__external_id=seen.order_external_id, vendor="shopify").count() == 1
    if not placed and _person_was_called(turn, seen.charge or seen.external_id):
        return False
    return _take(turn, readings.DISPUTE, f"{seen.external_id}:{seen.status}", seen, at, source)


def find_refund(turn: Turn, seen: RefundSnapshot) -> bool:
    """A refund as Stripe lists it; whether it was made elsewhere, or taken back, without our hearing of it."""

    def is_told() -> bool:
        record = graph.record_refund(turn.shop.pk, seen)
        if record is None:
            # Its order isn't known: the order's own reading brings it along.
            return True
        if record.booked_minor or refunds.took_back(record):
            return False
        refunds.settle_ours(record)
        return True

    if _kept_if(turn, is_told):
        return False
    status = "".join(sorted({part.status for part in seen.parts}))
    return _take(turn, readings.REFUND, f"{seen.external_id}:{status}", seen, seen.at, "stripe")


def find_warning(turn: Turn, seen: FraudWarningSnapshot) -> bool:
    """An early fraud warning as Stripe lists it; whether nobody was called for it yet."""
    flags = RiskFlag.objects.filter(
        shop=turn.shop, kind=RiskFlag.Kind.FRAUD, source="stripe.early_fraud_warning"
    )
    payments = Payment.objects.filter(shop=turn.shop, external_id=seen.charge)
    if flags.filter(order__in=payments.values("order")).exists():
        return False
    if not payments.exists() and _person_was_called(turn, seen.charge):
        return False
    return _take(turn, readings.WARNING, seen.external_id, seen, seen.created_at or turn.until, "stripe")


def _person_was_called(turn: Turn, thing: str) -> bool:
    """Whether a person had a warning about a payment that we can't place, and has it or is done with it.

    Once it can be placed it is news for the order, which nothing automatic may touch then.
    """
    return Handoff.objects.filter(shop=turn.shop, detail=f"unplaced:{thing}"[:64]).exists()


def _take(
    turn: Turn, topic: str, external_id: str, seen: Snapshot, at: datetime, source: str = "shopify"
) -> bool:
    if known_ids(turn, source, [external_id]):
        return False
    find = Find(at, turn.cursor_id)
    receive(turn.shop, readings.found(source, turn.account_at(source), external_id, topic, seen, find))
    return True
