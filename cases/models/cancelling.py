"""What cancelling an order would do, asked by staff: read in a worker, shown in words, and then confirmed or left."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Cancellation(models.Model):
    """The latest look of staff at what cancelling a case's order would do; asking again begins it anew.

    `lease_until` (database clock) says that a worker reads just now, `attempts` counts its tries.
    """

    class State(models.TextChoices):
        """How far it is."""

        ASKED = "asked", _("being read")
        READY = "ready", _("ready to be confirmed")
        REFUSED = "refused", _("can't be cancelled")
        DECIDED = "decided", _("decided")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="cancellations", verbose_name=_("shop")
    )
    case = models.OneToOneField(
        "cases.Case", on_delete=models.PROTECT, related_name="cancellation", verbose_name=_("case")
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"))
    read_at = models.DateTimeField(_("read"), null=True)
    problem = models.CharField(
        _("problem"), max_length=64, blank=True, help_text=_("The code of what speaks against it.")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(_("claimed until"), null=True)

    class Meta:
        verbose_name = _("cancellation")
        verbose_name_plural = _("cancellations")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="asked") ^ Q(read_at__isnull=False), name="cancellation_is_asked_or_read"
            ),
            models.CheckConstraint(
                condition=Q(state="refused") ^ Q(problem=""), name="refused_cancellation_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(state="asked"), name="cancellation_to_be_read")
        ]

    def __str__(self) -> str:
        return f"#{self.case_id} {self.get_state_display()}"
