"""When people are there to decide: hours by the week, absences, and who stands in for whom."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

DAY_MINUTES = 24 * 60
MONEY_RIGHTS = (
    ("approvals.approve_refund", _("mid-size refunds")),
    ("approvals.approve_large_refund", _("large refunds")),
)


class DutyHours(models.Model):
    """One stretch of a person's week, in minutes of the day by the clock of their time zone.

    Who has no stretch at all is taken to be there at any hour.
    """

    class Weekday(models.IntegerChoices):
        """As Python counts them."""

        MONDAY = 0, _("Monday")
        TUESDAY = 1, _("Tuesday")
        WEDNESDAY = 2, _("Wednesday")
        THURSDAY = 3, _("Thursday")
        FRIDAY = 4, _("Friday")
        SATURDAY = 5, _("Saturday")
        SUNDAY = 6, _("Sunday")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="duty_hours",
        verbose_name=_("person"),
    )
    weekday = models.PositiveSmallIntegerField(_("weekday"), choices=Weekday)
    starts_minute = models.PositiveSmallIntegerField(_("from (minute of the day)"))
    ends_minute = models.PositiveSmallIntegerField(_("until (minute of the day)"))
    time_zone = models.CharField(_("time zone"), max_length=64, help_text=_("IANA name: Europe/Oslo."))

    class Meta:
        verbose_name = _("duty hours")
        verbose_name_plural = _("duty hours")
        ordering = ["user", "weekday", "starts_minute"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_minute__lt=F("ends_minute"), ends_minute__lte=DAY_MINUTES),
                name="duty_starts_before_it_ends",
            ),
            models.CheckConstraint(condition=Q(weekday__lte=6), name="duty_is_on_a_day_of_the_week"),
            models.UniqueConstraint(
                fields=["user", "weekday", "starts_minute"], name="duty_stretch_is_written_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {_clock(self.starts_minute)}–{_clock(self.ends_minute)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


class Absence(models.Model):
    """A time in which a person decides nothing, whatever their hours are. Why is nobody's business."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="absences", verbose_name=_("person")
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("written by")
    )
    written_at = models.DateTimeField(_("written"))
    cancelled_at = models.DateTimeField(_("cancelled"), null=True)

    class Meta:
        verbose_name = _("absence")
        verbose_name_plural = _("absences")
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")), name="absence_starts_before_it_ends"
            ),
        ]
        indexes = [models.Index(fields=["user", "ends_at"], name="absence_by_person")]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d} – {self.ends_at:%Y-%m-%d}"


class Delegation(models.Model):
    """For these dates one person signs in another's place, given by a third.

    It lends the other's right as it is at the moment of the click, with everything that bars the other from a request.
    """

    shop = models.ForeignKey("cases.Shop", on_delete=models.PROTECT, related_name="+", verbose_name=_("shop"))
    right = models.CharField(_("signs"), max_length=64, choices=MONEY_RIGHTS)
    instead_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="lent", verbose_name=_("instead of")
    )
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="stands_in",
        verbose_name=_("stands in"),
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=500)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("given by")
    )
    given_at = models.DateTimeField(_("given"))
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        ordering = ["-starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at__lt=F("ends_at")), name="delegation_starts_before_it_ends"
            ),
            models.CheckConstraint(
                condition=~Q(to=F("instead_of")) & ~Q(given_by=F("to")) & ~Q(given_by=F("instead_of")),
                name="delegation_is_given_by_a_third_person",
            ),
            models.CheckConstraint(
                condition=Q(right__in=[right for right, _name in MONEY_RIGHTS]),
                name="delegation_lends_a_known_right",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="delegation_says_why"),
        ]
        indexes = [models.Index(fields=["to", "ends_at"], name="delegation_by_stand_in")]

    def __str__(self) -> str:
        return f"{self.to} → {self.instead_of}"
