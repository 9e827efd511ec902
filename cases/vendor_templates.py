"""Reads every quarter of an hour which templates WhatsApp has approved, so that it is known before sending."""

from __future__ import annotations

import structlog
from django.db import transaction

from audit import sources
from cases.models import Shop
from cases.telling import ring
from tools import vendor_templates
from tools.adapters import whatsapp_reading
from tools.adapters.accounts import Account
from tools.errors import ToolError

log = structlog.get_logger()


def watch_templates() -> int:
    """Queue one reading for each shop that has said which business account is its own. Returns how many."""
    wanted = [shop.pk for shop in Shop.objects.order_by("pk") if Account.of(shop).reads_whatsapp_templates]
    with transaction.atomic():
        for shop_id in wanted:
            ring("read_templates", shop_id)
    return len(wanted)


def read_templates(shop_id: int) -> int | None:
    """Reads one shop's list and keeps it whole; the number of templates that changed, None where it can't be read.

    A list that can't be read changes nothing: after an hour of that, what we know counts as unknown.
    """
    shop = Shop.objects.get(pk=shop_id)
    correlation_id = sources.random_id()
    began = sources.now()
    try:
        found = whatsapp_reading.list_templates(Account.of(shop), correlation_id=correlation_id)
    except ToolError as error:
        log.warning("templates.not_read", shop=shop.slug, code=error.code, correlation_id=str(correlation_id))
        return None
    with transaction.atomic():
        changed = vendor_templates.keep(shop_id, found, at=began)
    if changed:
        log.info("templates.changed", shop=shop.slug, changed=changed, correlation_id=str(correlation_id))
    return changed
