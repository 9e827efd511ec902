"""The page of who can decide: hours with a break, and forms that come back as they were typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from approvals.models import Absence, Delegation, DutyHours
from cases.models import Shop, User
from tests import factories as f
from tests.admin.test_pages import clean

SignIn = Callable[..., Client]


def me(client: Client) -> User:
    user: User = client.user  # type: ignore[attr-defined]  # set by sign_in
    return user


def hours() -> list[tuple[int, int, int]]:
    rows = DutyHours.objects.order_by("weekday", "starts_minute")
    return list(rows.values_list("weekday", "starts_minute", "ends_minute"))


def typed(text: str, name: str) -> list[str]:
    """The values of the inputs of this name, in their order."""
    parts = text.split(f'name="{name}" value="')[1:]
    return [part.partition('"')[0] for part in parts]


def test_a_day_has_a_break_and_keeps_it_when_the_page_is_saved_again(sign_in: SignIn, shop: Shop) -> None:
    client, url = sign_in("approver"), reverse("admin:write_hours")
    week = {"from0": ["09:00", "13:00"], "until0": ["12:00", "17:00"], "from4": ["09:00", ""]}
    client.post(url, {"user": me(client).pk, "zone": "Europe/Oslo", **week, "until4": ["12:00", ""]})
    written = [(0, 540, 720), (0, 780, 1020), (4, 540, 720)]
    assert hours() == written
    text = client.get(reverse("admin:deciders")).content.decode()
    clean(text)
    assert typed(text, "from0") == ["09:00", "13:00"]
    assert typed(text, "until4") == ["12:00", ""]
    again = {f"{word}{day}": typed(text, f"{word}{day}") for day in range(7) for word in ("from", "until")}
    client.post(url, {"user": me(client).pk, "zone": "Europe/Oslo", **again})
    assert hours() == written


def test_a_third_stretch_is_shown_too(sign_in: SignIn, shop: Shop) -> None:
    client = sign_in("approver")
    for hour in (8, 12, 16):
        DutyHours.objects.create(
            user=me(client), weekday=1, starts_minute=hour * 60, ends_minute=hour * 60 + 90, time_zone="UTC"
        )
    text = client.get(reverse("admin:deciders")).content.decode()
    assert typed(text, "from1") == ["08:00", "12:00", "16:00"]


def test_hours_that_make_no_sense_come_back_as_they_were_typed(sign_in: SignIn, shop: Shop) -> None:
    client = sign_in("approver")
    form = {"user": me(client).pk, "zone": "Europe/Nowhere", "from2": ["09:00"], "until2": ["17:00"]}
    text = client.post(reverse("admin:write_hours"), form).content.decode()
    assert "no such time zone" in text
    assert 'value="Europe/Nowhere"' in text
    assert typed(text, "from2") == ["09:00", ""]
    assert not DutyHours.objects.exists()


def test_an_absence_asks_for_its_yes_only_once_it_is_known_what_about(sign_in: SignIn, shop: Shop) -> None:
    client, url = sign_in("approver"), reverse("admin:write_absence")
    assert 'name="nobody"' not in client.get(reverse("admin:deciders")).content.decode()
    day = (f.now() + timedelta(days=1)).date().isoformat()
    form = {"user": me(client).pk, "starts_at": f"{day}T08:00", "ends_at": f"{day}T18:00"}
    text = client.post(url, form).content.decode()
    clean(text)
    assert 'name="nobody"' in text
    assert text.count("Then nobody could approve EUR (mid-size)") == 2
    assert typed(text, "starts_at")[0] == f"{day}T08:00"
    assert typed(text, "ends_at")[0] == f"{day}T18:00"
    client.post(url, {**form, "nobody": "1"})
    assert Absence.objects.count() == 1


def test_an_absence_that_cannot_be_keeps_its_dates_and_asks_no_yes(sign_in: SignIn, shop: Shop) -> None:
    client = sign_in("approver")
    form = {"user": me(client).pk, "starts_at": "2020-01-01T08:00", "ends_at": "2020-01-02T08:00"}
    text = client.post(reverse("admin:write_absence"), form).content.decode()
    assert "begins before it ends" in text
    assert typed(text, "starts_at")[0] == "2020-01-01T08:00"
    assert 'name="nobody"' not in text


def test_a_delegation_that_is_refused_keeps_what_was_typed(sign_in: SignIn, shop: Shop) -> None:
    lender, to = (f.make_user(roles=[role], shops=[shop]) for role in ("viewer", "agent"))
    form: dict[str, Any] = {
        "shop": shop.pk, "right": "approvals.approve_refund", "to": to.pk, "instead_of": lender.pk,
        "starts_at": "2026-11-24T08:00", "ends_at": "2099-11-25T08:00", "reason": "Holiday of Ben",
    }  # fmt: skip
    text = sign_in("admin").post(reverse("admin:give_delegation"), form).content.decode()
    assert "the one who is away has the right by their role" in text
    assert ">Holiday of Ben</textarea>" in text
    assert typed(text, "ends_at")[-1] == "2099-11-25T08:00"
    assert f'<option value="{lender.pk}" selected>' in text
    assert not Delegation.objects.exists()
