"""A payment that only a person can make: the way that took the money gives nothing back by itself."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tools.types import Money


class PaymentTask(models.Model):
    """What staff have to pay by hand, and who ticked it as paid. Its call is pending until then.

    No personal text: whom to pay stands with the case's order, `payee_reference` is what to write on the transfer.
    """

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", _("to be paid")
        PAID = "paid", _("paid")
        DROPPED = "dropped", _("not paid")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="payment_tasks", verbose_name=_("shop")
    )
    case = models.ForeignKey(
        "cases.Case", on_delete=models.PROTECT, related_name="payment_tasks", verbose_name=_("case")
    )
    call = models.OneToOneField(
        "tools.ToolCall",
        on_delete=models.PROTECT,
        related_name="payment_task",
        verbose_name=_("tool call"),
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    gateway = models.CharField(_("paid by"), max_length=64)
    payee_reference = models.CharField(
        _("payee reference"), max_length=64, help_text=_("What to write on the transfer: the order's number.")
    )
    opened_at = models.DateTimeField(_("opened"))
    due_at = models.DateTimeField(_("due"))
    paid_on = models.DateField(_("paid on"), null=True)
    reference = models.CharField(
        _("reference"), max_length=128, blank=True, help_text=_("The bank's, or the receipt's number.")
    )
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("ticked by"),
    )
    ended_at = models.DateTimeField(_("ticked"), null=True)

    class Meta:
        verbose_name = _("payment task")
        verbose_name_plural = _("payment tasks")
        ordering = ["due_at"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_task_pays_something"),
            models.CheckConstraint(
                condition=Q(state="open", ended_by__isnull=True, ended_at__isnull=True, paid_on__isnull=True)
                | Q(state="dropped", ended_by__isnull=False, ended_at__isnull=False, paid_on__isnull=True)
                | Q(state="paid", ended_by__isnull=False, ended_at__isnull=False, paid_on__isnull=False)
                & ~Q(reference=""),
                name="payment_task_is_open_or_says_who_and_when",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="open"), name="payment_task_by_due_date")
        ]

    def __str__(self) -> str:
        return f"{self.money} #{self.case_id}"

    @property
    def money(self) -> Money:
        """What has to be paid."""
        return Money(self.amount_minor, self.currency)
