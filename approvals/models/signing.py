"""Who has signed a request, and who has stepped back from a case's requests."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Signature(models.Model):
    """One person's yes to exactly one request; a large sum needs two people's.

    `factor` is what they proved themselves with: nothing more than their session, a code or a passkey. Whose place
    they stood in by a delegation is kept, so that the right is asked again where it came from.
    """

    class Factor(models.TextChoices):
        """The proof that came with it."""

        SESSION = "session", _("signed in")
        TOTP = "totp", _("one-time code")
        PASSKEY = "passkey", _("passkey")

    request = models.ForeignKey(
        "approvals.ApprovalRequest",
        on_delete=models.PROTECT,
        related_name="signatures",
        verbose_name=_("request"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    instead_of = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("instead of"),
    )
    factor = models.CharField(_("proof"), max_length=8, choices=Factor)
    at = models.DateTimeField(_("at"))
    taken_back_at = models.DateTimeField(_("taken back"), null=True)

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "user"],
                condition=Q(taken_back_at__isnull=True),
                name="person_signs_a_request_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.at:%H:%M}"


class Recusal(models.Model):
    """A person who asked the customer, or wrote another amount, signs no request of this case any more."""

    class Why(models.TextChoices):
        """What they did."""

        ASKED = "asked", _("asked the customer")
        EDITED = "edited", _("changed the amount")

    case = models.ForeignKey(
        "cases.Case", on_delete=models.PROTECT, related_name="recusals", verbose_name=_("case")
    )
    request = models.ForeignKey(
        "approvals.ApprovalRequest",
        on_delete=models.PROTECT,
        related_name="recusals",
        verbose_name=_("request"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    why = models.CharField(_("why"), max_length=8, choices=Why)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("recusal")
        verbose_name_plural = _("recusals")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "user", "why"], name="recusal_is_written_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_why_display()}"
