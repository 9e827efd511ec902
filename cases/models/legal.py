"""Who sells: the legal entity behind one or more shops, as its documents name it."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class LegalEntity(models.Model):
    """A seller. Its credit notes count from 1 without a gap, whichever of its shops they are about.

    What changes here is said by documents from then on; issued ones keep the words that they were issued with.
    """

    name = models.CharField(_("name"), max_length=200, unique=True)
    address = models.TextField(_("address"), blank=True, help_text=_("As on an envelope, one line each."))
    country = models.CharField(
        _("country"),
        max_length=2,
        blank=True,
        validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters: DE."))],
    )
    vat_id = models.CharField(
        _("VAT or tax id"), max_length=64, blank=True, help_text=_("With its kind: VAT DE123456789.")
    )
    register_line = models.CharField(
        _("register"),
        max_length=200,
        blank=True,
        help_text=_("Register court and number, managing directors."),
    )
    credit_note_prefix = models.CharField(
        _("prefix of credit notes"),
        max_length=16,
        default="CN-",
        validators=[RegexValidator(r"^[A-Z0-9/_-]*$", _("Capital letters, digits, hyphens and slashes."))],
        help_text=_("Stands before the number, which goes on whatever the prefix is: CN-000001."),
    )

    class Meta:
        verbose_name = _("legal entity")
        verbose_name_plural = _("legal entities")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def may_issue(self) -> bool:
        """Whether it can stand on a document: name, address, country and tax id are known."""
        return bool(self.address.strip() and self.country and self.vat_id.strip())

    @property
    def block(self) -> str:
        """The seller as documents name it, one fact a line."""
        facts = (self.name, *self.address.splitlines(), self.country, self.vat_id, self.register_line)
        return "\n".join(fact.strip() for fact in facts if fact.strip())
