"""The shop, on every row that has one, and the people who work in it."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Shop(models.Model):
    """A storefront of one legal entity, in one base currency, with its own vendor accounts.

    Credentials are never stored: `env_prefix` names the environment variables that hold them
    (`NORTH_STRIPE_API_KEY`).
    """

    class CreditNotes(models.TextChoices):
        """Who issues the document of a refund."""

        OURS = "ours", _("we issue them here")
        EXTERNAL = "external", _("another system issues them")
        NONE = "none", _("none are issued")

    slug = models.SlugField(_("short name"), unique=True, help_text=_("Stands in the webhook addresses."))
    name = models.CharField(_("name"), max_length=120)
    legal_entity = models.ForeignKey(
        "cases.LegalEntity", on_delete=models.PROTECT, related_name="shops", verbose_name=_("legal entity")
    )
    credit_notes = models.CharField(
        _("credit notes"),
        max_length=12,
        choices=CreditNotes,
        default=CreditNotes.NONE,
        help_text=_("Where Stripe has invoiced an order, Stripe issues its credit note itself."),
    )
    base_currency = models.CharField(_("base currency"), max_length=3)
    time_zone = models.CharField(_("time zone"), max_length=64, help_text=_("IANA name: Europe/Oslo."))
    languages = ArrayField(
        models.CharField(max_length=8), verbose_name=_("languages"), help_text=_("The first is the default.")
    )
    sender_name = models.CharField(_("sender name"), max_length=120)
    sender_email = models.EmailField(_("sender address"))
    env_prefix = models.CharField(
        _("environment prefix"),
        max_length=32,
        unique=True,
        validators=[RegexValidator(r"^[A-Z][A-Z0-9_]*$", _("Capital letters, digits and underscores."))],
    )
    ships_within_days = models.PositiveSmallIntegerField(_("ships within (days)"), default=3)
    reopen_days = models.PositiveSmallIntegerField(
        _("a message reopens a case for (days)"),
        default=14,
        help_text=_("Later ones open a linked new case."),
    )
    remind_after_days = models.PositiveSmallIntegerField(_("reminds of a question after (days)"), default=3)
    close_after_days = models.PositiveSmallIntegerField(
        _("closes an unanswered case after (days)"), default=7
    )
    planner = models.ForeignKey(
        "cases.PlannerConfig",
        null=True,
        on_delete=models.PROTECT,
        related_name="shops",
        verbose_name=_("planner"),
    )
    cutover_at = models.DateTimeField(
        _("connected since"), help_text=_("What is older is history: it opens no case and sends nothing.")
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError where documents are wanted of a seller who can't stand on one."""
        super().clean()
        if self.credit_notes == self.CreditNotes.OURS and not self.legal_entity.may_issue:
            raise ValidationError(
                {"credit_notes": _("The legal entity needs an address, a country and a VAT or tax id first.")}
            )


class Connection(models.Model):
    """One source of events of a shop, with the instant from which its news counts.

    What is older is history: it is read, and opens no case, sends and pays nothing. A source without a row counts
    from the shop's own `cutover_at`.
    """

    class Source(models.TextChoices):
        """Where events come from; as in InboundEvent.source."""

        SHOPIFY = "shopify", "Shopify"
        STRIPE = "stripe", "Stripe"
        WHATSAPP = "whatsapp", "WhatsApp"
        EMAIL = "email", _("e-mail")

    shop = models.ForeignKey(
        Shop, on_delete=models.CASCADE, related_name="connections", verbose_name=_("shop")
    )
    source = models.CharField(_("source"), max_length=24, choices=Source)
    cutover_at = models.DateTimeField(_("counts from"))
    connected_at = models.DateTimeField(_("connected"))

    class Meta:
        verbose_name = _("connection")
        verbose_name_plural = _("connections")
        ordering = ["source"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "source"], name="connection_is_one_per_source"),
        ]

    def __str__(self) -> str:
        return self.get_source_display()


class User(AbstractUser):
    """A member of staff; rights come from the roles (groups), the shops they work for from `shops`.

    No shop listed means none: a new colleague sees nothing until somebody says what.
    """

    shops = models.ManyToManyField(Shop, blank=True, related_name="staff", verbose_name=_("shops"))
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=8, default="en")
