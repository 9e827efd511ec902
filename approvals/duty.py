"""Until when a request waits: its lifetime is counted in the hours in which somebody who may decide is on duty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db.models import F

from approvals.models import Absence, ApprovalRequest, CapsVersion, DutyHours
from approvals.versions import in_force

if TYPE_CHECKING:
    from cases.models import User

Tier = ApprovalRequest.Tier
RIGHT = {Tier.ONE_APPROVER: "approvals.approve_refund", Tier.TWO_FACTOR: "approvals.approve_large_refund"}
Span = tuple[datetime, datetime]

# Where nobody is on duty for so long, the request ends at the latest, and a person gets the case.
LONGEST = timedelta(days=30)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of every week, in minutes of the day by the clock of a place."""

    weekday: int
    starts_minute: int
    ends_minute: int
    zone: str


@dataclass(frozen=True, slots=True)
class Week:
    """When one person is there: at any hour where they have no stretches, but never while absent."""

    stretches: tuple[Stretch, ...] = ()
    absences: tuple[Span, ...] = ()

    def on_duty(self, at: datetime) -> bool:
        """Whether they are there at this moment."""
        return any(starts <= at < ends for starts, ends in self.spans(at, at + timedelta(microseconds=1)))

    def away_until(self, at: datetime) -> datetime | None:
        """When the absence ends that this moment falls in; None where it falls in none."""
        return max((ends for starts, ends in self.absences if starts <= at < ends), default=None)

    def spans(self, starts: datetime, ends: datetime) -> list[Span]:
        """When they are there between two moments, in order."""
        there = [(starts, ends)] if not self.stretches else merged(self._weekly(starts, ends))
        for absence in self.absences:
            there = [left for span in there for left in _without(span, absence)]
        return there

    def between(self, starts: datetime, ends: datetime) -> Week:
        """The same week for whoever counts between two moments alone."""
        outside = ((datetime.min.replace(tzinfo=UTC), starts), (ends, datetime.max.replace(tzinfo=UTC)))
        return Week(self.stretches, (*self.absences, *outside))

    def _weekly(self, starts: datetime, ends: datetime) -> list[Span]:
        found = []
        for stretch in self.stretches:
            zone = ZoneInfo(stretch.zone)
            day, last = starts.astimezone(zone).date() - DAY, ends.astimezone(zone).date()
            while day <= last:
                if day.weekday() == stretch.weekday:
                    since, until = _moments(day, stretch, zone)
                    found.append((max(since, starts), min(until, ends)))
                day += DAY
        return [(since, until) for since, until in found if since < until]


def _moments(day: date, stretch: Stretch, zone: ZoneInfo) -> Span:
    """By the clock on the wall: a night in which it is put forward is an hour shorter."""
    midnight = datetime.combine(day, time(), zone)
    since, until = (
        # Adding to a moment of a place goes by its wall clock.
        (midnight + timedelta(minutes=minute)).astimezone(UTC)
        for minute in (stretch.starts_minute, stretch.ends_minute)
    )
    return since, until


def _without(span: Span, gap: Span) -> list[Span]:
    before, after = (span[0], min(span[1], gap[0])), (max(span[0], gap[1]), span[1])
    return [part for part in (before, after) if part[0] < part[1]]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time, each moment once, in order."""
    found: list[Span] = []
    for starts, ends in sorted(spans):
        if found and starts <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ends))
        else:
            found.append((starts, ends))
    return found


def runs_out(starts: datetime, lifetime: timedelta, weeks: Sequence[Week]) -> datetime:
    """When so much time has passed in which at least one of these people is there.

    By the plain clock where there is nobody at all, since a case that nobody may decide is a person's soon.
    """
    horizon, left, last = starts + LONGEST, lifetime, starts
    spans = merged(span for week in weeks for span in week.spans(starts, horizon))
    for since, until in spans:
        if until - since >= left:
            return since + left
        left, last = left - (until - since), until
    return horizon if last > starts else starts + lifetime


def time_there(starts: datetime, ends: datetime, weeks: Sequence[Week]) -> timedelta:
    """How much of a time counts as lifetime: what `runs_out` takes until its end, by the plain clock as it does."""
    if not any(week.spans(starts, starts + LONGEST) for week in weeks):
        return ends - starts
    spans = merged(span for week in weeks for span in week.spans(starts, ends))
    return sum((until - since for since, until in spans), timedelta(0))


def weeks_of(users: Iterable[User], since: datetime) -> dict[int, Week]:
    """Everybody's hours and the absences that are not over by then, by the person's id; two queries."""
    ids = [user.pk for user in users]
    stretches: dict[int, list[Stretch]] = {pk: [] for pk in ids}
    absences: dict[int, list[Span]] = {pk: [] for pk in ids}
    for row in DutyHours.objects.filter(user__in=ids):
        stretches[row.user_id].append(Stretch(row.weekday, row.starts_minute, row.ends_minute, row.time_zone))
    for gone in Absence.objects.filter(user__in=ids, ends_at__gt=since, cancelled_at__isnull=True):
        absences[gone.user_id].append((gone.starts_at, gone.ends_at))
    return {pk: Week(tuple(stretches[pk]), tuple(sorted(absences[pk]))) for pk in ids}


def caps_in_force(shop_id: int) -> CapsVersion | None:
    """The caps in force in the shop's base currency, with the lifetimes of requests."""
    return in_force(CapsVersion, shop_id=shop_id, currency=F("shop__base_currency"))


def lifetime(shop_id: int, tier: str) -> timedelta:
    """How long a request of this tier waits, in hours on duty."""
    caps = caps_in_force(shop_id)
    if tier == Tier.TWO_FACTOR:
        return timedelta(hours=caps.large_hours if caps else 4)
    return timedelta(hours=caps.one_approver_hours if caps else 24)


def most_renewals(shop_id: int) -> int:
    """How often a request that nobody decided is asked again before a person owns its case."""
    caps = caps_in_force(shop_id)
    return caps.renewals if caps else 2
