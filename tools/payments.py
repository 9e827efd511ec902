"""What others did to a payment: captures and refunds made elsewhere, each fact booked once.

Every function runs in the caller's transaction and writes no audit entry: the caller writes one. Locks are taken in
one order everywhere: the order, then its payments by id. Facts may come twice, late or in any order: the end is the
same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from tools import elsewhere
from tools.elsewhere import book
from tools.models import LedgerEntry, Order, Payment, ToolCall
from tools.snapshots import (
    CaptureSnapshot,
    ChargeSnapshot,
    PaymentSnapshot,
    RefundPartSnapshot,
    RefundSnapshot,
    RefundStatus,
)

Kind = LedgerEntry.Kind
# The tool whose refunds the shop's order only shows.
RECORDS = "record_refund"


@dataclass(frozen=True)
class RefundRecord:
    """What became of a refund that a vendor told of.

    `ours` is the tool call that made it: nothing was booked then, and the caller settles that call with `status` and
    `ref`. Else `booked_minor` was booked as made elsewhere; `unplaced_minor` belongs to no payment that we know, and
    `over` are lines that went back more often than bought, with ours: a person should look, as where the shipping is
    `freight_over`. `exceeded` are payments that promise more than was captured: what isn't sent yet must be cancelled,
    and so must ours on `named` lines that no longer fits, and all of the order's after `unnamed_minor`: money that
    went back for nobody knows what. `astray` was booked although it carries a key of ours: a second refund under it,
    or one of a call that was given up. `stray_duties_minor` are duties of no line that we know, or beyond what was
    left of them.
    """

    order: Order
    status: RefundStatus
    ref: str
    ours: ToolCall | None = None
    booked_minor: int = 0
    unplaced_minor: int = 0
    over: tuple[int, ...] = ()
    exceeded: tuple[int, ...] = ()
    astray: bool = False
    stray_duties_minor: int = 0
    freight_over: bool = False
    unnamed_minor: int = 0


def record_payment(order: Order, seen: PaymentSnapshot) -> bool:
    """Makes a payment of a locked order known and books captures that are new; whether anything changed."""
    payment, changed = _payment_of(order, seen)
    known = set(payment.entries.filter(kind=Kind.CAPTURED).values_list("vendor_ref", flat=True))
    new = _new_captures(payment, seen, known)
    if seen.instrument and payment.instrument != seen.instrument:
        payment.instrument, changed = seen.instrument, True
    if seen.by_hand is not None and payment.by_hand != seen.by_hand:
        payment.by_hand, changed = seen.by_hand, True
    for capture in new:
        book(payment, Kind.CAPTURED, capture.amount_minor, capture.ref)
    payment.captured_minor += sum(capture.amount_minor for capture in new)
    payment.save(update_fields=["captured_minor", "instrument", "by_hand", "vendor", "external_id"])
    return changed or bool(new)


def _new_captures(payment: Payment, seen: PaymentSnapshot, known: set[str]) -> list[CaptureSnapshot]:
    """Captures that aren't booked yet.

    Where Stripe itself told a charge's whole sum, the shop's transactions name the same money by other ids: only what
    goes beyond that sum is new.
    """
    new = [capture for capture in seen.captures if capture.ref not in known]
    if not new or payment.vendor != "stripe" or payment.external_id not in known:
        return new
    more = seen.captured_minor - payment.captured_minor
    return [CaptureSnapshot(ref=new[-1].ref, amount_minor=more)] if more > 0 else []


def _payment_of(order: Order, seen: PaymentSnapshot) -> tuple[Payment, bool]:
    """The payment's row, locked; one that was manual for want of an id is raised to what is known of it now."""
    refs = [capture.ref for capture in seen.captures]
    same_money = Q(entries__kind=Kind.CAPTURED, entries__vendor_ref__in=refs)
    found = Payment.objects.filter(same_money, order=order).order_by("pk").first()
    if found is None:
        found, created = Payment.objects.get_or_create(
            shop_id=order.shop_id,
            vendor=seen.vendor,
            external_id=seen.external_id,
            defaults={"order": order, "gateway": seen.gateway, "currency": seen.currency},
        )
    else:
        created = False
    payment = Payment.objects.select_for_update().get(pk=found.pk)
    if payment.vendor == "manual" and seen.vendor != "manual":
        payment.vendor, payment.external_id, created = seen.vendor, seen.external_id, True
    return payment, created


def record_charge(shop_id: int, seen: ChargeSnapshot) -> Payment | None:
    """Keeps a charge's card, payment intent and mode as far as they are told; None where no order names it yet.

    The mode is the proof that Stripe holds this very payment for us, so it is kept only where the charge fits it.
    """
    payment = of_charge(shop_id, seen.external_id)
    if payment is None:
        return None
    told = {
        "instrument": seen.instrument or payment.instrument,
        "payment_intent": seen.payment_intent or payment.payment_intent,
        "livemode": seen.livemode if seen.livemode is not None and _fits(payment, seen) else payment.livemode,
    }
    new = [name for name, value in told.items() if getattr(payment, name) != value]
    for name in new:
        setattr(payment, name, told[name])
    if new:
        payment.save(update_fields=new)
    return payment


def _fits(payment: Payment, seen: ChargeSnapshot) -> bool:
    """Whether the charge took what the payment is said to have taken, and for no other order."""
    same_order = seen.order_external_id in ("", payment.order.external_id)
    enough = seen.paid and seen.captured_minor >= payment.captured_minor
    return same_order and enough and seen.currency == payment.currency


def record_refund(shop_id: int, seen: RefundSnapshot) -> RefundRecord | None:
    """Settles a refund of ours, or books one made elsewhere once; None where the order isn't known yet."""
    order = _order_of(shop_id, seen)
    if order is None:
        return None
    return record_refund_of(Order.objects.select_for_update(no_key=True).get(pk=order.pk), seen)


def record_refund_of(order: Order, seen: RefundSnapshot) -> RefundRecord:
    """The same for an order that is locked already."""
    status = _status(seen.parts)
    payments = list(Payment.objects.select_for_update().filter(order=order).order_by("pk"))
    ours = _our_call(order, seen) or _our_record(order, seen)
    if ours is not None:
        return RefundRecord(order, status, seen.external_id, ours=ours)
    named = elsewhere.named_minor(order, seen)
    booked = unplaced = unnamed = 0
    for part in seen.parts:
        payment = _place(order, payments, part)
        if payment is None:
            unplaced += part.amount_minor if part.status != "failed" else 0
            continue
        minor, beyond = _book_part(payment, part, max(0, part.amount_minor - named), seen.at)
        named = max(0, named - part.amount_minor)
        booked, unnamed = booked + minor, unnamed + beyond
    given = elsewhere.give_back(order, payments, seen) if status != "failed" else elsewhere.NOTHING
    awaited = {payment.pk: _awaited_minor(payment, seen) for payment in payments}
    exceeded = tuple(
        payment.pk
        for payment in payments
        if _promised(payment) - awaited[payment.pk] > payment.captured_minor
    )
    return RefundRecord(
        order,
        status,
        seen.external_id,
        booked_minor=booked,
        unplaced_minor=unplaced,
        over=given.over,
        exceeded=exceeded,
        astray=booked > 0 and _calls_of(order, seen).exists(),
        stray_duties_minor=given.stray_duties_minor,
        freight_over=given.freight_over,
        unnamed_minor=max(0, unnamed - sum(awaited.values())),
    )


def _status(parts: Sequence[RefundPartSnapshot]) -> RefundStatus:
    statuses = {part.status for part in parts}
    if statuses == {"failed"}:
        return "failed"
    return "pending" if "pending" in statuses else "succeeded"


def _order_of(shop_id: int, seen: RefundSnapshot) -> Order | None:
    if seen.order_external_id:
        return Order.objects.filter(shop_id=shop_id, external_id=seen.order_external_id).first()
    charges = [part.payment_external_id for part in seen.parts]
    payment = Payment.objects.filter(shop_id=shop_id, vendor=seen.vendor, external_id__in=charges)
    found = payment.select_related("order").first()
    return found.order if found else None


def _our_call(order: Order, seen: RefundSnapshot) -> ToolCall | None:
    """The call that made this refund: by the vendor's id for it, or by the key that it carries.

    A key alone is no proof where the vendor named another refund for its call, or where the call was given up: then
    more money has moved than we know of. An id that a person typed says less than the key.
    """
    wanted = Q(vendor_ref=seen.external_id, vendor=seen.vendor)
    wanted |= Q(vendor_ref__in=[part.ref for part in seen.parts], vendor="stripe")
    known = ToolCall.objects.filter(wanted, payment__order=order).first()
    given_up = (ToolCall.State.FAILED, ToolCall.State.CANCELLED)
    unnamed = Q(vendor_ref="") | Q(settled_by=ToolCall.Settled.PERSON)
    return known or _calls_of(order, seen).filter(unnamed).exclude(state__in=given_up).first()


def _our_record(order: Order, seen: RefundSnapshot) -> ToolCall | None:
    """The call that wrote this refund into the shop's order, whatever became of it: no money moved for it."""
    key = _uuid(seen.call_key) if seen.vendor == "shopify" else None
    calls = ToolCall.objects.filter(tool=RECORDS, case__order=order)
    return None if key is None else calls.filter(idempotency_key=key).first()


def _calls_of(order: Order, seen: RefundSnapshot) -> QuerySet[ToolCall]:
    """The calls of this order whose key the refund carries."""
    key = _uuid(seen.call_key)
    calls = ToolCall.objects.filter(payment__order=order)
    return calls.none() if key is None else calls.filter(idempotency_key=key)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _place(order: Order, payments: Sequence[Payment], part: RefundPartSnapshot) -> Payment | None:
    """The payment that a part of a refund belongs to: by its id, its captured transaction, or the only one there is."""
    able = [payment for payment in payments if payment.currency == part.currency]
    name = part.payment_external_id
    for payment in able:
        if name and payment.external_id == name:
            return payment
    capture = LedgerEntry.objects.filter(
        payment__order=order, payment__in=able, kind=Kind.CAPTURED, vendor_ref=name
    ).first()
    if name and capture is not None:
        return next(payment for payment in able if payment.pk == capture.payment_id)
    able = [payment for payment in able if payment.gateway == part.gateway]
    return able[0] if len(able) == 1 else None


def _book_part(
    payment: Payment, part: RefundPartSnapshot, unnamed: int, made_at: datetime
) -> tuple[int, int]:
    """Books a movement of money, or takes back one that failed; what changed, and what of it names nothing.

    Of money that was told before by somebody who named less, it is written down what it was for.
    """
    undone = f"{part.ref}/failed"
    known = {entry.vendor_ref: entry for entry in elsewhere.told_of(payment, part.ref)}
    before = sum(entry.unnamed_minor for entry in known.values())
    if undone in known or (part.status != "failed" and part.ref in known):
        if undone not in known and unnamed < before:
            book(payment, Kind.ELSEWHERE, 0, f"{part.ref}/named:{unnamed}", unnamed - before)
        return 0, 0
    failed = part.status == "failed"
    amount = -(known[part.ref].amount_minor if part.ref in known else 0) if failed else part.amount_minor
    unnamed = -before if failed else unnamed
    book(payment, Kind.ELSEWHERE, amount, undone if failed else part.ref, unnamed, made_at)
    payment.elsewhere_minor += amount
    payment.save(update_fields=["elsewhere_minor"])
    return amount, unnamed


def of_charge(shop_id: int, charge: str) -> Payment | None:
    """The payment of a Stripe charge, its order and itself locked."""
    found = Payment.objects.filter(shop_id=shop_id, vendor="stripe", external_id=charge).first()
    if found is None:
        return None
    Order.objects.select_for_update(no_key=True).get(pk=found.order_id)
    return Payment.objects.select_for_update(of=("self",)).select_related("order").get(pk=found.pk)


def _promised(payment: Payment) -> int:
    ours = payment.reserved_minor + payment.refunded_minor
    return ours + payment.elsewhere_minor + payment.disputed_minor


def _awaited_minor(payment: Payment, seen: RefundSnapshot) -> int:
    """What of a keyless refund counts twice until a credit note on its way is answered and, maybe, names it."""
    if not payment.invoice or seen.call_key:
        return 0
    amounts = [part.amount_minor for part in seen.parts]
    on_the_way = (ToolCall.State.SENDING, ToolCall.State.UNKNOWN)
    calls = ToolCall.objects.filter(payment=payment, vendor_ref="", state__in=on_the_way)
    return calls.filter(amount_minor__in=amounts).values_list("amount_minor", flat=True).first() or 0
