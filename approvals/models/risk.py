"""Risk flags: raised by anything, lowered only by a person with a reason."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class RiskFlag(models.Model):
    """A reason to keep hands off, on an order, a person or a case. It holds until somebody lowers it."""

    class Kind(models.TextChoices):
        """What is feared."""

        FRAUD = "fraud", _("fraud-suspect")
        DISPUTE = "dispute", _("dispute")
        LEGAL = "legal", _("legal")
        DISTRESS = "distress", _("distress")
        ANGER = "anger", _("anger")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="flags", verbose_name=_("shop")
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    order = models.ForeignKey(
        "tools.Order", null=True, on_delete=models.PROTECT, related_name="flags", verbose_name=_("order")
    )
    person = models.ForeignKey(
        "cases.Person", null=True, on_delete=models.PROTECT, related_name="flags", verbose_name=_("person")
    )
    case = models.ForeignKey(
        "cases.Case", null=True, on_delete=models.PROTECT, related_name="flags", verbose_name=_("case")
    )
    source = models.CharField(_("raised because"), max_length=64, help_text=_("A code: shopify.risk.high."))
    reason = models.CharField(
        _("reason"), max_length=500, blank=True, help_text=_("In the words of the person who raised it.")
    )
    raised_by = models.CharField(_("raised by"), max_length=80)
    raised_at = models.DateTimeField(_("raised"))
    lowered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("lowered by"),
    )
    lowered_at = models.DateTimeField(_("lowered"), null=True)
    lower_reason = models.CharField(_("why lowered"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("risk flag")
        verbose_name_plural = _("risk flags")
        ordering = ["-id"]
        permissions = [("lower_riskflag", "Can lower a risk flag with a reason")]
        constraints = [
            models.CheckConstraint(
                condition=Q(lowered_at__isnull=True, lowered_by__isnull=True, lower_reason="")
                | (Q(lowered_at__isnull=False, lowered_by__isnull=False) & ~Q(lower_reason="")),
                name="lowered_flag_says_who_and_why",
            ),
            models.CheckConstraint(
                condition=Q(order__isnull=False) | Q(person__isnull=False) | Q(case__isnull=False),
                name="flag_hangs_on_something",
            ),
        ]
        indexes = [
            models.Index(fields=["order"], condition=Q(lowered_at__isnull=True), name="flag_up_by_order"),
            models.Index(fields=["person"], condition=Q(lowered_at__isnull=True), name="flag_up_by_person"),
            models.Index(fields=["case"], condition=Q(lowered_at__isnull=True), name="flag_up_by_case"),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
