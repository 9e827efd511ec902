"""A case is something that somebody wants or that is wrong, never an event."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Case(models.Model):
    """One wish or one fault, from its first event to its end.

    The planner's work is claimed on this row: `due_at` says when the case wants thought, `lease_until` (database
    clock) and `fence` say who has it. `dirty` counts what arrived, `planned` how much of that a plan has seen.
    """

    class State(models.TextChoices):
        """Who has the next move."""

        OPEN = "open", _("with the agent")
        WAITING = "waiting", _("waits")
        APPROVAL = "approval", _("waits for approval")
        HANDOFF = "handoff", _("with a person")
        CLOSED = "closed", _("closed")

    class Wait(models.TextChoices):
        """What a waiting case waits for."""

        CUSTOMER = "customer", _("the customer's answer")
        PARCEL = "parcel", _("the parcel")
        RETURN = "return", _("the return")
        EFFECT = "effect", _("an effect to finish")
        SNOOZE = "snooze", _("staff set it aside")

    class Subject(models.TextChoices):
        """What opened the case."""

        MESSAGE = "message", _("a message")
        UNFULFILLED = "unfulfilled", _("paid, not shipped in time")
        STUCK_PARCEL = "stuck_parcel", _("the parcel does not move")
        TWIN_ORDER = "twin_order", _("ordered twice")
        RISK = "risk", _("fraud-suspect order")
        DISPUTE = "dispute", _("dispute")
        DRIFT = "drift", _("a vendor's answer has changed")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="cases", verbose_name=_("shop")
    )
    subject = models.CharField(_("opened by"), max_length=24, choices=Subject)
    title = models.CharField(
        _("title"), max_length=200, help_text=_("Made of codes and numbers, no personal text.")
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.OPEN)
    order = models.ForeignKey(
        "tools.Order", null=True, on_delete=models.PROTECT, related_name="cases", verbose_name=_("order")
    )
    conversation = models.ForeignKey(
        "cases.Conversation",
        null=True,
        on_delete=models.PROTECT,
        related_name="cases",
        verbose_name=_("conversation"),
    )
    person = models.ForeignKey(
        "cases.Person", null=True, on_delete=models.PROTECT, related_name="cases", verbose_name=_("person")
    )
    previous = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="later", verbose_name=_("earlier case")
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="cases",
        verbose_name=_("assigned"),
    )
    language = models.CharField(_("language"), max_length=8)
    correlation_id = models.UUIDField(_("correlation id"), help_text=_("Of the last event."))
    opened_at = models.DateTimeField(_("opened"))
    closed_at = models.DateTimeField(_("closed"), null=True)
    closed_by = models.CharField(_("closed by"), max_length=150, blank=True)
    reopened = models.PositiveSmallIntegerField(_("reopened"), default=0)
    wait_reason = models.CharField(_("waits for"), max_length=12, choices=Wait, blank=True)
    wake_at = models.DateTimeField(_("wakes at"), null=True)
    reminders = models.PositiveSmallIntegerField(_("reminders sent"), default=0)
    human_only = models.BooleanField(
        _("the agent is silent"), default=False, help_text=_("A person took the case over.")
    )
    due_at = models.DateTimeField(_("wants thought since"), null=True)
    dirty = models.PositiveIntegerField(_("changes"), default=1)
    planned = models.PositiveIntegerField(_("changes seen by a plan"), default=0)
    lease_until = models.DateTimeField(_("claimed until"), null=True)
    fence = models.PositiveIntegerField(_("fencing token"), default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order"],
                condition=~Q(state="closed") & Q(order__isnull=False),
                name="order_has_one_open_case",
            ),
            models.UniqueConstraint(
                fields=["conversation"],
                condition=~Q(state="closed") & Q(conversation__isnull=False),
                name="conversation_has_one_open_case",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting") ^ Q(wait_reason="", wake_at__isnull=True),
                name="waiting_case_has_a_reason_and_a_date",
            ),
            models.CheckConstraint(
                condition=~Q(state="waiting") | (~Q(wait_reason="") & Q(wake_at__isnull=False)),
                name="wait_is_dated",
            ),
            models.CheckConstraint(
                condition=Q(state="closed") ^ Q(closed_at__isnull=True), name="closed_case_says_when"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="case_wants_thought"),
            models.Index(fields=["wake_at"], condition=Q(state="waiting"), name="case_wakes"),
            models.Index(fields=["shop", "state", "-opened_at"], name="case_by_state"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"


class Handoff(models.Model):
    """The moment a case needs a person, as a row in the transaction that found out.

    Seen by staff without LLM, queue or mail. `due_at` is the promise: a minute for emotion and law.
    """

    class Reason(models.TextChoices):
        """Why a person."""

        FRAUD = "fraud", _("fraud-suspect")
        DISPUTE = "dispute", _("dispute")
        LEGAL = "legal", _("legal")
        DISTRESS = "distress", _("distress")
        ANGER = "anger", _("anger")
        REFUSED = "refused", _("an approver said no")
        EXPIRED = "expired", _("nobody decided in time")
        DENIED = "denied", _("policy denies it")
        POLICY = "policy", _("policy asks for a person")
        PLANNER = "planner", _("the planner asks for a person")
        FAILED = "failed", _("an effect failed")
        UNKNOWN = "unknown", _("an effect's outcome is unknown")
        STUCK = "stuck", _("the agent got no further")
        STAFF = "staff", _("a colleague asked")
        DRIFT = "drift", _("a vendor's answer has changed")

    class State(models.TextChoices):
        """Who has it."""

        WAITING = "waiting", _("waits for a person")
        CLAIMED = "claimed", _("claimed")
        RESOLVED = "resolved", _("resolved")

    shop = models.ForeignKey(
        "cases.Shop", on_delete=models.PROTECT, related_name="handoffs", verbose_name=_("shop")
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="handoffs", verbose_name=_("case"))
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WAITING)
    event = models.ForeignKey(
        "cases.InboundEvent", null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("event")
    )
    decision = models.ForeignKey(
        "approvals.Decision",
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decision"),
    )
    drift = models.ForeignKey(
        "tools.Drift",
        null=True,
        on_delete=models.PROTECT,
        related_name="handoffs",
        verbose_name=_("drift"),
    )
    detail = models.CharField(_("detail"), max_length=64, blank=True, help_text=_("A rule id or error code."))
    received_at = models.DateTimeField(
        _("called for at"), help_text=_("Receipt of the event or the decision's time.")
    )
    opened_at = models.DateTimeField(_("opened"))
    due_at = models.DateTimeField(_("promised by"))
    claimed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("claimed by"),
    )
    claimed_at = models.DateTimeField(_("claimed"), null=True)
    resolved_at = models.DateTimeField(_("resolved"), null=True)
    announced_at = models.DateTimeField(_("announced to staff"), null=True)
    announce_attempts = models.PositiveSmallIntegerField(_("attempts to announce"), default=0)

    class Meta:
        verbose_name = _("hand-off")
        verbose_name_plural = _("hand-offs")
        ordering = ["due_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=~Q(state="resolved"), name="case_has_one_open_handoff"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting") | (Q(claimed_by__isnull=False) & Q(claimed_at__isnull=False)),
                name="claimed_handoff_names_who",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()} #{self.case_id}"
