"""Signing in: a password opens nothing; the factor does, for this session, as long as the person has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.models import CodeAttempt
from approvals.second_factor import own
from audit import actors
from audit.models import Entry
from cases.models import User
from tests import factories as f
from tests.authority.authenticator import kept, passkey_of
from tests.authority.rows import code_of, device_of, next_step, wrong_code
from tests.signing import signed_in, with_session

pytestmark = pytest.mark.django_db
FACTOR, MINE = "/admin/sign-in/factor/", "/admin/me/second-factor/"


def half_in(user: User) -> Client:
    """A browser in which the password was right."""
    client = Client()
    answer = client.post("/admin/login/", {"username": user.username, "password": f.PASSWORD})
    assert answer.status_code == 302
    return client


def lands(client: Client, address: str) -> str:
    """Where somebody ends who asks for an address."""
    answer: Any = client.get(address, follow=True)
    return str(answer.redirect_chain[-1][0]) if answer.redirect_chain else address


def test_a_password_alone_leads_to_the_factor_and_back_to_the_page() -> None:
    user = f.make_user(is_superuser=True)
    device = device_of(user)
    client = half_in(user)
    assert lands(client, "/admin/cases/case/") == f"{FACTOR}?next=%2Fadmin%2Fcases%2Fcase%2F"
    answer = client.post(FACTOR, {"code": code_of(device), "next": "/admin/cases/case/"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/cases/case/")
    assert client.get("/admin/cases/case/").status_code == 200
    assert Entry.objects.get(action="staff.signed_in").data == {"factor": "totpdevice"}


def test_somebody_without_a_factor_reaches_the_page_to_set_one_up_and_nothing_else() -> None:
    client = half_in(f.make_user(is_superuser=True))
    for address in ("/admin/", "/admin/search/", "/admin/cases/user/", "/admin/password_change/", FACTOR):
        assert lands(client, address) == MINE, address
    html = client.get(MINE).content.decode()
    assert "Set up a second factor first" in html
    assert 'id="sidebar"' not in html


def test_somebody_with_a_factor_does_not_reach_that_page_by_the_password() -> None:
    user = f.make_user()
    device_of(user)
    client = half_in(user)
    assert lands(client, MINE).startswith(FACTOR)
    for name in ("begin_authenticator", "add_passkey", "new_recovery_codes", "remove_authenticator"):
        assert client.post(reverse(f"admin:{name}")).status_code == 302
    assert TOTPDevice.objects.filter(user=user).count() == 1
    assert own.factors(user).recovery_codes == 0


def test_a_wrong_code_says_so_and_opens_nothing() -> None:
    user = f.make_user()
    device = device_of(user)
    client = half_in(user)
    answer = client.post(FACTOR, {"code": wrong_code(device)})
    assert "4 tries left" in answer.content.decode()
    assert lands(client, "/admin/").startswith(FACTOR)
    assert Entry.objects.filter(action="code.refused").count() == 1


def test_five_wrong_codes_lock_all_browsers_of_the_person() -> None:
    user = f.make_user()
    device = device_of(user)
    for _ in range(5):
        half_in(user).post(FACTOR, {"code": wrong_code(device)})
    client = half_in(user)
    assert "Too many wrong codes" in client.post(FACTOR, {"code": code_of(device)}).content.decode()
    assert lands(client, "/admin/").startswith(FACTOR)


def test_a_code_opens_one_browser() -> None:
    user = f.make_user()
    code = code_of(device_of(user))
    one, two = half_in(user), half_in(user)
    assert one.post(FACTOR, {"code": code}).status_code == 302
    assert "used already" in two.post(FACTOR, {"code": code}).content.decode()


def test_a_passkey_signs_in() -> None:
    user = f.make_user()
    key = passkey_of(user)
    client = half_in(user)
    page = client.get(FACTOR).context
    answer = {"passkey": key.sign(page["passkey_options"]), "challenge": str(page["challenge"].pk)}
    assert client.post(FACTOR, answer).status_code == 302
    assert lands(client, "/admin/") == "/admin/"
    assert "answered already" in half_in(user).post(FACTOR, answer).content.decode()


def test_a_recovery_code_signs_in_once() -> None:
    user = f.make_user()
    device_of(user)
    code = own.new_recovery_codes(user, by=actors.staff(user))[0]
    client = half_in(user)
    assert client.post(FACTOR, {"recovery": code}).status_code == 302
    assert lands(client, "/admin/") == "/admin/"
    assert "used already" in half_in(user).post(FACTOR, {"recovery": code}).content.decode()


def test_the_session_is_a_new_one_once_the_factor_was_shown() -> None:
    user = f.make_user()
    device = device_of(user)
    client = half_in(user)
    before = client.session.session_key
    client.post(FACTOR, {"code": code_of(device)})
    assert client.session.session_key != before
    assert Client(headers={"cookie": f"sessionid={before}"}).get("/admin/").status_code == 302


def test_a_session_ends_with_the_factor_that_opened_it() -> None:
    user = f.make_user()
    key = passkey_of(user)
    device_of(user)
    client = with_session(Client(), user, kept(key))
    assert client.get("/admin/").status_code == 200
    own.remove_passkey(user, kept(key).pk, by=actors.staff(user))
    assert lands(client, "/admin/").startswith(FACTOR)


def test_a_session_that_names_the_device_of_another_is_not_in() -> None:
    user = f.make_user()
    device_of(user)
    client = with_session(Client(), user, device_of(f.make_user()))
    assert lands(client, "/admin/").startswith(FACTOR)


def test_an_account_that_is_no_staff_or_switched_off_gets_nowhere() -> None:
    for fields in ({"is_staff": False}, {"is_active": False}):
        user = f.make_user()
        client = half_in(user)
        User.objects.filter(pk=user.pk).update(**fields)
        assert lands(client, MINE).startswith("/admin/login/"), fields
        assert lands(client, "/admin/").startswith("/admin/login/"), fields


def test_whoever_is_half_in_can_leave() -> None:
    user = f.make_user()
    device_of(user)
    client = half_in(user)
    client.post(reverse("admin:logout"))
    assert "_auth_user_id" not in client.session


def test_nobody_is_sent_to_another_site() -> None:
    user = f.make_user()
    device = device_of(user)
    client = half_in(user)
    answer = client.post(FACTOR, {"code": code_of(device), "next": "https://evil.example/"})
    assert answer["Location"] == "/admin/"


def addresses(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Every address below, its arguments filled in with what converters take."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield filled(route)


def filled(route: str) -> str:
    parts = [
        part.partition(">") if "<" in part else ("", "", part)
        for part in route.replace("<", "\0<").split("\0")
    ]
    address = "".join(("1" if is_argument else "") + rest for is_argument, _sign, rest in parts)
    return address.replace("(?P1cases|approvals|tools|audit|auth)/$", "cases/").replace("(?P1.*)", "x")


OPEN = {"/admin/login/", "/admin/logout/", FACTOR}


@pytest.mark.parametrize("has_factor", [True, False], ids=["with a factor", "without one"])
def test_no_address_of_the_admin_answers_to_a_password_alone(has_factor: bool) -> None:
    """All of it: lists, pages, search, autocomplete, the catalogue of words, buttons, and what exists in none."""
    user = f.make_user(is_superuser=True)
    if has_factor:
        device_of(user)
    half, visitor = with_session(Client(), user, None), Client()
    found = [one for one in addresses(get_resolver()) if one.startswith("/admin/") and one not in OPEN]
    assert len(found) > 150
    assert {"/admin/jsi18n/", "/admin/autocomplete/", "/admin/search/", "/admin/r/1/1/"} <= set(found)
    for address in found:
        own_page = not has_factor and address.startswith(MINE)
        # What a visitor gets hangs on nobody's factor, so it is asked once.
        for client, method in ((half, "get"), (half, "post"), (visitor, "get"))[: 3 if has_factor else 1]:
            if own_page:
                continue
            answer = getattr(client, method)(address)
            assert answer.status_code == 302, (method, address, answer.status_code)
            assert answer["Location"].startswith(("/admin/login/", FACTOR)), (address, answer["Location"])


def test_the_walk_would_see_a_page_that_asks_for_no_factor() -> None:
    """With the factor shown, the same addresses do answer."""
    client = signed_in(f.make_user(is_superuser=True))
    for name in ("index", "jsi18n", "search", "cases_case_changelist", "password_change"):
        assert client.get(reverse(f"admin:{name}")).status_code == 200, name
    assert admin.site.login_template == "admin/sign_in.html"


def test_signing_in_again_later_is_no_second_sign_in() -> None:
    user = f.make_user()
    client, device = signed_in(user), TOTPDevice.objects.get()
    client.post(FACTOR, {"code": code_of(device), "next": MINE})
    next_step(device)
    assert not Entry.objects.filter(action="staff.signed_in").exists()
    assert CodeAttempt.objects.filter(purpose="sign_in", accepted=True).count() == 1
