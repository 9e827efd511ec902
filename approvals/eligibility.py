"""Who can decide now, per shop, currency and tier, and why everybody else can't."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals import lifting
from approvals.duty import RIGHT, Week, caps_in_force, weeks_of
from approvals.models import (
    ApprovalRequest,
    CapsVersion,
    CodeAttempt,
    Delegation,
    FactorReset,
    LimitVersion,
    Passkey,
    Recusal,
    Signature,
)
from approvals.rights import GIVES_ROLES, RESTS
from audit import sources

if TYPE_CHECKING:
    from cases.models import User

Tier = ApprovalRequest.Tier
TWO_PEOPLE = "two_people"
NEVER_THERE = Week(absences=((datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),))


@dataclass(frozen=True, slots=True)
class TierPeople:
    """Who could sign a request of this size, and everybody else with the reason; "two_people" takes two of them."""

    tier: str
    currency: str
    eligible: list[User] = field(default_factory=list)
    others: list[tuple[User, str]] = field(default_factory=list)
    signed: int = 0

    @property
    def needed(self) -> int:
        """How many people sign."""
        return 2 if self.tier == TWO_PEOPLE else 1

    @property
    def size(self) -> str:
        """The size of refund in words."""
        names = {"one_approver": _("mid-size"), "two_factor": _("large"), TWO_PEOPLE: _("very large")}
        return names[self.tier]

    @property
    def name(self) -> str:
        """Currency and size, as "EUR (large)"."""
        return f"{self.currency} ({self.size})"

    @property
    def enough(self) -> bool:
        """Whether there are as many as it takes besides those who have signed."""
        return len(self.eligible) + self.signed >= self.needed


@dataclass(frozen=True, slots=True)
class _Staff:
    """All that is asked of a shop's people, read at once."""

    users: list[User]
    rights: Mapping[int, frozenset[str]]
    lent: Collection[tuple[int, int, str]]
    resting: Collection[int]
    factors: Collection[int]
    barred: Mapping[int, str]
    weeks: dict[int, Week]


def who_can_decide(
    shop_id: int,
    at: datetime | None = None,
    limits: LimitVersion | None = None,
    *,
    caps: CapsVersion | None = None,
    hours: bool = True,
    without: Collection[int] = (),
    away: Collection[int] = (),
) -> list[TierPeople]:
    """Each tier of each currency with its people; a fixed number of queries.

    `limits` asks as if that version were in force, for its currency alone, and `caps` as if those caps were. Without
    `hours` only absences count, not the time of the day; `without` leaves people out, as if their role were gone, and
    `away` as if they were absent, so that whoever stands in for them counts.
    """
    at = at or sources.now()
    staff, caps = _staff(shop_id, at, without), caps or caps_in_force(shop_id)
    staff.weeks.update(dict.fromkeys(away, NEVER_THERE))
    found: list[TierPeople] = []
    for version in [limits] if limits is not None else _in_force(shop_id):
        writers = {pk for row in (version, caps) if row for pk in (row.author_id, row.published_by_id)}
        found += [
            _people(tier, version.currency, staff, writers - {None}, at, hours=hours)
            for tier in _tiers(version)
        ]
    return found


def newly_without(
    shop_id: int,
    *,
    at: datetime | None = None,
    limits: LimitVersion | None = None,
    caps: CapsVersion | None = None,
    without: Collection[int] = (),
    away: Collection[int] = (),
) -> list[TierPeople]:
    """The tiers that would have too few people after the change, whatever the hour, and hadn't before.

    A size that nobody could ask for before, as a further currency or the line of two people, counts among them.
    """
    short = {(row.tier, row.currency) for row in who_can_decide(shop_id, hours=False) if not row.enough}
    after = who_can_decide(shop_id, at, limits, caps=caps, hours=False, without=without, away=away)
    return [row for row in after if not row.enough and (row.tier, row.currency) not in short]


def for_request(request: ApprovalRequest, *, hours: bool = True) -> TierPeople:
    """Who can sign this request now; who had a hand in it is among the others, with what they did.

    Without `hours` the time of the day doesn't count.
    """
    now = sources.now()
    staff, barred = _staff(request.shop_id, now, ()), _barred(request)
    row = _people(_tier_of(request), request.currency, staff, _writers_of(request), now, hours=hours)
    free = [user for user in row.eligible if user.pk not in barred]
    hands = [(user, barred[user.pk]) for user in row.eligible if user.pk in barred]
    signed = request.signatures.filter(taken_back_at__isnull=True).count()
    return TierPeople(row.tier, row.currency, free, [*hands, *row.others], signed)


def signing_weeks(request: ApprovalRequest, since: datetime) -> list[Week]:
    """When those are there who may sign this request, from a moment on; a stand-in between its dates alone."""
    staff, barred, writers = _staff(request.shop_id, since, ()), _barred(request), _writers_of(request)
    tier, alone, found = _tier_of(request), replace(staff, lent=()), []
    people = {user.pk: user for user in staff.users if user.pk not in barred}
    for pk, user in people.items():
        if not _why_not(tier, user, alone, writers):
            found.append(staff.weeks[pk])
    for row in _delegations(request, since):
        lent = replace(staff, lent={(row.to_id, row.instead_of_id, row.right)})
        if row.to_id in people and not _why_not(tier, people[row.to_id], lent, writers):
            found.append(staff.weeks[row.to_id].between(row.starts_at, row.ends_at))
    return found


def _delegations(request: ApprovalRequest, since: datetime) -> QuerySet[Delegation]:
    right = RIGHT[Tier(request.tier)]
    rows = Delegation.objects.filter(shop_id=request.shop_id, right=right, ends_at__gt=since)
    return rows.filter(ended_at__isnull=True).order_by("pk")


def _tier_of(request: ApprovalRequest) -> str:
    return TWO_PEOPLE if request.people_needed == 2 else request.tier


def _writers_of(request: ApprovalRequest) -> set[int]:
    now = [row for row in _in_force(request.shop_id) if row.currency == request.currency]
    versions = [*now, request.decision.limits, caps_in_force(request.shop_id)]
    return {pk for row in versions if row for pk in (row.author_id, row.published_by_id) if pk is not None}


def _barred(request: ApprovalRequest) -> dict[int, str]:
    found: dict[int, str] = {}
    for row in Recusal.objects.filter(case_id=request.case_id):
        found[row.user_id] = str(row.get_why_display())
    signed = Signature.objects.filter(request_id=request.pk, taken_back_at__isnull=True)
    for pk in signed.values_list("user_id", flat=True):
        found[pk] = _("has signed this already")
    for pk in lifting.hands(request.decision):
        found[pk] = _("asked for or approved an exception that holds here")
    if request.decision.by_kind == "staff":
        found[int(request.decision.by_id)] = _("proposed this")
    return found


def _tiers(limits: LimitVersion) -> list[str]:
    two_people = [TWO_PEOPLE] if limits.two_people_above_minor is not None else []
    return [Tier.ONE_APPROVER.value, Tier.TWO_FACTOR.value, *two_people]


def _in_force(shop_id: int) -> list[LimitVersion]:
    """The version in force of each currency; one query."""
    rows = LimitVersion.objects.filter(
        shop_id=shop_id, published_at__isnull=False, effective_at__lte=sources.now()
    ).order_by("currency", "-version")
    newest: dict[str, LimitVersion] = {}
    for row in rows:
        newest.setdefault(row.currency, row)
    return list(newest.values())


def _people(
    tier: str, currency: str, staff: _Staff, writers: Collection[int | None], at: datetime, *, hours: bool
) -> TierPeople:
    found = TierPeople(tier, currency)
    for user in staff.users:
        reason = _why_not(tier, user, staff, writers) or _why_away(staff.weeks[user.pk], at, hours=hours)
        if reason:
            found.others.append((user, reason))
        else:
            found.eligible.append(user)
    return found


def _why_not(tier: str, user: User, staff: _Staff, writers: Collection[int | None]) -> str:
    large = tier != Tier.ONE_APPROVER
    right = RIGHT[Tier.TWO_FACTOR if large else Tier.ONE_APPROVER]
    if user.pk in staff.barred:
        return staff.barred[user.pk]
    own = right in staff.rights[user.pk]
    lenders = {lender for to, lender, lent in staff.lent if to == user.pk and lent == right}
    if not own and not any(right in staff.rights.get(lender, frozenset()) for lender in lenders):
        return _("no role that signs this size")
    if user.pk in staff.resting:
        return _("signs no money for a day after a lost factor or a recovery code")
    if user.pk in writers or (not own and lenders <= set(writers)):
        return _("wrote or published the limits or caps in force")
    if large and user.pk not in staff.factors:
        return _("has no second factor")
    return ""


def _why_away(week: Week, at: datetime, *, hours: bool) -> str:
    until = week.away_until(at)
    if until is not None:
        return _("away until %(time)s") % {"time": date_format(until, "j F, H:i")}
    return _("off duty at this hour") if hours and not week.on_duty(at) else ""


def _staff(shop_id: int, at: datetime, without: Collection[int]) -> _Staff:
    """The shop's active people; a fixed number of queries, whatever their number."""
    rows = get_user_model().objects.filter(is_active=True, is_staff=True, shops=shop_id)
    users = list(rows.exclude(pk__in=without).order_by("first_name", "username"))
    ids = [user.pk for user in users]
    rights = _rights(ids)
    barred = {user.pk: why for user in users if (why := _barred_whatever(user, rights[user.pk]))}
    return _Staff(
        users,
        {pk: frozenset() if pk in barred else held for pk, held in rights.items()},
        _lent(shop_id, at, ids),
        _resting(ids),
        _factors(ids),
        barred,
        weeks_of(users, at),
    )


def _barred_whatever(user: User, rights: Collection[str]) -> str:
    if user.is_superuser:
        return _("a superuser signs no money")
    return _("gives out roles, so signs no money") if GIVES_ROLES in rights else ""


def _rights(ids: Iterable[int]) -> dict[int, frozenset[str]]:
    """Of the rights that matter here those that their roles give these people."""
    named, asked = {*RIGHT.values(), GIVES_ROLES}, Q()
    for right in sorted(named):
        app, codename = right.split(".")
        asked |= Q(permissions__content_type__app_label=app, permissions__codename=codename)
    rows = Group.objects.filter(asked, user__in=ids)
    found: dict[int, set[str]] = {pk: set() for pk in ids}
    for pk, app, codename in rows.values_list(
        "user", "permissions__content_type__app_label", "permissions__codename"
    ):
        found[pk].add(f"{app}.{codename}")
    return {pk: frozenset(rights & named) for pk, rights in found.items()}


def _lent(shop_id: int, at: datetime, ids: Collection[int]) -> set[tuple[int, int, str]]:
    rows = Delegation.objects.filter(
        shop_id=shop_id, starts_at__lte=at, ends_at__gt=at, ended_at__isnull=True, instead_of__in=ids
    )
    return set(rows.values_list("to_id", "instead_of_id", "right"))


def _resting(ids: Collection[int]) -> set[int]:
    since = sources.now() - RESTS
    reset = FactorReset.objects.filter(user__in=ids, state=FactorReset.State.DONE, ended_at__gt=since)
    let_in = CodeAttempt.objects.filter(
        user__in=ids, factor=CodeAttempt.Factor.RECOVERY, accepted=True, at__gt=since
    )
    return {*reset.values_list("user_id", flat=True), *let_in.values_list("user_id", flat=True)}


def _factors(ids: Collection[int]) -> set[int]:
    codes = TOTPDevice.objects.filter(user__in=ids, confirmed=True).values_list("user_id", flat=True)
    keys = Passkey.objects.filter(user__in=ids, confirmed=True).values_list("user_id", flat=True)
    return {*codes, *keys}
