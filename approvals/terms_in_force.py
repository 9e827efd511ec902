"""Which versions of a shop's terms an order is judged by: today's, and those that it was placed under."""

from __future__ import annotations

from approvals.models import TermsVersion
from approvals.terms import Terms
from audit import sources
from tools.models import Order

# How the shop looks before it pays, and what it gives without owing it, is as it says today. All else was agreed on.
OF_TODAY = ("photo_above", "hygiene", "goodwill_days")


def terms_of(shop_id: int) -> TermsVersion | None:
    """The terms of a shop that hold now."""
    return next(iter(_published(shop_id)), None)


def terms_for(order: Order) -> list[tuple[TermsVersion, Terms]]:
    """What the order may be judged by, today's first; none where the shop has no terms.

    The conditions of a contract are those at its conclusion, so a later version takes nothing away from an order that
    stands; what a later one gives more, it gives to everybody.
    """
    rows = _published(order.shop_id)
    if not rows:
        return []
    today = rows[0].promises
    then = next((row for row in rows if row.effective_at and row.effective_at <= order.placed_at), rows[0])
    if then == rows[0]:
        return [(rows[0], today)]
    kept = {name: getattr(today, name) for name in OF_TODAY}
    return [(rows[0], today), (then, then.promises.model_copy(update=kept))]


def _published(shop_id: int) -> list[TermsVersion]:
    """Every version that holds or has held, the newest first."""
    rows = TermsVersion.objects.filter(
        shop_id=shop_id, published_at__isnull=False, effective_at__lte=sources.now()
    )
    return list(rows.order_by("-version"))
