"""Every page opens for who may see it, costs the same however many rows there are, and carries no inline code."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.models import ApprovalRequest, Decision, Reversal
from audit import actors
from audit.services import record
from cases.models import Case, EventConflict, Handoff, Message, Shop, User
from tests import factories as f
from tests.admin.conftest import SignIn
from tests.credit_notes.conftest import document
from tools.models import (
    Dispute,
    Drift,
    FeedRun,
    NewField,
    StockLevel,
    Supplier,
    SupplierItem,
    ToolCall,
    Upstream,
)

INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=\"|javascript:", re.IGNORECASE)
SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>", re.IGNORECASE)
LISTS = sorted(model._meta.label_lower for model in admin.site._registry)


@pytest.fixture
def all_seeing(sign_in: SignIn, shop: Shop) -> Client:
    return sign_in("finance approver", "limit author", "limit publisher", "auditor", "admin")


def a_day(shop: Shop) -> Case:
    """One row of everything that lists and pages show; the case has a whole story."""
    order = f.make_order(shop)
    f.make_shipment(order)
    case = f.make_case(order=order)
    f.make_message(case)
    f.make_message(case, "Refund it.", direction=Message.Direction.MACHINE, author="rules 1")
    f.make_message(case, "On its way.", direction=Message.Direction.OUT, template=None, author="agent")
    f.make_message(case, "Ask the warehouse.", direction=Message.Direction.NOTE, author="mara")
    decision = f.make_decision(case)
    call = f.make_call(decision)
    f.make_flag(case)
    user = f.make_user()
    f.make_handoff(case, state=Handoff.State.CLAIMED, claimed_by=user, claimed_at=f.now())
    f.make_handoff(f.make_case(order=f.make_order(shop), state=Case.State.HANDOFF))
    f.make_approval(shop=shop)
    f.make_payment_task(shop)
    f.make_approval(shop=shop, large=True)
    f.make_call(f.make_decision(f.make_case(order=f.make_order(shop))), state="unknown")
    f.make_dead_event(shop)
    f.make_event(shop, found_late_seconds=700)
    f.make_connection(another_shop())
    f.make_cursor(another_shop(), error="http_500", failures=2)
    vendors(shop)
    event = f.make_event(shop)
    EventConflict.objects.create(event=event, shop=shop, raw=b"{}", digest=f.HASH, received_at=f.now())
    woken = f.now() - timedelta(hours=1)
    f.make_case(order=f.make_order(shop), state=Case.State.WAITING, wake_at=woken)
    f.make_case(order=f.make_order(shop), state=Case.State.CLOSED)
    f.make_limits(shop, author=user)
    f.make_switch(user)
    Reversal.objects.create(shop=shop, decision=decision, by=user, reason="Wrong item.", at=f.now())
    stock(shop)
    payment = order.payments.get()
    Dispute.objects.create(
        shop=shop,
        payment=payment,
        external_id=f"dp_{order.pk}",
        status="open",
        amount_minor=1,
        currency="EUR",
    )
    document(f.make_case(order=f.make_order(shop)))
    tell(case, decision, call)
    return case


def another_shop() -> Shop:
    """A further shop in which everybody works, so that its rows are among those that the pages show."""
    shop = f.make_shop()
    for user in User.objects.all():
        user.shops.add(shop)
    return shop


@transaction.atomic
def tell(case: Case, decision: Decision, call: ToolCall) -> None:
    actions: dict[Model, str] = {case: "case.opened", decision: "decision.made", call: "call.reserved"}
    for subject, action in actions.items():
        record(
            action,
            by=actors.SYSTEM,
            stream=f"case/{case.pk}",
            subject=subject,
            shop_id=case.shop_id,
            correlation_id=case.correlation_id,
        )


def vendors(shop: Shop) -> None:
    """Each day another field has changed, and another one is new."""
    day = Drift.objects.count()
    f.make_drift(shop, field_path=f"field_{day}")
    facts: dict[str, Any] = {"shop": shop, "vendor": "stripe", "operation": "charges.retrieve"}
    NewField.objects.create(field_path=f"field_{day}", first_seen_at=f.now(), last_seen_at=f.now(), **facts)
    Upstream.objects.update_or_create(
        **facts, defaults={"version_asked": "x", "seen_at": f.now(), "probe": "ok"}
    )


def stock(shop: Shop) -> None:
    sku = f"SKU-{f.now().timestamp()}"
    supplier = Supplier.objects.create(shop=shop, name=sku)
    StockLevel.objects.create(shop=shop, sku=sku, available=3, at=f.now())
    SupplierItem.objects.create(shop=shop, supplier=supplier, sku=sku, available=3, at=f.now())
    FeedRun.objects.create(
        shop=shop, supplier=supplier, digest=f.HASH, rows=1, taken=1, refused=0, at=f.now()
    )


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, url
    return len(captured)


def test_no_list_desk_or_search_queries_per_row(all_seeing: Client, shop: Shop) -> None:
    pages = [reverse(f"admin:{label.replace('.', '_')}_changelist") for label in LISTS]
    pages += [reverse("admin:index"), reverse("admin:search") + "?q=Carvalho"]
    a_day(shop)
    # The first look fills caches of content types.
    queries(all_seeing, pages[0])
    before = {url: queries(all_seeing, url) for url in pages}
    for _ in range(2):
        a_day(shop)
    assert {url: queries(all_seeing, url) for url in pages} == before


def test_a_case_page_does_not_query_per_thing_in_the_case(all_seeing: Client, shop: Shop) -> None:
    case = a_day(shop)
    url = reverse("admin:cases_case_change", args=[case.pk])
    queries(all_seeing, url)
    before = queries(all_seeing, url)
    for _ in range(3):
        f.make_message(case)
        f.make_decision(case)
        f.make_flag(case)
        f.make_event(case=case)
    assert queries(all_seeing, url) == before


PAGES = [
    "approvals.approvalrequest", "approvals.capsversion", "approvals.decision", "approvals.killswitch",
    "approvals.limitversion",
    "approvals.reversal", "approvals.riskflag", "audit.entry", "auth.group", "cases.case", "cases.connection",
    "cases.cursor", "cases.eventconflict", "cases.fraudentry",
    "cases.inboundevent", "cases.legalentity", "cases.paymenttask", "cases.person", "cases.shop", "cases.user",
    "tools.creditnote", "tools.drift", "tools.ledgerentry", "tools.order", "tools.payment", "tools.toolcall",
]  # fmt: skip


def test_each_page_opens_and_carries_no_inline_code(all_seeing: Client, shop: Shop) -> None:
    a_day(shop)
    for label in PAGES:
        for pk in apps.get_model(label)._default_manager.values_list("pk", flat=True)[:6]:
            response = all_seeing.get(reverse(f"admin:{label.replace('.', '_')}_change", args=[pk]))
            assert response.status_code == 200, label
            clean(response.content.decode())


def test_lists_forms_desk_and_sign_in_carry_no_inline_code(all_seeing: Client, shop: Shop) -> None:
    a_day(shop)
    names = [f"{label.replace('.', '_')}_changelist" for label in LISTS]
    limits = reverse("admin:draft_limits", args=[shop.limits.first().pk])  # type: ignore[union-attr]  # made above
    pages = [reverse(f"admin:{name}") for name in (*names, "index", "search", "password_change")]
    for url in (*pages, limits, reverse("admin:search") + "?q=<script>alert(1)</script>"):
        response = all_seeing.get(url)
        assert response.status_code == 200, url
        clean(response.content.decode())
    clean(Client().get(reverse("admin:login")).content.decode())


def clean(html: str) -> None:
    assert not INLINE.search(html)
    assert not SCRIPT.search(html)


def test_words_of_a_customer_are_text_and_never_code(all_seeing: Client, shop: Shop) -> None:
    case = f.make_case(order=f.make_order(shop))
    f.make_message(case, "<script>alert('x')</script>", subject="<b>hi</b>")
    html = all_seeing.get(reverse("admin:cases_case_change", args=[case.pk])).content.decode()
    assert "&lt;script&gt;" in html
    assert "<script>alert" not in html


def test_the_case_page_tells_the_story_from_event_to_effect(all_seeing: Client, shop: Shop) -> None:
    html = all_seeing.get(reverse("admin:cases_case_change", args=[a_day(shop).pk])).content.decode()
    for part in (
        "Message received",
        "Verdict on refund €15.00",
        "Effect stored with its key",
        "Claimed by",
        "Flag raised",
    ):
        assert part in html
    assert "refund.tier.automatic" in html
    assert "Written by the planner" in html


def test_a_dead_letter_shows_its_reason_on_the_desk_in_the_list_and_on_its_page(
    agent: Client, shop: Shop
) -> None:
    event = f.make_dead_event(shop, reason="The body is no order.")
    for url in (
        reverse("admin:index"),
        reverse("admin:cases_inboundevent_changelist"),
        reverse("admin:cases_inboundevent_change", args=[event.pk]),
    ):
        assert "The body is no order." in agent.get(url).content.decode()


def test_a_raw_body_is_shown_escaped_to_who_works_with_cases(
    agent: Client, viewer: Client, shop: Shop
) -> None:
    event = f.make_event(shop, body=b'{"note": "<b>call me</b>"}')
    url = reverse("admin:cases_inboundevent_change", args=[event.pk])
    assert "&lt;b&gt;call me" in agent.get(url).content.decode()
    assert "call me" not in viewer.get(url).content.decode()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("#77001", "#77001"), ("77001", "#77001"), ("Tan", "Aiko Tan"), ("AIKO@customer.example", "Aiko Tan"),
        ("re_123", "re_123"),
    ],
)  # fmt: skip
def test_the_search_finds_what_staff_hold_in_their_hand(
    agent: Client, shop: Shop, words: str, found: str
) -> None:
    person = f.make_person(shop, name="Aiko Tan", email="aiko@customer.example")
    case = f.make_case(order=f.make_order(shop, name="#77001", person=person))
    f.make_call(f.make_decision(case), state="succeeded", vendor_ref="re_123")
    assert found in agent.get(reverse("admin:search"), {"q": words}).content.decode()


def test_the_search_finds_a_case_by_number_and_a_call_by_key(agent: Client, shop: Shop) -> None:
    case = f.make_case(order=f.make_order(shop))
    call = f.make_call(f.make_decision(case))
    assert case.title in agent.get(reverse("admin:search"), {"q": f"#{case.pk}"}).content.decode()
    assert (
        str(call.idempotency_key)
        in agent.get(reverse("admin:search"), {"q": str(call.idempotency_key)}).content.decode()
    )


def test_the_search_shows_nobody_what_their_role_may_not_view(sign_in: SignIn, shop: Shop) -> None:
    f.make_person(shop, name="Aiko Tan")
    client = sign_in(permissions=["tools.view_order"])
    assert "Aiko Tan" not in client.get(reverse("admin:search"), {"q": "Aiko"}).content.decode()


def test_the_desk_shows_what_waits_and_who_is_first(agent: Client, shop: Shop) -> None:
    late = f.make_case(order=f.make_order(shop), state=Case.State.HANDOFF)
    f.make_message(late, "my solicitor will be in touch")
    f.make_handoff(late, due_at=f.now() - timedelta(seconds=11))
    f.make_approval(shop=shop)
    html = agent.get(reverse("admin:index")).content.decode()
    assert "my solicitor will be in touch" in html
    assert "late 0:1" in html
    assert "€66.40" in html


def test_the_sidebar_counts_what_waits(agent: Client, shop: Shop) -> None:
    f.make_handoff(f.make_case(order=f.make_order(shop)))
    waiting = agent.get(reverse("admin:index")).context["waiting"]
    assert waiting["handoff"] == 1


def test_the_approval_page_shows_exactly_what_would_be_refunded(
    sign_in: SignIn, shop: Shop, told: Callable[[ApprovalRequest, Client], str]
) -> None:
    html = told(f.make_approval(shop=shop), sign_in("approver"))
    assert "Refund €66.40 to" in html
    assert "Approve €66.40" in html
    assert "refund.tier.one_approver" in html


def test_a_large_approval_asks_for_a_one_time_code(
    sign_in: SignIn, shop: Shop, told: Callable[[ApprovalRequest, Client], str]
) -> None:
    html = told(f.make_approval(shop=shop, large=True), sign_in("finance approver"))
    assert 'autocomplete="one-time-code"' in html
    assert "5 of 5 tries left" in html


@pytest.fixture
def told() -> Callable[[ApprovalRequest, Client], str]:
    def read(request: ApprovalRequest, client: Client) -> str:
        return client.get(
            reverse("admin:approvals_approvalrequest_change", args=[request.pk])
        ).content.decode()

    return read
