"""One read per operation of Shopify's, to see whether it still answers as we understand it.

Each returns whether there was anything to read.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from audit import sources
from tools.adapters.accounts import Account
from tools.adapters.operation import Known
from tools.adapters.shopify_changes import find_cancellation, read_note
from tools.adapters.shopify_paging import Part
from tools.adapters.shopify_reads import changed_orders, read_dispute, read_order, read_pages, read_stock
from tools.adapters.shopify_suggestion import NOTHING_SUGGESTED, suggested_refund
from tools.adapters.shopify_wishes import RefundRequest
from tools.errors import Refused

# An app reads the last 60 days unless it was given more: https://shopify.dev/docs/api/usage/access-scopes
LOOKS_BACK = timedelta(days=59)


def order(account: Account, known: Known, correlation_id: UUID) -> bool:
    return bool(known.order) and bool(read_order(account, known.order, correlation_id=correlation_id))


def part(part: Part, account: Account, known: Known, correlation_id: UUID) -> bool:
    return bool(known.order) and read_pages(account, known.order, part, correlation_id=correlation_id)


def orders(account: Account, known: Known, correlation_id: UUID) -> bool:
    return bool(
        changed_orders(account, since=sources.now() - LOOKS_BACK, correlation_id=correlation_id).orders
    )


def suggestion(account: Account, known: Known, correlation_id: UUID) -> bool:
    if not known.order:
        return False
    seen = read_order(account, known.order, correlation_id=correlation_id)
    # Asking moves nothing: the smallest amount, for no line.
    wish = RefundRequest(known.order, "", "", 1, seen.currency)
    try:
        return bool(suggested_refund(account, wish, correlation_id=correlation_id))
    except Refused as refusal:
        if refusal.code != NOTHING_SUGGESTED:
            raise
        return False


def note(account: Account, known: Known, correlation_id: UUID) -> bool:
    if known.order:
        read_note(account, known.order, correlation_id=correlation_id)
    return bool(known.order)


def cancellation(account: Account, known: Known, correlation_id: UUID) -> bool:
    if known.order:
        find_cancellation(account, known.order, "", correlation_id=correlation_id)
    return bool(known.order)


def stock(account: Account, known: Known, correlation_id: UUID) -> bool:
    item = known.inventory_item
    return bool(item) and bool(read_stock(account, item, correlation_id=correlation_id))


def dispute(account: Account, known: Known, correlation_id: UUID) -> bool:
    name = known.dispute
    # Stripe's disputes bear other names.
    return name.isdecimal() and bool(read_dispute(account, name, correlation_id=correlation_id))
