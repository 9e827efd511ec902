"""What the agent may give and do in all: caps, budgets, sizes and times of one shop, as versions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from approvals.models.versions import Version, kept


class CapsVersion(Version):
    """The caps of a shop in minor units of its base currency, and what else holds for the whole shop.

    `budgets` is automatic money in 24 hours by the kind of planner; a kind that isn't there has none. `sizes` says how
    much there may be of what moves no money, by unit.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("shop_id", "currency")
    NUMBERS: ClassVar[tuple[str, ...]] = (
        "order_cap_minor",
        "customer_cap_minor",
        "instrument_cap_minor",
        "address_cap_minor",
        "day_cap_minor",
        "budgets",
        "sizes",
        "undo_seconds",
        "one_approver_hours",
        "large_hours",
        "renewals",
        "rate_max_age_hours",
        "risk_pending_hours",
    )

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="caps", verbose_name=_("shop")
    )
    currency = models.CharField(
        _("base currency"),
        max_length=3,
        help_text=_("Caps in another currency than the shop's hold no more."),
    )
    order_cap_minor = models.BigIntegerField(_("for one order"))
    customer_cap_minor = models.BigIntegerField(_("for one customer in 30 days"))
    instrument_cap_minor = models.BigIntegerField(_("to one payment method in 30 days"))
    address_cap_minor = models.BigIntegerField(_("to one address in 30 days"))
    day_cap_minor = models.BigIntegerField(_("for the whole shop in 24 hours"))
    budgets = models.JSONField(_("automatic money in 24 hours by planner"), default=dict)
    sizes = models.JSONField(_("at most, by unit"), default=dict)
    undo_seconds = models.PositiveIntegerField(
        _("undo window (seconds)"), default=600, help_text=_("An automatic refund waits this long.")
    )
    one_approver_hours = models.PositiveSmallIntegerField(
        _("a mid-size request waits (hours on duty)"), default=24
    )
    large_hours = models.PositiveSmallIntegerField(_("a large request waits (hours on duty)"), default=4)
    renewals = models.PositiveSmallIntegerField(_("a request is asked again (times)"), default=2)
    rate_max_age_hours = models.PositiveSmallIntegerField(_("oldest exchange rate (hours)"), default=72)
    risk_pending_hours = models.PositiveSmallIntegerField(
        _("a risk reading may be pending (hours)"), default=24
    )

    class Meta:
        verbose_name = _("caps")
        verbose_name_plural = _("caps")
        ordering = ["shop", "currency", "-version"]
        permissions = [("publish_capsversion", "Can publish caps that somebody else wrote")]
        constraints = [
            *kept("caps", "currency"),
            models.CheckConstraint(
                condition=Q(order_cap_minor__gte=0)
                & Q(customer_cap_minor__gte=0)
                & Q(instrument_cap_minor__gte=0)
                & Q(address_cap_minor__gte=0)
                & Q(day_cap_minor__gte=0),
                name="caps_are_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(one_approver_hours__gte=1)
                & Q(large_hours__gte=1)
                & Q(rate_max_age_hours__gte=1)
                & Q(risk_pending_hours__gte=1),
                name="caps_leave_an_hour_at_least",
            ),
        ]

    def amounts(self) -> dict[str, int]:
        """The caps by what they hold: order, customer, instrument, address, day."""
        names = ("order", "customer", "instrument", "address", "day")
        return {name: getattr(self, f"{name}_cap_minor") for name in names}

    def __str__(self) -> str:
        return f"{self.currency} v{self.version}"
