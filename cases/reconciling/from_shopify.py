"""Shopify read back: orders by their last change, each whole, with the disputes that they name."""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from audit.actors import SYSTEM
from cases.intake import readings, requeueing
from cases.intake.receiving import receive
from cases.models import InboundEvent
from cases.reconciling import finds
from cases.reconciling.cursors import Part, Turn
from tools.adapters import shopify
from tools.errors import ContractDrift, NotConfigured, Refused
from tools.models import Dispute, Order
from tools.snapshots import ChangedOrder, OrderSnapshot

log = structlog.get_logger()

# So many orders in a row that can't be read are the vendor's trouble and not the orders'.
MOST_UNREAD = 3
# Orders that could not be read are tried again at each turn, so many of them.
AGAIN = 20


def read_orders(turn: Turn) -> Iterator[Part]:
    """Page by page, the oldest change first."""
    if not turn.after:
        _try_unread(turn)
    after = turn.after
    while True:
        page = shopify.changed_orders(
            turn.account, since=turn.since, after=after, correlation_id=turn.correlation_id
        )
        ready = [order for order in page.orders if order.updated_at <= turn.until]
        whole = _read(turn, ready)
        is_last = len(ready) < len(page.orders) or not page.has_more or page.after == after
        if not whole:
            # What is read already is passed over quickly when this page comes again.
            return
        after = "" if is_last else page.after
        yield Part(len(ready), after)
        if is_last:
            return


def _read(turn: Turn, changed: list[ChangedOrder]) -> bool:
    """Read each order that changed since it was last read whole; False where the time ran out before the end."""
    unread: list[tuple[ChangedOrder, str]] = []
    fine = 0
    for order in _not_read(turn, changed):
        if turn.is_late:
            return False
        try:
            read_one(turn, order.external_id)
            fine += 1
        except NotConfigured:
            raise
        except (Refused, ContractDrift) as problem:
            unread.append((order, problem.code))
            if not fine and len(unread) >= MOST_UNREAD:
                raise
    for order, code in unread:
        _keep_unread(turn, order, code)
    return True


def _not_read(turn: Turn, changed: list[ChangedOrder]) -> list[ChangedOrder]:
    """Without the orders that were read as of this change, and those that are dead letters at this change."""
    ids = [order.external_id for order in changed]
    rows = Order.objects.filter(shop=turn.shop, external_id__in=ids)
    read = {name: at for name, at in rows.values_list("external_id", "read_as_of") if at is not None}
    unread = finds.known_ids(turn, "shopify", [_unread_id(order) for order in changed])
    return [
        order
        for order in changed
        if not (order.external_id in read and read[order.external_id] >= order.updated_at)
        and _unread_id(order) not in unread
    ]


def _unread_id(order: ChangedOrder) -> str:
    return readings.unread_id(order.external_id, order.updated_at)


def read_one(turn: Turn, external_id: str) -> None:
    """The order whole, and each dispute of it whose state we don't know. Raises ToolError."""
    seen = shopify.read_order(turn.account, external_id, correlation_id=turn.correlation_id)
    finds.find_order(turn, seen)
    _read_disputes(turn, seen)


def _read_disputes(turn: Turn, seen: OrderSnapshot) -> None:
    rows = Dispute.objects.filter(shop=turn.shop, payment__order__external_id=seen.external_id)
    known = dict(rows.values_list("external_id", "status"))
    for dispute in seen.disputes:
        if known.get(dispute.external_id) != dispute.status:
            read = shopify.read_dispute(turn.account, dispute.external_id, correlation_id=turn.correlation_id)
            finds.find_dispute(turn, "shopify", read, seen.updated_at)


def _keep_unread(turn: Turn, order: ChangedOrder, code: str) -> None:
    account = turn.account_at("shopify")
    receive(turn.shop, readings.unread("shopify", account, order.external_id, order.updated_at, code))


def _try_unread(turn: Turn) -> None:
    """Orders that could not be read before; each that can be now leaves the dead letters."""
    dead = InboundEvent.objects.filter(
        shop=turn.shop, source="shopify", topic=readings.UNREAD, state=InboundEvent.State.DEAD
    )
    for event in dead.order_by("requeued", "pk")[:AGAIN]:
        if turn.is_half_gone:
            # The news must have its part of the turn.
            return
        try:
            read_one(turn, readings.order_of(bytes(event.raw)))
        except (Refused, ContractDrift) as problem:
            log.info(
                "reconcile.still_unread",
                event_id=event.pk,
                code=problem.code,
                correlation_id=str(turn.correlation_id),
            )
        else:
            requeueing.requeue_all([event.pk], by=SYSTEM)
