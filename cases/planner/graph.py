"""Turns rows of the order graph into facts; reads only what was prefetched."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container
from typing import Protocol, cast

from cases.planner.facts import (
    LineFact,
    OrderFact,
    PaymentFact,
    RefundFact,
    ReturnedFact,
    ReturnFact,
    ShipmentFact,
)
from tools.models import LedgerEntry, Order, Payment, Return, ToolCall


class _Booked(Protocol):
    """A payment with the two lists that gather prefetches."""

    refunds_elsewhere: list[LedgerEntry]
    refunds_ours: list[ToolCall]


def order_fact(order: Order, final_sale: Container[int] = ()) -> OrderFact:
    """One order with its lines, payments, parcels, returns and refunds; `final_sale` are lines by their id."""
    parcels = list(order.shipments.all())
    carried: dict[int, list[int]] = defaultdict(list)
    for parcel in parcels:
        for content in parcel.contents.all():
            carried[content.line_id].append(parcel.pk)
    payments = list(order.payments.all())
    return OrderFact(
        id=order.pk,
        name=order.name,
        currency=order.currency,
        total_minor=order.total_minor,
        shipping_minor=order.shipping_minor,
        placed_at=order.placed_at,
        cancelled=order.cancelled_at is not None,
        financial_status=order.financial_status,
        fulfillment_status=order.fulfillment_status,
        risk_level=order.risk_level,
        lines=_lines(order, carried, final_sale),
        payments=tuple(
            PaymentFact(id=row.pk, vendor=row.vendor, refundable_minor=row.refundable.amount_minor)
            for row in payments
        ),
        shipments=tuple(
            ShipmentFact(
                id=row.pk,
                status=row.status,
                shipped_at=row.shipped_at,
                delivered_at=row.delivered_at,
                moved_at=row.moved_at,
                line_ids=tuple(content.line_id for content in row.contents.all()),
            )
            for row in parcels
        ),
        returns=tuple(
            ReturnFact(
                id=row.pk, status=row.status, requested_at=row.requested_at, pieces=_returned(order, row)
            )
            for row in order.returns.all()
        ),
        refunds=tuple(fact for row in payments for fact in _refunds(row)),
    )


def _returned(order: Order, back: Return) -> tuple[ReturnedFact, ...]:
    lines = {line.external_id: line.pk for line in order.lines.all()}
    return tuple(
        ReturnedFact(
            line_id=lines[held["line"]],
            quantity=held["quantity"],
            here=min(held["processed"], held["quantity"]),
        )
        for held in back.contents or ()
        if held["line"] in lines
    )


def _lines(order: Order, carried: dict[int, list[int]], final_sale: Container[int]) -> tuple[LineFact, ...]:
    return tuple(
        LineFact(
            id=row.pk,
            sku=row.sku,
            title=row.title,
            quantity=row.quantity,
            # What was taken off the order can't be refunded either.
            refunded_quantity=row.gone_quantity + row.removed_quantity,
            total_minor=row.total_minor,
            refunded_minor=row.gone_minor,
            final_sale=row.pk in final_sale,
            parcel_ids=tuple(carried.get(row.pk, ())),
        )
        for row in order.lines.all()
    )


def _refunds(payment: Payment) -> list[RefundFact]:
    booked = cast(_Booked, payment)
    left: Counter[str] = Counter()
    for row in booked.refunds_elsewhere:
        left[_refund_of(row)] += row.amount_minor
    # One that failed later, or turned out to be ours, is a movement and its reverse: no refund any more.
    elsewhere = [
        RefundFact(amount_minor=row.amount_minor, at=row.at, state="succeeded", by="elsewhere")
        for row in booked.refunds_elsewhere
        if row.amount_minor > 0 and left[_refund_of(row)] > 0
    ]
    ours = [
        RefundFact(amount_minor=row.amount_minor, at=row.created_at, state=row.state, by="ours")
        for row in booked.refunds_ours
    ]
    return elsewhere + ours


def _refund_of(row: LedgerEntry) -> str:
    """The vendor's id of a refund, which also begins the name of what took it back."""
    return row.vendor_ref.partition("/")[0]
