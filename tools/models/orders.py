"""The order graph: what the shop told us last about orders, their lines, parcels and returns.

A mirror, never the truth: the executor reads the vendor again where money depends on it.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tools.types import Money


class Order(models.Model):
    """One order of one shop. Amounts are minor units of `currency`."""

    class Risk(models.TextChoices):
        """The vendor's risk level; `unknown` until it has been read, and pending is not low."""

        UNKNOWN = "unknown", _("not read yet")
        PENDING = "pending", _("pending")
        LOW = "low", _("low")
        MEDIUM = "medium", _("medium")
        HIGH = "high", _("high")

    # Indexes below begin with the shop and with the person.
    shop = models.ForeignKey(
        "cases.Shop",
        on_delete=models.PROTECT,
        related_name="orders",
        verbose_name=_("shop"),
        db_index=False,
    )
    external_id = models.CharField(_("id at the shop"), max_length=64)
    name = models.CharField(_("order number"), max_length=32, help_text=_("As the customer sees it: #1001."))
    person = models.ForeignKey(
        "cases.Person",
        null=True,
        on_delete=models.PROTECT,
        related_name="orders",
        verbose_name=_("customer"),
        db_index=False,
    )
    currency = models.CharField(_("currency"), max_length=3)
    total_minor = models.BigIntegerField(_("total"))
    shipping_minor = models.BigIntegerField(_("shipping"), default=0)
    shipping_refunded_minor = models.BigIntegerField(_("shipping refunded or reserved"), default=0)
    shipping_elsewhere_minor = models.BigIntegerField(
        _("shipping refunded elsewhere"), default=0, db_default=0
    )
    shipping_taxes = models.JSONField(
        _("taxes in the shipping"),
        default=list,
        help_text=_("One for each rate: title, rate_ppm, amount_minor."),
    )
    taxes_included = models.BooleanField(
        _("prices with tax"),
        null=True,
        help_text=_("Whether the shop's own prices hold the tax; unknown until it says so."),
    )
    duties_minor = models.BigIntegerField(
        _("duties"), default=0, help_text=_("Of all lines, on top of what goods and shipping cost.")
    )
    placed_at = models.DateTimeField(_("placed"))
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)
    financial_status = models.CharField(_("payment status"), max_length=32, blank=True)
    fulfillment_status = models.CharField(_("shipping status"), max_length=32, blank=True)
    risk_level = models.CharField(_("risk level"), max_length=16, choices=Risk, default=Risk.UNKNOWN)
    country = models.CharField(_("ships to"), max_length=2, blank=True)
    bill_to = models.OneToOneField(
        "cases.PersonalText",
        null=True,
        on_delete=models.PROTECT,
        related_name="order",
        verbose_name=_("bill goes to"),
        help_text=_("As the shop told it last; kept encrypted."),
    )
    address_key = models.UUIDField(
        _("same address"),
        null=True,
        help_text=_("A random id that all orders to one address have, whoever placed them."),
    )
    location = models.CharField(
        _("location at the shop"),
        max_length=64,
        blank=True,
        help_text=_("Where all its goods are kept; empty where they come from several places."),
    )
    is_test = models.BooleanField(
        _("test order"), null=True, help_text=_("Made with the shop's test payments; unknown until read.")
    )
    promised_at = models.DateTimeField(_("promised to leave by"), null=True)
    vendor_updated_at = models.DateTimeField(
        _("as the shop knew it at"),
        null=True,
        help_text=_("An older webhook never overwrites a newer state."),
    )
    heard_at = models.DateTimeField(
        _("first heard of"),
        db_default=Now(),
        help_text=_("An order is late only once we have known it for a while."),
    )
    read_at = models.DateTimeField(_("read from the shop"), null=True)
    read_as_of = models.DateTimeField(
        _("reconciled up to"),
        null=True,
        help_text=_("The shop's own time of the newest change that reconciliation has read."),
    )

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-placed_at"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "external_id"], name="order_is_known_once_per_shop"),
            models.CheckConstraint(
                condition=Q(shipping_refunded_minor__gte=0)
                & Q(shipping_refunded_minor__lte=F("shipping_minor")),
                name="order_refunds_no_more_shipping_than_paid",
            ),
        ]
        indexes = [
            models.Index(fields=["shop", "name"], name="order_by_name"),
            models.Index(fields=["person", "-placed_at"], name="order_by_person"),
            models.Index(
                fields=["shop", "address_key"],
                condition=Q(address_key__isnull=False),
                name="order_by_address",
            ),
            models.Index(
                fields=["shop", "placed_at"], condition=Q(risk_level="pending"), name="order_of_pending_risk"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def total(self) -> Money:
        """What the customer paid for goods, tax and shipping."""
        return Money(self.total_minor, self.currency)

    @property
    def shipping_gone_minor(self) -> int:
        """What of the shipping went back or is about to, by whomever; never more than was paid. Minor units."""
        return min(self.shipping_minor, self.shipping_refunded_minor + self.shipping_elsewhere_minor)


class OrderLine(models.Model):
    """One line of an order; `total_minor` is for the whole quantity, after discounts, with tax, without duties.

    What is refunded, of pieces, money and duties, is ours. What others gave back is kept apart and always recorded,
    even where both are more than was bought: nothing that we set aside hides it, and nothing that we free forgets it.
    `taxes` are parts of that total, one for each rate: `{"title": …, "rate_ppm": …, "amount_minor": …}`. Each of the
    `duties` has its own in its amount.
    """

    # Its unique constraint begins with the order.
    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="lines", verbose_name=_("order"), db_index=False
    )
    external_id = models.CharField(_("id at the shop"), max_length=64)
    sku = models.CharField(_("SKU"), max_length=64, blank=True)
    title = models.CharField(_("title"), max_length=255)
    quantity = models.PositiveIntegerField(_("quantity bought"))
    total_minor = models.BigIntegerField(_("amount"))
    discount_minor = models.BigIntegerField(
        _("discount"), default=0, help_text=_("Its share of all discounts; the amount is without it already.")
    )
    taxes = models.JSONField(_("taxes"), default=list, help_text=_("Parts of the amount, one for each rate."))
    duties_minor = models.BigIntegerField(
        _("duties"), default=0, help_text=_("For the whole quantity, on top of the amount.")
    )
    duties = models.JSONField(
        _("single duties"), default=list, help_text=_("By the shop's own ids: external_id, amount_minor.")
    )
    removed_quantity = models.PositiveIntegerField(
        _("quantity removed"), default=0, help_text=_("Taken off the order in the shop, without a refund.")
    )
    refunded_quantity = models.PositiveIntegerField(
        _("quantity refunded or reserved"),
        default=0,
        help_text=_("Ours alone, reservations included."),
    )
    refunded_minor = models.BigIntegerField(
        _("amount refunded or reserved"), default=0, help_text=_("Goodwill on this line included.")
    )
    duties_refunded_minor = models.BigIntegerField(_("duties refunded or reserved"), default=0)
    elsewhere_quantity = models.PositiveIntegerField(
        _("quantity refunded elsewhere"),
        default=0,
        db_default=0,
        help_text=_("By hand, in either dashboard."),
    )
    elsewhere_minor = models.BigIntegerField(
        _("price of what was refunded elsewhere"),
        default=0,
        db_default=0,
        help_text=_("What those pieces cost."),
    )
    duties_elsewhere_minor = models.BigIntegerField(_("duties refunded elsewhere"), default=0, db_default=0)
    final_sale = models.BooleanField(_("final sale"), default=False)
    unfulfilled_quantity = models.PositiveIntegerField(
        _("quantity not shipped yet"), null=True, help_text=_("Unknown until the order has been read.")
    )

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["order", "external_id"], name="line_is_known_once_per_order"),
            models.CheckConstraint(
                condition=Q(quantity__gte=F("refunded_quantity")) & Q(quantity__gte=F("removed_quantity")),
                name="line_refunds_no_more_than_bought",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0) & Q(refunded_minor__lte=F("total_minor")),
                name="line_refunds_no_more_money_than_paid",
            ),
            models.CheckConstraint(
                condition=Q(duties_refunded_minor__gte=0) & Q(duties_refunded_minor__lte=F("duties_minor")),
                name="line_refunds_no_more_duties_than_paid",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def left(self) -> int:
        """Pieces that may still be refunded: bought, less those taken off the order and those refunded by anybody."""
        return max(0, self.quantity - self.removed_quantity - self.gone_quantity)

    @property
    def gone_quantity(self) -> int:
        """Pieces that were refunded or are about to be, by us and by others."""
        return self.refunded_quantity + self.elsewhere_quantity

    @property
    def gone_minor(self) -> int:
        """What went back or is about to for its pieces, by us and by others, never more than they cost; minor units."""
        return min(self.total_minor, self.refunded_minor + self.elsewhere_minor)

    @property
    def duties_gone_minor(self) -> int:
        """What went back or is about to of its duties, by us and by others; minor units."""
        return min(self.duties_minor, self.duties_refunded_minor + self.duties_elsewhere_minor)

    @property
    def is_over(self) -> bool:
        """Whether others refunded or took off pieces that we have refunded, or are about to."""
        return self.gone_quantity + self.removed_quantity > self.quantity

    @property
    def left_minor(self) -> int:
        """What pieces that weren't taken off cost, less what went back for them; minor units."""
        return max(0, self._worth(self.total_minor) - self.refunded_minor - self.elsewhere_minor)

    def share_minor(self, quantity: int) -> int:
        """What `quantity` further pieces of this line cost, in minor units.

        Cumulative rounding down, so that the shares of all pieces add up to the line's amount exactly; never more
        than the line has left after goodwill.
        """
        return min(self.price_minor(quantity), self.left_minor)

    def price_minor(self, quantity: int) -> int:
        """What `quantity` further pieces cost, whatever has gone back of the line's price; minor units."""
        return self._further(self.total_minor, quantity)

    def duties_share_minor(self, quantity: int) -> int:
        """The duties on `quantity` further pieces, in minor units; rounded like their price."""
        left = self._worth(self.duties_minor) - self.duties_refunded_minor - self.duties_elsewhere_minor
        return max(0, min(self._further(self.duties_minor, quantity), left))

    @property
    def duty_taxes(self) -> list[dict[str, Any]]:
        """The taxes in all its duties together, one for each title and rate; parts of `duties_minor`."""
        found: dict[tuple[str, int | None], int] = {}
        for duty in self.duties:
            # Duties that were read before anybody asked for their taxes tell none.
            for tax in duty.get("taxes", ()):
                named = (tax["title"], tax["rate_ppm"])
                found[named] = found.get(named, 0) + tax["amount_minor"]
        return [
            {"title": title, "rate_ppm": rate, "amount_minor": minor}
            for (title, rate), minor in found.items()
        ]

    def _worth(self, minor: int) -> int:
        """What of a sum for the whole quantity is for pieces that weren't taken off the order."""
        return minor * (self.quantity - self.removed_quantity) // self.quantity

    def _further(self, minor: int, quantity: int) -> int:
        worth, kept = self._worth(minor), self.quantity - self.removed_quantity
        if not kept:
            return 0
        before, after = self.gone_quantity, self.gone_quantity + quantity
        return worth * after // kept - worth * before // kept


class Shipment(models.Model):
    """One parcel of an order, with the carrier's last word about it."""

    class Status(models.TextChoices):
        """Where the parcel is, by the carrier."""

        CREATED = "created", _("label created")
        IN_TRANSIT = "in_transit", _("in transit")
        OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
        DELIVERED = "delivered", _("delivered")
        FAILURE = "failure", _("delivery failed")
        CANCELLED = "cancelled", _("cancelled")

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="shipments", verbose_name=_("order")
    )
    external_id = models.CharField(_("id at the shop"), max_length=64)
    carrier = models.CharField(_("carrier"), max_length=64, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=128, blank=True)
    tracking_numbers = models.JSONField(
        _("tracking numbers"),
        default=list,
        help_text=_("All of them, where a parcel travels in several pieces."),
    )
    status = models.CharField(_("status"), max_length=24, choices=Status, default=Status.CREATED)
    shipped_at = models.DateTimeField(_("shipped"))
    delivered_at = models.DateTimeField(_("delivered"), null=True)
    moved_at = models.DateTimeField(_("last movement"), null=True)

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "external_id"], name="parcel_is_known_once_per_shop"),
        ]

    def __str__(self) -> str:
        return self.tracking_number or self.external_id

    @property
    def all_numbers(self) -> str:
        """Every tracking number, for people to read: `JD01, JD02`."""
        return ", ".join(self.tracking_numbers) or self.tracking_number


class ShipmentLine(models.Model):
    """How many pieces of a line travel in a parcel."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="contents")
    line = models.ForeignKey(OrderLine, on_delete=models.CASCADE, related_name="parcels")
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("parcel content")
        verbose_name_plural = _("parcel contents")
        constraints = [
            models.UniqueConstraint(fields=["shipment", "line"], name="parcel_lists_a_line_once"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.line_id}"


class Return(models.Model):
    """Goods on their way back, as the shop knows it."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, related_name="returns", verbose_name=_("order")
    )
    external_id = models.CharField(_("id at the shop"), max_length=64)
    status = models.CharField(_("status"), max_length=32)
    requested_at = models.DateTimeField(_("requested"))
    contents = models.JSONField(
        _("what it holds"),
        null=True,
        help_text=_("By the shop's own line ids: line, quantity, processed. Unknown until it has been read."),
    )

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "external_id"], name="return_is_known_once_per_shop"),
        ]

    def __str__(self) -> str:
        return self.external_id
