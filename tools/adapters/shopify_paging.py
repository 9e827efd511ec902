"""The rest of an order that is longer than one reading: its lines page by page, all else at a stroke."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeVar
from uuid import UUID

from tools.adapters import shopify_documents as documents
from tools.adapters.accounts import Account
from tools.adapters.asking import ask
from tools.adapters.shopify_call import VENDOR, known, number, read_call, same
from tools.adapters.shopify_graph import Fulfillment, Line, OrderReply
from tools.adapters.shopify_money import refund_snapshot
from tools.adapters.shopify_money_graph import RefundReply
from tools.adapters.shopify_orders import line_snapshots, shipment_snapshot, whole_return
from tools.adapters.shopify_replies import LinesAnswer, ParcelsAnswer, RefundsAnswer, ReturnsAnswer
from tools.errors import ContractDrift, Refused
from tools.snapshots import LineSnapshot, RefundSnapshot, ReturnSnapshot, ShipmentSnapshot

# A shop allows 500 lines in an order: https://help.shopify.com/manual/orders
MOST_PAGES = 50
Value = TypeVar("Value")


def rest_of(account: Account, order: OrderReply, *, correlation_id: UUID) -> dict[str, object]:
    """The lists of OrderSnapshot that the first reading didn't bring whole, read whole now.

    Raises Refused (order_too_long) where a list is longer than can be read.
    """
    if order.returns.pageInfo.hasNextPage or len(order.transactions) >= documents.TRANSACTIONS:
        raise too_long("order")
    found: dict[str, object] = {}
    if order.lineItems.pageInfo.hasNextPage or not _taxed(order.lineItems.nodes, documents.TAXES):
        found["lines"] = _lines(account, order, correlation_id)
    if len(order.fulfillments) >= documents.PARCELS or not _packed(order.fulfillments):
        found["shipments"] = _parcels(account, order, correlation_id)
    if len(order.refunds) >= documents.REFUNDS or not _told(order.refunds):
        found["refunds"] = _refunds(account, order, correlation_id)
    if order.returns.nodes:
        # Few orders have any, so the usual reading doesn't pay for what is in them.
        found["returns"] = _returns(account, order, correlation_id)
    return found


def too_long(operation: str) -> Refused:
    """For a list that doesn't come whole: part of an order is never taken for all of it."""
    return Refused(vendor=VENDOR, operation=operation, code="order_too_long")


def _taxed(lines: Iterable[Line], most: int) -> bool:
    """Whether every line has told all its taxes."""
    return all(len(line.taxLines) < most for line in lines)


def _packed(parcels: Iterable[Fulfillment]) -> bool:
    return all(
        not parcel.fulfillmentLineItems.pageInfo.hasNextPage and len(parcel.trackingInfo) < documents.NUMBERS
        for parcel in parcels
    )


def _told(refunds: Iterable[RefundReply]) -> bool:
    return not any(
        made.refundLineItems.pageInfo.hasNextPage
        or made.refundShippingLines.pageInfo.hasNextPage
        or made.transactions.pageInfo.hasNextPage
        for made in refunds
    )


def _lines(account: Account, order: OrderReply, correlation_id: UUID) -> tuple[LineSnapshot, ...]:
    found: tuple[LineSnapshot, ...] = ()
    after: str | None = None
    for _page in range(MOST_PAGES):
        variables = {"id": order.id, "after": after}
        call = read_call(account, "lines", documents.LINES_OF_ORDER, variables, correlation_id)
        lines, after = ask(call, LinesAnswer, lambda answer: _page_of(answer, order))
        found += lines
        if after is None:
            return found
    raise too_long("lines")


def _page_of(answer: LinesAnswer, order: OrderReply) -> tuple[tuple[LineSnapshot, ...], str | None]:
    told = known(answer.data.order, "lines")
    same(told.id, order.id, "lines", "data.order.id")
    page = told.lineItems
    if not _taxed(page.nodes, documents.PAGE_TAXES):
        raise too_long("lines")
    if page.pageInfo.hasNextPage and not page.pageInfo.endCursor:
        path = "data.order.lineItems.pageInfo.endCursor"
        raise ContractDrift("null", vendor=VENDOR, operation="lines", field_path=path, finding="null")
    after = page.pageInfo.endCursor if page.pageInfo.hasNextPage else None
    return line_snapshots(page.nodes, order, "lines"), after


def _parcels(account: Account, order: OrderReply, correlation_id: UUID) -> tuple[ShipmentSnapshot, ...]:
    call = read_call(account, "parcels", documents.PARCELS_OF_ORDER, {"id": order.id}, correlation_id)
    return ask(call, ParcelsAnswer, lambda answer: _all_parcels(answer, order))


def _all_parcels(answer: ParcelsAnswer, order: OrderReply) -> tuple[ShipmentSnapshot, ...]:
    told = known(answer.data.order, "parcels")
    same(told.id, order.id, "parcels", "data.order.id")
    if len(told.fulfillments) >= documents.ALL_PARCELS or not _packed(told.fulfillments):
        raise too_long("parcels")
    return tuple(shipment_snapshot(parcel, number(order.id)) for parcel in told.fulfillments)


def _returns(account: Account, order: OrderReply, correlation_id: UUID) -> tuple[ReturnSnapshot, ...]:
    call = read_call(account, "returns", documents.RETURNS_OF_ORDER, {"id": order.id}, correlation_id)
    return ask(call, ReturnsAnswer, lambda answer: _all_returns(answer, order))


def _all_returns(answer: ReturnsAnswer, order: OrderReply) -> tuple[ReturnSnapshot, ...]:
    told = known(answer.data.order, "returns")
    same(told.id, order.id, "returns", "data.order.id")
    if told.returns.pageInfo.hasNextPage:
        raise too_long("returns")
    return tuple(whole_return(back, number(order.id)) for back in told.returns.nodes)


def _refunds(account: Account, order: OrderReply, correlation_id: UUID) -> tuple[RefundSnapshot, ...]:
    name, currency = number(order.id), order.presentmentCurrencyCode

    def told(made: tuple[RefundReply, ...]) -> tuple[RefundSnapshot, ...]:
        return tuple(refund_snapshot(one, name, currency, "refunds") for one in made)

    return read_refunds(account, order.id, told, correlation_id=correlation_id)


def read_refunds(
    account: Account,
    order_gid: str,
    make: Callable[[tuple[RefundReply, ...]], Value],
    *,
    correlation_id: UUID,
) -> Value:
    """What `make` says of all refunds of an order; Refused (order_too_long) beyond seven."""
    call = read_call(account, "refunds", documents.REFUNDS_OF_ORDER, {"id": order_gid}, correlation_id)
    return ask(call, RefundsAnswer, lambda answer: make(_all_refunds(answer, order_gid)))


def _all_refunds(answer: RefundsAnswer, order_gid: str) -> tuple[RefundReply, ...]:
    told = known(answer.data.order, "refunds")
    same(told.id, order_gid, "refunds", "data.order.id")
    if len(told.refunds) >= documents.ALL_REFUNDS or not _told(told.refunds):
        raise too_long("refunds")
    return told.refunds


Part = Literal["lines", "parcels", "returns", "refunds"]
PAGED: dict[Part, Callable[[Account, OrderReply, UUID], Sequence[object]]] = {
    "lines": _lines,
    "parcels": _parcels,
    "returns": _returns,
    "refunds": _refunds,
}
