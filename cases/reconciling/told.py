"""What webhooks tell of an order: the facts by which a reading is news, or a confirmation.

A reading brings more than webhooks do (payments, low risk levels): that is no sign that a webhook was lost.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.models import Order, Payment, Return, Shipment

GIVEN_BACK = ("refunded", "partially_refunded")


@dataclass(frozen=True, slots=True)
class Told:
    """The facts, comparable. `payments` are those whose refunds count: one that was unknown could show none."""

    payments: tuple[int, ...] = field(compare=False)
    total_minor: int
    cancelled: bool
    paid: str
    shipped: str
    high_risk: bool
    given_back_minor: int
    parcels: frozenset[tuple[str, str]]
    returns: frozenset[tuple[str, str]]


def told(shop_id: int, order_external_id: str, payments: tuple[int, ...] | None = None) -> Told | None:
    """What our rows say of the order now; None where nobody has told us of it. `payments` as before a reading."""
    order = Order.objects.filter(shop_id=shop_id, external_id=order_external_id).first()
    if order is None:
        return None
    rows = list(Payment.objects.filter(order=order))
    counted = tuple(payment.pk for payment in rows) if payments is None else payments
    parcels = Shipment.objects.filter(order=order).values_list("external_id", "status")
    returns = Return.objects.filter(order=order).values_list("external_id", "status")
    money_back = any(row.refunded_minor or row.reserved_minor or row.elsewhere_minor for row in rows)
    return Told(
        payments=counted,
        total_minor=order.total_minor,
        cancelled=order.cancelled_at is not None,
        # Where we know of a refund, its mark on the order is no further news.
        paid="paid" if money_back and order.financial_status in GIVEN_BACK else order.financial_status,
        # A parcel says more than the order's own word for it.
        shipped="" if parcels else order.fulfillment_status,
        high_risk=order.risk_level == Order.Risk.HIGH,
        given_back_minor=sum(row.elsewhere_minor for row in rows if row.pk in counted),
        parcels=frozenset(parcels),
        returns=frozenset(returns),
    )
