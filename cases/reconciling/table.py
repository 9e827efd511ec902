"""What is read back from each vendor, as one literal table, and what no vendor lets anybody read back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.reconciling import from_shopify, from_stripe
from cases.reconciling.cursors import Part, Turn

# Clocks differ, and what has just happened is not in every list at once.
OVERLAP = timedelta(minutes=5)
DAILY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reconciler:
    """`overlap` is read again before the cursor; `every` is None where the setting says how often."""

    source: str
    resource: str
    what: str | Promise
    read: Callable[[Turn], Iterator[Part]]
    overlap: timedelta = OVERLAP
    every: timedelta | None = None

    @property
    def interval(self) -> timedelta:
        """From the end of one reading to the next."""
        return self.every or timedelta(seconds=settings.RECONCILE_SECONDS)


# The daily ones are a second net under Stripe's events, which Stripe forgets after 30 days. A dispute may change for
# months, and a refund may still fail for weeks: so far back they are read each time.
RECONCILERS: tuple[Reconciler, ...] = (
    Reconciler("shopify", "orders", _("orders by their last change"), from_shopify.read_orders),
    Reconciler("stripe", "events", _("events of the last 30 days"), from_stripe.read_events),
    Reconciler("stripe", "disputes", _("disputes"), from_stripe.read_disputes, timedelta(days=120), DAILY),
    Reconciler("stripe", "refunds", _("refunds"), from_stripe.read_refunds, timedelta(days=30), DAILY),
    Reconciler(
        "stripe", "fraud_warnings", _("early fraud warnings"), from_stripe.read_warnings, DAILY, DAILY
    ),
)

# A message that was never delivered is the channel's alone to deliver again.
NOT_READABLE: dict[str, str | Promise] = {
    "whatsapp": _("WhatsApp has no list of messages: Meta delivers a message again for up to seven days."),
    "email": _("An e-mail provider delivers a mail again by itself, and shows it in its own list."),
}


def reconciler(source: str, resource: str) -> Reconciler | None:
    """The one that reads this, or None for a row of a version that read something else."""
    return next((one for one in RECONCILERS if (one.source, one.resource) == (source, resource)), None)
