"""Exceptions: one cap lifted for one subject until a date, by two people."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tools.types import Money


class LimitException(models.Model):
    """For one order, customer, payment method or address a cap of `up_to_minor` instead of the shop's, if that is less.

    Somebody asks for it, somebody else approves it, and it ends by itself. `subject` is our own id: of an order or a
    person, a payment method's or an address's. Lifts no other rule.
    """

    class Scope(models.TextChoices):
        """Whose cap is lifted."""

        ORDER = "order", _("one order")
        CUSTOMER = "customer", _("one customer")
        INSTRUMENT = "instrument", _("one payment method")
        ADDRESS = "address", _("one address")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="exceptions", verbose_name=_("shop")
    )
    scope = models.CharField(_("for"), max_length=12, choices=Scope)
    subject = models.CharField(_("which"), max_length=120)
    currency = models.CharField(_("currency"), max_length=3)
    up_to_minor = models.BigIntegerField(_("up to"))
    reason = models.CharField(_("reason"), max_length=500)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked for by")
    )
    created_at = models.DateTimeField(_("asked for"))
    expires_at = models.DateTimeField(_("ends"))
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("approved by"),
    )
    approved_at = models.DateTimeField(_("approved"), null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("ended by"),
    )
    ended_at = models.DateTimeField(_("ended early"), null=True)

    class Meta:
        verbose_name = _("exception")
        verbose_name_plural = _("exceptions")
        ordering = ["-id"]
        permissions = [("approve_limitexception", "Can approve an exception that somebody else asked for")]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False),
                name="approved_exception_names_who",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(author=F("approved_by")),
                name="exception_author_does_not_approve",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
                name="ended_exception_names_who",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="exception_ends_after_it_began"
            ),
            models.CheckConstraint(
                condition=Q(up_to_minor__gt=0) & ~Q(subject="") & ~Q(reason=""),
                name="exception_says_what_and_why",
            ),
        ]
        indexes = [
            models.Index(
                fields=["shop", "expires_at"],
                condition=Q(approved_at__isnull=False, ended_at__isnull=True),
                name="exception_by_expiry",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.subject}"

    @property
    def money(self) -> Money:
        """What the cap is lifted to."""
        return Money(self.up_to_minor, self.currency)
