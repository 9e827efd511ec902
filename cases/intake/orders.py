"""The shop or the payment vendor told us something about an order: most of it is absorbed, some opens a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from audit.actors import SYSTEM, TRIAGE
from cases import refunds
from cases.connections import Source, is_history
from cases.fraud import screening
from cases.fraud.suspecting import call_person
from cases.handoff import hand_off, raise_flags, wants_thought
from cases.intake.receiving import Handled
from cases.models import Case, Handoff, InboundEvent, Person, Shop
from cases.opening import case_for_order, open_case
from cases.people import customer
from cases.stocking import wants_reading
from cases.telling import tell
from tools import invoices
from tools import orders as graph
from tools.models import Dispute, Order, Payment, Return, Shipment
from tools.snapshots import (
    CaptureSnapshot,
    ChargeSnapshot,
    DisputeSnapshot,
    FraudWarningSnapshot,
    InvoicePaymentSnapshot,
    OrderSnapshot,
    PaymentSnapshot,
    RefundSnapshot,
    ReturnSnapshot,
    RiskSnapshot,
    ShipmentSnapshot,
    Snapshot,
    StockSnapshot,
)

Subject = Case.Subject
Reason = Handoff.Reason

TWIN_WITHIN = timedelta(minutes=15)
WARNS = ("warning_needs_response", "warning_under_review", "needs_response", "under_review")


def handle_order(event: InboundEvent, seen: OrderSnapshot) -> Handled:
    """The order graph learns; a high risk or a twin opens a case, and who waited for a parcel or a return goes on."""
    person = customer(event.shop, seen.customer) if seen.customer else None
    before = _arrivals(event.shop_id, seen)
    change = graph.record_order(event.shop_id, seen, str(person.pk) if person else None)
    order = change.order
    for reason, _row in sorted(_arrivals(event.shop_id, seen) - before):
        _wake(order, reason)
    refunds_seen = zip(change.refunds, seen.refunds, strict=True)
    followed = [_follow_refund(event, record, refund) for record, refund in refunds_seen]
    stopped = refunds.stop_ours(order) if change.over else None
    wrong = [case for case in (*followed, stopped) if case is not None]
    if is_history(event.shop, Source.SHOPIFY, order.placed_at):
        return Handled(case=wrong[0] if wrong else None, order=order)
    if order.risk_level == Order.Risk.HIGH:
        return _fraud(event, order, "shopify.risk.high")
    wrong = [case for case in (_suspect(event, order, is_new=change.created), *wrong) if case is not None]
    if wrong:
        return Handled(case=wrong[0])
    if change.created and _twin(order) is not None:
        return Handled(case=_ask_about(event, order, Subject.TWIN_ORDER))
    return Handled(order=order)


def _arrivals(shop_id: int, seen: OrderSnapshot) -> set[tuple[str, int]]:
    """What has come of an order that is read whole: parcels at the customer's, returns at the shop's."""
    if not seen.complete:
        return set()
    of_order = {"shop_id": shop_id, "order__external_id": seen.external_id}
    parcels = Shipment.objects.filter(status=Shipment.Status.DELIVERED, **of_order)
    returns = Return.objects.filter(status="closed", **of_order)
    return {
        *((Case.Wait.PARCEL.value, pk) for pk in parcels.values_list("pk", flat=True)),
        *((Case.Wait.RETURN.value, pk) for pk in returns.values_list("pk", flat=True)),
    }


def _twin(order: Order) -> Order | None:
    """Another order of the same customer, minutes apart, with the same lines."""
    if order.person_id is None:
        return None
    near = Order.objects.filter(
        person_id=order.person_id,
        placed_at__range=(order.placed_at - TWIN_WITHIN, order.placed_at + TWIN_WITHIN),
        total_minor=order.total_minor,
        cancelled_at__isnull=True,
    ).exclude(pk=order.pk)
    wanted = _contents(order)
    return next((other for other in near.annotate(n=Count("lines")) if _contents(other) == wanted), None)


def _contents(order: Order) -> list[tuple[str, int]]:
    return sorted(order.lines.values_list("sku", "quantity"))


def _ask_about(event: InboundEvent, order: Order, subject: str) -> Case:
    case = case_for_order(event.shop, order, subject, event.correlation_id, _person(order))
    wants_thought(case)
    return case


def _person(order: Order) -> Person | None:
    return Person.objects.filter(pk=order.person_id).first() if order.person_id else None


def _fraud(event: InboundEvent, order: Order, source: str) -> Handled:
    """Fraud-suspect always goes to a human, at once and whatever anybody is sure of; the same news calls once."""
    case = call_person(
        order, source, correlation_id=event.correlation_id, event=event, called_at=event.received_at
    )
    return Handled(case=case) if case is not None else Handled(order=order)


def _suspect(event: InboundEvent, order: Order, *, is_new: bool) -> Case | None:
    """The order's case, where the shop lists its customer or card, or a new order is one too many in a day."""
    found = [_fraud(event, order, source).case for source in screening.of_order(order, is_new=is_new)]
    return next((case for case in found if case is not None), None)


def handle_risk(event: InboundEvent, seen: RiskSnapshot) -> Handled:
    """A risk level that rises to high calls a person."""
    order = graph.record_risk(event.shop_id, seen)
    if order is None:
        if seen.level != "high":
            # The reading of the order, before any turn of the agent, tells the level again.
            return Handled()
        return _unplaced(event, Subject.RISK, Reason.FRAUD, f"order {seen.order_external_id}")
    if order.risk_level == Order.Risk.HIGH and not is_history(event.shop, Source.SHOPIFY, order.placed_at):
        return _fraud(event, order, "shopify.risk.high")
    return Handled(order=order)


def handle_shipment(event: InboundEvent, seen: ShipmentSnapshot) -> Handled:
    """A parcel moved; a case that waited for it wakes when it arrives."""
    shipment = graph.record_shipment(event.shop_id, seen)
    if shipment is None:
        return Handled()
    if shipment.status == Shipment.Status.DELIVERED:
        _wake(shipment.order, Case.Wait.PARCEL)
    return Handled(order=shipment.order)


def handle_return(event: InboundEvent, seen: ReturnSnapshot) -> Handled:
    """Goods come back; a case that waited for them wakes when the shop has them."""
    row = graph.record_return(event.shop_id, seen)
    if row is None:
        return Handled()
    if row.status == "closed":
        _wake(row.order, Case.Wait.RETURN)
    return Handled(order=row.order)


def _wake(order: Order, reason: str) -> None:
    waiting = Case.objects.select_for_update(of=("self",)).filter(
        order=order, state=Case.State.WAITING, wait_reason=reason
    )
    for case in waiting:
        tell("case.woken", case, by=SYSTEM, reason=reason)
        wants_thought(case)


def handle_refund(event: InboundEvent, seen: RefundSnapshot) -> Handled:
    """A refund: ours settles its call, one made by hand counts against what may still go back."""
    record = graph.record_refund(event.shop_id, seen)
    if record is None:
        return Handled()
    return Handled(case=_follow_refund(event, record, seen), order=record.order)


def _follow_refund(event: InboundEvent, record: graph.RefundRecord, seen: RefundSnapshot) -> Case | None:
    return refunds.follow(
        record,
        made_at=seen.at,
        history=is_history(event.shop, seen.vendor, seen.at),
        shop=event.shop,
        correlation_id=event.correlation_id,
        event=event,
        called_at=event.received_at,
    )


def handle_dispute(event: InboundEvent, seen: DisputeSnapshot) -> Handled:
    """The bank questions a charge: a person answers, and nothing automatic touches the order.

    A dispute counts by its own time: one that a bank opens today about an old order is today's news.
    """
    before = Dispute.objects.filter(shop_id=event.shop_id, external_id=seen.external_id).first()
    dispute = graph.record_dispute(event.shop_id, seen)
    if dispute is None:
        if is_history(event.shop, seen.vendor, seen.created_at):
            return Handled()
        return _unplaced(event, Subject.DISPUTE, Reason.DISPUTE, seen.charge or seen.external_id)
    order = dispute.payment.order
    if seen.status not in WARNS or _is_old(event.shop, seen.vendor, seen.created_at, order):
        return Handled(order=order)
    if before is not None and before.status == dispute.status:
        # The same news again: a person has it, or has had it.
        return Handled(order=order)
    case = case_for_order(event.shop, order, Subject.DISPUTE, event.correlation_id, _person(order))
    source = f"{seen.vendor}.dispute"
    raise_flags(case, ("dispute",), source=source, by=TRIAGE)
    hand_off(case, Reason.DISPUTE, by=TRIAGE, detail=source, event=event, called_at=event.received_at)
    return Handled(case=case)


def handle_fraud_warning(event: InboundEvent, seen: FraudWarningSnapshot) -> Handled:
    """A card network warns early: the order is fraud-suspect."""
    payment = (
        Payment.objects.filter(shop_id=event.shop_id, external_id=seen.charge).select_related("order").first()
    )
    if payment is None:
        if is_history(event.shop, "stripe", seen.created_at):
            return Handled()
        return _unplaced(event, Subject.RISK, Reason.FRAUD, seen.charge)
    if _is_old(event.shop, "stripe", seen.created_at, payment.order):
        return Handled(order=payment.order)
    return _fraud(event, payment.order, "stripe.early_fraud_warning")


def _is_old(shop: Shop, source: str, at: datetime | None, order: Order) -> bool:
    """Whether a warning is history: by its own time, or else by its order's."""
    if at is None:
        return is_history(shop, Source.SHOPIFY, order.placed_at)
    return is_history(shop, source, at)


def _unplaced(event: InboundEvent, subject: str, reason: str, thing: str) -> Handled:
    """A warning about a payment that we can't place yet goes to a person all the same, once per payment."""
    detail = f"unplaced:{thing}"[:64]
    known = Handoff.objects.filter(shop_id=event.shop_id, detail=detail).exclude(state=Handoff.State.RESOLVED)
    row = known.select_related("case").first()
    if row is not None:
        return Handled(case=row.case)
    case = open_case(event.shop, subject, event.correlation_id)
    raise_flags(case, ("dispute" if reason == Reason.DISPUTE else "fraud",), source=detail, by=TRIAGE)
    hand_off(case, reason, by=TRIAGE, detail=detail, event=event, called_at=event.received_at)
    return Handled(case=case)


def handle_charge(event: InboundEvent, seen: ChargeSnapshot) -> Handled:
    """A charge as Stripe tells it: which order it pays, and the card's fingerprint, so that limits add up over it."""
    payment = graph.record_charge(event.shop_id, seen)
    if payment is not None:
        return _paid(event, payment.order)
    orders = Order.objects.select_for_update(no_key=True).filter(shop_id=event.shop_id)
    order = orders.filter(external_id=seen.order_external_id).first() if seen.order_external_id else None
    if order is not None and seen.captured_minor:
        graph.record_payment(order, _payment(seen))
        graph.record_charge(event.shop_id, seen)
        return _paid(event, order)
    return Handled(order=order)


def _paid(event: InboundEvent, order: Order) -> Handled:
    """Whose card it was is known now."""
    if is_history(event.shop, Source.SHOPIFY, order.placed_at):
        return Handled(order=order)
    case = _suspect(event, order, is_new=True)
    return Handled(order=order) if case is None else Handled(case=case)


def _payment(seen: ChargeSnapshot) -> PaymentSnapshot:
    return PaymentSnapshot(
        vendor="stripe",
        gateway="stripe",
        external_id=seen.external_id,
        instrument=seen.instrument,
        currency=seen.currency,
        captures=(CaptureSnapshot(ref=seen.external_id, amount_minor=seen.captured_minor),),
    )


def handle_stock(event: InboundEvent, seen: StockSnapshot) -> Handled:
    """Pieces came or went; what an item is, or has in other places, is read at the shop."""
    if graph.record_stock(event.shop_id, seen) is None and seen.available is not None:
        wants_reading(event, seen)
    return Handled()


def handle_invoice_payment(event: InboundEvent, seen: InvoicePaymentSnapshot) -> Handled:
    """An invoice was paid at Stripe: a refund of that payment will be a credit note."""
    invoices.record_invoice_payment(event.shop_id, seen)
    return Handled()


def handle(event: InboundEvent, seen: Snapshot) -> Handled:
    """The handler of this kind of snapshot, from one literal table."""
    return HANDLERS[type(seen)](event, seen)


# Each handler takes its own key's type, which no type checker can follow through a table.
HANDLERS: dict[type[Snapshot], Callable[[InboundEvent, Any], Handled]] = {
    OrderSnapshot: handle_order,
    RiskSnapshot: handle_risk,
    ShipmentSnapshot: handle_shipment,
    ReturnSnapshot: handle_return,
    RefundSnapshot: handle_refund,
    DisputeSnapshot: handle_dispute,
    FraudWarningSnapshot: handle_fraud_warning,
    StockSnapshot: handle_stock,
    ChargeSnapshot: handle_charge,
    InvoicePaymentSnapshot: handle_invoice_payment,
}
