"""A tool call: the committed intent to change something at a vendor, and what became of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from tools.types import Money

OPEN_STATES = ("reserved", "sending", "pending", "unknown")


class ToolCall(models.Model):
    """One effect of one decision. Written, with its key, in the decision's transaction; sent after the commit.

    `reserved → sending → succeeded | pending | failed | unknown`; pending and unknown end as succeeded or failed
    with `settled_by`. `cancelled` is reached before sending only, `failed_later` after success.
    """

    class State(models.TextChoices):
        """How far the effect has come."""

        RESERVED = "reserved", _("waits to be sent")
        SENDING = "sending", _("being sent")
        SUCCEEDED = "succeeded", _("done")
        PENDING = "pending", _("on its way")
        FAILED = "failed", _("failed")
        UNKNOWN = "unknown", _("outcome unknown")
        CANCELLED = "cancelled", _("cancelled before sending")
        FAILED_LATER = "failed_later", _("failed after success")

    class Settled(models.TextChoices):
        """Who told us how a pending or unknown call ended."""

        WEBHOOK = "webhook", _("a webhook")
        READING = "reading", _("reading the vendor")
        PERSON = "person", _("a person")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="calls", verbose_name=_("shop")
    )
    case = models.ForeignKey(
        "cases.Case", on_delete=models.PROTECT, related_name="calls", verbose_name=_("case")
    )
    decision = models.ForeignKey(
        "approvals.Decision", on_delete=models.PROTECT, related_name="calls", verbose_name=_("decision")
    )
    position = models.PositiveSmallIntegerField(
        _("step"), default=0, help_text=_("A step starts when the one before has succeeded.")
    )
    tool = models.CharField(_("tool"), max_length=48)
    vendor = models.CharField(_("vendor"), max_length=16)
    idempotency_key = models.UUIDField(_("idempotency key"), unique=True)
    correlation_id = models.UUIDField(_("correlation id"))
    request = models.TextField(
        _("request"), help_text=_("The effect as canonical JSON of ids and numbers; a retry sends the same.")
    )
    message = models.ForeignKey(
        "cases.Message", null=True, on_delete=models.PROTECT, related_name="calls", verbose_name=_("message")
    )
    payment = models.ForeignKey(
        "tools.Payment", null=True, on_delete=models.PROTECT, related_name="calls", verbose_name=_("payment")
    )
    amount_minor = models.BigIntegerField(_("amount"), default=0)
    value_minor = models.BigIntegerField(
        _("value"),
        default=0,
        help_text=_("What leaves the shop: the amount, and what is worth money besides."),
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.RESERVED)
    not_before = models.DateTimeField(_("not before"))
    lease_until = models.DateTimeField(_("claimed until"), null=True)
    fence = models.PositiveIntegerField(_("fencing token"), default=0)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    first_sent_at = models.DateTimeField(_("first sent"), null=True)
    held_since = models.DateTimeField(
        _("held back since"), null=True, help_text=_("The vendor is given a rest; nothing was sent.")
    )
    ended_at = models.DateTimeField(_("ended"), null=True)
    vendor_ref = models.CharField(_("id at the vendor"), max_length=128, blank=True)
    error = models.CharField(_("error"), max_length=64, blank=True)
    settled_by = models.CharField(_("settled by"), max_length=16, choices=Settled, blank=True)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("tool call")
        verbose_name_plural = _("tool calls")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "position"], name="decision_has_one_call_per_step"),
            models.UniqueConstraint(
                fields=["decision", "payment"],
                condition=Q(tool="issue_refund", payment__isnull=False),
                name="decision_refunds_a_payment_once",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor=0)
                | (Q(amount_minor__gt=0) & Q(payment__isnull=False) & ~Q(currency="")),
                name="call_that_moves_money_names_its_payment",
            ),
            models.CheckConstraint(
                condition=Q(value_minor__gte=0)
                & Q(value_minor__gte=F("amount_minor"))
                & (Q(value_minor=0) | ~Q(currency="")),
                name="call_is_worth_what_it_moves",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["reserved", "cancelled"]) | Q(first_sent_at__isnull=False),
                name="call_with_an_outcome_was_sent",
            ),
        ]
        indexes = [
            models.Index(fields=["not_before"], condition=Q(state__in=OPEN_STATES), name="call_open_by_time"),
            models.Index(fields=["shop", "created_at"], name="call_by_shop_and_time"),
        ]

    def __str__(self) -> str:
        return f"{self.tool} {self.idempotency_key}"

    @property
    def money(self) -> Money | None:
        """The money that this call moves, or None for a call that moves none."""
        return Money(self.amount_minor, self.currency) if self.amount_minor else None
