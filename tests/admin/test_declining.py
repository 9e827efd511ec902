"""Pages on which proposals end: a version withdrawn, declined or overtaken, an exception declined; and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.models import LimitException
from cases.models import Shop
from tests import factories as f
from tests.admin.conftest import client_of
from tests.admin.test_exceptions_and_rates import made
from tests.admin.test_pages import clean
from tools.models import Order

SignIn = Callable[..., Client]
Said = Callable[[Any], str]
NOUNS = ("limits", "caps", "terms")
MAKE: dict[str, Callable[..., Any]] = {"limits": f.make_limits, "caps": f.make_caps, "terms": f.make_terms}


def draft(shop: Shop, noun: str, **fields: Any) -> Any:
    author = fields.pop("author", None) or f.make_user(roles=["limit author"], shops=[shop])
    return MAKE[noun](shop, **{"published_at": None, "effective_at": None, "author": author, **fields})


def url(verb: str, noun: str, row: Any) -> str:
    return reverse(f"admin:{verb}_{noun}", args=[row.pk])


def page(client: Client, row: Any) -> str:
    name = f"admin:approvals_{row._meta.model_name}_change"
    text = client.get(reverse(name, args=[row.pk])).content.decode()
    clean(text)
    return text


def listed(client: Client, row: Any) -> str:
    return client.get(reverse(f"admin:approvals_{row._meta.model_name}_changelist")).content.decode()


@pytest.mark.parametrize("noun", NOUNS)
def test_a_publisher_declines_a_draft_and_its_author_reads_why(
    sign_in: SignIn, shop: Shop, said: Said, noun: str
) -> None:
    row, publisher = draft(shop, noun), sign_in("limit publisher")
    assert f"Decline version {row.version}" in page(publisher, row)
    assert "Say why" in said(publisher.post(url("withdraw", noun, row), {"reason": " "}, follow=True))
    done = publisher.post(url("withdraw", noun, row), {"reason": "Too much."}, follow=True)
    assert "It will never hold" in said(done)
    again = publisher.post(url("withdraw", noun, row), {"reason": "Too much."}, follow=True)
    assert "withdrawn already" in said(again)
    text = page(client_of(row.author), row)
    assert "Declined by" in text
    assert "Too much." in text
    for verb in ("withdraw", "publish"):
        assert url(verb, noun, row) not in text
        assert url(verb, noun, row) not in page(publisher, row)
    assert "Declined</span>" in listed(publisher, row).replace("declined</span>", "Declined</span>")


@pytest.mark.parametrize("noun", NOUNS)
def test_an_author_withdraws_their_own_draft_and_nobody_elses(
    sign_in: SignIn, viewer: Client, shop: Shop, noun: str
) -> None:
    row = draft(shop, noun)
    mine, other = client_of(row.author), sign_in("limit author")
    assert f"Withdraw version {row.version}" in page(mine, row)
    for client in (other, viewer):
        assert url("withdraw", noun, row) not in page(client, row)
    assert viewer.post(url("withdraw", noun, row), {"reason": "x"}).status_code == 403
    other.post(url("withdraw", noun, row), {"reason": "Mine is better."})
    row.refresh_from_db()
    assert row.withdrawn_at is None
    mine.post(url("withdraw", noun, row), {"reason": "A slip."})
    assert "Withdrawn by" in page(viewer, row)


@pytest.mark.parametrize("noun", NOUNS)
def test_a_draft_that_was_overtaken_offers_no_publishing(sign_in: SignIn, shop: Shop, noun: str) -> None:
    row, publisher = draft(shop, noun), sign_in("limit publisher")
    assert url("publish", noun, row) in page(publisher, row)
    MAKE[noun](shop)
    text = page(publisher, row)
    assert url("publish", noun, row) not in text
    assert "A later version was published" in text
    assert "Overtaken" in text
    assert "overtaken" in listed(publisher, row)
    assert url("withdraw", noun, row) in text


def test_the_list_of_versions_does_not_ask_for_each(sign_in: SignIn, shop: Shop) -> None:
    client, row = sign_in("viewer"), draft(shop, "limits")
    listed(client, row)
    with CaptureQueriesContext(connection) as few:
        listed(client, row)
    for _ in range(3):
        draft(shop, "limits")
    with CaptureQueriesContext(connection) as many:
        listed(client, row)
    assert len(many) == len(few)


class TestExceptions:
    @pytest.fixture
    def order(self, shop: Shop) -> Order:
        return f.make_order(shop, address_key=uuid4())

    def rows(self, order: Order) -> dict[str, LimitException]:
        card = order.payments.get().instrument
        subjects = {
            "order": order.pk,
            "customer": order.person_id,
            "instrument": card,
            "address": order.address_key,
        }
        return {scope: made(order, scope=scope, subject=str(one)) for scope, one in subjects.items()}

    def test_it_says_whom_it_is_for_and_leads_there(self, viewer: Client, order: Order) -> None:
        at_order = reverse("admin:tools_order_change", args=[order.pk])
        words = {
            "order": (f"order {order.name}", at_order),
            "customer": (str(order.person), reverse("admin:cases_person_change", args=[order.person_id])),
            "instrument": (f"the payment method of order {order.name}", at_order),
            "address": (f"the address of order {order.name}", at_order),
        }
        rows = self.rows(order)
        names = listed(viewer, rows["order"])
        for scope, row in rows.items():
            name, place = words[scope]
            text = page(viewer, row)
            assert f'<a href="{place}">{name}</a>' in text
            assert f"{name}<small>one " in names
            assert row.subject not in names or scope == "order"

    def test_whoever_it_was_for_is_gone(self, viewer: Client, order: Order) -> None:
        row = made(order, scope="instrument", subject="card-of-nobody")
        assert "one payment method that is gone" in page(viewer, row)

    def test_the_list_asks_for_all_names_at_once(self, viewer: Client, order: Order) -> None:
        row = self.rows(order)["order"]
        listed(viewer, row)
        with CaptureQueriesContext(connection) as few:
            listed(viewer, row)
        for _ in range(3):
            self.rows(f.make_order(order.shop, address_key=uuid4()))
        with CaptureQueriesContext(connection) as many:
            listed(viewer, row)
        assert len(many) == len(few)

    def test_one_that_waits_is_declined_and_one_that_holds_is_ended(
        self, sign_in: SignIn, viewer: Client, order: Order, said: Said
    ) -> None:
        row, publisher = made(order), sign_in("limit publisher")
        decline, end = (reverse(f"admin:{verb}_exception", args=[row.pk]) for verb in ("decline", "end"))
        assert decline in page(publisher, row)
        assert end not in page(publisher, row)
        assert decline not in page(viewer, row)
        assert viewer.post(decline).status_code == 403
        assert "never hold" in said(publisher.post(decline, follow=True))
        assert "over already" in said(publisher.post(decline, follow=True))
        text = page(publisher, row)
        assert "Declined by" in text
        assert decline not in text
        assert "Declined" in text
        holds = made(order, approved_by=f.make_user(), approved_at=f.now())
        text = page(publisher, holds)
        assert reverse("admin:decline_exception", args=[holds.pk]) not in text
        assert reverse("admin:end_exception", args=[holds.pk]) in text

    def test_who_asked_withdraws_it(self, order: Order) -> None:
        author = f.make_user(roles=["limit author"], shops=[order.shop])
        row, client = made(order, author=author), client_of(author)
        assert "Withdraw it" in page(client, row)
        client.post(reverse("admin:decline_exception", args=[row.pk]))
        assert "Withdrawn by" in page(client, row)
