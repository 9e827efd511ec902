"""My second factor, and the page about lost ones: in the browser, with what may be seen and pressed when."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.models import FactorReset, Passkey
from approvals.second_factor import own, resetting
from audit import actors, sources
from cases.models import Shop, User
from cases.staff import confirm_reset
from opsagent.my_factor import qr
from tests import factories as f
from tests.admin.conftest import SignIn
from tests.authority.authenticator import Authenticator, kept, passkey_of
from tests.authority.rows import code_of, device_of
from tests.signing import signed_in, with_session

pytestmark = pytest.mark.django_db
MINE, RESETS = "/admin/me/second-factor/", "/admin/second-factor/resets/"


def press(client: Client, button: str, **form: str) -> Any:
    return client.post(reverse(f"admin:{button}"), form, follow=True)


def said(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def code_now(user: User) -> str:
    """What the app shows that was set up a moment ago, in the middle of its time step."""
    steady = device_of(f.make_user())
    TOTPDevice.objects.filter(user=user, confirmed=False).update(t0=steady.t0)
    return code_of(TOTPDevice.objects.get(user=user, confirmed=False))


def test_a_newcomer_sets_up_an_app_and_is_in() -> None:
    user = f.make_user(roles=["viewer"])
    client = with_session(Client(), user, None)
    page = press(client, "begin_authenticator").content.decode()
    assert '<svg class="qr"' in page or "<svg" in page
    answer = press(client, "confirm_authenticator", code=code_now(user))
    codes = re.findall(r"<code>([a-z2-9]{4}(?:-[a-z2-9]{4}){3})</code>", answer.content.decode())
    assert len(codes) == 10
    assert answer["Cache-Control"].count("no-store") == 1
    assert client.get("/admin/").status_code == 200
    # Shown once: neither the page nor the same answer again has them.
    again = (
        client.get(MINE).content.decode() + press(client, "confirm_authenticator", code="1").content.decode()
    )
    assert not [code for code in codes if code in again]


def test_a_newcomer_adds_a_passkey_and_is_in() -> None:
    user, key = f.make_user(), Authenticator()
    client = with_session(Client(), user, None)
    page = client.get(MINE).context
    form = {
        "challenge": str(page["challenge"].pk),
        "passkey": key.create(page["passkey_options"]),
        "name": "Laptop",
    }
    assert "I have kept them" in press(client, "add_passkey", **form).content.decode()
    assert (kept(key).name, client.get("/admin/").status_code) == ("Laptop", 200)


def test_the_secret_is_shown_to_the_session_alone_that_began() -> None:
    user = f.make_user()
    thief, client = with_session(Client(), user, None), with_session(Client(), user, None)
    press(thief, "begin_authenticator")
    planted = TOTPDevice.objects.get()
    assert client.get(MINE).context["draft"] is None
    press(client, "confirm_authenticator", code=code_now(user))
    planted.refresh_from_db()
    assert not planted.confirmed


def test_a_session_that_showed_its_factor_long_ago_changes_none() -> None:
    user = f.make_user()
    client, key = signed_in(user), passkey_of(user)
    with sources.frozen(sources.now() + timedelta(minutes=11)):
        page = client.get(MINE)
        assert page.context["challenge"] is None
        assert "Show it now" in page.content.decode()
        for name in ("begin_authenticator", "new_recovery_codes", "remove_authenticator"):
            assert press(client, name).redirect_chain[-1][0].startswith("/admin/sign-in/factor/")
        press(client, "remove_passkey", key=str(kept(key).pk))
    assert own.factors(user).count == 2
    assert not TOTPDevice.objects.filter(confirmed=False).exists()


def test_the_last_factor_has_no_button_and_stays_when_pressed_all_the_same() -> None:
    user = f.make_user()
    client = signed_in(user)
    assert reverse("admin:remove_authenticator") not in client.get(MINE).content.decode()
    assert "last second factor" in said(press(client, "remove_authenticator"))
    key = passkey_of(user)
    page = client.get(MINE).content.decode()
    assert reverse("admin:remove_authenticator") in page
    assert "removed" in said(press(client, "remove_passkey", key=str(kept(key).pk)))
    assert not Passkey.objects.exists()


def test_nobody_removes_the_passkey_of_another_here() -> None:
    other = kept(passkey_of(f.make_user()))
    client = signed_in(f.make_user())
    assert "no such passkey" in said(press(client, "remove_passkey", key=str(other.pk)))
    assert "no such passkey" in said(press(client, "remove_passkey", key="x"))


@pytest.mark.parametrize(
    "name", ["begin_authenticator", "add_passkey", "new_recovery_codes", "remove_passkey"]
)
def test_looking_changes_nothing(name: str) -> None:
    user = f.make_user()
    client = signed_in(user)
    assert client.get(reverse(f"admin:{name}")).status_code == 405
    assert (own.factors(user).count, own.factors(user).recovery_codes) == (1, 0)


def test_the_pages_hold_to_the_strict_policy() -> None:
    """No style, script or handler stands in the page itself, the drawing of the QR code included."""
    user = f.make_user()
    client = with_session(Client(), user, None)
    begun = press(client, "begin_authenticator").content.decode()
    half = f.make_user()
    passkey_of(half)
    asked = with_session(Client(), half, None).get("/admin/sign-in/factor/").content.decode()
    for page in (begun, asked, str(qr("otpauth://totp/x"))):
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", page)


def test_the_approval_page_offers_the_passkey_first_and_the_code_second(sign_in: SignIn, shop: Shop) -> None:
    request = f.make_approval(large=True, shop=shop)
    client = sign_in("finance approver")
    url = reverse("admin:approvals_approvalrequest_change", args=[request.pk])
    assert "data-passkey" not in client.get(url).content.decode()
    key = passkey_of(client.user)  # type: ignore[attr-defined]  # set by sign_in
    page = client.get(url)
    html = page.content.decode()
    assert 0 < html.index("with passkey") < html.index("with code")
    answer = {"challenge": page.context["challenge"].pk, "passkey": key.sign(page.context["passkey_options"])}
    signed = client.post(reverse("admin:approve_large", args=[request.pk]), answer, follow=True)
    assert "second factor" in said(signed)
    request.refresh_from_db()
    assert request.state == "approved"


def test_who_may_not_sign_is_asked_for_nothing(sign_in: SignIn, shop: Shop) -> None:
    request = f.make_approval(large=True, shop=shop)
    page = sign_in("approver").get(reverse("admin:approvals_approvalrequest_change", args=[request.pk]))
    assert "challenge" not in page.context
    assert "data-passkey" not in page.content.decode()


def test_two_colleagues_reset_a_third_and_everybody_reads_it_on_the_desk(sign_in: SignIn, shop: Shop) -> None:
    asker, second, lost = sign_in("admin"), sign_in("limit publisher"), sign_in("approver")
    whose = lost.user  # type: ignore[attr-defined]  # set by sign_in
    asked = asker.post(RESETS, {"user": whose.pk, "reason": "Seen in person."}, follow=True)
    assert "second colleague" in said(asked)
    row = FactorReset.objects.get()
    assert reverse("admin:confirm_reset", args=[row.pk]) not in asked.content.decode()
    assert "two" in said(asker.post(reverse("admin:confirm_reset", args=[row.pk]), follow=True))
    assert reverse("admin:confirm_reset", args=[row.pk]) in second.get(RESETS).content.decode()
    assert "Done" in said(second.post(reverse("admin:confirm_reset", args=[row.pk]), follow=True))
    # Whoever was in with the lost factor is out.
    assert lost.get("/admin/").status_code == 302
    desk = second.get("/admin/")
    assert f"The second factor of {whose.username} was reset" in desk.content.decode()
    notice = desk.context["resets"][0]["pk"]
    assert (
        "was reset"
        not in second.post(f"/admin/second-factor/notices/{notice}/seen/", follow=True).content.decode()
    )


def test_who_lost_nothing_reads_it_and_withdraws_it(sign_in: SignIn, shop: Shop) -> None:
    asker, client = sign_in("admin"), sign_in("approver")
    row = resetting.ask(client.user.pk, reason="Says so.", by=actors.staff(asker.user))  # type: ignore[attr-defined]
    assert "I lost nothing" in client.get(MINE).content.decode()
    assert "Withdrawn" in said(client.post(reverse("admin:withdraw_reset", args=[row.pk]), follow=True))
    row.refresh_from_db()
    assert row.state == "withdrawn"


@pytest.mark.parametrize("role", ["viewer", "agent", "approver", "limit author", "auditor"])
def test_the_page_about_lost_factors_is_for_who_has_the_right(sign_in: SignIn, role: str) -> None:
    client = sign_in(role)
    assert client.get(RESETS).status_code == 403
    assert client.post(RESETS, {"user": "1", "reason": "x"}).status_code == 403
    assert not FactorReset.objects.exists()


def test_the_page_about_lost_factors_does_not_query_per_row(
    sign_in: SignIn, shop: Shop, django_assert_max_num_queries: Any
) -> None:
    client = sign_in("admin")
    by = actors.staff(client.user)  # type: ignore[attr-defined]  # set by sign_in
    second = actors.staff(f.make_user(roles=["admin"]))

    def more(n: int) -> None:
        for _ in range(n):
            resetting.ask(f.make_user(roles=["viewer"]).pk, reason="Lost.", by=by)
            row = resetting.ask(f.make_user(roles=["viewer"]).pk, reason="Lost.", by=by)
            confirm_reset(row.pk, by=second)

    more(1)
    with django_assert_max_num_queries(40) as before:
        client.get(RESETS)
    more(3)
    with django_assert_max_num_queries(len(before.captured_queries)):
        client.get(RESETS)
