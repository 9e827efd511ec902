"""Which of our calls and wishes no longer fit what others have done to an order's lines, its shipping or its money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tools import execution
from tools.elsewhere import newest_entry, unnamed_minor
from tools.models import Order, OrderLine, ToolCall

# What staff read of a refund that was stopped: the very pieces are gone, or nobody can say whether they are.
GONE, UNNAMED = "refund.done_elsewhere", "refund.unnamed_elsewhere"
Body = Mapping[str, Any]


def why_not(order: Order, body: Body, *, reserved: bool, after_entry: int) -> str:
    """The code of what keeps a refund with this body from being made, for what others did; empty where nothing does.

    `reserved`: its pieces are set aside, and count among ours already. `after_entry` is the last entry about the
    order's money when it was judged.
    """
    if not (_lines_fit(order, body, reserved) and _freight_fits(order, body, reserved)):
        return GONE
    return UNNAMED if unnamed_minor(order.pk, after_entry=after_entry) else ""


def _lines_fit(order: Order, body: Body, reserved: bool) -> bool:
    parts = {part["line"]: part for part in body.get("lines", ())}
    for line in OrderLine.objects.filter(order=order, pk__in=parts):
        part = parts[line.pk]
        pieces, minor = (0, 0) if reserved else (part["quantity"], part["amount_minor"])
        if line.gone_quantity + line.removed_quantity + pieces > line.quantity:
            return False
        if line.refunded_minor + line.elsewhere_minor + minor > line.total_minor:
            return False
    return True


def _freight_fits(order: Order, body: Body, reserved: bool) -> bool:
    back: int = body.get("shipping_minor", 0)
    gone = order.shipping_refunded_minor + order.shipping_elsewhere_minor
    return not back or gone + (0 if reserved else back) <= order.shipping_minor


def cancel_unfit(
    order: Order,
    entry_of: Callable[[ToolCall], int],
    *,
    after_outcome: Callable[[ToolCall], None],
) -> list[ToolCall]:
    """Cancel what was set aside on an order, not begun to be sent, and no longer fits. Runs with the order locked.

    A call that somebody is claiming right now is skipped: that claim waits for the order and then asks the same.
    `entry_of` is the last entry about the order's money that a call's decision was judged by.
    """
    rows = ToolCall.objects.select_for_update(skip_locked=True, of=("self",)).select_related("decision")
    unsent = rows.filter(
        payment__order=order, state=ToolCall.State.RESERVED, first_sent_at__isnull=True
    ).order_by("pk")
    cancelled = []
    for call in list(unsent):
        # Of calls that are cancelled together each frees its own: the last of two may fit again.
        order.refresh_from_db(fields=["shipping_refunded_minor", "shipping_elsewhere_minor"])
        stop = why_not(order, call.decision.effect, reserved=True, after_entry=entry_of(call))
        if stop and execution.cancel(call.pk, reason=stop, after_outcome=after_outcome):
            cancelled.append(call)
    return cancelled


def last_entry(judged_under: Mapping[str, Any], order_id: int, at: datetime) -> int:
    """The last entry about the order's money that a decision was judged by; of one that kept none, the last by then."""
    kept: int | None = judged_under.get("entry")
    return newest_entry(order_id, until=at) if kept is None else kept
