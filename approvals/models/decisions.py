"""Decisions with their verdicts, the approvals that some of them need, and what people reversed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from approvals.entitlement_words import say
from tools.types import Money


class Decision(models.Model):
    """One action that somebody wished for, the effect it would have, and the policy's verdict about it.

    Append-only: a database trigger refuses change and deletion. `action`, `effect` and `values` hold ids, codes and
    numbers only.
    """

    class Outcome(models.TextChoices):
        """The verdict."""

        ALLOW = "allow", _("allowed")
        ALLOW_AFTER_UNDO = "allow_after_undo", _("allowed after the undo window")
        ONE_APPROVER = "one_approver", _("one approver")
        TWO_FACTOR = "two_factor", _("approval with second factor")
        HUMAN = "human", _("a person")
        DENY = "deny", _("denied")

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    case = models.ForeignKey(
        "cases.Case", on_delete=models.PROTECT, related_name="decisions", verbose_name=_("case")
    )
    tool = models.CharField(_("tool"), max_length=48)
    action = models.JSONField(
        _("what was asked for"), help_text=_("The tool's arguments as the planner gave them.")
    )
    effect = models.JSONField(
        _("exact effect"), help_text=_("As the server resolved it; empty when it could not.")
    )
    effect_hash = models.CharField(_("SHA-256 of the effect"), max_length=64)
    entitled_by = models.CharField(_("entitled by"), max_length=64, blank=True, help_text=_("Rule id."))
    outcome = models.CharField(_("verdict"), max_length=20, choices=Outcome)
    rule = models.CharField(_("deciding rule"), max_length=64)
    values = models.JSONField(_("rules in order with the values seen"))
    policy_version = models.CharField(_("policy version"), max_length=32)
    limits = models.ForeignKey(
        "approvals.LimitVersion",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("limits"),
    )
    terms = models.ForeignKey(
        "approvals.TermsVersion",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("terms"),
        help_text=_("The version that the rule which entitles stands in; empty where none was asked."),
    )
    limits_hash = models.CharField(_("SHA-256 of limits and terms"), max_length=64)
    judged_under = models.JSONField(
        _("judged under"),
        default=dict,
        help_text=_(
            "Every number of the limits in force, how sure the planner said it was, and what the terms say."
        ),
    )
    planner = models.ForeignKey(
        "cases.PlannerConfig", on_delete=models.PROTECT, related_name="+", verbose_name=_("planner")
    )
    prompt_hash = models.CharField(_("SHA-256 of the prompt"), max_length=64, blank=True)
    catalogue_hash = models.CharField(_("SHA-256 of the tool catalogue"), max_length=64)
    machine_text = models.ForeignKey(
        "cases.Message",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("planner's text"),
    )
    by_kind = models.CharField(_("decided by"), max_length=12)
    by_id = models.CharField(_("who"), max_length=64)
    correlation_id = models.UUIDField(_("correlation id"))
    facts_at = models.DateTimeField(_("facts as of"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(rule=""), name="decision_names_its_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.tool}: {self.get_outcome_display()}"

    @property
    def entitlement(self) -> str:
        """What the shop's terms said of it, in words; empty where they were not asked."""
        said = self.judged_under.get("entitlement")
        return say(said["rule"], said["values"]) if said else ""

    @property
    def problem(self) -> str:
        """The code of why the action could not be resolved; empty where it could, or another rule spoke first."""
        return next((seen["values"].get("problem", "") for seen in self.values[-1:]), "")


class ApprovalRequest(models.Model):
    """A decision that waits for a person who may sign exactly this effect, until it expires."""

    class Tier(models.TextChoices):
        """What signing takes."""

        ONE_APPROVER = "one_approver", _("one approver")
        TWO_FACTOR = "two_factor", _("second factor")

    class State(models.TextChoices):
        """What became of it."""

        PENDING = "pending", _("waits")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        EXPIRED = "expired", _("expired")
        VOIDED = "voided", _("voided by a change")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="approvals", verbose_name=_("shop")
    )
    decision = models.OneToOneField(
        Decision, on_delete=models.PROTECT, related_name="approval", verbose_name=_("decision")
    )
    case = models.ForeignKey(
        "cases.Case", on_delete=models.PROTECT, related_name="approvals", verbose_name=_("case")
    )
    tier = models.CharField(_("tier"), max_length=16, choices=Tier)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.PENDING)
    effect_hash = models.CharField(_("fingerprint of the effect"), max_length=64)
    amount_minor = models.BigIntegerField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    people_needed = models.PositiveSmallIntegerField(_("people who sign"), default=1)
    renewed_from = models.OneToOneField(
        "self",
        null=True,
        on_delete=models.PROTECT,
        related_name="renewed_as",
        verbose_name=_("asks again"),
        help_text=_("The request that nobody decided in time."),
    )
    renewals = models.PositiveSmallIntegerField(_("asked again (times)"), default=0)
    edited_from = models.ForeignKey(
        Decision,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("another amount than"),
        help_text=_("The decision whose amount a person changed."),
    )
    requested_at = models.DateTimeField(_("requested"))
    expires_at = models.DateTimeField(_("expires"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("approval request")
        verbose_name_plural = _("approval requests")
        ordering = ["expires_at"]
        permissions = [
            ("approve_refund", "Can approve a mid-size refund"),
            ("approve_large_refund", "Can approve a large refund with a second factor"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="pending", decided_by__isnull=True, decided_at__isnull=True)
                | Q(state__in=["approved", "rejected"], decided_by__isnull=False, decided_at__isnull=False)
                | Q(state__in=["expired", "voided"], decided_by__isnull=True, decided_at__isnull=False),
                name="approval_is_pending_or_signed",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(reason=""), name="rejected_approval_says_why"
            ),
            models.UniqueConstraint(
                fields=["case"], condition=Q(state="pending"), name="case_has_one_pending_approval"
            ),
            models.CheckConstraint(
                condition=Q(people_needed=1) | Q(people_needed=2, tier="two_factor"),
                name="two_people_sign_large_sums_alone",
            ),
            models.CheckConstraint(
                condition=Q(renewals=0, renewed_from__isnull=True)
                | Q(renewals__gt=0, renewed_from__isnull=False),
                name="renewed_approval_names_the_one_before",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(state="pending"), name="approval_by_expiry")
        ]

    def __str__(self) -> str:
        return f"{self.money} #{self.case_id}"

    @property
    def money(self) -> Money:
        """What leaves the shop when this is signed."""
        return Money(self.amount_minor, self.currency)

    @classmethod
    def waiting(cls) -> models.QuerySet[ApprovalRequest]:
        """What waits for a signature, in the order in which people should look: what ran out before comes first."""
        rows = cls._default_manager.filter(state=cls.State.PENDING)
        return rows.order_by("-renewals", "expires_at", "pk")


class Reversal(models.Model):
    """A person found an automated decision wrong: the KPI that says when to trust less."""

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    decision = models.OneToOneField(
        Decision, on_delete=models.PROTECT, related_name="reversal", verbose_name=_("decision")
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    reason = models.CharField(_("reason"), max_length=500)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("reversal")
        verbose_name_plural = _("reversals")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.decision_id)
