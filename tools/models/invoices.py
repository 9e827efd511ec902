"""Invoices that were paid through Stripe, as far as a refund must know them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class InvoicePayment(models.Model):
    """What paid an invoice at Stripe; the order may not be known yet, nor ever be.

    A row for each shop that uses Stripe's invoices: without one, no refund asks what it would be a credit for.
    """

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    invoice = models.CharField(_("invoice"), max_length=128)
    payment_intent = models.CharField(_("payment intent"), max_length=128, blank=True)
    charge = models.CharField(_("charge"), max_length=128, blank=True)
    number = models.CharField(
        _("number"),
        max_length=64,
        blank=True,
        help_text=_("Printed on it; unknown until a document names it."),
    )
    issued_at = models.DateTimeField(_("issued"), null=True)

    class Meta:
        verbose_name = _("paid invoice")
        verbose_name_plural = _("paid invoices")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "invoice", "payment_intent", "charge"], name="paid_invoice_is_known_once"
            ),
            models.CheckConstraint(
                condition=~Q(payment_intent="") | ~Q(charge=""), name="paid_invoice_names_what_paid_it"
            ),
        ]

    def __str__(self) -> str:
        return self.invoice
