"""The money ledger: payments with their running sums, each change as an entry that is never rewritten."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tools.types import Money


class Payment(models.Model):
    """What one tender took for an order, and how much of it may still go back.

    All sums are minor units of `currency`. `reserved_minor` holds our calls that are reserved, sending, pending or
    unknown; `refunded_minor` our succeeded ones. The database's CHECK covers our own part only, since a fact from
    outside (`elsewhere_minor`, `disputed_minor`) is always recorded, even when it makes the sum exceed the capture.
    """

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    order = models.ForeignKey(
        "tools.Order", on_delete=models.PROTECT, related_name="payments", verbose_name=_("order")
    )
    vendor = models.CharField(_("paid back by"), max_length=16, help_text=_("stripe, shopify or manual."))
    gateway = models.CharField(_("gateway"), max_length=64)
    external_id = models.CharField(
        _("id at the vendor"), max_length=128, help_text=_("Charge or transaction.")
    )
    instrument = models.CharField(
        _("payment method"), max_length=128, blank=True, help_text=_("The vendor's fingerprint of the card.")
    )
    payment_intent = models.CharField(
        _("payment intent"), max_length=128, blank=True, help_text=_("Stripe's, where it is known.")
    )
    # Null and empty are two things here: nobody has asked yet, and it pays none.
    invoice = models.CharField(  # noqa: DJ001
        _("paid invoice"),
        max_length=128,
        null=True,
        help_text=_("At Stripe. Empty: it pays none. Unknown: nobody has asked yet."),
    )
    livemode = models.BooleanField(
        _("real money"), null=True, help_text=_("No: a payment of the vendor's test mode.")
    )
    by_hand = models.BooleanField(
        _("paid by hand"),
        null=True,
        help_text=_("The shop's own word that no gateway moves this money. Unknown: only its name says so."),
    )
    currency = models.CharField(_("currency"), max_length=3)
    captured_minor = models.BigIntegerField(_("captured"), default=0)
    reserved_minor = models.BigIntegerField(_("reserved"), default=0)
    refunded_minor = models.BigIntegerField(_("refunded by us"), default=0)
    elsewhere_minor = models.BigIntegerField(_("refunded elsewhere"), default=0)
    disputed_minor = models.BigIntegerField(_("disputed"), default=0)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        ordering = ["id"]
        indexes = [
            models.Index(
                fields=["shop", "instrument"], condition=~Q(instrument=""), name="payment_by_instrument"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["shop", "vendor", "external_id"], name="payment_is_known_once"),
            models.CheckConstraint(
                condition=Q(captured_minor__gte=F("reserved_minor") + F("refunded_minor")),
                name="payment_gives_back_no_more_than_captured",
            ),
            models.CheckConstraint(
                condition=Q(reserved_minor__gte=0)
                & Q(refunded_minor__gte=0)
                & Q(elsewhere_minor__gte=0)
                & Q(disputed_minor__gte=0)
                & Q(captured_minor__gte=0),
                name="payment_sums_are_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def refundable(self) -> Money:
        """Captured, less all that is gone, promised, refunded elsewhere or disputed; never below zero."""
        ours = self.reserved_minor + self.refunded_minor
        left = self.captured_minor - ours - self.elsewhere_minor - self.disputed_minor
        return Money(max(0, left), self.currency)


class RefundQuote(models.Model):
    """How a shop itself would split a refund among an order's tenders; read before it is judged, soon out of date.

    `wish` is the digest of lines, quantities, shipping and amount that the shop was asked about; `parts` its answer:
    `[{"payment": our id, "amount_minor": …, "maximum_minor": …}]`.
    """

    order = models.ForeignKey(
        "tools.Order", on_delete=models.CASCADE, related_name="quotes", verbose_name=_("order")
    )
    wish = models.CharField(_("SHA-256 of the wish"), max_length=64)
    parts = models.JSONField(_("parts"))
    read_at = models.DateTimeField(_("read from the shop"))

    class Meta:
        verbose_name = _("quoted refund")
        verbose_name_plural = _("quoted refunds")
        ordering = ["-id"]
        indexes = [models.Index(fields=["order", "wish", "-read_at"], name="quote_by_wish")]

    def __str__(self) -> str:
        return self.wish[:12]


class LedgerEntry(models.Model):
    """One change of a payment's sums. Append-only: a database trigger refuses change and deletion."""

    class Kind(models.TextChoices):
        """Which sum of the payment moved."""

        CAPTURED = "captured", _("captured")
        RESERVED = "reserved", _("reserved")
        RELEASED = "released", _("released")
        REFUNDED = "refunded", _("refunded")
        ELSEWHERE = "elsewhere", _("refunded elsewhere")
        DISPUTED = "disputed", _("disputed")
        REVERSED = "reversed", _("refund taken back by the vendor")

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="entries", verbose_name=_("payment")
    )
    call = models.ForeignKey(
        "tools.ToolCall",
        null=True,
        on_delete=models.PROTECT,
        related_name="ledger",
        verbose_name=_("tool call"),
    )
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    amount_minor = models.BigIntegerField(_("amount"), help_text=_("Signed, minor units."))
    unnamed_minor = models.BigIntegerField(
        _("for nobody knows what"),
        default=0,
        db_default=0,
        help_text=_("What of a refund elsewhere goes beyond the pieces and the shipping that it names."),
    )
    currency = models.CharField(_("currency"), max_length=3)
    vendor_ref = models.CharField(_("id at the vendor"), max_length=128, blank=True)
    at = models.DateTimeField(_("at"))
    made_at = models.DateTimeField(
        _("made"), null=True, help_text=_("By the vendor's clock, where others moved the money.")
    )

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["shop", "made_at"], condition=Q(kind="elsewhere"), name="entry_made_elsewhere"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "kind", "vendor_ref"],
                condition=Q(kind__in=["elsewhere", "captured"]),
                name="outside_fact_is_booked_once",
            ),
            models.UniqueConstraint(
                fields=["call", "kind"], condition=Q(call__isnull=False), name="call_books_each_kind_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {Money(self.amount_minor, self.currency)}"


class Dispute(models.Model):
    """A charge that the cardholder's bank questions; `evidence_due_at` is the vendor's deadline."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    payment = models.ForeignKey(
        Payment, on_delete=models.PROTECT, related_name="disputes", verbose_name=_("payment")
    )
    external_id = models.CharField(_("id at the vendor"), max_length=128)
    status = models.CharField(_("status"), max_length=48)
    reason = models.CharField(_("reason"), max_length=64, blank=True)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    evidence_due_at = models.DateTimeField(_("evidence due"), null=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["shop", "external_id"], name="dispute_is_known_once_per_shop"),
        ]

    def __str__(self) -> str:
        return self.external_id
