"""The only writer of our part of the money sums. Every function runs in the caller's transaction.

Lock order, everywhere: tool call, order with its lines and payments, case, approval request. A failing CHECK of the
database is the last word: it raises IntegrityError, and nothing of the transaction happened.
"""

from __future__ import annotations

import json
from typing import Any

from django.db.models import F, Sum

from audit import sources
from tools.errors import Refused
from tools.models import LedgerEntry, Order, OrderLine, Payment, ToolCall


def lock_order(order_id: int | None) -> None:
    """Take an order's lock, before its case's; nothing for a case without an order.

    Rows that only refer to the order, as a risk flag does, may still be written by whoever holds the case alone.
    """
    if order_id is not None:
        Order.objects.select_for_update(no_key=True).filter(pk=order_id).first()


def reserve(call: ToolCall) -> None:
    """Set aside the call's money, lines and shipping, before anybody may send it.

    Raises Refused(code="refund.more_than_refundable") where the payment can't give that much any more.
    """
    if call.payment_id is None:
        return
    body = _lock(call)
    payment = Payment.objects.select_for_update().get(pk=call.payment_id)
    if payment.refundable.amount_minor < call.amount_minor:
        raise Refused(code="refund.more_than_refundable")
    _move_lines(body, +1)
    Payment.objects.filter(pk=payment.pk).update(reserved_minor=F("reserved_minor") + call.amount_minor)
    _book(call, LedgerEntry.Kind.RESERVED)


def release(call: ToolCall) -> None:
    """Give back what was set aside: the call was cancelled or the vendor refused it."""
    if call.payment_id is None:
        return
    body = _lock(call)
    Payment.objects.filter(pk=call.payment_id).update(reserved_minor=F("reserved_minor") - call.amount_minor)
    _move_lines(body, -1)
    _book(call, LedgerEntry.Kind.RELEASED)


def settle(call: ToolCall) -> None:
    """The money is gone: what was reserved counts as refunded."""
    if call.payment_id is None:
        return
    _lock(call)
    Payment.objects.filter(pk=call.payment_id).update(
        reserved_minor=F("reserved_minor") - call.amount_minor,
        refunded_minor=F("refunded_minor") + call.amount_minor,
    )
    _book(call, LedgerEntry.Kind.REFUNDED)


def own(call: ToolCall) -> None:
    """Take back what was booked as made elsewhere and is, as the vendor's answer shows now, this call's own refund.

    The refund behind a credit note carries no key of ours, so its webhook may be quicker than what names it. A refund
    of another amount stays as it is booked: whoever named it was mistaken.
    """
    if call.payment_id is None or not call.vendor_ref:
        return
    _lock(call)
    refs = [call.vendor_ref, f"{call.vendor_ref}/failed", f"{call.vendor_ref}/ours"]
    told = LedgerEntry.objects.filter(
        payment_id=call.payment_id, kind=LedgerEntry.Kind.ELSEWHERE, vendor_ref__in=refs
    ).aggregate(minor=Sum("amount_minor", default=0), unnamed=Sum("unnamed_minor", default=0))
    booked = told["minor"]
    if booked != call.amount_minor:
        return
    payment = Payment.objects.select_for_update().get(pk=call.payment_id)
    LedgerEntry.objects.create(
        shop_id=call.shop_id,
        payment=payment,
        kind=LedgerEntry.Kind.ELSEWHERE,
        amount_minor=-booked,
        unnamed_minor=-told["unnamed"],
        currency=call.currency,
        vendor_ref=refs[-1],
        at=sources.now(),
    )
    Payment.objects.filter(pk=payment.pk).update(elsewhere_minor=F("elsewhere_minor") - booked)


def reverse(call: ToolCall) -> None:
    """The vendor took a refund back: it counts as not refunded, and its lines may be refunded again."""
    if call.payment_id is None:
        return
    body = _lock(call)
    Payment.objects.filter(pk=call.payment_id).update(refunded_minor=F("refunded_minor") - call.amount_minor)
    _move_lines(body, -1)
    _book(call, LedgerEntry.Kind.REVERSED)


def _lock(call: ToolCall) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(call.request)
    Order.objects.select_for_update(no_key=True).get(pk=body["order"])
    return body


def _move_lines(body: dict[str, Any], sign: int) -> None:
    for part in body["lines"]:
        OrderLine.objects.filter(pk=part["line"]).update(
            refunded_quantity=F("refunded_quantity") + sign * part["quantity"],
            refunded_minor=F("refunded_minor") + sign * part["amount_minor"],
            # Calls that were stored before there were duties name none.
            duties_refunded_minor=F("duties_refunded_minor") + sign * part.get("duties_minor", 0),
        )
    if body["shipping_minor"]:
        Order.objects.filter(pk=body["order"]).update(
            shipping_refunded_minor=F("shipping_refunded_minor") + sign * body["shipping_minor"]
        )


def _book(call: ToolCall, kind: LedgerEntry.Kind) -> None:
    if call.payment is None:
        raise ValueError("Only a call with a payment is booked.")
    sign = -1 if kind in (LedgerEntry.Kind.RELEASED, LedgerEntry.Kind.REVERSED) else 1
    LedgerEntry.objects.create(
        shop_id=call.shop_id,
        payment=call.payment,
        call=call,
        kind=kind,
        amount_minor=sign * call.amount_minor,
        currency=call.currency,
        vendor_ref=call.vendor_ref,
        at=sources.now(),
    )
