"""Shopify's Admin GraphQL API: what the rest of the house may ask of it, in one place.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

from __future__ import annotations

from tools.adapters.shopify_changes import (
    add_note,
    add_tags,
    cancel_order,
    find_cancellation,
)
from tools.adapters.shopify_reads import changed_orders, read_dispute, read_order, read_stock
from tools.adapters.shopify_records import find_recorded_refund, record_refund
from tools.adapters.shopify_refunds import find_refund, refund
from tools.adapters.shopify_suggestion import refuse_more_than, suggested_refund
from tools.adapters.shopify_wishes import RecordedRefund, RefundedDuty, RefundedLine, RefundRequest

__all__ = [
    "RecordedRefund",
    "RefundRequest",
    "RefundedDuty",
    "RefundedLine",
    "add_note",
    "add_tags",
    "cancel_order",
    "changed_orders",
    "find_cancellation",
    "find_recorded_refund",
    "find_refund",
    "read_dispute",
    "read_order",
    "read_stock",
    "record_refund",
    "refund",
    "refuse_more_than",
    "suggested_refund",
]
