"""A stock webhook names an item and one place: what the item is, and what all places have, is read at the shop."""

from __future__ import annotations

import structlog
from django.db import transaction

from cases.models import InboundEvent
from tools import orders as graph
from tools.adapters import shopify, shopify_webhooks
from tools.adapters.accounts import Account
from tools.errors import ToolError
from tools.models import StockLevel
from tools.snapshots import StockSnapshot

log = structlog.get_logger(__name__)


def read_stock(event_id: int) -> bool:
    """Read the item that a stock webhook was about, unless that was done since. Whether its count is known now.

    A shop that can't be read now is asked again by the item's next webhook: nothing waits for this one.
    """
    event = InboundEvent.objects.select_related("shop").get(pk=event_id)
    seen = shopify_webhooks.parse(event.topic, bytes(event.raw))
    if not isinstance(seen, StockSnapshot):
        return False
    known = StockLevel.objects.filter(shop_id=event.shop_id, inventory_item=seen.inventory_item)
    if known.filter(at__gte=seen.at).exists():
        return True
    account = Account.of(event.shop)
    try:
        found = shopify.read_stock(account, seen.inventory_item, correlation_id=event.correlation_id)
    except ToolError as error:
        log.info("stock.not_read", row=event_id, code=error.code)
        return False
    with transaction.atomic():
        return bool(found.sku) and graph.record_stock(event.shop_id, found) is not None
