"""The shop's own list of whom it has been cheated by; a match is fraud-suspect."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from audit import sources


class FraudEntry(models.Model):
    """An e-mail address, phone, address or card that calls a person, until its date or until somebody ends it.

    `mac` finds it in all spellings, by the shop's key; the value is sealed under that key too. It outlives the erasure
    of a person's own texts: whoever cheated could else begin anew by asking for it.
    """

    class Kind(models.TextChoices):
        """What is listed."""

        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("phone")
        ADDRESS = "address", _("address")
        CARD = "card", _("payment method")

    shop = models.ForeignKey(
        "cases.Shop",
        on_delete=models.PROTECT,
        related_name="fraud_list",
        verbose_name=_("shop"),
        db_index=False,
    )
    key = models.ForeignKey(
        "cases.ShopKey", on_delete=models.PROTECT, related_name="+", verbose_name=_("key")
    )
    kind = models.CharField(_("what"), max_length=12, choices=Kind)
    mac = models.BinaryField(_("keyed fingerprint"))
    sealed_as = models.UUIDField(_("sealed as"), default=sources.random_id, editable=False)
    sealed = models.BinaryField(_("encrypted value"))
    reason = models.CharField(_("reason"), max_length=500)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("listed by")
    )
    created_at = models.DateTimeField(_("listed"))
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("ended by"),
    )
    ended_at = models.DateTimeField(_("ended"), null=True)
    end_reason = models.CharField(_("why ended"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("fraud list entry")
        verbose_name_plural = _("fraud list")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True, end_reason="")
                | (Q(ended_at__isnull=False, ended_by__isnull=False) & ~Q(end_reason="")),
                name="ended_fraud_entry_says_who_and_why",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="fraud_entry_says_why"),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True) | Q(expires_at__gt=F("created_at")),
                name="fraud_entry_ends_after_it_began",
            ),
        ]
        indexes = [
            models.Index(
                fields=["shop", "mac"], condition=Q(ended_at__isnull=True), name="fraud_entry_by_fingerprint"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"
