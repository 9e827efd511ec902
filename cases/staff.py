"""Accounts of members of staff: whoever can sign in as somebody acts as them, so each change of that is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.duty import RIGHT
from approvals.eligibility import TWO_PEOPLE, TierPeople, newly_without
from approvals.errors import Invalid
from approvals.models import ApprovalRequest, FactorReset
from approvals.rights import MONEY_RIGHTS, rights_by_role
from approvals.second_factor import resetting
from audit import sources
from audit.actors import Actor
from audit.models import Json
from audit.services import record
from cases.models import Shop, User
from cases.telling import ring
from tools.adapters.accounts import Account

Tier = ApprovalRequest.Tier
# The right that each size of refund takes.
SIZES = {**{tier.value: right for tier, right in RIGHT.items()}, TWO_PEOPLE: RIGHT[Tier.TWO_FACTOR]}


def password_was_set(user: User, *, by: Actor) -> None:
    """One entry, in the transaction of the change; it says whether a right about money hangs on the password."""
    record(
        "staff.password_set",
        by=by,
        stream="staff",
        subject=user,
        shop_id=None,
        correlation_id=sources.random_id(),
        data={"signs_money": bool(rights_by_role(user) & MONEY_RIGHTS)},
    )


def add_staff(
    username: str, *, roles: Sequence[str], shops: Sequence[str], password: str | None, by: Actor
) -> tuple[User, bool]:
    """The account of this name with these roles and shops besides those it has, and whether it is new.

    `password` is for a new account; what an account that is there already signs in with stays. Raises Invalid.
    """
    with transaction.atomic():
        groups, places = _all(Group, "name", roles), _all(Shop, "slug", shops)
        user = User.objects.select_for_update().filter(username=username).first()
        is_new = user is None
        if user is None:
            user = _create(username, password)
        before = (
            set(user.groups.values_list("name", flat=True)),
            set(user.shops.values_list("slug", flat=True)),
        )
        user.groups.add(*groups)
        user.shops.add(*places)
        _tell_added(user, sorted(set(roles) - before[0]), sorted(set(shops) - before[1]), is_new, by)
    return user, is_new


def _create(username: str, password: str | None) -> User:
    user = User(username=username, is_staff=True, email="")
    try:
        user.full_clean(exclude=["password"])
        validate_password(password or "", user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages)) from error
    user.set_password(password)
    user.save(force_insert=True)
    return user


def _all(model: type[Any], field: str, names: Sequence[str]) -> list[Any]:
    found = {getattr(row, field): row for row in model.objects.filter(**{f"{field}__in": names})}
    if missing := sorted(set(names) - set(found)):
        known = ", ".join(model.objects.order_by(field).values_list(field, flat=True))
        raise Invalid(_("There is no %(name)s. There are: %(known)s") % {"name": missing[0], "known": known})
    return [found[name] for name in names]


def _tell_added(user: User, roles: list[str], shops: list[str], is_new: bool, by: Actor) -> None:
    entries: list[tuple[str, dict[str, Json]]] = []
    if is_new:
        entries.append(("staff.created", {"shops": shops}))
    elif shops:
        entries.append(("staff.changed", {"shops": {"added": shops, "removed": []}}))
    if roles:
        entries.append(("role.changed", {"added": roles, "removed": []}))
    for action, data in entries:
        record(
            action,
            by=by,
            stream="staff",
            subject=user,
            shop_id=None,
            correlation_id=sources.random_id(),
            data=data,
        )


def give_authenticator(user: User, *, by: Actor) -> TOTPDevice | None:
    """A new authenticator for one-time codes, or None where they have one: a second would go unseen."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if TOTPDevice.objects.filter(user=user).exists():
            return None
        device = TOTPDevice.objects.create(user=user, name="phone", tolerance=0)
        record(
            "staff.authenticator_given",
            by=by,
            stream="staff",
            subject=user,
            shop_id=None,
            correlation_id=sources.random_id(),
        )
    return device


def confirm_reset(reset_id: int, *, by: Actor) -> FactorReset:
    """Take a person's lost factors away as the second colleague, and tell the channels of their shops too."""
    with transaction.atomic():
        row = resetting.confirm(reset_id, by=by)
        for news in row.news.select_related("shop"):
            if Account.of(news.shop).announces:
                ring("announce_reset", news.pk)
    return row


def would_leave_nobody(user: User, new: Mapping[str, Any]) -> list[TierPeople]:
    """What nobody could decide any more if this account had the new `groups`, `shops` and `is_active`.

    What is missing among them stays as it is.
    """
    groups = user.groups.all() if new.get("groups") is None else new["groups"]
    shops = user.shops.all() if new.get("shops") is None else new["shops"]
    active = bool(new.get("is_active", user.is_active))
    places = {shop.pk for shop in shops}
    held = {right for right in RIGHT.values() if right in rights_by_role(user)}
    lost = held - _rights_of(groups)
    found = []
    for shop_id in user.shops.values_list("pk", flat=True):
        gone = held if not active or shop_id not in places else lost
        sizes = {tier for tier, right in SIZES.items() if right in gone}
        if sizes:
            found += [row for row in newly_without(shop_id, without={user.pk}) if row.tier in sizes]
    return found


def _rights_of(groups: Iterable[Group]) -> set[str]:
    rows = Permission.objects.filter(group__in=groups, content_type__app_label="approvals")
    return {f"approvals.{codename}" for codename in rows.values_list("codename", flat=True)}
