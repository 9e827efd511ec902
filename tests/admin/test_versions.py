"""Limits and caps in the admin: propose, see the difference, publish, bring back; who may, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.caps import defaults
from approvals.models import CapsVersion, LimitVersion
from cases.models import Shop
from tests import factories as f
from tests.admin.test_pages import clean

SignIn = Callable[..., Client]
LIMITS = {
    "auto_up_to_minor": "40.00",
    "one_approver_up_to_minor": "300",
    "two_people_above_minor": "",
    "two_factor_up_to_minor": "4000",
    "goodwill_percent": "10",
    "unsure_below_percent": "50",
    "reason": "9 of 1,204.",
}


@pytest.fixture
def author(sign_in: SignIn, shop: Shop) -> Client:
    return sign_in("limit author")


@pytest.fixture
def publisher(sign_in: SignIn, shop: Shop) -> Client:
    return sign_in("limit publisher")


def draft(shop: Shop, **fields: Any) -> LimitVersion:
    waits = {"published_at": None, "effective_at": None, "author": f.make_user()}
    return f.make_limits(shop, **{**waits, **fields})


def publish(client: Client, row: LimitVersion | CapsVersion, **form: str) -> Any:
    noun = "limits" if isinstance(row, LimitVersion) else "caps"
    return client.post(
        reverse(f"admin:publish_{noun}", args=[row.pk]), {"leaves_nobody_ok": "on", **form}, follow=True
    )


def page_of(client: Client, row: Any) -> str:
    name = f"admin:approvals_{row._meta.model_name}_change"
    return client.get(reverse(name, args=[row.pk])).content.decode()


def test_limits_are_drafted_by_one_person_and_published_by_another(
    author: Client, publisher: Client, shop: Shop, said: Any
) -> None:
    base = shop.limits.get()
    page = author.post(reverse("admin:draft_limits", args=[base.pk]), LIMITS, follow=True).content.decode()
    row = LimitVersion.objects.get(version=2)
    assert (row.auto_up_to_minor, row.two_people_above_minor) == (4000, None)
    assert "<del>€20.00</del>" in page
    assert "somebody else" in page
    assert publish(author, row).status_code == 403
    assert "holds from now on" in said(publish(publisher, row))
    assert "published already" in publish(publisher, row).content.decode()


def test_a_form_begins_with_the_present_numbers(author: Client, shop: Shop) -> None:
    page = author.get(reverse("admin:draft_limits", args=[shop.limits.get().pk])).content.decode()
    assert 'value="20.00"' in page
    assert 'value="15"' in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("auto_up_to_minor", "40.001"), ("auto_up_to_minor", "-1"), ("auto_up_to_minor", "500"),
        ("auto_up_to_minor", ""), ("two_factor_up_to_minor", "299.99"), ("two_people_above_minor", "299"),
        ("goodwill_percent", "101"), ("unsure_below_percent", "x"), ("reason", ""),
    ],
)  # fmt: skip
def test_limits_that_make_no_sense_are_not_stored(author: Client, shop: Shop, field: str, value: str) -> None:
    url = reverse("admin:draft_limits", args=[shop.limits.get().pk])
    response = author.post(url, {**LIMITS, field: value})
    assert "errorlist" in response.content.decode()
    assert LimitVersion.objects.count() == 1


@pytest.mark.parametrize(("currency", "amount", "minor"), [("JPY", "4000", 4000), ("KWD", "4.125", 4125)])
def test_amounts_are_written_in_the_currencys_own_decimals(
    author: Client, shop: Shop, currency: str, amount: str, minor: int
) -> None:
    base = f.make_limits(shop, currency)
    form = {
        **LIMITS,
        "one_approver_up_to_minor": "4500",
        "two_factor_up_to_minor": "9000",
        "auto_up_to_minor": amount,
    }
    author.post(reverse("admin:draft_limits", args=[base.pk]), form)
    assert LimitVersion.objects.get(currency=currency, version=2).auto_up_to_minor == minor


def test_caps_are_drafted_with_budgets_and_sizes(author: Client, publisher: Client, shop: Shop) -> None:
    base = f.make_caps(shop, **defaults("EUR"))
    url = reverse("admin:draft_caps", args=[base.pk])
    first = author.get(url).context["form"]
    form = {name: field.initial for name, field in first.fields.items() if field.initial is not None}
    form |= {"reason": "Season.", "order_cap_minor": "750.50", "budget_llm": "", "size_orders_held_day": "7"}
    author.post(url, form)
    row = CapsVersion.objects.get(version=3)
    assert (row.order_cap_minor, row.sizes["orders_held_day"]) == (75_050, 7)
    assert "llm" not in row.budgets
    assert row.undo_seconds == base.undo_seconds
    assert "<ins>€750.50</ins>" in page_of(publisher, row)


def test_a_version_is_published_for_a_later_moment(publisher: Client, shop: Shop, said: Any) -> None:
    row = draft(shop)
    later = (f.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    assert "the moment that you gave" in said(publish(publisher, row, effective_at=later))
    assert "Scheduled" in page_of(publisher, row)


def test_a_moment_in_the_past_is_said_in_words(publisher: Client, shop: Shop) -> None:
    row = draft(shop)
    page = publish(publisher, row, effective_at="2020-01-01T10:00").content.decode()
    assert "That moment is over" in page
    assert LimitVersion.objects.get(pk=row.pk).published_at is None


def test_an_old_version_is_brought_back(author: Client, publisher: Client, shop: Shop) -> None:
    old, _new = shop.limits.get(), f.make_limits(shop, auto_up_to_minor=1)
    url = reverse("admin:restore_limits", args=[old.pk])
    assert url in page_of(author, old)
    assert url not in page_of(publisher, old)
    page = author.post(url, {"reason": "It gave too little."}, follow=True).content.decode()
    row = LimitVersion.objects.get(version=3)
    assert (row.restores, row.numbers()) == (old, old.numbers())
    assert "brings version 1 back" in page


@pytest.mark.parametrize("verb", ["draft", "publish", "restore"])
@pytest.mark.parametrize("noun", ["limits", "caps"])
def test_who_may_not_sees_no_form_and_no_button(viewer: Client, shop: Shop, verb: str, noun: str) -> None:
    row = shop.limits.get() if noun == "limits" else shop.caps.get()
    url = reverse(f"admin:{verb}_{noun}", args=[row.pk])
    assert viewer.get(url).status_code == 403
    assert viewer.post(url, LIMITS).status_code == 403
    assert url not in page_of(viewer, row)


def test_versions_of_another_shop_are_not_found(sign_in: SignIn, shop: Shop) -> None:
    stranger = sign_in("limit author", "limit publisher", shops=[f.make_shop("south")])
    for verb in ("draft", "publish", "restore"):
        assert (
            stranger.post(reverse(f"admin:{verb}_limits", args=[shop.limits.get().pk]), LIMITS).status_code
            == 404
        )


def test_a_get_publishes_nothing(publisher: Client, shop: Shop) -> None:
    row = draft(shop)
    page = publisher.get(reverse("admin:publish_limits", args=[row.pk])).content.decode()
    clean(page)
    assert "leaves" not in page
    assert LimitVersion.objects.get(pk=row.pk).published_at is None


def test_all_pages_of_versions_carry_no_inline_code(sign_in: SignIn, shop: Shop) -> None:
    client, row, caps = sign_in("limit author", "limit publisher"), draft(shop), shop.caps.get()
    urls = [reverse(f"admin:{verb}_limits", args=[row.pk]) for verb in ("draft", "publish", "restore")]
    urls += [reverse("admin:draft_caps", args=[caps.pk]), reverse("admin:approvals_capsversion_changelist")]
    for url in (*urls, reverse("admin:approvals_limitversion_changelist")):
        clean(client.get(url).content.decode())
    clean(page_of(client, row))
    clean(page_of(client, caps))


def test_a_tier_left_with_nobody_is_shown_and_confirmed(sign_in: SignIn, shop: Shop, said: Any) -> None:
    only, row = sign_in("approver", "limit publisher"), draft(shop)
    page = only.post(reverse("admin:publish_limits", args=[row.pk]), {}).content.decode()
    assert "Nobody could decide any more" in page
    assert 'name="leaves_nobody_ok"' in page
    assert "holds from now on" in said(publish(only, row))
