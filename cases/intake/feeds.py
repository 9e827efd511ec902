"""A supplier's feed: kept raw like any other delivery, read in the same transaction."""

from __future__ import annotations

import hashlib

from audit.actors import SYSTEM
from audit.services import record
from cases.intake.receiving import Delivery, Handled, Received, Unreadable, receive
from cases.models import InboundEvent, Shop
from tools.errors import InvalidArgs
from tools.suppliers.feeds import import_csv


def take_feed(shop: Shop, supplier: str, data: bytes) -> Received:
    """Store a feed and take its good rows. The same file twice is a duplicate; one that can't be read a dead letter."""
    return receive(shop, delivery(shop, supplier, data))


def delivery(shop: Shop, supplier: str, data: bytes) -> Delivery:
    """A feed as a delivery, named by its digest."""

    def handle(event: InboundEvent) -> Handled:
        try:
            run = import_csv(shop.pk, supplier, data)
        except InvalidArgs as problem:
            raise Unreadable(f"no feed: {problem.code}") from problem
        record(
            "feed.imported",
            by=SYSTEM,
            stream=f"shop/{shop.slug}",
            subject=run,
            shop_id=shop.pk,
            correlation_id=event.correlation_id,
            data={"rows": run.rows, "taken": run.taken, "refused": run.refused},
        )
        return Handled()

    digest = hashlib.sha256(data).hexdigest()
    return Delivery("feed", supplier[:128], digest, "supplier", data, "text/csv", handle)
