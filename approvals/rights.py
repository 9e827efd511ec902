"""Who has which right now: by role alone, read at each click; none about money for a day after a lost factor.

Superusers have none about money whatever their roles, and whoever gives out roles signs none: both could make anybody
an approver, themselves first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from approvals.errors import NotPermitted
from approvals.models import CodeAttempt, FactorReset
from audit import sources
from audit.actors import Actor

if TYPE_CHECKING:
    from cases.models import User

SIGNS = frozenset({"approvals.approve_refund", "approvals.approve_large_refund"})
# Who has one of these signs, settles or documents money, or writes what is signed under.
MONEY_RIGHTS = SIGNS | {
    "approvals.add_limitversion",
    "approvals.publish_limitversion",
    "approvals.add_capsversion",
    "approvals.publish_capsversion",
    "approvals.add_termsversion",
    "approvals.publish_termsversion",
    "approvals.add_limitexception",
    "approvals.approve_limitexception",
    "tools.issue_creditnote",
    "tools.correct_creditnote",
}
# Lending somebody's signature is no right about money, but leads to one.
RESTING = MONEY_RIGHTS | {"approvals.add_delegation"}
GIVES_ROLES = "cases.change_user"
RESTS = timedelta(hours=24)


def person(by: Actor, right: str, shop_id: int | None = None) -> User:
    """The staff member behind an actor, read now, who has this right for this shop.

    Raises NotPermitted.
    """
    user = None
    if by.kind == "staff":
        user = get_user_model().objects.filter(pk=int(by.id), is_active=True).first()
    if user is None or right not in rights_of(user):
        raise NotPermitted(_why_not(user, right) or _("Your role doesn't allow this. Nothing was changed."))
    if shop_id is not None and not user.shops.filter(pk=shop_id).exists():
        raise NotPermitted(_("You don't work for this shop. Nothing was changed."))
    return user


def has_right(user: User | None, right: str) -> bool:
    """Whether this person has this right now, by role."""
    return user is not None and user.is_active and right in rights_of(user)


def rights_of(user: User) -> set[str]:
    """By role alone: a superuser flag signs nothing. Rights about money are left out while they rest."""
    rights = rights_by_role(user)
    if rights & RESTING and money_rights_rest_until(user) is not None:
        return rights - RESTING
    return rights


def rights_by_role(user: User) -> set[str]:
    """What the roles give, whether or not it rests; of a superuser's nothing about money."""
    rights = user.get_group_permissions() if not user.is_superuser else _by_groups(user)
    return rights - barred_rights(is_superuser=user.is_superuser, gives_roles=GIVES_ROLES in rights)


def barred_rights(*, is_superuser: bool, gives_roles: bool) -> frozenset[str]:
    """What no role gives to somebody who has these."""
    if is_superuser:
        return MONEY_RIGHTS
    return SIGNS if gives_roles else frozenset()


def _by_groups(user: User) -> set[str]:
    rows = user.groups.values_list("permissions__content_type__app_label", "permissions__codename")
    return {f"{app}.{codename}" for app, codename in rows if codename}


def why_never(user: User) -> str:
    """Why this person signs no money whatever role or delegation they are given, in a sentence; else empty."""
    if user.is_superuser:
        return _("Superusers sign no money, whatever their roles.")
    if GIVES_ROLES in rights_by_role(user):
        return _("Whoever gives out roles signs no money.")
    return ""


def money_rights_rest_until(user: User) -> datetime | None:
    """Until when this person signs no money; None where they may.

    Whoever lost their factor, and whoever got in by a recovery code, could be somebody else: a day is the time in
    which the real one, or a colleague who is told, can speak up.
    """
    since = sources.now() - RESTS
    reset = FactorReset.objects.filter(user=user, state=FactorReset.State.DONE, ended_at__gt=since)
    let_in = CodeAttempt.objects.filter(
        user=user, factor=CodeAttempt.Factor.RECOVERY, accepted=True, at__gt=since
    )
    times = (_latest(reset, "ended_at"), _latest(let_in, "at"))
    return max((at + RESTS for at in times if at is not None), default=None)


def _latest(rows: QuerySet[Any], name: str) -> datetime | None:
    return rows.order_by(f"-{name}").values_list(name, flat=True).first()


def why_resting(user: User) -> str:
    """Why this person signs no money now, in a sentence; empty where they may."""
    until = money_rights_rest_until(user)
    if until is None:
        return ""
    return _("After a lost second factor or a recovery code, you sign no money before %(time)s UTC.") % {
        "time": date_format(until, "j F, H:i")
    }


def _why_not(user: User | None, right: str) -> str:
    if user is None or right not in RESTING:
        return ""
    if right in barred_rights(is_superuser=user.is_superuser, gives_roles=bool(why_never(user))):
        return why_never(user)
    return why_resting(user) if right in rights_by_role(user) else ""
