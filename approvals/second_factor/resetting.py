"""A lost factor: one colleague asks, a second one confirms, and neither is the person who lost it.

    ask ─▶ asked ─▶ confirm, by another one ─▶ done: every factor gone, everybody with a money role told
             └────▶ withdraw, by either of them or the person ─▶ withdrawn

For a day afterwards the person signs no money (`approvals.rights`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import FactorReset, ResetNews, ResetNotice
from approvals.rights import MONEY_RIGHTS, has_right, person
from approvals.second_factor import own
from audit import sources
from audit.actors import Actor
from audit.services import record as audit

if TYPE_CHECKING:
    from cases.models import User

RIGHT = "approvals.add_factorreset"
# What nobody confirmed within a day was asked for a reason that is over.
ASKED_FOR = timedelta(hours=24)
State = FactorReset.State


def may_be_reset(by: User) -> QuerySet[User]:
    """Whose factors this person can ask to reset: other people of their own shops."""
    people = get_user_model().objects.filter(is_active=True, is_staff=True).exclude(pk=by.pk)
    return people.filter(Q(shops__in=by.shops.all()) | Q(shops__isnull=True)).distinct().order_by("username")


def ask(user_id: int, *, reason: str, by: Actor) -> FactorReset:
    """Ask to take somebody's factors away. Raises Invalid, NotPermitted, or AlreadyDecided where it was asked."""
    if not reason.strip():
        raise Invalid(_("Say how you know that it is lost: the reason is kept."))
    asker = person(by, RIGHT)
    if not may_be_reset(asker).filter(pk=user_id).exists():
        raise NotPermitted(_("You can ask for other people of your own shops. Nothing was changed."))
    try:
        with transaction.atomic():
            _let_lapse(user_id, by)
            row = FactorReset.objects.create(
                user_id=user_id, asked_by=asker, asked_at=sources.now(), reason=reason.strip()[:500]
            )
            _tell("factor.reset_asked", row, by)
    except IntegrityError as error:
        raise AlreadyDecided(_("Somebody asked for this already: a second colleague confirms it.")) from error
    return row


def confirm(reset_id: int, *, by: Actor) -> FactorReset:
    """Take every factor away and tell everybody with a money role. Raises NotPermitted or AlreadyDecided."""
    with transaction.atomic():
        row = _open(reset_id)
        second = person(by, RIGHT)
        if second.pk in (row.user_id, row.asked_by_id):
            raise NotPermitted(_("It takes two: somebody confirms who neither asked nor lost the factor."))
        if not has_right(row.asked_by, RIGHT) or not may_be_reset(second).filter(pk=row.user_id).exists():
            raise NotPermitted(_("Who asks and who confirms must both have the right for it at this moment."))
        own.take_all(row.user)
        now = _end(row, State.DONE, second)
        ResetNotice.objects.bulk_create(ResetNotice(reset=row, user=one) for one in people_with_money_roles())
        ResetNews.objects.bulk_create(
            ResetNews(reset=row, shop=shop, at=now) for shop in row.user.shops.all()
        )
        _tell("factor.reset_confirmed", row, by)
    return row


def withdraw(reset_id: int, *, by: Actor) -> FactorReset:
    """End what was asked for: by the person, who still has their factor, or by anybody with the right."""
    with transaction.atomic():
        row = _open(reset_id)
        is_own = by.kind == "staff" and by.id == str(row.user_id)
        _end(row, State.WITHDRAWN, row.user if is_own else person(by, RIGHT))
        _tell("factor.reset_withdrawn", row, by)
    return row


def people_with_money_roles() -> list[User]:
    """Everybody who signs money or writes limits, whether or not their right rests just now."""
    named = Q()
    for right in sorted(MONEY_RIGHTS):
        app, _dot, codename = right.partition(".")
        named |= Q(groups__permissions__content_type__app_label=app, groups__permissions__codename=codename)
    return list(get_user_model().objects.filter(named, is_active=True).distinct().order_by("pk"))


def seen(notice_id: int, *, by: Actor) -> None:
    """The person whose notice it is has read it."""
    if by.kind == "staff":
        unseen = ResetNotice.objects.filter(pk=notice_id, user_id=int(by.id), seen_at__isnull=True)
        unseen.update(seen_at=sources.now())


def _open(reset_id: int) -> FactorReset:
    rows = FactorReset.objects.select_for_update(of=("self",)).select_related("user", "asked_by")
    row = rows.get(pk=reset_id)
    if row.state != State.ASKED or row.asked_at + ASKED_FOR <= sources.now():
        raise AlreadyDecided(_("This is no longer open. Nothing was changed."))
    return row


def _let_lapse(user_id: int, by: Actor) -> None:
    """What was asked too long ago makes room: whoever asks again withdraws it."""
    old = FactorReset.objects.select_for_update(of=("self",)).filter(
        user_id=user_id, state=State.ASKED, asked_at__lte=sources.now() - ASKED_FOR
    )
    for row in old:
        _end(row, State.WITHDRAWN, get_user_model().objects.get(pk=int(by.id)))
        _tell("factor.reset_withdrawn", row, by)


def _end(row: FactorReset, state: str, user: User) -> datetime:
    now = sources.now()
    row.state, row.ended_by, row.ended_at = state, user, now
    row.save(update_fields=["state", "ended_by", "ended_at"])
    return now


def _tell(action: str, row: FactorReset, by: Actor) -> None:
    audit(
        action,
        by=by,
        stream="staff",
        subject=row,
        shop_id=None,
        correlation_id=sources.random_id(),
        data={"user": row.user_id},
    )
