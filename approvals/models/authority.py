"""What the agent may do alone: limits as immutable versions, and switches that stop it."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from approvals.models.versions import Version, kept


class LimitVersion(Version):
    """Money limits of one shop and currency, in minor units. Never edited: a change is a new version.

    In force is the highest version that is published and effective. A currency without one is a person's. Above
    `two_factor_up_to_minor`, the fourth line, no approval is offered; above `two_people_above_minor` two people sign.
    """

    KEYS: ClassVar[tuple[str, ...]] = ("shop_id", "currency")
    NUMBERS: ClassVar[tuple[str, ...]] = (
        "auto_up_to_minor",
        "one_approver_up_to_minor",
        "two_people_above_minor",
        "two_factor_up_to_minor",
        "goodwill_percent",
        "unsure_below_percent",
    )

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="limits", verbose_name=_("shop")
    )
    currency = models.CharField(_("currency"), max_length=3)
    auto_up_to_minor = models.BigIntegerField(_("automatic up to"))
    one_approver_up_to_minor = models.BigIntegerField(_("one approver up to"))
    two_people_above_minor = models.BigIntegerField(
        _("two people above"), null=True, help_text=_("Empty: one person signs a large one too.")
    )
    two_factor_up_to_minor = models.BigIntegerField(
        _("second factor up to"), help_text=_("Above it nobody approves here: people act outside the agent.")
    )
    goodwill_percent = models.PositiveSmallIntegerField(_("goodwill at most (percent)"), default=15)
    unsure_below_percent = models.PositiveSmallIntegerField(
        _("a person below this confidence (percent)"),
        default=0,
        help_text=_("What the planner is less sure of than this doesn't run by itself."),
    )

    class Meta:
        verbose_name = _("limits")
        verbose_name_plural = _("limits")
        ordering = ["shop", "currency", "-version"]
        permissions = [("publish_limitversion", "Can publish limits that somebody else wrote")]
        constraints = [
            *kept("limits", "currency"),
            models.CheckConstraint(
                condition=Q(auto_up_to_minor__gte=0)
                & Q(one_approver_up_to_minor__gte=F("auto_up_to_minor"))
                & Q(two_factor_up_to_minor__gte=F("one_approver_up_to_minor")),
                name="limits_rise_from_tier_to_tier",
            ),
            models.CheckConstraint(
                condition=Q(two_people_above_minor__isnull=True)
                | Q(two_people_above_minor__gte=F("one_approver_up_to_minor"))
                & Q(two_people_above_minor__lte=F("two_factor_up_to_minor")),
                name="second_line_lies_between_one_approver_and_the_last",
            ),
            models.CheckConstraint(condition=Q(goodwill_percent__lte=100), name="goodwill_is_a_percentage"),
            models.CheckConstraint(
                condition=Q(unsure_below_percent__lte=100), name="confidence_is_a_percentage"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} v{self.version}"


class KillSwitch(models.Model):
    """A stop that holds until a person releases it. `key` names the tool, vendor or planner; empty for all."""

    class Scope(models.TextChoices):
        """What stops."""

        EVERYTHING = "everything", _("everything")
        SHOP = "shop", _("one shop")
        TOOL = "tool", _("one tool")
        VENDOR = "vendor", _("one vendor")
        PLANNER = "planner", _("one planner")

    shop = models.ForeignKey(
        "cases.Shop", null=True, on_delete=models.PROTECT, related_name="switches", verbose_name=_("shop")
    )
    scope = models.CharField(_("stops"), max_length=12, choices=Scope)
    key = models.CharField(_("which"), max_length=48, blank=True)
    reason = models.CharField(_("reason"), max_length=500)
    engaged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("engaged by")
    )
    engaged_at = models.DateTimeField(_("engaged"))
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("released by"),
    )
    released_at = models.DateTimeField(_("released"), null=True)

    class Meta:
        verbose_name = _("kill switch")
        verbose_name_plural = _("kill switches")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scope="everything", shop__isnull=True, key="")
                | Q(scope="shop", shop__isnull=False, key="")
                | (Q(scope__in=["tool", "vendor", "planner"]) & ~Q(key="")),
                name="switch_names_what_it_stops",
            ),
            models.CheckConstraint(
                condition=Q(released_at__isnull=True) ^ Q(released_by__isnull=False),
                name="released_switch_names_who",
            ),
        ]
        # Asked for before every attempt of every call.
        indexes = [
            models.Index(fields=["shop"], condition=Q(released_at__isnull=True), name="switch_that_holds")
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}".strip()
