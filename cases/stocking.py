"""A stock webhook names an item and one place: what the item is, and what all places have, is read at the shop.

news ─▶ row (due now) ─▶ task: claim, read ─▶ row gone
           ▲                     └─ not now ─▶ row (due later) ─▶ the sweep rings; after a day it is given up
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Greatest

from audit import sources
from cases.models import InboundEvent
from cases.telling import ring
from tools import orders as graph
from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.errors import HeldBack, ToolError, Unavailable
from tools.models import StockLevel, StockReading
from tools.outcomes import wait_after
from tools.snapshots import StockSnapshot

log = structlog.get_logger(__name__)

# Longer than the cluster lets a task run.
LEASE = timedelta(minutes=3)
RING_AGAIN = timedelta(minutes=1)
TRIED_FOR = timedelta(days=1)
BATCH = 100


def wants_reading(event: InboundEvent, seen: StockSnapshot) -> None:
    """Keep that an item must be read, and queue it, in the transaction of the event that told of it.

    News is read for at once, whatever was waited for: how fast the shop may be asked is the gate's to say. It takes
    the row from whoever reads it now, since what they read may be older.
    """
    now = sources.now()
    asked = {
        "asked_at": now,
        "due_at": now,
        "rung_at": now,
        "lease_until": None,
        "attempts": 0,
        "error": "",
        "given_up_at": None,
        "correlation_id": event.correlation_id,
    }
    item = {"shop_id": event.shop_id, "inventory_item": seen.inventory_item}
    # One statement makes the row or locks it, so that nobody can delete it before the next one.
    StockReading.objects.bulk_create(
        [StockReading(**item, **asked, news_at=seen.at)],
        update_conflicts=True,
        unique_fields=["shop", "inventory_item"],
        update_fields=list(asked),
    )
    row = StockReading.objects.filter(**item)
    row.update(fence=F("fence") + 1, news_at=Greatest("news_at", seen.at))
    ring("read_stock", row.get().pk)


def read_stock(reading_id: int) -> bool:
    """The task: read one item, if it is due and nobody does. Whether its count is known now.

    A shop that can't be asked now is asked later; what it refuses, or tells in another form, waits for the item's next
    news.
    """
    row = _claim(reading_id)
    if row is None:
        return False
    try:
        return _read(row)
    except Unavailable as error:
        _later(row, error)
    except ToolError as error:
        log.info("stock.not_read", **_facts(row, error))
        _ours(row).delete()
    except Exception as problem:
        failed = ToolError(code=f"failed:{type(problem).__name__}")
        log.exception("stock.failed", **_facts(row, failed))
        _later(row, failed)
    return False


def ring_due() -> int:
    """Queue the readings whose time has come: their wait is over, their task was lost, or their reader died."""
    now = sources.now()
    silent = Q(rung_at__isnull=True) | Q(rung_at__lt=now - RING_AGAIN)
    with transaction.atomic():
        rows = StockReading.objects.select_for_update(skip_locked=True).filter(_free(), silent)
        ids = list(rows.order_by("due_at").values_list("pk", flat=True)[:BATCH])
        StockReading.objects.filter(pk__in=ids).update(rung_at=now)
        for reading_id in ids:
            ring("read_stock", reading_id)
    return len(ids)


def _free() -> Q:
    """Due, not given up, and nobody's."""
    now = sources.now()
    nobodys = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return nobodys & Q(due_at__lte=now, given_up_at__isnull=True)


def _claim(reading_id: int) -> StockReading | None:
    """The row, ours until it is done or newer news comes; None where it is gone, somebody's, or not due."""
    with transaction.atomic():
        rows = StockReading.objects.select_for_update(of=("self",)).select_related("shop")
        row = rows.filter(_free(), pk=reading_id).first()
        if row is not None:
            row.lease_until, row.fence = sources.now() + LEASE, row.fence + 1
            row.save(update_fields=["lease_until", "fence"])
        return row


def _read(row: StockReading) -> bool:
    """Nothing is asked where a reading since the latest news has told the count."""
    known = StockLevel.objects.filter(shop_id=row.shop_id, inventory_item=row.inventory_item)
    if known.filter(at__gte=row.news_at).exists():
        _ours(row).delete()
        return True
    account = Account.of(row.shop)
    found = shopify.read_stock(account, row.inventory_item, correlation_id=row.correlation_id)
    with transaction.atomic():
        counted = bool(found.sku) and graph.record_stock(row.shop_id, found) is not None
        _ours(row).delete()
    return counted


def _ours(row: StockReading) -> QuerySet[StockReading]:
    """The row as long as no newer news came and nobody else has claimed it."""
    return StockReading.objects.filter(pk=row.pk, fence=row.fence)


def _later(row: StockReading, error: ToolError) -> None:
    """Due again after a while; being held back ourselves counts as no attempt. After a day it stays where it is."""
    now, held = sources.now(), isinstance(error, HeldBack)
    attempts = row.attempts + (not held)
    ended = {"attempts": attempts, "error": error.code, "rung_at": None, "lease_until": None}
    if now - row.asked_at >= TRIED_FOR:
        if _ours(row).update(**ended, given_up_at=now):
            log.warning("stock.given_up", attempts=attempts, **_facts(row, error))
        return
    wait = wait_after(error, 1 if held else attempts)
    if _ours(row).update(**ended, due_at=now + wait):
        log.info("stock.put_off", attempts=attempts, seconds=wait.total_seconds(), **_facts(row, error))


def _facts(row: StockReading, error: ToolError) -> dict[str, Any]:
    return {
        "row": row.pk,
        "shop": row.shop.slug,
        "code": error.code,
        "correlation_id": str(row.correlation_id),
    }
