"""The roles as the database has them: who may what, and which rights nobody should combine or have at all."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from approvals.services import RIGHT, has_right
from cases.roles import ROLES, make_roles
from tests import factories

pytestmark = pytest.mark.django_db

MONEY = ("approvals.approve_refund", "approvals.approve_large_refund")
LIMITS = ("approvals.add_limitversion", "approvals.publish_limitversion")
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


def test_a_superuser_has_the_money_rights_of_their_roles_alone() -> None:
    root = factories.make_user(is_superuser=True)
    assert root.has_perm("approvals.approve_refund")  # Django's word, which counts for nothing here
    assert not has_right(root, "approvals.approve_refund")
    approver = factories.make_user(is_superuser=True, roles=["approver"])
    assert has_right(approver, "approvals.approve_refund")
    assert not has_right(None, "approvals.approve_refund")
