"""What arrived from outside, raw: stored first, believed later."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class InboundEvent(models.Model):
    """One delivery that we answered 2xx to. Unique per (shop, source, account, external id): a replay is a no-op.

    `raw` is one of the three places where personal text may stand.
    """

    class State(models.TextChoices):
        """What became of the event."""

        ABSORBED = "absorbed", _("updated the order graph")
        CASE = "case", _("belongs to a case")
        DEAD = "dead", _("could not be read")

    # Its unique constraint begins with the shop, and an index of the case begins with the case.
    shop = models.ForeignKey(
        "cases.Shop",
        on_delete=models.PROTECT,
        related_name="events",
        verbose_name=_("shop"),
        db_index=False,
    )
    source = models.CharField(
        _("source"), max_length=24, help_text=_("shopify, stripe, whatsapp, email, feed.")
    )
    account = models.CharField(
        _("account"), max_length=128, help_text=_("The vendor's name for our account.")
    )
    external_id = models.CharField(_("id at the source"), max_length=255)
    topic = models.CharField(_("topic"), max_length=96, blank=True)
    raw = models.BinaryField(_("raw body"))
    content_type = models.CharField(_("content type"), max_length=128, blank=True)
    digest = models.CharField(_("SHA-256 of the body"), max_length=64)
    state = models.CharField(_("state"), max_length=16, choices=State)
    dead_reason = models.CharField(_("why it could not be read"), max_length=200, blank=True)
    case = models.ForeignKey(
        "cases.Case",
        null=True,
        on_delete=models.PROTECT,
        related_name="events",
        verbose_name=_("case"),
        db_index=False,
    )
    correlation_id = models.UUIDField(_("correlation id"))
    received_at = models.DateTimeField(_("received"))
    duplicates = models.PositiveIntegerField(_("delivered again"), default=0)
    found_late_seconds = models.PositiveIntegerField(
        _("found late by (seconds)"),
        null=True,
        help_text=_("Set where no webhook came and we found it by reading the vendor."),
    )
    requeued = models.PositiveSmallIntegerField(_("put back to work"), default=0)

    class Meta:
        verbose_name = _("inbound event")
        verbose_name_plural = _("inbound events")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "source", "account", "external_id"], name="event_is_stored_once"
            ),
            models.CheckConstraint(
                condition=~Q(state="case") | Q(case__isnull=False), name="event_of_a_case_names_it"
            ),
            models.CheckConstraint(condition=Q(state="dead") ^ Q(dead_reason=""), name="dead_event_says_why"),
        ]
        indexes = [
            models.Index(fields=["received_at"], condition=Q(state="dead"), name="event_dead_letters"),
            models.Index(fields=["case", "received_at"], name="event_by_case"),
            models.Index(
                fields=["received_at"], condition=Q(found_late_seconds__isnull=False), name="event_found_late"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.topic} {self.external_id}"


class EventConflict(models.Model):
    """The same id with another body: kept beside the first one, never instead of it."""

    event = models.ForeignKey(
        InboundEvent, on_delete=models.PROTECT, related_name="conflicts", verbose_name=_("event")
    )
    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    raw = models.BinaryField(_("raw body"))
    digest = models.CharField(_("SHA-256 of the body"), max_length=64)
    received_at = models.DateTimeField(_("received"))

    class Meta:
        verbose_name = _("event conflict")
        verbose_name_plural = _("event conflicts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "digest"], name="conflict_keeps_each_body_once"),
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class Cursor(models.Model):
    """How far a reconciler has read what changed at a vendor. `read_until` is the vendor's own clock.

    It moves only when all up to it is committed. A reading that is too long for one turn keeps its place in
    `resume_after` (the vendor's own mark) and ends at `resume_until`.
    """

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.CASCADE, related_name="cursors", verbose_name=_("shop")
    )
    source = models.CharField(_("source"), max_length=24)
    resource = models.CharField(_("what is read"), max_length=48)
    read_until = models.DateTimeField(_("read until"))
    next_at = models.DateTimeField(_("next reading"))
    rung_at = models.DateTimeField(_("asked for"), null=True)
    ran_at = models.DateTimeField(_("last reading"), null=True)
    error = models.CharField(_("error"), max_length=64, blank=True)
    lease_until = models.DateTimeField(_("claimed until"), null=True)
    fence = models.PositiveIntegerField(_("fencing token"), default=0)
    failures = models.PositiveSmallIntegerField(_("failed readings in a row"), default=0)
    resume_after = models.CharField(_("goes on after"), max_length=512, blank=True)
    resume_until = models.DateTimeField(_("goes on until"), null=True)
    seen = models.PositiveBigIntegerField(_("changes read"), default=0)
    found = models.PositiveBigIntegerField(_("found late"), default=0)

    class Meta:
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliation")
        ordering = ["source", "resource"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "source", "resource"], name="cursor_is_one_per_resource"),
            models.CheckConstraint(
                condition=Q(resume_after="") | Q(resume_until__isnull=False),
                name="cursor_that_goes_on_knows_until_when",
            ),
        ]
        indexes = [models.Index(fields=["next_at"], name="cursor_by_next_reading")]

    def __str__(self) -> str:
        return f"{self.source} {self.resource}"


class RefusedRequests(models.Model):
    """How many deliveries a day were refused: a forged body is counted, never stored."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    source = models.CharField(_("source"), max_length=24)
    reason = models.CharField(_("reason"), max_length=32)
    day = models.DateField(_("day"))
    count = models.PositiveIntegerField(_("count"), default=0)

    class Meta:
        verbose_name = _("refused requests")
        verbose_name_plural = _("refused requests")
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "source", "reason", "day"], name="refusals_are_counted_per_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.day} {self.count}"
