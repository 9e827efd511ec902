"""What pages say where vendors are concerned: what changed, what is held back, what a signature puts back on sale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import ApprovalRequest
from audit import sources
from cases.models import Case, Handoff, Shop
from tests import factories as f
from tests.admin.conftest import SignIn
from tools.models import Upstream


def page(client: Client, name: str, *args: int) -> str:
    return " ".join(client.get(reverse(f"admin:{name}", args=args)).content.decode().split())


def to_be_signed(shop: Shop, credit_note: str = "none", **restock: str) -> ApprovalRequest:
    order = f.make_order(shop, [("Tent Fjord 2P", 1, 6640)])
    f.make_shipment(order, tracking_numbers=["JD01", "JD02"])
    case = f.make_case(order=order, state=Case.State.APPROVAL)
    effect = {**f.refund_effect(order, 6640), "credit_note": credit_note}
    effect["lines"][0] |= restock
    decision = f.make_decision(case, amount_minor=6640, outcome="one_approver", effect=effect)
    return f.make_approval(case, decision=decision)


def test_the_signer_reads_what_goes_back_on_sale(sign_in: SignIn, shop: Shop) -> None:
    asked = to_be_signed(shop, restock="RETURN", location="71")
    words = page(sign_in("approver"), "approvals_approvalrequest_change", asked.pk)
    assert "1 piece goes back on sale. Nothing else changes." in words


def test_the_signer_of_money_alone_reads_of_no_stock(sign_in: SignIn, shop: Shop) -> None:
    words = page(sign_in("approver"), "approvals_approvalrequest_change", to_be_signed(shop).pk)
    assert "back on sale" not in words
    assert "Nothing else changes." in words


@pytest.mark.parametrize(
    ("signed", "told"),
    [
        ("ours", "A credit note is issued."),
        ("stripe", "Stripe issues the credit note of its own invoice."),
        ("external", "Another system has to issue the credit note."),
        ("none", "No credit note is issued."),
    ],
)
def test_the_signer_reads_whether_a_document_follows(
    sign_in: SignIn, shop: Shop, signed: str, told: str
) -> None:
    asked = to_be_signed(shop, signed)
    words = page(sign_in("approver"), "approvals_approvalrequest_change", asked.pk)
    assert told in words
    assert "hears once the money has gone." in words


def test_the_signer_sees_every_number_of_a_parcel(sign_in: SignIn, shop: Shop) -> None:
    assert "JD01, JD02" in page(
        sign_in("approver"), "approvals_approvalrequest_change", to_be_signed(shop).pk
    )


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("circuit_open", "Stripe has stopped answering, so it is left alone for a while."),
        ("rate_budget", "The shop has asked Stripe as often as it may for now."),
        ("something_new", "Stripe can&#x27;t be asked at the moment."),
    ],
)
def test_a_call_that_is_held_back_says_why(agent: Client, shop: Shop, error: str, words: str) -> None:
    decision = f.make_decision(f.make_case(order=f.make_order(shop)))
    call = f.make_call(decision, error=error, held_since=f.now() - timedelta(minutes=7))
    seen = page(agent, "tools_toolcall_change", call.pk)
    assert "Held back since" in seen
    assert f"{words} Tried again" in seen


def test_a_call_that_has_ended_is_held_back_no_more(agent: Client, shop: Shop) -> None:
    decision = f.make_decision(f.make_case(order=f.make_order(shop)))
    call = f.make_call(decision, state="succeeded", ended_at=f.now(), held_since=f.now())
    assert "Held back since" not in page(agent, "tools_toolcall_change", call.pk)


def test_a_dead_letter_leads_to_what_its_vendor_has_changed(sign_in: SignIn, shop: Shop) -> None:
    event = f.make_dead_event(shop, topic="orders/create")
    drift = f.make_drift(shop, vendor="shopify", operation="webhook:orders/create")
    f.make_drift(shop, vendor="shopify", operation="webhook:orders/updated")
    link = f'href="{reverse("admin:tools_drift_change", args=[drift.pk])}"'
    assert link in page(sign_in("agent"), "cases_inboundevent_change", event.pk)
    reader = sign_in(permissions=["cases.view_inboundevent"])
    assert link not in page(reader, "cases_inboundevent_change", event.pk)


def test_an_event_that_was_read_leads_to_no_change_of_its_vendor(agent: Client, shop: Shop) -> None:
    f.make_drift(shop, vendor="shopify", operation="webhook:orders/updated")
    assert "What the vendor has changed" not in page(
        agent, "cases_inboundevent_change", f.make_event(shop).pk
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tools_drift", "no longer fits what we know"),
        ("tools_newfield", "Nothing is wrong"),
        ("cases_cursor", "what no webhook told of is found all the same"),
        ("cases_connection", "What is older is history"),
    ],
)
def test_a_list_of_vendors_news_says_what_it_holds(viewer: Client, name: str, words: str) -> None:
    assert words in page(viewer, f"{name}_changelist")


def test_vendors_are_called_as_they_call_themselves(viewer: Client, shop: Shop) -> None:
    vendors = page(viewer, "tools_upstream_changelist")
    assert ">WhatsApp</h2>" in vendors
    assert ">E-mail</h2>" in vendors


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (-2, "2026-07 ends on 1 July 2027, in 2 days"),
        (0, "2026-07 ends today"),
        (3, "2026-07 ended on 1 July 2027"),
    ],
)
def test_a_version_that_has_ended_is_told_so(viewer: Client, shop: Shop, days: int, words: str) -> None:
    Upstream.objects.create(
        shop=shop, vendor="shopify", operation="order", version_asked="2026-07", seen_at=f.now()
    )
    with sources.frozen(datetime(2027, 7, 1, 12, tzinfo=UTC) + timedelta(days=days)):
        vendors = page(viewer, "tools_upstream_changelist")
    assert words in vendors


def test_the_desk_names_the_kind_of_events_that_changed(agent: Client, shop: Shop) -> None:
    f.make_drift(shop, operation="webhook:charge.refunded")
    assert "Stripe has changed: charge.refunded" in page(agent, "index")


def test_what_to_do_stands_before_the_answer_that_changed(sign_in: SignIn, shop: Shop) -> None:
    seen = page(sign_in("admin"), "tools_drift_change", f.make_drift(shop).pk)
    assert seen.index("Run the probe") < seen.index("The answer, redacted")
    assert "Clear, let writing go on" in seen


def test_a_hand_off_without_a_customer_names_what_changed_once(agent: Client, shop: Shop) -> None:
    case = f.make_case(shop, person=None, conversation=None, state="handoff", title="Stripe has changed")
    f.make_handoff(case, reason=Handoff.Reason.DRIFT, detail="stripe charges.retrieve amount")
    seen = page(agent, "cases_handoff_changelist")
    assert "Stripe has changed<small>stripe charges.retrieve amount</small>" in seen
    assert "Nobody wrote<small>" in seen


def test_counting_from_now_on_asks_whether_one_knows_that_it_stays(sign_in: SignIn, shop: Shop) -> None:
    row = f.make_connection(f.make_shop(), "shopify")
    seen = page(sign_in("admin"), "cases_connection_change", row.pk)
    assert '<input type="checkbox" id="forward" name="sure" value="1" required>' in seen
    assert "reading again: orders by their last change" in seen
