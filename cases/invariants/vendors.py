"""Our ledger against the vendors' own: each payment's refunds are read where they were made, and compared.

One read for each charge of Stripe and each order of Shopify, at the pace that reading has left; nothing is written. A
payment that changes while it is read is read once more, since our rows and the vendor's never stand still together.
The night reads some: what moved since the night before, and of the rest each night others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

import structlog
from django.db.models import CharField, Exists, F, OrderBy, OuterRef, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils.translation import gettext_lazy as _

from audit import sources
from cases.invariants.base import Invariant, Scope, Violation
from cases.models import Case
from tools import wire
from tools.adapters import shopify, stripe
from tools.adapters.accounts import Account
from tools.base import BY_HAND
from tools.errors import HeldBack, NotConfigured, ToolError
from tools.models import LedgerEntry, Payment, ToolCall
from tools.snapshots import RefundPartSnapshot, RefundSnapshot

log = structlog.get_logger(__name__)

# A vendor that must be spared for longer than this in all counts as not readable in this run.
PATIENCE_SECONDS = 120.0
# What moved is compared on two nights, so that one that could not be read is made up for.
RECENT = timedelta(days=2)
ON_THE_WAY = (ToolCall.State.SENDING, ToolCall.State.PENDING, ToolCall.State.UNKNOWN)

EQUAL = Invariant(
    "the ledger is the vendor's",
    _("What the vendor says it has refunded on this payment is not what our books say."),
    _(
        "Compare the payment with the vendor's page. What we missed comes with the next reading; else correct it."
    ),
)


@dataclass(slots=True)
class Reading:
    """How far the vendors' ledgers could be read, and where they differ from ours."""

    compared: int = 0
    by_hand: int = 0
    left_out: int = 0
    unread: dict[str, int] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)

    def not_read(self, shop: str, vendor: str, code: str, payments: int) -> None:
        """Count payments that could not be compared, by shop, vendor and why."""
        name = f"{shop} {vendor}: {code}"
        self.unread[name] = self.unread.get(name, 0) + payments


@dataclass(frozen=True, slots=True)
class Ours:
    """What our books say of a payment: gone for certain, and what may have gone with an answer still to come."""

    gone: int
    on_the_way: int


def read_vendors(
    scope: Scope,
    *,
    most: int,
    night: date | None = None,
    patience: float = PATIENCE_SECONDS,
    wait: Callable[[float], None] | None = None,
) -> Reading:
    """Compare up to `most` payments with their vendors: those with the largest refunds first, then the newest.

    With `night` first those that moved since the night before, then others each night. `patience` is for how many
    seconds in all one account may make it wait, and after how many of reading it no further one is begun.
    """
    reading = Reading()
    payments, reading.left_out = _payments(scope, most, night)
    for (_shop_id, vendor), group in groupby(payments, key=lambda one: (one.shop_id, one.vendor)):
        rows = list(group)
        if vendor == BY_HAND:
            reading.by_hand += len(rows)
        else:
            _of_account(rows, reading, patience, wait or wire.pace().sleep)
    return reading


def _payments(scope: Scope, most: int, night: date | None) -> tuple[list[Payment], int]:
    rows = Payment.objects.select_related("shop", "order")
    if scope.cases is not None:
        rows = rows.filter(order__in=Case.objects.filter(pk__in=scope.cases).values("order_id"))
    if scope.shops is not None:
        rows = rows.filter(shop__in=scope.shops)
    moved = F("refunded_minor") + F("reserved_minor") + F("elsewhere_minor")
    order: tuple[OrderBy | MD5 | str, ...] = (moved.desc(), "-pk")
    if night is not None:
        since = datetime(night.year, night.month, night.day, tzinfo=UTC) - RECENT
        entries = LedgerEntry.objects.filter(payment=OuterRef("pk"), at__gte=since)
        rows = rows.annotate(recent=Exists(entries.exclude(kind=LedgerEntry.Kind.CAPTURED)))
        order = (F("recent").desc(), MD5(Concat(Cast("pk", CharField()), Value(str(night)))))
    found = list(rows.order_by(*order)[:most])
    found.sort(key=lambda one: (one.shop_id, one.vendor, one.order_id, one.pk))
    return found, rows.count() - len(found)


def _of_account(
    payments: Sequence[Payment], reading: Reading, patience: float, wait: Callable[[float], None]
) -> None:
    """All payments of one shop at one vendor; the first reading that can't be made in patience ends it."""
    shop, vendor = payments[0].shop, payments[0].vendor
    done, ends = 0, time.monotonic() + patience
    for rows in _readings(payments):
        if time.monotonic() > ends:
            reading.not_read(shop.slug, vendor, "took_too_long", len(payments) - done)
            return
        while True:
            try:
                _compare(rows, Account.of(shop), reading)
                break
            except HeldBack as error:
                pause = max(0.1, error.retry_after or 1.0)
                patience -= pause
                if patience < 0:
                    reading.not_read(shop.slug, vendor, error.code, len(payments) - done)
                    return
                wait(pause)
            except NotConfigured as error:
                reading.not_read(shop.slug, vendor, error.code, len(payments) - done)
                return
            except ToolError as error:
                reading.not_read(shop.slug, vendor, error.code, len(rows))
                break
        done += len(rows)


def _readings(payments: Sequence[Payment]) -> Iterator[list[Payment]]:
    """What one reading tells of: a charge at Stripe, all tenders of an order at Shopify."""
    if payments[0].vendor == "stripe":
        yield from ([one] for one in payments)
        return
    for _order, group in groupby(payments, key=lambda one: one.order_id):
        yield list(group)


def _compare(payments: Sequence[Payment], account: Account, reading: Reading) -> None:
    for attempt in range(2):
        before = {one.pk: _ours(one) for one in payments}
        theirs = _theirs(payments, account)
        wrong = [one for one in payments if not _agree(theirs[one.pk], before[one.pk])]
        if not wrong or (attempt and all(_ours(one) == before[one.pk] for one in wrong)):
            break
    reading.compared += len(payments)
    for one in wrong:
        ours = before[one.pk]
        facts = (
            f"{one.vendor} {one.external_id}: {theirs[one.pk]} there, {ours.gone} here and"
            f" {ours.on_the_way} on its way, {one.currency}"
        )
        cases = Case.objects.filter(order_id=one.order_id).order_by("-pk").values_list("pk", flat=True)
        row = Violation(EQUAL.name, f"payment {one.pk}", facts, cases.first(), one.shop_id)
        reading.violations.append(row)


def _agree(theirs: int, ours: Ours) -> bool:
    return ours.gone <= theirs <= ours.gone + ours.on_the_way


def _ours(payment: Payment) -> Ours:
    row = Payment.objects.get(pk=payment.pk)
    open_calls = ToolCall.objects.filter(payment=payment, state__in=ON_THE_WAY)
    on_the_way = sum(open_calls.values_list("amount_minor", flat=True))
    return Ours(row.refunded_minor + row.elsewhere_minor, on_the_way)


def _theirs(payments: Sequence[Payment], account: Account) -> dict[int, int]:
    """What the vendor has paid back or is about to, for each payment, in minor units."""
    key = sources.random_id()
    refunds: Iterable[RefundSnapshot]
    if payments[0].vendor == "stripe":
        refunds = stripe.list_refunds(account, payments[0].external_id, correlation_id=key)
        return {payments[0].pk: _moved(part for refund in refunds for part in refund.parts)}
    refunds = shopify.read_order(account, payments[0].order.external_id, correlation_id=key).refunds
    parts = [part for refund in refunds for part in refund.parts]
    names = {one.pk: _names(one) for one in payments}
    return {
        one.pk: _moved(part for part in parts if part.payment_external_id in names[one.pk])
        for one in payments
    }


def _names(payment: Payment) -> set[str]:
    """The transactions that took this payment's money: a refund names the one that it gives back."""
    captured = payment.entries.filter(kind=LedgerEntry.Kind.CAPTURED)
    return {payment.external_id, *captured.values_list("vendor_ref", flat=True)}


def _moved(parts: Iterable[RefundPartSnapshot]) -> int:
    return sum(part.amount_minor for part in parts if part.status != "failed")
