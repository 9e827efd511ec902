"""Credit notes: documents of a legal entity, numbered without a gap, never changed, corrected by a counter-document."""

from __future__ import annotations

import json
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from tools.types import Money


class CreditNoteCounter(models.Model):
    """The last number that a legal entity has given; its row is locked by whoever gives the next one."""

    entity = models.OneToOneField(
        "cases.LegalEntity", primary_key=True, on_delete=models.PROTECT, related_name="+"
    )
    last = models.BigIntegerField(_("last number"), default=0)

    class Meta:
        verbose_name = _("counter of credit notes")
        verbose_name_plural = _("counters of credit notes")

    def __str__(self) -> str:
        return str(self.last)


class CreditNote(models.Model):
    """One document. Append-only; the database refuses a number that isn't its entity's next one.

    `content` is the document as canonical JSON: seller, what it refers to, lines, totals per rate and reason. The sums
    are minor units of `currency`; a counter-document's are negative. `buyer` is kept encrypted elsewhere.
    """

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    entity = models.ForeignKey(
        "cases.LegalEntity",
        on_delete=models.PROTECT,
        related_name="credit_notes",
        verbose_name=_("legal entity"),
    )
    sequence = models.BigIntegerField(_("running number"))
    number = models.CharField(_("number"), max_length=40)
    order = models.ForeignKey(
        "tools.Order", on_delete=models.PROTECT, related_name="credit_notes", verbose_name=_("order")
    )
    decision = models.ForeignKey(
        "approvals.Decision",
        on_delete=models.PROTECT,
        related_name="credit_notes",
        verbose_name=_("decision"),
    )
    call = models.OneToOneField(
        "tools.ToolCall",
        null=True,
        on_delete=models.PROTECT,
        related_name="credit_note",
        verbose_name=_("tool call"),
    )
    corrects = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="corrected_by", verbose_name=_("corrects")
    )
    replaces = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        verbose_name=_("replaces"),
        help_text=_("The document that was taken back, since only a part of its refund arrived."),
    )
    issued_at = models.DateTimeField(_("issued at"))
    issued_on = models.DateField(_("date"), help_text=_("In the shop's time zone."))
    language = models.CharField(_("language"), max_length=8)
    buyer = models.ForeignKey(
        "cases.PersonalText", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("buyer")
    )
    currency = models.CharField(_("currency"), max_length=3)
    net_minor = models.BigIntegerField(_("net"))
    tax_minor = models.BigIntegerField(_("tax"))
    gross_minor = models.BigIntegerField(_("gross"))
    content = models.TextField(_("content"))
    sha256 = models.CharField(_("SHA-256 of the content"), max_length=64)

    class Meta:
        verbose_name = _("credit note")
        verbose_name_plural = _("credit notes")
        ordering = ["-id"]
        permissions = [
            ("correct_creditnote", "Can issue the counter-document of a credit note"),
            ("issue_creditnote", "Can issue the credit note of a refund whose step was stopped"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["entity", "sequence"], name="credit_note_number_is_given_once"),
            models.UniqueConstraint(fields=["entity", "number"], name="credit_note_is_named_once"),
            models.CheckConstraint(condition=Q(sequence__gte=1), name="credit_notes_count_from_one"),
            models.CheckConstraint(
                condition=Q(
                    call__isnull=False, corrects__isnull=True, replaces__isnull=True, gross_minor__gt=0
                )
                | Q(call__isnull=True, corrects__isnull=False, replaces__isnull=True, gross_minor__lt=0)
                | Q(call__isnull=True, corrects__isnull=True, replaces__isnull=False, gross_minor__gt=0),
                name="credit_note_is_of_a_call_or_corrects_or_replaces_one",
            ),
            models.CheckConstraint(
                condition=Q(gross_minor=F("net_minor") + F("tax_minor")), name="credit_note_adds_up"
            ),
        ]
        indexes = [models.Index(fields=["shop", "-issued_on"], name="credit_note_by_day")]

    def __str__(self) -> str:
        return self.number

    @property
    def gross(self) -> Money:
        """What the document is about, tax included; negative in a counter-document."""
        return Money(self.gross_minor, self.currency)

    @cached_property
    def body(self) -> dict[str, Any]:
        """The content, read."""
        found: dict[str, Any] = json.loads(self.content)
        return found
