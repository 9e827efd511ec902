"""What we read at Shopify: an order whole, which orders changed, a dispute, the stock of an item.

https://shopify.dev/docs/api/admin-graphql/2026-07
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from audit import sources
from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.replies import minor
from tools.adapters.shopify_call import VENDOR, gid, known, number, read_call, same
from tools.adapters.shopify_graph import OrderReply
from tools.adapters.shopify_orders import order_snapshot
from tools.adapters.shopify_paging import PAGED, Part, rest_of
from tools.adapters.shopify_replies import (
    ChangedOrdersAnswer,
    ChangedOrdersReply,
    DisputeAnswer,
    DisputeOfShop,
    InventoryAnswer,
    InventoryItem,
    OrderAnswer,
)
from tools.errors import ContractDrift, Refused
from tools.snapshots import ChangedOrder, ChangedOrders, DisputeSnapshot, OrderSnapshot, StockSnapshot

INQUIRY = {"needs_response": "warning_needs_response", "under_review": "warning_under_review"}


def read_pages(account: Account, order_external_id: str, part: Part, *, correlation_id: UUID) -> bool:
    """Reads one part of an order as a long order's is read, whatever its length: whether there was any.

    For probes: the paging documents are rarely sent otherwise.
    """
    variables = {"id": gid("Order", order_external_id)}
    call = read_call(account, "order", documents.ORDER, variables, correlation_id)
    _seen, order = ask(call, OrderAnswer, lambda answer: _order(answer, variables["id"]))
    return bool(PAGED[part](account, order, correlation_id))


def read_order(account: Account, order_external_id: str, *, correlation_id: UUID) -> OrderSnapshot:
    """The order with all its parts, as Shopify knows it now, in one query, or some more for a long one.

    Raises Refused (not_found) where the shop knows none, and Refused (order_too_long) where a list is longer than we
    page through: more than 7 refunds, 5 parcels, 9 transactions or 5 returns, or more than 25 lines in one parcel.
    https://shopify.dev/docs/api/admin-graphql/2026-07/queries/order
    """
    variables = {"id": gid("Order", order_external_id)}
    call = read_call(account, "order", documents.ORDER, variables, correlation_id)
    seen, order = ask(call, OrderAnswer, lambda answer: _order(answer, variables["id"]))
    return seen.model_copy(update=rest_of(account, order, correlation_id=correlation_id))


def _order(answer: OrderAnswer, wanted: str) -> tuple[OrderSnapshot, OrderReply]:
    order = known(answer.data.order, "order")
    same(order.id, wanted, "order", "data.order.id")
    return order_snapshot(order), order


def changed_orders(
    account: Account, *, since: datetime, after: str = "", correlation_id: UUID
) -> ChangedOrders:
    """Orders that changed at `since` or later, a hundred a page, the oldest change first.

    An order that changes while the pages are read comes again at the end, so nothing is passed over.
    https://shopify.dev/docs/api/admin-graphql/2026-07/queries/orders
    """
    variables = changed_variables(since, after)
    call = read_call(account, "orders", documents.CHANGED_ORDERS, variables, correlation_id)
    return ask(call, ChangedOrdersAnswer, lambda answer: _changed(answer.data.orders))


def changed_variables(since: datetime, after: str = "") -> dict[str, object]:
    """The variables of OpsChangedOrders; Shopify's search knows whole seconds, so the moment's own is included."""
    moment = since.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    return {"query": f"updated_at:>='{moment}'", "after": after or None}


def _changed(page: ChangedOrdersReply) -> ChangedOrders:
    if page.pageInfo.hasNextPage and not page.pageInfo.endCursor:
        path = "data.orders.pageInfo.endCursor"
        raise ContractDrift("null", vendor=VENDOR, operation="orders", field_path=path, finding="null")
    return ChangedOrders(
        orders=tuple(
            ChangedOrder(external_id=number(one.id), updated_at=one.updatedAt) for one in page.nodes
        ),
        after=page.pageInfo.endCursor or "",
        has_more=page.pageInfo.hasNextPage,
    )


def read_dispute(account: Account, dispute_external_id: str, *, correlation_id: UUID) -> DisputeSnapshot:
    """A dispute of Shopify Payments with its sum and the day by which evidence is due.

    Raises Refused (not_found).
    https://shopify.dev/docs/api/admin-graphql/2026-07/queries/dispute
    """
    variables = {"id": gid("ShopifyPaymentsDispute", dispute_external_id)}
    call = read_call(account, "dispute", documents.DISPUTE, variables, correlation_id)
    return ask(call, DisputeAnswer, lambda answer: _dispute(known(answer.data.dispute, "dispute")))


def _dispute(seen: DisputeOfShop) -> DisputeSnapshot:
    status = seen.status.lower()
    if seen.type == "INQUIRY":
        status = INQUIRY.get(status, status)
    return DisputeSnapshot.model_validate(
        {
            "vendor": "shopify",
            "external_id": number(seen.id),
            "order_external_id": number(seen.order.id) if seen.order else "",
            "status": status,
            "reason": seen.reasonDetails.reason.lower(),
            "amount_minor": minor(
                seen.amount.amount,
                seen.amount.currencyCode,
                vendor=VENDOR,
                operation="dispute",
                field_path="data.dispute.amount.amount",
            ),
            "currency": seen.amount.currencyCode,
            "evidence_due_at": seen.evidenceDueBy,
            "created_at": seen.initiatedAt,
        }
    )


def read_stock(account: Account, inventory_item: str, *, correlation_id: UUID) -> StockSnapshot:
    """How many pieces of an item can be sold, at all locations together, and its SKU; None where it isn't counted.

    Raises Refused (not_found), and Refused (too_many_locations) beyond 20.
    https://shopify.dev/docs/api/admin-graphql/2026-07/queries/inventoryItem
    """
    variables = {"id": gid("InventoryItem", inventory_item)}
    call = read_call(account, "inventoryItem", documents.INVENTORY_ITEM, variables, correlation_id)
    # Before asking, so that what changes meanwhile is newer.
    at = sources.now()
    return ask(
        call, InventoryAnswer, lambda answer: _stock(known(answer.data.inventoryItem, "inventoryItem"), at)
    )


def _stock(item: InventoryItem, at: datetime) -> StockSnapshot:
    levels = item.inventoryLevels
    if levels.pageInfo.hasNextPage:
        raise Refused(vendor=VENDOR, operation="inventoryItem", code="too_many_locations")
    places = {number(level.location.id) for level in levels.nodes}
    counts = [count.quantity for level in levels.nodes for count in level.quantities]
    counted = item.tracked and bool(counts)
    return StockSnapshot(
        inventory_item=number(item.id),
        sku=item.sku or "",
        location=places.pop() if len(places) == 1 else "",
        available=sum(counts) if counted else None,
        at=at,
    )
