"""What there is to sell: the shop's own stock, and what suppliers say they have."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class StockLevel(models.Model):
    """Pieces that the shop itself can sell now."""

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="stock", verbose_name=_("shop")
    )
    sku = models.CharField(_("SKU"), max_length=64)
    inventory_item = models.CharField(_("inventory item at the shop"), max_length=64, blank=True)
    location = models.CharField(
        _("location at the shop"),
        max_length=64,
        blank=True,
        help_text=_(
            "The only place where it is counted; empty where there are several, or nobody has read it."
        ),
    )
    available = models.IntegerField(_("available"))
    at = models.DateTimeField(_("as of"))

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        ordering = ["sku"]
        constraints = [models.UniqueConstraint(fields=["shop", "sku"], name="stock_level_is_one_per_sku")]

    def __str__(self) -> str:
        return f"{self.sku}: {self.available}"


class StockReading(models.Model):
    """An item of which news came that only a reading at the shop can complete; the row goes once it was read.

    `due_at` is the moment before which the shop isn't asked, `lease_until` (database clock) and `fence` say who reads.
    Newer news moves the fence, so that whoever reads just then leaves the row to the next reading.
    """

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    inventory_item = models.CharField(_("inventory item at the shop"), max_length=64)
    news_at = models.DateTimeField(_("latest news"), help_text=_("By the shop's own clock."))
    asked_at = models.DateTimeField(_("asked for"))
    due_at = models.DateTimeField(_("not before"))
    rung_at = models.DateTimeField(_("queued"), null=True)
    lease_until = models.DateTimeField(_("claimed until"), null=True)
    fence = models.PositiveIntegerField(_("fencing token"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    error = models.CharField(_("error"), max_length=64, blank=True)
    given_up_at = models.DateTimeField(_("given up"), null=True)
    correlation_id = models.UUIDField(_("correlation id"))

    class Meta:
        verbose_name = _("stock reading")
        verbose_name_plural = _("stock readings")
        ordering = ["due_at"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "inventory_item"], name="stock_reading_is_one_per_item"),
            models.CheckConstraint(
                condition=Q(given_up_at__isnull=True) | Q(lease_until__isnull=True),
                name="given_up_stock_reading_is_nobodys",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(given_up_at__isnull=True), name="stock_reading_by_due_date"
            )
        ]

    def __str__(self) -> str:
        return self.inventory_item


class Supplier(models.Model):
    """Who delivers to the shop."""

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="suppliers", verbose_name=_("shop")
    )
    name = models.CharField(_("name"), max_length=120)

    class Meta:
        verbose_name = _("supplier")
        verbose_name_plural = _("suppliers")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "name"], name="supplier_name_is_unique_per_shop")
        ]

    def __str__(self) -> str:
        return self.name


class FeedRun(models.Model):
    """One reading of a supplier's feed: how many rows it had and how many were taken."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    supplier = models.ForeignKey(
        Supplier, on_delete=models.CASCADE, related_name="runs", verbose_name=_("supplier")
    )
    digest = models.CharField(_("SHA-256 of the file"), max_length=64)
    rows = models.PositiveIntegerField(_("rows"))
    taken = models.PositiveIntegerField(_("taken"))
    refused = models.PositiveIntegerField(_("refused"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("feed run")
        verbose_name_plural = _("feed runs")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.supplier_id} {self.at:%Y-%m-%d %H:%M}"


class SupplierItem(models.Model):
    """What a supplier says of one SKU; `restock_on` is their date for the next delivery."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    supplier = models.ForeignKey(
        Supplier, on_delete=models.CASCADE, related_name="items", verbose_name=_("supplier")
    )
    sku = models.CharField(_("SKU"), max_length=64)
    title = models.CharField(_("title"), max_length=255, blank=True)
    available = models.IntegerField(_("available"))
    restock_on = models.DateField(_("back on"), null=True)
    at = models.DateTimeField(_("as of"))

    class Meta:
        verbose_name = _("supplier item")
        verbose_name_plural = _("supplier items")
        ordering = ["sku"]
        constraints = [models.UniqueConstraint(fields=["supplier", "sku"], name="supplier_lists_a_sku_once")]

    def __str__(self) -> str:
        return f"{self.sku}: {self.available}"
