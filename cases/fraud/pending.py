"""A risk that stays pending for too long: nobody has said that the order is no fraud, so a person looks, once."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from approvals.caps import caps_of
from approvals.models import RiskFlag
from audit import sources
from cases.fraud.suspecting import call_person
from cases.models import Shop
from tools.ledger import lock_order
from tools.models import Order

log = structlog.get_logger()

SOURCE = "shopify.risk.pending"
BATCH = 100


def watch_risks() -> int:
    """Call a person for each order that a shop's caps say is pending for too long. Returns how many there were."""
    return sum(_of_shop(shop_id) for shop_id in Shop.objects.order_by("pk").values_list("pk", flat=True))


def _of_shop(shop_id: int) -> int:
    since = sources.now() - timedelta(hours=caps_of(shop_id).risk_pending_hours)
    ids = _late(shop_id, since).order_by("pk").values_list("pk", flat=True)[:BATCH]
    return sum(_try(order_id, since) for order_id in list(ids))


def _late(shop_id: int, since: datetime) -> QuerySet[Order]:
    called = RiskFlag.objects.filter(order=OuterRef("pk"), source=SOURCE)
    return Order.objects.filter(
        ~Exists(called),
        shop_id=shop_id,
        risk_level=Order.Risk.PENDING,
        placed_at__lt=since,
        placed_at__gte=F("shop__cutover_at"),
        cancelled_at__isnull=True,
    )


def _try(order_id: int, since: datetime) -> bool:
    """One order that can't be handled must not hide the others."""
    try:
        return _call(order_id, since)
    except Exception:
        log.exception("fraud.pending_failed", order=order_id)
        return False


def _call(order_id: int, since: datetime) -> bool:
    with transaction.atomic():
        lock_order(order_id)
        # The vendor may have told the level a moment ago.
        shop_id = Order.objects.values_list("shop_id", flat=True).get(pk=order_id)
        order = _late(shop_id, since).select_related("shop", "person").filter(pk=order_id).first()
        return order is not None and bool(call_person(order, SOURCE, correlation_id=sources.random_id()))
