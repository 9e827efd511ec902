"""The roles as the database has them: who may what, and which rights nobody should combine or have at all."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from approvals.errors import Invalid
from approvals.services import RIGHT, has_right
from audit.actors import SYSTEM
from cases.roles import ROLES, make_roles
from cases.staff import add_staff
from tests import factories

pytestmark = pytest.mark.django_db

MONEY = ("approvals.approve_refund", "approvals.approve_large_refund")
LIMITS = ("approvals.add_limitversion", "approvals.publish_limitversion")
ALL_MONEY = (
    *MONEY,
    *LIMITS,
    "approvals.add_capsversion",
    "approvals.publish_capsversion",
    "approvals.add_termsversion",
    "approvals.publish_termsversion",
    "approvals.add_limitexception",
    "approvals.approve_limitexception",
    "tools.issue_creditnote",
    "tools.correct_creditnote",
)
SEES_ONLY = ("viewer", "auditor")


def rights_of(role: str) -> set[str]:
    rows = Permission.objects.filter(group__name=role).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}


def test_the_roles_of_the_table_are_the_roles_of_the_database() -> None:
    assert set(Group.objects.values_list("name", flat=True)) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_every_right_of_a_role_exists_and_is_named_once(role: str) -> None:
    assert rights_of(role) == set(ROLES[role])
    assert len(ROLES[role]) == len(set(ROLES[role]))


@pytest.mark.parametrize("role", ROLES)
def test_no_role_reaches_the_queue_or_the_one_time_codes_secrets(role: str) -> None:
    apps_reached = {right.partition(".")[0] for right in rights_of(role)}
    assert apps_reached <= {"cases", "approvals", "tools", "audit", "auth"}


@pytest.mark.parametrize("role", ROLES)
def test_no_role_deletes_anything(role: str) -> None:
    assert [right for right in rights_of(role) if ".delete_" in right] == []


@pytest.mark.parametrize("role", ROLES)
def test_history_and_signed_things_are_edited_by_no_role(role: str) -> None:
    history = ("decision", "approvalrequest", "toolcall", "ledgerentry", "payment", "entry", "reversal")
    edits = {f"{app}.change_{name}" for app in ("approvals", "tools", "audit") for name in history}
    assert rights_of(role) & edits == set()


def test_the_admin_role_has_no_money_right_and_no_hand_on_limits_flags_or_switches() -> None:
    forbidden = {*MONEY, *LIMITS, "approvals.lower_riskflag", "approvals.add_killswitch"}
    assert rights_of("admin") & forbidden == set()
    assert {"auth.change_group", "auth.add_permission"} & rights_of("admin") == set()


@pytest.mark.parametrize("role", SEES_ONLY)
def test_who_only_looks_changes_nothing(role: str) -> None:
    assert all(".view_" in right for right in rights_of(role))


def test_who_signs_has_no_hand_on_limits_and_who_writes_them_does_not_publish_them() -> None:
    for role in ROLES:
        rights = rights_of(role)
        assert not (rights & set(MONEY) and rights & set(LIMITS))
        assert not set(LIMITS) <= rights


def test_large_refunds_are_signed_by_finance_alone() -> None:
    who = [role for role in ROLES if "approvals.approve_large_refund" in rights_of(role)]
    assert who == ["finance approver"]
    assert set(RIGHT.values()) == set(MONEY)


def test_a_right_taken_out_of_the_table_is_taken_from_the_role() -> None:
    viewer = Group.objects.get(name="viewer")
    viewer.permissions.add(Permission.objects.get(codename="approve_refund"))
    make_roles([])
    assert "approvals.approve_refund" not in rights_of("viewer")


def test_making_the_roles_again_changes_nothing() -> None:
    before = {role: rights_of(role) for role in ROLES}
    make_roles(apps.get_app_configs())
    assert {role: rights_of(role) for role in ROLES} == before


@pytest.mark.parametrize("role", ROLES)
def test_a_superuser_has_no_right_about_money_whatever_their_role(role: str) -> None:
    root = factories.make_user(is_superuser=True, roles=[role])
    assert root.has_perm("approvals.approve_refund")  # Django's word, which counts for nothing here
    assert [right for right in ALL_MONEY if has_right(root, right)] == []
    assert has_right(root, "cases.view_case")
    assert not has_right(None, "approvals.approve_refund")


def test_who_gives_out_roles_signs_nothing_whatever_else_they_are() -> None:
    ada = factories.make_user(roles=["admin", "finance approver", "limit publisher"])
    assert [right for right in MONEY if has_right(ada, right)] == []
    assert has_right(ada, "approvals.publish_limitversion")


@pytest.mark.parametrize(
    ("is_superuser", "roles", "word"),
    [(True, ["approver"], "superuser"), (False, ["approver", "admin"], "two accounts")],
)
def test_nobody_is_given_a_role_that_would_not_hold(
    *, is_superuser: bool, roles: list[str], word: str
) -> None:
    user = factories.make_user(is_superuser=is_superuser, roles=roles[1:])
    with pytest.raises(Invalid, match=word):
        add_staff(user.username, roles=roles[:1], shops=[], password=None, by=SYSTEM)
    assert not user.groups.filter(name=roles[0]).exists()
