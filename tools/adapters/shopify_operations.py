"""Shopify's part of the table of operations: each document with its answer, its examples and its probe.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from tools.adapters import shopify_documents as documents
from tools.adapters import shopify_outcomes as outcomes
from tools.adapters import shopify_probes as probes
from tools.adapters import shopify_replies as replies
from tools.adapters.operation import Example, Operation
from tools.adapters.shopify_call import VENDOR, gid
from tools.adapters.shopify_changes import cancel_variables
from tools.adapters.shopify_reads import changed_variables
from tools.adapters.shopify_records import record_variables
from tools.adapters.shopify_refunds import refund_variables
from tools.adapters.shopify_suggestion import suggestion_variables
from tools.adapters.shopify_wishes import RecordedRefund, RefundedDuty, RefundedLine, RefundRequest
from tools.wire import Kind

KEY = UUID("00000000-0000-4000-8000-000000000001")
SINCE = datetime(2026, 7, 1, tzinfo=UTC)
GOODWILL = RefundRequest("1001", "31", "shopify_payments", 150, "EUR", note="case 5")
RETURNED = RefundRequest(
    "1001",
    "31",
    "shopify_payments",
    3000,
    "JPY",
    lines=(
        RefundedLine("11", 1, "RETURN", "71"),
        RefundedLine("12", 2, "CANCEL", "71"),
        RefundedLine("13", 1),
    ),
    shipping_minor=500,
    duties=(RefundedDuty("61"), RefundedDuty("62", "FULL")),
)
PAID_BY_STRIPE = RecordedRefund("1001", 1500, "EUR", "stripe", lines=(RefundedLine("11", 1),))
PAID_IN_CASH = RecordedRefund("1001", 1500, "EUR", "cash_on_delivery", "31")


def _named(kind: str) -> tuple[Example, ...]:
    return (Example(variables={"id": gid(kind, "1001")}),)


def _examples(*variables: Mapping[str, object]) -> tuple[Example, ...]:
    return tuple(Example(variables=one) for one in variables)


def _lines() -> tuple[Example, ...]:
    order = gid("Order", "1001")
    return _examples({"id": order, "after": None}, {"id": order, "after": "eyJsYXN0X2lkIjoxMX0="})


def _orders() -> tuple[Example, ...]:
    return _examples(changed_variables(SINCE), changed_variables(SINCE, "eyJsYXN0X2lkIjoxMX0="))


def _suggestions() -> tuple[Example, ...]:
    return _examples(suggestion_variables(GOODWILL), suggestion_variables(RETURNED))


def _refunds() -> tuple[Example, ...]:
    return _examples(
        refund_variables(GOODWILL, KEY),
        refund_variables(RETURNED, KEY),
        record_variables(PAID_BY_STRIPE, KEY),
        record_variables(PAID_IN_CASH, KEY),
    )


def _cancellations() -> tuple[Example, ...]:
    return _examples(
        cancel_variables("1001", "CUSTOMER", "case 5", restock=True, refund=True),
        cancel_variables("1001", "FRAUD", "", restock=False, refund=False),
    )


def _tags() -> tuple[Example, ...]:
    return _examples({"id": gid("Order", "1001"), "tags": ["fraud-suspect", "asked-by-mail"]})


def _updates() -> tuple[Example, ...]:
    return _examples({"input": {"id": gid("Order", "1001"), "note": "Agreed by mail.\ncase 5"}})


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        VENDOR,
        "order",
        Kind.READ,
        replies.OrderAnswer,
        partial(_named, "Order"),
        document=documents.ORDER,
        probe=probes.order,
    ),
    Operation(
        VENDOR,
        "lines",
        Kind.READ,
        replies.LinesAnswer,
        _lines,
        document=documents.LINES_OF_ORDER,
        probe=partial(probes.part, "lines"),
    ),
    Operation(
        VENDOR,
        "parcels",
        Kind.READ,
        replies.ParcelsAnswer,
        partial(_named, "Order"),
        document=documents.PARCELS_OF_ORDER,
        probe=partial(probes.part, "parcels"),
    ),
    Operation(
        VENDOR,
        "returns",
        Kind.READ,
        replies.ReturnsAnswer,
        partial(_named, "Order"),
        document=documents.RETURNS_OF_ORDER,
        probe=partial(probes.part, "returns"),
    ),
    Operation(
        VENDOR,
        "refunds",
        Kind.READ,
        replies.RefundsAnswer,
        partial(_named, "Order"),
        document=documents.REFUNDS_OF_ORDER,
        probe=partial(probes.part, "refunds"),
    ),
    Operation(
        VENDOR,
        "orders",
        Kind.READ,
        replies.ChangedOrdersAnswer,
        _orders,
        document=documents.CHANGED_ORDERS,
        probe=probes.orders,
    ),
    Operation(
        VENDOR,
        "suggestedRefund",
        Kind.READ,
        replies.SuggestionAnswer,
        _suggestions,
        document=documents.SUGGESTED_REFUND,
        probe=probes.suggestion,
    ),
    Operation(
        VENDOR,
        "refundCreate",
        Kind.IDEMPOTENT_WRITE,
        outcomes.RefundAnswer,
        _refunds,
        document=documents.REFUND_CREATE,
        probe=partial(probes.part, "refunds"),
        rests_on=("order", "refunds", "suggestedRefund"),
    ),
    Operation(
        VENDOR,
        "orderCancel",
        Kind.UNSAFE_WRITE,
        outcomes.CancelAnswer,
        _cancellations,
        document=documents.ORDER_CANCEL,
        probe=probes.cancellation,
        rests_on=("cancellation", "job"),
    ),
    Operation(
        VENDOR,
        "cancellation",
        Kind.READ,
        replies.CancellationAnswer,
        partial(_named, "Order"),
        document=documents.CANCELLATION,
        probe=probes.cancellation,
    ),
    # Without a probe: a job is known only to who has just begun it.
    Operation(
        VENDOR,
        "job",
        Kind.READ,
        replies.JobAnswer,
        partial(_named, "Job"),
        document=documents.JOB,
    ),
    Operation(
        VENDOR,
        "tagsAdd",
        Kind.IDEMPOTENT_WRITE,
        outcomes.TagsAnswer,
        _tags,
        document=documents.TAGS_ADD,
        probe=probes.order,
        rests_on=("order",),
    ),
    Operation(
        VENDOR,
        "note",
        Kind.READ,
        replies.NoteAnswer,
        partial(_named, "Order"),
        document=documents.NOTE,
        probe=probes.note,
    ),
    Operation(
        VENDOR,
        "orderUpdate",
        Kind.IDEMPOTENT_WRITE,
        outcomes.UpdateAnswer,
        _updates,
        document=documents.ORDER_UPDATE,
        probe=probes.note,
        rests_on=("note",),
    ),
    Operation(
        VENDOR,
        "inventoryItem",
        Kind.READ,
        replies.InventoryAnswer,
        partial(_named, "InventoryItem"),
        document=documents.INVENTORY_ITEM,
        probe=probes.stock,
    ),
    Operation(
        VENDOR,
        "dispute",
        Kind.READ,
        replies.DisputeAnswer,
        partial(_named, "ShopifyPaymentsDispute"),
        document=documents.DISPUTE,
        probe=probes.dispute,
    ),
)
