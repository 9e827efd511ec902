"""What people write about being there: weekly hours, absences, and who stands in for whom.

What would leave a size of refund with nobody who may decide takes an explicit yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth import get_user_model
from django.db import models, transaction
from django.utils.translation import gettext as _

from approvals import lifetimes
from approvals.duty import Stretch
from approvals.eligibility import TierPeople, newly_without
from approvals.errors import AlreadyDecided, Invalid, LeavesNobody, NotPermitted
from approvals.models import Absence, ApprovalRequest, Delegation, DutyHours
from approvals.models.duty import DAY_MINUTES, MONEY_RIGHTS
from approvals.rights import has_right, person, why_never
from approvals.signing import signer_of
from audit import sources
from audit.actors import Actor
from audit.models import Json
from audit.services import record

if TYPE_CHECKING:
    from cases.models import User

# Who looks after everybody's hours, and lends one person's signature to another.
KEEPS = "approvals.change_dutyhours"
LENDS = "approvals.add_delegation"
RIGHTS = dict(MONEY_RIGHTS)


def write_hours(user_id: int, stretches: Sequence[Stretch], *, by: Actor) -> list[DutyHours]:
    """A person's week, in the place of the one before; none at all means at any hour. Raises Invalid, NotPermitted."""
    for stretch in stretches:
        _refuse_stretch(stretch)
    with transaction.atomic():
        user = _theirs(user_id, by)
        was = lifetimes.left(_shops_of(user))
        DutyHours.objects.filter(user=user).delete()
        rows = [
            DutyHours(
                user=user,
                weekday=each.weekday,
                starts_minute=each.starts_minute,
                ends_minute=each.ends_minute,
                time_zone=each.zone,
            )
            for each in sorted(set(stretches), key=lambda each: (each.weekday, each.starts_minute))
        ]
        DutyHours.objects.bulk_create(rows)
        _tell("duty.changed", user, by, {"stretches": len(rows), "moved": _moved(was)})
    return rows


def _refuse_stretch(stretch: Stretch) -> None:
    try:
        ZoneInfo(stretch.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise Invalid(_("There is no such time zone: write it as Europe/Oslo.")) from error
    in_order = 0 <= stretch.starts_minute < stretch.ends_minute <= DAY_MINUTES
    if not (in_order and 0 <= stretch.weekday <= 6):
        raise Invalid(_("Hours begin before they end, on one day. Nothing was changed."))


def write_absence(
    user_id: int, *, starts_at: datetime, ends_at: datetime, leaves_nobody_ok: bool = False, by: Actor
) -> Absence:
    """A time in which this person decides nothing. Raises Invalid, NotPermitted, LeavesNobody."""
    if not starts_at < ends_at or ends_at <= sources.now():
        raise Invalid(_("An absence begins before it ends, and isn't over yet. Nothing was changed."))
    with transaction.atomic():
        user, writer = _theirs(user_id, by), signer_of(by)
        if not leaves_nobody_ok:
            refuse_nobody(_without(user, starts_at, ends_at))
        was = lifetimes.left(_shops_of(user))
        row = Absence.objects.create(
            user=user, starts_at=starts_at, ends_at=ends_at, written_by=writer, written_at=sources.now()
        )
        dates = {"from": starts_at.isoformat(), "until": ends_at.isoformat()}
        _tell("absence.written", row, by, {**dates, "moved": _moved(was)})
    return row


def _without(user: User, starts_at: datetime, ends_at: datetime) -> list[TierPeople]:
    """What nobody could decide at some moment of this absence: at its begin, or when another one begins in it."""
    others = Absence.objects.filter(
        starts_at__gt=starts_at, starts_at__lt=ends_at, cancelled_at__isnull=True
    ).values_list("starts_at", flat=True)
    return [
        row
        for shop in user.shops.all()
        for at in (max(starts_at, sources.now()), *others)
        for row in newly_without(shop.pk, at=at, away={user.pk})
    ]


def refuse_nobody(rows: Sequence[TierPeople]) -> None:
    """Raises LeavesNobody where a change would leave a size of refund with too few people."""
    if rows:
        names = ", ".join(sorted({row.name for row in rows}))
        raise LeavesNobody(
            _("Then nobody could approve %(tiers)s. Say that this is meant, or find a stand-in first.")
            % {"tiers": names}
        )


def cancel_absence(absence_id: int, *, by: Actor) -> Absence:
    """They are there after all, from now on."""
    with transaction.atomic():
        row = Absence.objects.select_for_update(of=("self",)).select_related("user").get(pk=absence_id)
        _theirs(row.user_id, by)
        if row.cancelled_at is not None or row.ends_at <= sources.now():
            raise AlreadyDecided(_("That absence is over already. Nothing was changed."))
        was = lifetimes.left(_shops_of(row.user))
        row.cancelled_at = sources.now()
        row.save(update_fields=["cancelled_at"])
        _tell("absence.cancelled", row, by, {"moved": _moved(was)})
    return row


def give_delegation(
    *,
    shop_id: int,
    right: str,
    to_id: int,
    instead_of_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    by: Actor,
) -> Delegation:
    """Lend one person's signature to another until a date, as a third. Raises Invalid, NotPermitted."""
    if right not in RIGHTS or not reason.strip():
        raise Invalid(_("Say which signature is lent, and why. Nothing was changed."))
    if not starts_at < ends_at or ends_at <= sources.now():
        raise Invalid(_("A delegation has two dates, and isn't over yet. Nothing was changed."))
    with transaction.atomic():
        giver = person(by, LENDS, shop_id)
        if giver.pk in (to_id, instead_of_id) or to_id == instead_of_id:
            raise NotPermitted(_("A third person gives a delegation: not who lends and not who stands in."))
        people = get_user_model().objects.filter(is_active=True, shops=shop_id)
        to, lender = people.filter(pk=to_id).first(), people.filter(pk=instead_of_id).first()
        if to is None or lender is None or not has_right(lender, right):
            raise Invalid(_("Both work for the shop, and the one who is away has the right by their role."))
        if why_never(to):
            raise Invalid(why_never(to))
        was = lifetimes.left([shop_id])
        row = Delegation.objects.create(
            shop_id=shop_id, right=right, to=to, instead_of=lender, starts_at=starts_at, ends_at=ends_at,
            reason=reason.strip()[:500], given_by=giver, given_at=sources.now(),
        )  # fmt: skip
        parts: dict[str, Json] = {"to": to.pk, "instead_of": lender.pk, "right": right}
        _tell("delegation.given", row, by, {**parts, "moved": _moved(was)}, shop_id)
    return row


def end_delegation(delegation_id: int, *, by: Actor) -> Delegation:
    """Take a delegation back at once; whoever has a part in it may, and who gives them."""
    with transaction.atomic():
        row = Delegation.objects.select_for_update(of=("self",)).get(pk=delegation_id)
        if by.kind != "staff" or int(by.id) not in (row.to_id, row.instead_of_id):
            person(by, LENDS, row.shop_id)
        if row.ended_at is not None or row.ends_at <= sources.now():
            raise AlreadyDecided(_("That delegation is over already. Nothing was changed."))
        was = lifetimes.left([row.shop_id])
        row.ended_at = sources.now()
        row.save(update_fields=["ended_at"])
        parts: dict[str, Json] = {"to": row.to_id, "instead_of": row.instead_of_id}
        _tell("delegation.ended", row, by, {**parts, "moved": _moved(was)}, row.shop_id)
    return row


def _theirs(user_id: int, by: Actor) -> User:
    """The person whose hours these are: the actor's own, or a colleague's for who keeps them. Raises NotPermitted."""
    writer = signer_of(by)
    if writer.pk != user_id:
        person(by, KEEPS)
    found = get_user_model().objects.filter(pk=user_id, is_staff=True).first()
    if found is None:
        raise Invalid(_("There is no such person. Nothing was changed."))
    return found


def _shops_of(user: User) -> list[int]:
    return list(user.shops.values_list("pk", flat=True))


def _moved(was: list[tuple[ApprovalRequest, timedelta]]) -> list[Json]:
    """The ids of the requests that end at another moment from now on."""
    return list(lifetimes.go_on(was))


def _tell(
    action: str, row: models.Model, by: Actor, data: dict[str, Json], shop_id: int | None = None
) -> None:
    record(
        action, by=by, stream="staff", subject=row, shop_id=shop_id, correlation_id=sources.random_id(), data=data
    )  # fmt: skip
