"""Exchange rates as dated rows with their source, and each reading that brought them or failed."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

DECIMALS = 10


class ExchangeRate(models.Model):
    """How many units of `quote` one unit of `base` was on a day, as a source said. Never edited or deleted."""

    base = models.CharField(_("one"), max_length=3)
    quote = models.CharField(_("is so many"), max_length=3)
    rate = models.DecimalField(_("rate"), max_digits=20, decimal_places=DECIMALS)
    as_of = models.DateField(_("of"))
    source = models.CharField(_("source"), max_length=80)
    read_at = models.DateTimeField(_("read"))

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ["-as_of", "base", "quote", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(rate__gt=0), name="rate_is_above_zero"),
            models.CheckConstraint(condition=~Q(base=F("quote")), name="rate_is_between_two_currencies"),
            models.UniqueConstraint(
                fields=["base", "quote", "as_of", "source", "rate"], name="rate_is_kept_once"
            ),
        ]
        indexes = [models.Index(fields=["base", "quote", "-as_of", "-id"], name="rate_by_pair")]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.as_of:%Y-%m-%d}"


class RateReading(models.Model):
    """One try to read rates: the task's row. Open until it ended, with an error's code or without."""

    source = models.CharField(_("source"), max_length=80)
    asked_at = models.DateTimeField(_("asked"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    as_of = models.DateField(_("rates of"), null=True)
    error = models.CharField(_("error"), max_length=80, blank=True)

    class Meta:
        verbose_name = _("reading of rates")
        verbose_name_plural = _("readings of rates")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, as_of__isnull=True, error="")
                | Q(ended_at__isnull=False, as_of__isnull=False, error="")
                | (Q(ended_at__isnull=False, as_of__isnull=True) & ~Q(error="")),
                name="ended_reading_says_what_it_found",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.asked_at:%Y-%m-%d %H:%M}"
