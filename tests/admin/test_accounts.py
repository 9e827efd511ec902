"""Accounts: whatever lets somebody act as, or more than, they could is told in the audit log, and never a password."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from cases.models import Shop, User
from tests import factories as f
from tests.admin.conftest import SignIn
from tests.signing import signed_in

NEW = "a new and long pass phrase"


def changed(client: Client, user: User, **fields: Any) -> None:
    """Save the account's page with these fields; None unticks a box."""
    url = reverse("admin:cases_user_change", args=[user.pk])
    form = client.get(url).context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields}
    groups = list(user.groups.values_list("pk", flat=True))
    shops = list(user.shops.values_list("pk", flat=True))
    posted = {**values, "groups": groups, "shops": shops, **fields}
    answer = client.post(
        url, {name: value for name, value in posted.items() if value not in (None, "", False)}
    )
    assert answer.status_code == 302


def told(action: str) -> list[Any]:
    return [entry.data for entry in Entry.objects.filter(action=action)]


def test_switching_an_account_off_is_told(sign_in: SignIn, shop: Shop) -> None:
    client, user = sign_in("admin"), f.make_user(roles=["approver"], shops=[shop])
    f.make_user(roles=["approver"], shops=[shop])  # somebody else must be able to decide
    changed(client, user, is_active=None)
    assert told("staff.changed") == [{"fields": ["is_active"], "is_active": False}]
    entry = Entry.objects.get(action="staff.changed")
    assert (entry.stream, entry.subject_id) == ("staff", str(user.pk))
    assert entry.actor_id == str(client.user.pk)  # type: ignore[attr-defined]  # set by sign_in


def test_making_a_superuser_is_told(shop: Shop) -> None:
    root, user = f.make_user(is_superuser=True), f.make_user(shops=[shop])
    changed(signed_in(root), user, is_superuser="on")
    assert told("staff.changed") == [{"fields": ["is_superuser"], "is_superuser": True}]


def test_a_shop_that_is_added_or_taken_is_told(sign_in: SignIn, shop: Shop) -> None:
    client, user, other = sign_in("admin"), f.make_user(shops=[shop]), f.make_shop("south")
    changed(client, user, shops=[other.pk])
    assert told("staff.changed") == [{"shops": {"added": ["south"], "removed": ["north"]}}]


def test_names_and_addresses_stay_out_of_the_log(sign_in: SignIn, shop: Shop) -> None:
    client, user = sign_in("admin"), f.make_user(shops=[shop])
    changed(client, user, first_name="Marguerite", email="marguerite@shop.example")
    assert told("staff.changed") == [{"fields": ["email", "first_name"]}]


def test_saving_without_a_change_tells_nothing(sign_in: SignIn, shop: Shop) -> None:
    client, user = sign_in("admin"), f.make_user(roles=["agent"], shops=[shop])
    changed(client, user)
    assert told("staff.changed") == told("role.changed") == []


def test_a_new_account_is_told(sign_in: SignIn, shop: Shop) -> None:
    client = sign_in("admin")
    fields = {"username": "nora", "usable_password": "true", "password1": NEW, "password2": NEW}
    assert client.post(reverse("admin:cases_user_add"), fields).status_code == 302
    user = User.objects.get(username="nora")
    assert Entry.objects.get(action="staff.created").subject_id == str(user.pk)


@pytest.mark.parametrize(
    ("role", "signs"), [("finance approver", True), ("limit publisher", True), ("agent", False)]
)
def test_setting_somebodys_password_is_told(sign_in: SignIn, shop: Shop, role: str, signs: bool) -> None:
    client, user = sign_in("admin"), f.make_user(roles=[role], shops=[shop])
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    fields = {"usable_password": "true", "password1": NEW, "password2": NEW, "set-password": "1"}
    assert client.post(url, fields).status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW)
    entry = Entry.objects.get(action="staff.password_set")
    assert (entry.data, entry.subject_id) == ({"signs_money": signs}, str(user.pk))
    assert NEW not in entry.body
    assert user.password not in entry.body


def test_a_password_that_is_refused_is_not_told(sign_in: SignIn, shop: Shop) -> None:
    client, user = sign_in("admin"), f.make_user(shops=[shop])
    url = reverse("admin:auth_user_password_change", args=[user.pk])
    fields = {"usable_password": "true", "password1": NEW, "password2": "another", "set-password": "1"}
    assert client.post(url, fields).status_code == 200
    assert told("staff.password_set") == []


def test_changing_ones_own_password_is_told(sign_in: SignIn, shop: Shop) -> None:
    client = sign_in("approver")
    url = reverse("admin:password_change")
    wrong = {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW}
    assert client.post(url, wrong).status_code == 200
    assert told("staff.password_set") == []
    assert client.post(url, {**wrong, "old_password": f.PASSWORD}).status_code == 302
    entry = Entry.objects.get(action="staff.password_set")
    assert entry.actor_id == entry.subject_id


def test_nobody_gives_themselves_a_role_or_a_shop(sign_in: SignIn, shop: Shop) -> None:
    client = sign_in("admin")
    user: User = client.user  # type: ignore[attr-defined]  # set by sign_in
    other, role = f.make_shop("south"), Group.objects.get(name="finance approver")
    changed(client, user, groups=[role.pk], shops=[other.pk], is_superuser="on")
    assert list(user.groups.values_list("name", flat=True)) == ["admin"]
    assert other not in user.shops.all()
    assert not told("role.changed")
