"""What refunds that were made elsewhere gave back: pieces, shipping and duties, each fact counted once and never less.

Apart from our own, so that nothing that we set aside hides it and nothing that we free forgets it. Money that went back
for nobody knows what is counted too: until somebody says what it was for, it may have been for anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from audit import sources
from tools.models import LedgerEntry, Order, OrderLine, Payment, ToolCall
from tools.snapshots import RefundSnapshot

Kind = LedgerEntry.Kind


@dataclass(frozen=True, slots=True)
class Given:
    """What doesn't fit of what a refund gave back: lines and shipping with ours, duties of no line that we know."""

    over: tuple[int, ...] = ()
    freight_over: bool = False
    stray_duties_minor: int = 0


NOTHING = Given()


def give_back(order: Order, payments: Sequence[Payment], seen: RefundSnapshot) -> Given:
    """Counts what a refund of a locked order names, once however often it is told."""
    over, freight_over = _give_back_lines(order, payments, seen)
    return Given(over, freight_over, _give_back_duties(order, payments, seen))


def _give_back_lines(
    order: Order, payments: Sequence[Payment], seen: RefundSnapshot
) -> tuple[tuple[int, ...], bool]:
    """Counts pieces and shipping; the lines of which more is gone now than was bought, and whether shipping is.

    An entry of no money marks them as counted, since another source may have told of the money alone before.
    """
    if not payments or not (seen.lines or seen.shipping_minor):
        return (), False
    if not _counts_now(payments, f"lines/{seen.external_id}"):
        return (), False
    pieces = {part.line_external_id: part.quantity for part in seen.lines}
    over = []
    for line in (
        OrderLine.objects.select_for_update().filter(order=order, external_id__in=pieces).order_by("pk")
    ):
        count = pieces[line.external_id]
        _put_back_on(line, count)
        fits = min(line.left, count)
        line.elsewhere_minor += line.price_minor(fits) + line.total_minor * (count - fits) // line.quantity
        line.elsewhere_quantity += count
        line.save(update_fields=["elsewhere_quantity", "elsewhere_minor", "removed_quantity"])
        if line.is_over:
            over.append(line.pk)
    order.shipping_elsewhere_minor += seen.shipping_minor
    order.save(update_fields=["shipping_elsewhere_minor"])
    together = order.shipping_refunded_minor + order.shipping_elsewhere_minor
    return tuple(over), bool(seen.shipping_minor) and together > order.shipping_minor


def _put_back_on(line: OrderLine, quantity: int) -> None:
    """Pieces that a refund covers weren't taken off the order: a reading that overtook the refund took them for it."""
    line.removed_quantity = max(0, line.removed_quantity - max(0, quantity - line.left))


def _counts_now(payments: Sequence[Payment], mark: str) -> bool:
    """Whether this part of a refund is counted for the first time; from now on it isn't."""
    if LedgerEntry.objects.filter(payment__in=payments, kind=Kind.ELSEWHERE, vendor_ref=mark).exists():
        return False
    book(payments[0], Kind.ELSEWHERE, 0, mark)
    return True


def _give_back_duties(order: Order, payments: Sequence[Payment], seen: RefundSnapshot) -> int:
    """Counts refunded duties once, on whichever lines they lie; what is more than was left of any.

    Apart from the pieces: a webhook names these alone, and a refund may give back a duty without any piece.
    """
    if not payments or not seen.duties or not _counts_now(payments, f"duties/{seen.external_id}"):
        return 0
    told = {duty.external_id: duty.amount_minor for duty in seen.duties if duty.external_id}
    stray = sum(duty.amount_minor for duty in seen.duties)
    for line in OrderLine.objects.select_for_update().filter(order=order).order_by("pk"):
        owed = _duties_back(line, told, included=order.taxes_included is not False)
        room = line.duties_minor - line.duties_gone_minor
        given = min(owed, line.duties_minor - line.duties_elsewhere_minor)
        if given > 0:
            line.duties_elsewhere_minor += given
            line.save(update_fields=["duties_elsewhere_minor"])
        stray += owed - min(owed, room) - sum(told.get(duty["external_id"], 0) for duty in line.duties)
    return stray


def _duties_back(line: OrderLine, told: Mapping[str, int], *, included: bool) -> int:
    """What a refund says that it gave back of the line's duties, with the taxes that came on top of their price."""
    return sum(_with_tax(told.get(duty["external_id"], 0), duty, included) for duty in line.duties)


def _with_tax(price: int, duty: Mapping[str, Any], included: bool) -> int:
    """What a part of a duty's price is with the tax that came on top of it, which a refund tells apart."""
    whole = duty["amount_minor"]
    net = whole - (0 if included else sum(tax["amount_minor"] for tax in duty.get("taxes", ())))
    return price * whole // net if net > 0 else price


def named_minor(order: Order, seen: RefundSnapshot) -> int:
    """What the pieces, the shipping and the duties that a refund names may have cost: at most so much explains it."""
    pieces = {part.line_external_id: part.quantity for part in seen.lines}
    goods = 0
    for line in OrderLine.objects.filter(order=order, external_id__in=pieces):
        count = pieces[line.external_id]
        # A shop rounds each piece's share in its own way.
        goods += (line.total_minor + line.duties_minor) * count // line.quantity + count
    return goods + seen.shipping_minor + sum(duty.amount_minor for duty in seen.duties)


def told_of(payment: Payment, ref: str) -> QuerySet[LedgerEntry]:
    """All that was booked about one movement of money: that it was made, failed, was ours, or what it was for."""
    about = Q(vendor_ref=ref) | Q(vendor_ref__startswith=f"{ref}/")
    return payment.entries.filter(about, kind=Kind.ELSEWHERE)


def unnamed_minor(order_id: int, *, after_entry: int = 0) -> int:
    """What went back elsewhere of an order's money for nobody knows what; with `after_entry` only what came later.

    A refund behind a credit note on its way is maybe that note's own, until it is answered.
    """
    rows = LedgerEntry.objects.filter(payment__order_id=order_id, kind=Kind.ELSEWHERE)
    rows = rows.exclude(unnamed_minor=0)
    sums: dict[tuple[int, str], tuple[int, int]] = {}
    for pk, payment, ref, minor in rows.order_by("pk").values_list(
        "pk", "payment_id", "vendor_ref", "unnamed_minor"
    ):
        about = payment, ref.split("/")[0]
        first, before = sums.get(about, (pk, 0))
        sums[about] = first, before + minor
    return sum(
        minor
        for (payment, _ref), (first, minor) in sums.items()
        if first > after_entry and minor > 0 and (payment, minor) not in _awaited(order_id)
    )


def _awaited(order_id: int) -> set[tuple[int, int]]:
    """Payments and amounts of credit notes whose refunds carry no key of ours and nobody has named yet."""
    calls = ToolCall.objects.filter(payment__order_id=order_id, payment__invoice__gt="", vendor_ref="")
    calls = calls.filter(state__in=(ToolCall.State.SENDING, ToolCall.State.UNKNOWN))
    return set(calls.values_list("payment_id", "amount_minor"))


def newest_entry(order_id: int, *, until: datetime | None = None) -> int:
    """The last entry about an order's money; 0 where there is none. Whoever holds the order can compare by it."""
    rows = LedgerEntry.objects.filter(payment__order_id=order_id).order_by("-pk")
    rows = rows if until is None else rows.filter(at__lte=until)
    return rows.values_list("pk", flat=True).first() or 0


def book(
    payment: Payment,
    kind: LedgerEntry.Kind,
    amount_minor: int,
    ref: str,
    unnamed_minor: int = 0,
    made_at: datetime | None = None,
) -> None:
    """One entry of what others did, under the vendor's own id; the payment's sums are the caller's to move."""
    LedgerEntry.objects.create(
        shop_id=payment.shop_id,
        payment=payment,
        kind=kind,
        amount_minor=amount_minor,
        unnamed_minor=unnamed_minor,
        currency=payment.currency,
        vendor_ref=ref,
        at=sources.now(),
        made_at=made_at,
    )
