"""Exceptions and exchange rates in the admin: asked for, approved, ended, listed; who may, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from approvals.models import ExchangeRate, LimitException, RateReading
from cases.models import Shop
from tests import factories as f
from tests.admin.test_pages import clean
from tools.models import Order

SignIn = Callable[..., Client]
ASK = "admin:ask_exception"


@pytest.fixture
def order(shop: Shop) -> Order:
    return f.make_order(shop)


def form_of(row: Order, **fields: str) -> dict[str, str]:
    until = (f.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    wish = {
        "order": row.name,
        "scope": "customer",
        "up_to": "750",
        "expires_at": until,
        "reason": "A recall.",
    }
    return {"shop": str(row.shop_id), **wish, **fields}


def made(order: Order, **fields: Any) -> LimitException:
    facts: dict[str, Any] = {
        "scope": "order", "subject": str(order.pk), "currency": "EUR", "up_to_minor": 5000, "reason": "A recall.",
        "author": f.make_user(), "created_at": f.now(), "expires_at": f.now() + timedelta(days=1),
    }  # fmt: skip
    return LimitException.objects.create(shop=order.shop, **{**facts, **fields})


def press(client: Client, verb: str, row: LimitException) -> Any:
    return client.post(reverse(f"admin:{verb}_exception", args=[row.pk]), follow=True)


def page_of(client: Client, row: LimitException) -> str:
    return client.get(reverse("admin:approvals_limitexception_change", args=[row.pk])).content.decode()


def test_an_exception_is_asked_for_by_an_orders_number(sign_in: SignIn, order: Order) -> None:
    author = sign_in("limit author")
    page = author.post(reverse(ASK), form_of(order), follow=True).content.decode()
    row = LimitException.objects.get()
    assert (row.scope, row.subject, row.up_to_minor) == ("customer", str(order.person_id), 75_000)
    assert "somebody else with the role" in page
    assert reverse("admin:approve_exception", args=[row.pk]) not in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"order": "#0"}, "no such order"), ({"up_to": "1.001"}, "that many decimals"),
        ({"up_to": "0"}, "up to how much"),
        ({"scope": "address"}, "none of these on record"), ({"expires_at": "2020-01-01T00:00"}, "within 90 days"),
        ({"reason": ""}, "required"), ({"expires_at": ""}, "required"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_words(
    sign_in: SignIn, order: Order, fields: dict[str, str], words: str
) -> None:
    page = sign_in("limit author").post(reverse(ASK), form_of(order, **fields)).content.decode()
    assert escape(words) in page
    assert not LimitException.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "limit publisher", "finance approver", "admin"])
def test_only_an_author_sees_the_form(sign_in: SignIn, order: Order, role: str) -> None:
    client = sign_in(role)
    assert client.get(reverse(ASK)).status_code == 403
    assert client.post(reverse(ASK), form_of(order)).status_code == 403
    assert (
        reverse(ASK) not in client.get(reverse("admin:approvals_limitexception_changelist")).content.decode()
    )


def test_another_person_approves_it_once_and_either_ends_it(sign_in: SignIn, order: Order, said: Any) -> None:
    row, publisher = made(order), sign_in("limit publisher")
    assert "Approved" in said(press(publisher, "approve", row))
    assert "approved already" in said(press(publisher, "approve", row))
    assert "Ended" in said(press(sign_in("limit author"), "end", row))
    assert "over already" in said(press(publisher, "end", row))
    assert "Ended by" in page_of(publisher, row)


def test_an_exception_that_is_over_offers_no_button(sign_in: SignIn, order: Order) -> None:
    row = made(order, created_at=f.now() - timedelta(days=2), expires_at=f.now() - timedelta(days=1))
    page = page_of(sign_in("limit publisher"), row)
    assert "_exception/" not in page
    assert "Over" in page


def test_the_list_does_not_ask_for_each_exception(
    sign_in: SignIn, order: Order, django_assert_max_num_queries: Any
) -> None:
    client, url = sign_in("viewer"), reverse("admin:approvals_limitexception_changelist")
    made(order)
    clean(client.get(url).content.decode())
    with django_assert_max_num_queries(60) as few:
        client.get(url)
    for _ in range(4):
        made(order)
    with django_assert_max_num_queries(len(few)):
        client.get(url)


class TestRates:
    @pytest.fixture
    def page(self, viewer: Client) -> Callable[[], str]:
        def read() -> str:
            return viewer.get(reverse("admin:approvals_exchangerate_changelist")).content.decode()

        return read

    def test_rates_stand_with_source_and_age(
        self, page: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPSAGENT_RATES_URL", "https://rates.example/daily.xml")
        now = f.now()
        ExchangeRate.objects.create(
            base="EUR",
            quote="USD",
            rate=Decimal("1.1625"),
            as_of=now.date() - timedelta(days=2),
            source="A bank",
            read_at=now,
        )
        RateReading.objects.create(source="A bank", asked_at=now, ended_at=now, as_of=now.date())
        html = page()
        assert "EUR → USD" in html
        assert "1.1625" in html
        assert f"{24 + now.hour} hours" in html
        assert "From: A bank." in html
        clean(html)

    def test_without_an_address_the_page_says_so(
        self, page: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("OPSAGENT_RATES_URL", raising=False)
        assert "OPSAGENT_RATES_URL is not set" in page()

    def test_a_failed_reading_is_said(self, page: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPSAGENT_RATES_URL", "https://rates.example/daily.xml")
        RateReading.objects.create(source="A bank", asked_at=f.now(), ended_at=f.now(), error="http_503")
        assert "The last reading failed (http_503)" in page()
