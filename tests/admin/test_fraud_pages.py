"""The fraud list in the admin: written out or taken from an order, ended with a reason; who may, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from cases import personal
from cases.fraud import listed
from cases.models import FraudEntry, Shop
from tests import factories as f
from tests.admin.test_pages import clean
from tests.fraud.rows import listing
from tools.models import Order
from tools.snapshots import AddressSnapshot

SignIn = Callable[..., Client]
LIST = "admin:list_fraud"
HOME = AddressSnapshot(address1="Storgata 1", zip="0155", city="Oslo", country="NO")


@pytest.fixture
def order(shop: Shop) -> Order:
    row = f.make_order(shop, person=f.make_person(shop, phone="4791234567"))
    personal.keep_address(row, HOME)
    row.refresh_from_db()
    return row


def form_of(shop: Shop, **fields: str) -> dict[str, str]:
    return {"shop": str(shop.pk), "kind": "email", "reason": "Three chargebacks.", **fields}


def page_of(client: Client, row: Any, model: str = "cases_fraudentry") -> str:
    return client.get(reverse(f"admin:{model}_change", args=[row.pk])).content.decode()


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"value": "Ines@x.example"}, "Ines@x.example"),
        ({"kind": "phone", "value": "+47 912 34 567"}, "+47 912 34 567"),
        (
            {"kind": "address", "value": "Storgata 1", "zip_code": "0155", "country": "no"},
            "Storgata 1, 0155, NO",
        ),
        ({"kind": "card", "value": "Xt5EWLLDS7FJjR1c"}, "Xt5EWLLDS7FJjR1c"),
    ],
)
def test_somebody_is_listed_as_they_are_written(
    agent: Client, shop: Shop, fields: dict[str, str], shown: str
) -> None:
    page = agent.post(reverse(LIST), form_of(shop, **fields), follow=True).content.decode()
    assert shown in page
    assert listed.value_of(FraudEntry.objects.select_related("key").get()) == shown
    clean(page)


@pytest.mark.parametrize("kind", ["email", "phone", "address", "card"])
def test_somebody_is_listed_as_an_order_has_them(agent: Client, order: Order, kind: str) -> None:
    agent.post(reverse(LIST), form_of(order.shop, kind=kind, order=order.name))
    assert [entry.kind for entry in listed.met(order.shop_id, [], order)] == [kind]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Write it out"), ({"order": "#0"}, "no such order"), ({"value": "ines"}, "recognised again"),
        ({"value": "a@b.example", "reason": ""}, "required"),
        ({"value": "a@b.example", "expires_at": "2020-01-01T00:00"}, "time to come"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_words(
    agent: Client, shop: Shop, fields: dict[str, str], words: str
) -> None:
    page = agent.post(reverse(LIST), form_of(shop, **fields)).content.decode()
    assert escape(words) in page
    assert not FraudEntry.objects.exists()


def test_an_order_without_it_is_said(agent: Client, shop: Shop) -> None:
    order = f.make_order(shop, person=None)
    for kind in ("email", "address"):
        page = agent.post(reverse(LIST), form_of(shop, kind=kind, order=order.name)).content.decode()
        assert "none of these on record" in page


@pytest.mark.parametrize("role", ["viewer", "limit author", "limit publisher", "admin"])
def test_only_who_may_sees_the_form_and_the_buttons(sign_in: SignIn, order: Order, role: str) -> None:
    client, row = sign_in(role), listing(order.shop, "email", "a@b.example")
    assert client.get(reverse(LIST)).status_code == 403
    assert client.post(reverse(LIST), form_of(order.shop, value="c@d.example")).status_code == 403
    assert reverse(LIST) not in client.get(reverse("admin:cases_fraudentry_changelist")).content.decode()
    assert reverse("admin:end_fraud_entry", args=[row.pk]) not in page_of(client, row)
    assert reverse("admin:mark_order", args=[order.pk]) not in page_of(client, order, "tools_order")
    assert FraudEntry.objects.count() == 1


def test_an_entry_is_ended_once_with_a_reason(agent: Client, shop: Shop, said: Any) -> None:
    row, url = listing(shop, "email", "a@b.example"), "admin:end_fraud_entry"
    press = reverse(url, args=[row.pk])
    assert press in page_of(agent, row)
    assert "Say why" in said(agent.post(press, {"reason": ""}, follow=True))
    assert "Taken off" in said(agent.post(press, {"reason": "Settled."}, follow=True))
    assert "ended already" in said(agent.post(press, {"reason": "Settled."}, follow=True))
    page = page_of(agent, row)
    assert "Settled." in page
    assert press not in page


def test_a_suspicion_is_posted_from_case_and_order_until_it_is_known(agent: Client, order: Order) -> None:
    case = f.make_case(order=order)
    on_case, on_order = (
        reverse("admin:mark_case", args=[case.pk]),
        reverse("admin:mark_order", args=[order.pk]),
    )
    assert on_case in page_of(agent, case, "cases_case")
    assert on_order in page_of(agent, order, "tools_order")
    agent.post(on_case, {"reason": "The same photo as last week."})
    assert on_case not in page_of(agent, case, "cases_case")
    assert on_order not in page_of(agent, order, "tools_order")
    flag = case.flags.get()
    assert "The same photo as last week." in page_of(agent, flag, "approvals_riskflag")


def test_a_flag_leads_to_the_entry_that_it_meets(agent: Client, shop: Shop) -> None:
    row = listing(shop, "email", "a@b.example")
    flag = f.make_flag(
        f.make_case(order=f.make_order(shop)), kind="fraud", source=f"fraud_list.email.{row.pk}"
    )
    assert reverse("admin:cases_fraudentry_change", args=[row.pk]) in page_of(
        agent, flag, "approvals_riskflag"
    )


def test_the_list_does_not_ask_for_each_entry(
    viewer: Client, shop: Shop, django_assert_max_num_queries: Any
) -> None:
    url = reverse("admin:cases_fraudentry_changelist")
    listing(shop, "email", "a0@b.example")
    clean(viewer.get(url).content.decode())
    with django_assert_max_num_queries(60) as few:
        viewer.get(url)
    for number in range(1, 5):
        listing(shop, "email", f"a{number}@b.example")
    with django_assert_max_num_queries(len(few)):
        viewer.get(url)
