"""What a shop promises its customers, as versions: windows, the right of withdrawal, and what it asks for first."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from approvals.models.versions import Version, kept
from approvals.terms import Terms, withdrawal_by_law


class TermsVersion(Version):
    """The terms of a shop, judged before any limit. Never edited: a change is a new version.

    Days are those of the calendar where the customer lives, after the one on which the goods arrived. Amounts are minor
    units by currency. What the columns may hold, `approvals.terms.Terms` says.
    """

    NUMBERS: ClassVar[tuple[str, ...]] = tuple(Terms.model_fields)

    class RefundOn(models.TextChoices):
        """When the money of a return goes back."""

        SCAN = "scan", _("once the carrier has it")
        RECEIPT = "receipt", _("once it is received")
        INSPECTION = "inspection", _("once it is inspected")

    class Pays(models.TextChoices):
        """Who pays for sending goods back that nothing is wrong with."""

        CUSTOMER = "customer", _("the customer, to a carrier of their own")
        LABEL = "label", _("the customer, by the shop's label")
        SHOP = "shop", _("the shop")

    class WithdrawalPays(models.TextChoices):
        """Who pays for sending goods back by the law's own right."""

        SAME = "", _("whoever pays for a change of mind")
        CUSTOMER = "customer", _("the customer, to a carrier of their own")
        SHOP = "shop", _("the shop")

    class Outward(models.TextChoices):
        """What becomes of the delivery's price where the whole order comes back by choice."""

        KEPT = "kept", _("the shop keeps it")
        REFUNDED = "refunded", _("it goes back too")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="terms", verbose_name=_("shop")
    )
    return_days = models.PositiveSmallIntegerField(_("change of mind: return within (days)"), default=30)
    damage_days = models.PositiveSmallIntegerField(_("damaged: report within (days)"), default=14)
    wrong_item_days = models.PositiveSmallIntegerField(_("wrong item: report within (days)"), default=14)
    missing_days = models.PositiveSmallIntegerField(_("missing: report within (days)"), default=14)
    goodwill_days = models.PositiveSmallIntegerField(
        _("goodwill within (days)"), default=14, null=True, help_text=_("Empty: none is given by rule.")
    )
    withdrawal = models.JSONField(
        _("right of withdrawal"),
        default=withdrawal_by_law,
        help_text=_(
            "Days and countries, a line for each period: 14: EU, GB. It begins with the last parcel."
        ),
    )
    final_sale = models.JSONField(
        _("final sale (SKUs)"),
        default=list,
        help_text=_(
            "SKUs or patterns as SALE-*, one a line: a shop's order names no tags and no product type. A right of"
            " withdrawal holds all the same."
        ),
    )
    hygiene = models.JSONField(
        _("sealed for hygiene (SKUs)"),
        default=list,
        help_text=_(
            "SKUs or patterns, one a line: a shop's order names no tags and no product type. A person looks at the seal"
            " before the money goes back."
        ),
    )
    refund_on = models.CharField(
        _("money of a return goes back"), max_length=12, choices=RefundOn, default=RefundOn.RECEIPT
    )
    return_shipping = models.CharField(
        _("sending back is paid by"),
        max_length=12,
        choices=Pays,
        default=Pays.CUSTOMER,
        help_text=_("For a change of mind. What is damaged, wrong or missing costs the customer nothing."),
    )
    withdrawal_shipping = models.CharField(
        _("sending back is paid by, in a withdrawal"),
        max_length=12,
        choices=WithdrawalPays,
        default=WithdrawalPays.SAME,
        blank=True,
        help_text=_("The law lets nobody keep a fee back then: the shop's label is free."),
    )
    return_shipping_in = models.JSONField(
        _("sending back is paid otherwise in"),
        default=dict,
        help_text=_(
            "Who pays and countries, a line for each: label: US, CA. One of customer, label and shop."
        ),
    )
    return_fee = models.JSONField(
        _("fee for the shop's label"),
        default=dict,
        help_text=_("Kept back of the refund, once for an order. Empty: nothing is."),
    )
    outward_shipping = models.CharField(
        _("delivery of a whole order sent back by choice"),
        max_length=12,
        choices=Outward,
        default=Outward.KEPT,
    )
    standard_shipping = models.JSONField(
        _("standard delivery costs"),
        default=dict,
        help_text=_("So much of the delivery goes back with a withdrawal. Empty: a person decides."),
    )
    photo_above = models.JSONField(
        _("photo of damaged or wrong goods above"),
        default=dict,
        help_text=_("Empty: none is asked for. A person looks at each photo before the money goes back."),
    )

    class Meta:
        verbose_name = _("terms")
        verbose_name_plural = _("terms")
        ordering = ["shop", "-version"]
        permissions = [("publish_termsversion", "Can publish terms that somebody else wrote")]
        constraints = kept("terms")

    def __str__(self) -> str:
        return f"v{self.version}"

    @property
    def promises(self) -> Terms:
        """What it says, checked; raises pydantic.ValidationError for a row that nobody could have written here."""
        return Terms.model_validate(self.numbers())
