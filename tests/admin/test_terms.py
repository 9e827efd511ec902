"""The shop's terms in the admin: propose, see the difference, publish, bring back; who may, and what is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import TermsVersion
from approvals.terms import withdrawal_by_law
from cases.models import Shop
from tests import factories as f
from tests.admin.test_pages import clean
from tests.authority.rows import decide_refund, order_of, refundable_case

SignIn = Callable[..., Client]
URL = "approvals_termsversion_change"


def form_of(client: Client, row: TermsVersion, **changes: str) -> dict[str, Any]:
    """The draft form as a browser sends it back, but for what somebody changed."""
    form = client.get(reverse("admin:draft_terms", args=[row.pk])).context["form"]
    filled = {name: field.initial for name, field in form.fields.items() if field.initial is not None}
    return {**filled, "reason": "The season.", **changes}


def drafted(client: Client, shop: Shop, **changes: str) -> Any:
    row = shop.terms.latest("version")
    url = reverse("admin:draft_terms", args=[row.pk])
    return client.post(url, form_of(client, row, **changes), follow=True)


@pytest.fixture
def author(sign_in: SignIn, shop: Shop) -> Client:
    return sign_in("limit author")


@pytest.fixture
def publisher(sign_in: SignIn, shop: Shop) -> Client:
    return sign_in("limit publisher")


def waiting(shop: Shop, **changes: Any) -> TermsVersion:
    waits = {"published_at": None, "effective_at": None, "author": f.make_user()}
    return f.make_terms(shop, **{**waits, **changes})


def test_terms_are_drafted_by_one_person_and_published_by_another(
    author: Client, publisher: Client, shop: Shop, said: Any
) -> None:
    page = drafted(author, shop, return_days="60", photo_above_EUR="50").content.decode()
    row = TermsVersion.objects.get(version=2)
    assert (row.return_days, row.photo_above, row.damage_days) == (60, {"EUR": 5000}, 14)
    assert "<del>30 days</del>" in page
    assert "<ins>60 days</ins>" in page
    url = reverse("admin:publish_terms", args=[row.pk])
    assert author.post(url).status_code == 403
    assert "holds from now on" in said(publisher.post(url, follow=True))
    assert "published already" in publisher.post(url, follow=True).content.decode()
    assert TermsVersion.objects.get(pk=row.pk).published_by is not None


def test_a_form_sent_back_as_it_was_says_the_same(author: Client, shop: Shop) -> None:
    said: dict[str, Any] = {
        "withdrawal": {**withdrawal_by_law(), "SE": 30, "CH": 7},
        "final_sale": ["SALE-*", "OUTLET-?"],
    }
    said |= {"return_shipping": "label", "withdrawal_shipping": "shop", "return_fee": {"EUR": 390}}
    said["return_shipping_in"] = {"US": "label", "CA": "label", "CH": "shop"}
    old = f.make_terms(shop, **said, standard_shipping={"EUR": 490, "JPY": 800}, goodwill_days=None)
    drafted(author, shop)
    assert TermsVersion.objects.latest("version").numbers() == old.numbers()


def test_countries_and_skus_are_written_as_people_write_them(author: Client, shop: Shop) -> None:
    drafted(author, shop, withdrawal="30: se, fi\n14: EU2", hygiene="earring-*, ear-1\r\n EAR-1")
    assert TermsVersion.objects.count() == 1
    drafted(author, shop, withdrawal="30: se, fi\n14: de", hygiene="earring-*, ear-1\r\n EAR-1")
    row = TermsVersion.objects.get(version=2)
    assert row.withdrawal == {"SE": 30, "FI": 30, "DE": 14}
    assert row.hygiene == ["EARRING-*", "EAR-1"]


def test_who_pays_the_return_is_written_by_country_and_said_in_words(author: Client, shop: Shop) -> None:
    page = drafted(author, shop, return_shipping_in="label: us, ca\nshop: EU", return_fee_EUR="3.90")
    row = TermsVersion.objects.get(version=2)
    assert {country: row.return_shipping_in[country] for country in ("US", "CA", "DE", "SE")} == {
        "US": "label", "CA": "label", "DE": "shop", "SE": "shop",
    }  # fmt: skip
    assert row.return_fee == {"EUR": 390}
    text = page.content.decode()
    assert "the customer, by the shop&#x27;s label: CA, US" in text
    assert "the shop: EU" in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("return_shipping_in", "nobody: US"), ("return_shipping_in", "label"),
        ("return_shipping_in", "label: US\nshop: US"), ("return_shipping_in", "label: Peru"),
        ("return_fee_EUR", "-1"), ("return_shipping", "nobody"), ("withdrawal_shipping", "label"),
        ("return_days", "-1"), ("return_days", ""), ("damage_days", "3651"), ("withdrawal", "7: DE"),
        ("withdrawal", "DE"), ("withdrawal", "14:"), ("withdrawal", "14: DE\n30: DE"),
        ("withdrawal", "30: SE\n14: EU"), ("withdrawal", "14: Germany"), ("final_sale", "a|b"),
        ("refund_on", "never"), ("photo_above_EUR", "1.234"), ("standard_shipping_EUR", "-1"), ("reason", ""),
    ],
)  # fmt: skip
def test_terms_that_make_no_sense_are_not_stored(author: Client, shop: Shop, field: str, value: str) -> None:
    assert "errorlist" in drafted(author, shop, **{field: value}).content.decode()
    assert TermsVersion.objects.count() == 1


def test_old_terms_are_brought_back(author: Client, publisher: Client, shop: Shop) -> None:
    old, _new = shop.terms.get(), f.make_terms(shop, damage_days=0)
    url, page = reverse("admin:restore_terms", args=[old.pk]), reverse(f"admin:{URL}", args=[old.pk])
    assert url in author.get(page).content.decode()
    assert url not in publisher.get(page).content.decode()
    author.post(url, {"reason": "It gave too little."})
    row = TermsVersion.objects.get(version=3)
    assert (row.restores, row.numbers(), row.published_at) == (old, old.numbers(), None)


@pytest.mark.parametrize("verb", ["draft", "publish", "restore"])
def test_who_may_not_sees_no_form_and_no_button(viewer: Client, shop: Shop, verb: str) -> None:
    row = waiting(shop)
    url = reverse(f"admin:{verb}_terms", args=[row.pk])
    assert [viewer.get(url).status_code, viewer.post(url, {}).status_code] == [403, 403]
    assert url not in viewer.get(reverse(f"admin:{URL}", args=[row.pk])).content.decode()


def test_a_get_publishes_nothing_and_all_pages_carry_no_inline_code(sign_in: SignIn, shop: Shop) -> None:
    client, row = sign_in("limit author", "limit publisher"), waiting(shop, photo_above={"EUR": 5000})
    urls = [reverse(f"admin:{verb}_terms", args=[row.pk]) for verb in ("draft", "publish", "restore")]
    for url in (
        *urls,
        reverse("admin:approvals_termsversion_changelist"),
        reverse(f"admin:{URL}", args=[row.pk]),
    ):
        clean(client.get(url).content.decode())
    assert TermsVersion.objects.get(pk=row.pk).published_at is None


def test_the_list_of_terms_does_not_query_per_row(
    author: Client, shop: Shop, django_assert_max_num_queries: Any
) -> None:
    url = reverse("admin:approvals_termsversion_changelist")
    waiting(shop)
    with django_assert_max_num_queries(60) as first:
        author.get(url)
    for _number in range(5):
        waiting(shop)
    with django_assert_max_num_queries(len(first)):
        assert "Terms, version 7" in author.get(url).content.decode()


def test_pages_say_the_rule_that_grants_with_its_values_or_why_none_does(sign_in: SignIn) -> None:
    case = refundable_case(4500)
    shop = order_of(case).shop
    client = sign_in("approver", shops=[shop])
    made = decide_refund(case)
    assert made.request is not None
    pages = [
        reverse("admin:approvals_decision_change", args=[made.decision.pk]),
        reverse("admin:approvals_approvalrequest_change", args=[made.request.pk]),
        reverse("admin:cases_case_change", args=[case.pk]),
    ]
    for url in pages:
        text = client.get(url).content.decode()
        assert "Claimed as damaged. It arrived on" in text
        assert "the last of 14 days is" in text
    terms = f.make_terms(shop, damage_days=0)
    page = client.get(pages[1]).content.decode()
    assert "The terms changed to version 2" in page
    assert reverse(f"admin:{URL}", args=[terms.pk - 1]) in page
    refused = decide_refund(refundable_case(shop=shop), reason="returned").decision
    page = client.get(reverse("admin:approvals_decision_change", args=[refused.pk])).content.decode()
    assert "The shop knows of no return" in page
