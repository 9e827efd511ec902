"""What we know of the vendors themselves: how fast they may be asked, whether they answer, and what has changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class RateBudget(models.Model):
    """A token bucket per shop and vendor, in the vendor's own unit (requests, or Shopify's cost points).

    Reads stop at a fifth of `capacity`, so that a write always finds its share.
    """

    shop = models.ForeignKey("cases.Shop", on_delete=models.CASCADE, related_name="+", verbose_name=_("shop"))
    vendor = models.CharField(_("vendor"), max_length=16)
    capacity = models.FloatField(_("capacity"))
    per_second = models.FloatField(_("restored per second"))
    level = models.FloatField(_("left"))
    level_at = models.DateTimeField(_("as of"))

    class Meta:
        verbose_name = _("rate budget")
        verbose_name_plural = _("rate budgets")
        ordering = ["vendor"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "vendor"], name="rate_budget_is_one_per_vendor"),
            models.CheckConstraint(
                condition=Q(capacity__gt=0) & Q(per_second__gt=0), name="rate_budget_restores_itself"
            ),
        ]

    def __str__(self) -> str:
        return self.vendor


class Circuit(models.Model):
    """Whether a vendor answers at all, per shop and class of operation: open means that nothing is sent."""

    class Work(models.TextChoices):
        """The class of operation."""

        READ = "read", _("reading")
        WRITE = "write", _("writing")

    shop = models.ForeignKey("cases.Shop", on_delete=models.CASCADE, related_name="+", verbose_name=_("shop"))
    vendor = models.CharField(_("vendor"), max_length=16)
    work = models.CharField(_("class of operation"), max_length=8, choices=Work)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    open_until = models.DateTimeField(_("nothing is sent until"), null=True)
    changed_at = models.DateTimeField(_("changed"))

    class Meta:
        verbose_name = _("circuit breaker")
        verbose_name_plural = _("circuit breakers")
        ordering = ["vendor"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "vendor", "work"], name="circuit_is_one_per_class"),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.work}"


class Upstream(models.Model):
    """One operation at one shop's vendor, as its answers last showed it; `check_upstreams` and every call write it."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.CASCADE, related_name="+", verbose_name=_("shop"))
    vendor = models.CharField(_("vendor"), max_length=16)
    operation = models.CharField(_("operation"), max_length=96)
    version_asked = models.CharField(_("version asked for"), max_length=40, blank=True)
    version_served = models.CharField(_("version served"), max_length=40, blank=True)
    deprecation = models.CharField(
        _("deprecation notice"), max_length=300, blank=True, help_text=_("The vendor's header, as it came.")
    )
    deprecated_since = models.DateTimeField(_("notice first seen"), null=True)
    seen_at = models.DateTimeField(_("last answer"))
    probed_at = models.DateTimeField(_("last probe"), null=True)
    probe = models.CharField(
        _("what the probe found"), max_length=64, blank=True, help_text=_("ok, or a code.")
    )

    class Meta:
        verbose_name = _("vendor operation")
        verbose_name_plural = _("vendors")
        ordering = ["vendor", "operation"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "vendor", "operation"], name="upstream_is_one_per_operation"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.operation}"


class UpstreamCheck(models.Model):
    """When a shop's vendors are checked next, and how the last check went; claimed by a conditional update."""

    shop = models.OneToOneField(
        "cases.Shop", on_delete=models.CASCADE, related_name="+", verbose_name=_("shop")
    )
    next_at = models.DateTimeField(_("next check"))
    asked_at = models.DateTimeField(_("asked for"), null=True)
    began_at = models.DateTimeField(_("began"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    asked = models.PositiveSmallIntegerField(_("operations asked"), default=0)
    bad = models.PositiveSmallIntegerField(_("drifted or not readable"), default=0)

    class Meta:
        verbose_name = _("check of vendors")
        verbose_name_plural = _("checks of vendors")
        ordering = ["shop"]

    def __str__(self) -> str:
        return f"{self.shop_id}"

    @property
    def under_way(self) -> bool:
        """Whether it was asked for and has not ended."""
        if self.asked_at is None:
            return False
        return self.ended_at is None or self.ended_at < self.asked_at


class Drift(models.Model):
    """A vendor's answer or event that no longer fits: while it is open, the operation writes nothing for the shop."""

    class Finding(models.TextChoices):
        """What is different."""

        MISSING = "missing", _("a field is missing")
        NULL = "null", _("a required field is empty")
        RETYPED = "retyped", _("a field has another type")
        UNKNOWN_VALUE = "unknown_value", _("a field has a value that we don't know")
        VERSION = "version", _("another version was served")
        OTHER = "other", _("the answer is not what it was")

    class State(models.TextChoices):
        """Where it stands."""

        OPEN = "open", _("open")
        CLEARED = "cleared", _("cleared")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="drifts", verbose_name=_("shop")
    )
    vendor = models.CharField(_("vendor"), max_length=16)
    operation = models.CharField(
        _("operation"), max_length=96, help_text=_("As in the table of operations, or webhook:<topic>.")
    )
    field_path = models.CharField(_("field"), max_length=200)
    finding = models.CharField(_("finding"), max_length=16, choices=Finding)
    detail = models.CharField(_("detail"), max_length=200, blank=True)
    sample = models.TextField(
        _("answer, redacted"), blank=True, help_text=_("Every text and number is replaced by its type.")
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    count = models.PositiveIntegerField(_("times seen"), default=1)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    probe_asked_at = models.DateTimeField(_("probe asked for"), null=True)
    probed_at = models.DateTimeField(_("last probe"), null=True)
    probe = models.CharField(
        _("what the probe found"), max_length=64, blank=True, help_text=_("ok, or a code.")
    )
    cleared_at = models.DateTimeField(_("cleared"), null=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("cleared by"),
    )
    announced_at = models.DateTimeField(_("announced to staff"), null=True)
    announce_attempts = models.PositiveSmallIntegerField(_("attempts to announce"), default=0, db_default=0)

    class Meta:
        verbose_name = _("drift")
        verbose_name_plural = _("drift")
        ordering = ["-id"]
        permissions = [("clear_drift", "Can clear drift after a probe has passed")]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "vendor", "operation", "field_path"],
                condition=Q(state="open"),
                name="drift_is_open_once_per_field",
            ),
            models.CheckConstraint(
                condition=Q(state="open") | (Q(cleared_at__isnull=False) & Q(cleared_by__isnull=False)),
                name="cleared_drift_names_who_cleared_it",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.vendor} {self.operation} {self.field_path}"


class NewField(models.Model):
    """A field that the pinned version did not have: counted and shown, never an error."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.CASCADE, related_name="+", verbose_name=_("shop"))
    vendor = models.CharField(_("vendor"), max_length=16)
    operation = models.CharField(_("operation"), max_length=96)
    field_path = models.CharField(_("field"), max_length=200)
    count = models.PositiveBigIntegerField(_("times seen"), default=1)
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("new field")
        verbose_name_plural = _("new fields")
        ordering = ["-last_seen_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "vendor", "operation", "field_path"], name="new_field_is_counted_once"
            ),
        ]

    def __str__(self) -> str:
        return self.field_path


class VendorTemplate(models.Model):
    """A message template as WhatsApp last told of it: only an approved one can open a conversation."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.CASCADE, related_name="+", verbose_name=_("shop"))
    name = models.CharField(_("name"), max_length=512)
    language = models.CharField(_("language"), max_length=16)
    status = models.CharField(
        _("status at the vendor"), max_length=32, help_text=_("As the vendor writes it.")
    )
    category = models.CharField(_("category"), max_length=32, blank=True)
    seen_at = models.DateTimeField(_("as of"))

    class Meta:
        verbose_name = _("WhatsApp template")
        verbose_name_plural = _("WhatsApp templates")
        ordering = ["name", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "name", "language"], name="vendor_template_is_one_per_language"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.language})"
