"""When the invariants were checked on this database, and what broke them."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class InvariantRun(models.Model):
    """One check of all invariants, kept for good. `night` is the night that asked for it; empty for a command.

    `found` holds the first violations as {"invariant", "row", "model", "id", "link", "facts", "case", "shop"}: ids and
    numbers only. `compared` is how many payments were read at their vendors, empty where nobody asked; `unread` counts
    those that could not be, by shop, vendor and why.
    `entries_until` is the newest audit entry when the run began: where the chain held, the next run goes on there.
    """

    night = models.DateField(_("night"), null=True, unique=True, help_text=_("Empty: somebody asked for it."))
    asked_at = models.DateTimeField(_("asked for"))
    began_at = models.DateTimeField(_("began"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=64, blank=True)
    full = models.BooleanField(_("the whole audit chain"), default=False)
    checked = models.PositiveSmallIntegerField(_("invariants checked"), default=0)
    broken = models.PositiveIntegerField(_("violations"), default=0)
    found = models.JSONField(_("what was found"), default=list)
    milliseconds = models.PositiveIntegerField(_("took (ms)"), default=0)
    entries_from = models.BigIntegerField(_("audit entries after"), default=0)
    entries_until = models.BigIntegerField(_("audit entries up to"), default=0)
    chain_held = models.BooleanField(_("the chain held"), default=False)
    compared = models.PositiveIntegerField(_("payments compared with their vendors"), null=True)
    unread = models.JSONField(_("payments not read"), default=dict)

    class Meta:
        verbose_name = _("check of the books")
        verbose_name_plural = _("checks of the books")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(began_at__isnull=False), name="check_of_books_began"
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"], condition=Q(ended_at__isnull=True), name="check_of_books_under_way"
            )
        ]

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"

    @property
    def failed(self) -> bool:
        """Whether it was given up before it had checked all."""
        return bool(self.error)

    def is_old(self, now: datetime) -> bool:
        """Whether it says nothing about the last day; the hour lets a nightly run end."""
        return now - (self.ended_at or self.asked_at) > timedelta(hours=25)
