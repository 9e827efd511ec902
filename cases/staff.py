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
from approvals.models import ApprovalRequest, Delegation, FactorReset
from approvals.rights import GIVES_ROLES, MONEY_RIGHTS, barred_rights, rights_by_role
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

    `password` is for a new account; what an account that is there already signs in with stays. Raises Invalid, also
    where the roles together would give a right that nobody has beside another.
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
        refuse_never(is_superuser=user.is_superuser, groups=[*user.groups.all(), *groups])
        user.groups.add(*groups)
        user.shops.add(*places)
        _tell_added(user, sorted(set(roles) - before[0]), sorted(set(shops) - before[1]), is_new, by)
    return user, is_new


def refuse_never(*, is_superuser: bool, groups: Iterable[Group]) -> None:
    """Raises Invalid where these roles would give rights about money to somebody who can't have them."""
    rights = _rights_of(groups)
    if not rights & barred_rights(is_superuser=is_superuser, gives_roles=GIVES_ROLES in rights):
        return
    if is_superuser:
        raise Invalid(_("A superuser has no right about money: use another account for that role."))
    raise Invalid(_("Whoever gives out roles signs no money: use two accounts, of two people."))


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
    """What nobody could decide any more if this account had the new roles, shops and switches of the form.

    What is missing among them stays as it is.
    """
    now: dict[str, Any] = {"groups": user.groups.all(), "shops": user.shops.all()}
    then = {**now, **{name: value for name, value in new.items() if value is not None}}
    held, lent = _signs(user.is_superuser, now["groups"]), _lent_to(user)
    works = all(then.get(name, getattr(user, name)) for name in ("is_active", "is_staff"))
    is_superuser = bool(then.get("is_superuser", user.is_superuser))
    kept = _signs(is_superuser, then["groups"])
    # What is lent to somebody stays lent, unless they may sign nothing at all any more.
    kept |= set() if is_superuser or GIVES_ROLES in _rights_of(then["groups"]) else lent
    places = {shop.pk for shop in then["shops"]}
    found = []
    for shop_id in user.shops.values_list("pk", flat=True):
        lost = (held | lent) - (kept if works and shop_id in places else set())
        sizes = {tier for tier, right in SIZES.items() if right in lost}
        if sizes:
            found += [row for row in newly_without(shop_id, without={user.pk}) if row.tier in sizes]
    return found


def _signs(is_superuser: bool, groups: Iterable[Group]) -> set[str]:
    rights = _rights_of(groups)
    barred = barred_rights(is_superuser=is_superuser, gives_roles=GIVES_ROLES in rights)
    return (rights - barred) & set(RIGHT.values())


def _lent_to(user: User) -> set[str]:
    now = sources.now()
    rows = Delegation.objects.filter(to=user, starts_at__lte=now, ends_at__gt=now, ended_at__isnull=True)
    return set(rows.values_list("right", flat=True))


def _rights_of(groups: Iterable[Group]) -> set[str]:
    rows = Permission.objects.filter(group__in=groups)
    return {f"{app}.{codename}" for app, codename in rows.values_list("content_type__app_label", "codename")}
