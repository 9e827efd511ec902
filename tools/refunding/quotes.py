"""How the shop itself would split a refund among several tenders: asked before it is judged, kept, and used.

https://shopify.dev/docs/api/admin-graphql/2026-07/objects/SuggestedRefund
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from audit import sources
from tools.adapters import shopify
from tools.adapters.accounts import Account
from tools.base import Scope, digest
from tools.models import LedgerEntry, Order, Payment, RefundQuote
from tools.refunding.composition import Draft
from tools.refunding.tenders import payable
from tools.refunding.wishes import wish_of_shop
from tools.snapshots import SuggestedPart

# What is older is asked for again before a refund is proposed.
GOOD_FOR = timedelta(minutes=15)


def is_needed(order: Order, draft: Draft) -> bool:
    """Whether the split isn't ours to say: more than one payment has something left."""
    return len(payable(list(order.payments.all()), draft.money.currency)) > 1


def newest(order: Order, draft: Draft, at: datetime | None) -> dict[int, int] | None:
    """The shop's split of exactly this wish, as weights by payment: the newest one that was fresh then or came later.

    Where the shop suggests no amounts, what each payment could give at most. None where nobody has asked.
    """
    oldest = (at or sources.now()) - GOOD_FOR
    rows = RefundQuote.objects.filter(order=order, wish=wish_digest(draft), read_at__gte=oldest)
    row = rows.order_by("-read_at", "-pk").first()
    if row is None:
        return None
    suggested = {part["payment"]: part["amount_minor"] for part in row.parts}
    return (
        suggested
        if any(suggested.values())
        else {part["payment"]: part["maximum_minor"] or 0 for part in row.parts}
    )


def ask(order: Order, draft: Draft, scope: Scope) -> None:
    """Asks the shop for its split and keeps the answer. One network call, so never inside a transaction.

    Raises ToolError.
    """
    account, wish = Account.of(order.shop), wish_of_shop(order, draft)
    found = shopify.suggested_refund(account, wish, correlation_id=scope.correlation_id)
    RefundQuote.objects.create(
        order=order, wish=wish_digest(draft), parts=_placed(order, found.parts), read_at=sources.now()
    )


def wish_digest(draft: Draft) -> str:
    """SHA-256 of what the shop is asked about."""
    return digest(
        {
            "order": draft.order,
            "lines": [list(piece) for piece in draft.pieces],
            "shipping_minor": draft.shipping_minor,
            "amount_minor": draft.whole.amount_minor,
        }
    )


def _placed(order: Order, parts: Iterable[SuggestedPart]) -> list[dict[str, int | None]]:
    """The shop's parts by our own payments: a transaction is a payment's name, or one of its captures."""
    captures = LedgerEntry.objects.filter(payment__order=order, kind=LedgerEntry.Kind.CAPTURED)
    places = dict(captures.values_list("vendor_ref", "payment_id"))
    places |= dict(Payment.objects.filter(order=order).values_list("external_id", "pk"))
    found: dict[int, dict[str, int | None]] = {}
    for part in parts:
        payment = places.get(part.transaction_external_id)
        if payment is None:
            continue
        row = found.setdefault(payment, {"payment": payment, "amount_minor": 0, "maximum_minor": 0})
        row["amount_minor"] = (row["amount_minor"] or 0) + part.amount_minor
        most = row["maximum_minor"]
        row["maximum_minor"] = (
            None if most is None or part.maximum_minor is None else most + part.maximum_minor
        )
    return list(found.values())
