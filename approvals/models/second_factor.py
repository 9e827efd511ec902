"""Second factors: what was asked, what was tried, the passkeys, and what happens when somebody lost theirs.

A challenge and an attempt are committed on their own, so that no rollback of a page forgets a wrong code.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device


class Purpose(models.TextChoices):
    """What a factor is shown for."""

    SIGN_IN = "sign_in", _("signing in")
    APPROVAL = "approval", _("an approval")
    ADD = "add", _("adding a factor")


class Challenge(models.Model):
    """What one person is asked to prove within five minutes: for an approval, exactly its effect.

    One answer uses it up, whether right or wrong.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    purpose = models.CharField(_("for"), max_length=12, choices=Purpose)
    request = models.ForeignKey(
        "approvals.ApprovalRequest",
        null=True,
        on_delete=models.PROTECT,
        related_name="challenges",
        verbose_name=_("request"),
    )
    effect_hash = models.CharField(_("SHA-256 of the effect"), max_length=64, blank=True)
    nonce = models.BinaryField(_("nonce"), unique=True, max_length=32)
    made_at = models.DateTimeField(_("made"))
    expires_at = models.DateTimeField(_("expires"))
    used_at = models.DateTimeField(_("answered"), null=True)

    class Meta:
        verbose_name = _("challenge")
        verbose_name_plural = _("challenges")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="approval", request__isnull=False, effect_hash__regex="^[0-9a-f]{64}$")
                | Q(~Q(purpose="approval"), request__isnull=True, effect_hash=""),
                name="challenge_names_the_effect_of_its_approval",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("made_at")), name="challenge_lasts_for_a_while"
            ),
        ]
        indexes = [models.Index(fields=["user", "expires_at"], name="challenge_by_person")]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.made_at:%H:%M:%S}"


class CodeAttempt(models.Model):
    """One try at a second factor, committed on its own so that no rollback forgets it."""

    class Factor(models.TextChoices):
        """What was shown."""

        TOTP = "totp", _("one-time code")
        PASSKEY = "passkey", _("passkey")
        RECOVERY = "recovery", _("recovery code")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    purpose = models.CharField(_("for"), max_length=12, choices=Purpose, default=Purpose.APPROVAL)
    factor = models.CharField(_("factor"), max_length=12, choices=Factor, default=Factor.TOTP)
    request = models.ForeignKey(
        "approvals.ApprovalRequest",
        null=True,
        on_delete=models.PROTECT,
        related_name="attempts",
        verbose_name=_("request"),
    )
    challenge = models.OneToOneField(
        Challenge, null=True, on_delete=models.PROTECT, related_name="attempt", verbose_name=_("challenge")
    )
    accepted = models.BooleanField(_("accepted"))
    used_at = models.DateTimeField(_("signed with at"), null=True)
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("try at a second factor")
        verbose_name_plural = _("tries at second factors")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(purpose="approval", request__isnull=False)
                | Q(~Q(purpose="approval"), request__isnull=True),
                name="attempt_for_an_approval_names_it",
            ),
            models.CheckConstraint(
                condition=Q(used_at__isnull=True) | Q(accepted=True, purpose="approval"),
                name="only_an_accepted_attempt_signs",
            ),
            models.CheckConstraint(
                condition=~Q(factor="recovery") | Q(purpose="sign_in"),
                name="recovery_code_is_for_signing_in",
            ),
        ]
        indexes = [models.Index(fields=["user", "-at"], name="code_attempt_by_person")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%H:%M:%S}"


class Passkey(Device, models.Model):  # type: ignore[misc]  # django-otp is untyped; sessions name factors by it
    """A credential that signs challenges for this site alone: a phone, a laptop or a security key."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("person")
    )
    credential_id = models.BinaryField(_("credential id"), unique=True)
    public_key = models.BinaryField(_("public key"), help_text=_("COSE key."))
    sign_count = models.BigIntegerField(
        _("signatures"), help_text=_("As the authenticator counts; 0: it doesn't.")
    )
    transports = models.JSONField(_("transports"), default=list, blank=True)
    created_at = models.DateTimeField(_("added"))
    last_used_at = models.DateTimeField(_("last used"), null=True)

    objects: ClassVar[models.Manager[Passkey]] = models.Manager()

    class Meta:
        verbose_name = _("passkey")
        verbose_name_plural = _("passkeys")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="persons_passkeys_have_names_of_their_own")
        ]

    def __str__(self) -> str:
        return str(self.name)


class FactorReset(models.Model):
    """Taking a person's factors away, because they lost them: one colleague asks, another one confirms."""

    class State(models.TextChoices):
        """How far it is."""

        ASKED = "asked", _("waits for a second colleague")
        DONE = "done", _("done")
        WITHDRAWN = "withdrawn", _("withdrawn")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("whose factors")
    )
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.ASKED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by")
    )
    asked_at = models.DateTimeField(_("asked"))
    reason = models.CharField(_("reason"), max_length=500)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("confirmed or withdrawn by"),
    )
    ended_at = models.DateTimeField(_("confirmed or withdrawn"), null=True)

    class Meta:
        verbose_name = _("reset of a second factor")
        verbose_name_plural = _("resets of second factors")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(asked_by=F("user")), name="nobody_asks_to_reset_their_own_factor"
            ),
            models.CheckConstraint(
                condition=Q(state="asked", ended_by__isnull=True, ended_at__isnull=True)
                | Q(~Q(state="asked"), ended_by__isnull=False, ended_at__isnull=False),
                name="reset_is_asked_or_ended",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | (~Q(ended_by=F("user")) & ~Q(ended_by=F("asked_by"))),
                name="reset_takes_two_others",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="reset_says_why"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(state="asked"), name="person_has_one_open_reset"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_state_display()}"


class ResetNotice(models.Model):
    """That a colleague's factors were taken away, for one person with a money role, until they have seen it."""

    reset = models.ForeignKey(
        FactorReset, on_delete=models.PROTECT, related_name="notices", verbose_name=_("reset")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("for")
    )
    seen_at = models.DateTimeField(_("seen"), null=True)

    class Meta:
        verbose_name = _("notice of a reset")
        verbose_name_plural = _("notices of resets")
        constraints = [
            models.UniqueConstraint(fields=["reset", "user"], name="everybody_is_told_of_a_reset_once")
        ]
        indexes = [
            models.Index(fields=["user"], condition=Q(seen_at__isnull=True), name="unseen_reset_notices")
        ]

    def __str__(self) -> str:
        return str(self.reset)


class ResetNews(models.Model):
    """The same for the channel of one shop that the person works for."""

    reset = models.ForeignKey(
        FactorReset, on_delete=models.PROTECT, related_name="news", verbose_name=_("reset")
    )
    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    at = models.DateTimeField(_("at"))
    announced_at = models.DateTimeField(_("announced to staff"), null=True)
    announce_attempts = models.PositiveSmallIntegerField(_("attempts to announce"), default=0)

    class Meta:
        verbose_name = _("news of a reset")
        verbose_name_plural = _("news of resets")
        constraints = [
            models.UniqueConstraint(fields=["reset", "shop"], name="every_shop_hears_of_a_reset_once")
        ]

    def __str__(self) -> str:
        return str(self.reset)
