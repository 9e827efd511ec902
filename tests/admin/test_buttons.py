"""Every button: as somebody who may, as somebody who may not, and when it has been decided already."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.models import ApprovalRequest, KillSwitch, Reversal
from cases.models import Case, Handoff, Message, Shop
from opsagent.buttons import BUTTONS
from tests import factories as f
from tests.admin.conftest import SignIn
from tests.authority.rows import code_of
from tests.credit_notes.conftest import document, document_call
from tests.fraud.rows import listing
from tools.models import ToolCall

Said = Callable[[Any], str]
ROLE = {
    "approve": "approver",
    "approve_large": "finance approver",
    "reject": "approver",
    "edit_amount": "approver",
    "ask_customer": "approver",
    "take_back": "approver",
    "settle": "approver",
    # What stops all shops.
    "release_switch": "finance approver",
    "pay": "approver",
    "approve_exception": "limit publisher",
    "decline_exception": "limit publisher",
    "end_exception": "limit publisher",
    "withdraw_limits": "limit publisher",
    "withdraw_caps": "limit publisher",
    "withdraw_terms": "limit publisher",
    "correct_credit_note": "finance approver",
    "issue_credit_note": "finance approver",
    "drop": "approver",
    "probe_drift": "limit publisher",
    "clear_drift": "admin",
    "check_vendors": "admin",
    "count_from_now": "admin",
}
FORMS = {
    "reject": {"reason": "The photo shows another tent."},
    "edit_amount": {"amount": "30.00", "nobody": "1"},
    "ask_customer": {"question": "photo", "nobody": "1"},
    "reverse": {"reason": "Wrong item."},
    "mark_case": {"reason": "The same photo again."},
    "mark_order": {"reason": "The same photo again."},
    "end_fraud_entry": {"reason": "Settled."},
    "lower_flag": {"reason": "Spoke with her; she is fine."},
    "note": {"text": "Ask the warehouse."},
    "reply": {"text": "I am on it."},
    "resolve": {"close": "1"},
    "snooze": {"days": "3"},
    "correct_credit_note": {"reason": "Wrong buyer."},
    "settle": {"succeeded": "1", "vendor_ref": "re_9", "reason": "It is on their page."},
    "count_from_now": {"sure": "1"},
    "pay": {"paid_on": f.now().date().isoformat(), "reference": "SEPA 4711"},
    "drop": {"reason": "The customer wants a voucher."},
}


def target(name: str, shop: Shop) -> Any:
    """A row on which this button can be pressed."""
    if name in ("claim", "resolve"):
        return f.make_handoff(f.make_case(order=f.make_order(shop), state=Case.State.HANDOFF))
    if name in ("approve", "reject", "edit_amount", "ask_customer", "take_back"):
        return f.make_approval(shop=shop)
    if name == "approve_large":
        return f.make_approval(shop=shop, large=True)
    case = f.make_case(order=f.make_order(shop))
    draft: dict[str, Any] = {"published_at": None, "effective_at": None, "author": f.make_user()}
    made: dict[str, Callable[[], Any]] = {
        "undo": lambda: f.make_call(f.make_decision(case)),
        "settle": lambda: f.make_call(f.make_decision(case), state="unknown"),
        "reverse": lambda: f.make_decision(case),
        "lower_flag": lambda: f.make_flag(case),
        "mark_order": lambda: case.order,
        "end_fraud_entry": lambda: listing(shop, "email", "ines@customer.example"),
        "release_switch": lambda: f.make_switch(f.make_user()),
        "requeue": lambda: f.make_dead_event(shop, body=b"{}", topic="themes/publish"),
        "count_from_now": lambda: f.make_connection(shop),
        "probe_drift": lambda: f.make_drift(shop),
        "clear_drift": lambda: f.make_drift(shop),
        "check_vendors": lambda: shop,
        "pay": lambda: f.make_payment_task(shop),
        "correct_credit_note": lambda: document(case),
        "issue_credit_note": lambda: document_call(case, state="cancelled"),
        "drop": lambda: f.make_payment_task(shop),
        "withdraw_limits": lambda: f.make_limits(shop, **draft),
        "withdraw_caps": lambda: f.make_caps(shop, **draft),
        "withdraw_terms": lambda: f.make_terms(shop, **draft),
    }
    return made[name]() if name in made else case


def press(client: Client, name: str, row: Any, **form: str) -> Any:
    return client.post(reverse(f"admin:{name}", args=[row.pk]), {**FORMS.get(name, {}), **form}, follow=True)


def role(name: str) -> str:
    return ROLE.get(name, "agent")


@pytest.mark.parametrize("name", sorted(BUTTONS))
def test_a_get_never_decides(sign_in: SignIn, shop: Shop, name: str) -> None:
    row = target(name, shop)
    assert sign_in(role(name)).get(reverse(f"admin:{name}", args=[row.pk])).status_code == 405


@pytest.mark.parametrize("name", sorted(BUTTONS))
def test_who_may_not_press_is_refused(viewer: Client, shop: Shop, name: str) -> None:
    row = target(name, shop)
    before = type(row).objects.filter(pk=row.pk).values().get()
    assert press(viewer, name, row).status_code == 403
    assert type(row).objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize("name", sorted(BUTTONS))
def test_a_button_is_not_pressed_from_another_site(sign_in: SignIn, shop: Shop, name: str) -> None:
    row, client = target(name, shop), sign_in(role(name))
    client.handler.enforce_csrf_checks = True
    assert press(client, name, row).status_code == 403


@pytest.mark.parametrize(
    ("name", "page"),
    [("claim", "cases_case_change"), ("take_over", "cases_case_change"), ("undo", "tools_toolcall_change"),
     ("approve", "approvals_approvalrequest_change"), ("reverse", "approvals_decision_change"),
     ("lower_flag", "approvals_riskflag_change"),
     ("release_switch", "approvals_killswitch_change")],
)  # fmt: skip
def test_a_button_stands_on_the_page_for_who_may_press_it(
    sign_in: SignIn, viewer: Client, shop: Shop, name: str, page: str
) -> None:
    row = target(name, shop)
    url = reverse(f"admin:{page}", args=[row.case_id if name == "claim" else row.pk])
    action = f'action="{reverse(f"admin:{name}", args=[row.pk])}"'
    assert action in sign_in(role(name)).get(url).content.decode()
    assert action not in viewer.get(url).content.decode()


def test_claiming_makes_the_case_mine(agent: Client, shop: Shop, said: Said) -> None:
    handoff = target("claim", shop)
    assert "The case is yours" in said(press(agent, "claim", handoff))
    handoff.refresh_from_db()
    assert handoff.claimed_by == agent.user  # type: ignore[attr-defined]


def test_the_second_claim_hears_who_was_first(agent: Client, sign_in: SignIn, shop: Shop, said: Said) -> None:
    handoff = target("claim", shop)
    press(agent, "claim", handoff)
    assert "has claimed this already" in said(press(sign_in("agent"), "claim", handoff))


def test_resolving_closes_the_case(agent: Client, shop: Shop) -> None:
    handoff = target("resolve", shop)
    press(agent, "claim", handoff)
    press(agent, "resolve", handoff)
    assert Handoff.objects.get().state == Handoff.State.RESOLVED
    assert Case.objects.get(pk=handoff.case_id).state == Case.State.CLOSED


def test_a_hand_off_that_nobody_claimed_is_not_resolved(agent: Client, shop: Shop, said: Said) -> None:
    assert "Claim it first" in said(press(agent, "resolve", target("resolve", shop)))


def test_approving_a_mid_size_refund_stores_its_call(sign_in: SignIn, shop: Shop, said: Said) -> None:
    request = target("approve", shop)
    assert "Approved" in said(press(sign_in("approver"), "approve", request))
    assert ApprovalRequest.objects.get().state == ApprovalRequest.State.APPROVED
    assert ToolCall.objects.get(tool="issue_refund").amount_minor == 6640


def test_a_second_yes_moves_no_money(sign_in: SignIn, shop: Shop, said: Said) -> None:
    request = target("approve", shop)
    press(sign_in("approver"), "approve", request)
    assert "decided this already" in said(press(sign_in("approver"), "approve", request))
    assert ToolCall.objects.filter(tool="issue_refund").count() == 1


def test_an_approver_cannot_sign_a_large_refund(sign_in: SignIn, shop: Shop, said: Said) -> None:
    request = target("approve_large", shop)
    client = sign_in("approver")
    assert press(client, "approve_large", request, code="123456").status_code == 403
    press(client, "approve", request)
    assert ApprovalRequest.objects.get().state == ApprovalRequest.State.PENDING
    assert not ToolCall.objects.exists()


def on_page(client: Client, request: ApprovalRequest, off: int = 0) -> dict[str, str]:
    """What somebody enters on the page of a large refund: its own challenge, and their app's code."""
    page = client.get(reverse("admin:approvals_approvalrequest_change", args=[request.pk]))
    device = TOTPDevice.objects.get(user=client.user)  # type: ignore[attr-defined]  # set by sign_in
    code = (int(code_of(device)) + off) % 1_000_000
    return {"challenge": str(page.context["challenge"].pk), "code": f"{code:06}"}


def test_a_large_refund_is_signed_with_a_right_code(sign_in: SignIn, shop: Shop, said: Said) -> None:
    request, client = target("approve_large", shop), sign_in("finance approver")
    assert "second factor" in said(press(client, "approve_large", request, **on_page(client, request)))
    assert ApprovalRequest.objects.get().state == ApprovalRequest.State.APPROVED


def test_after_the_first_of_two_signatures_nothing_is_said_to_leave(
    sign_in: SignIn, shop: Shop, said: Said
) -> None:
    request = f.make_approval(shop=shop, large=True, people_needed=2)
    first, second = sign_in("finance approver"), sign_in("finance approver")
    assert "another person signs" in said(press(first, "approve_large", request, **on_page(first, request)))
    assert not ToolCall.objects.filter(tool="issue_refund").exists()
    assert "on its way" in said(press(second, "approve_large", request, **on_page(second, request)))


def test_a_wrong_code_signs_nothing_and_counts(sign_in: SignIn, shop: Shop, said: Said) -> None:
    request, client = target("approve_large", shop), sign_in("finance approver")
    assert "4" in said(press(client, "approve_large", request, **on_page(client, request, off=1)))
    assert ApprovalRequest.objects.get().state == ApprovalRequest.State.PENDING
    page = client.get(reverse("admin:approvals_approvalrequest_change", args=[request.pk])).content.decode()
    assert "4 of 5 tries left" in page


def test_rejecting_needs_a_reason_and_gives_the_case_to_a_person(
    sign_in: SignIn, shop: Shop, said: Said
) -> None:
    request, client = target("reject", shop), sign_in("approver")
    assert "Say why" in said(press(client, "reject", request, reason=" "))
    press(client, "reject", request)
    assert ApprovalRequest.objects.get().reason == FORMS["reject"]["reason"]
    assert Handoff.objects.get().case_id == request.case_id


def test_a_decided_request_offers_no_button(sign_in: SignIn, shop: Shop) -> None:
    request, client = target("reject", shop), sign_in("approver")
    press(client, "reject", request)
    page = client.get(reverse("admin:approvals_approvalrequest_change", args=[request.pk])).content.decode()
    assert reverse("admin:approve", args=[request.pk]) not in page


def test_undo_cancels_before_anything_is_sent(agent: Client, shop: Shop, said: Said) -> None:
    call = target("undo", shop)
    assert "Undone" in said(press(agent, "undo", call))
    call.refresh_from_db()
    assert call.state == ToolCall.State.CANCELLED
    assert "Too late" in said(press(agent, "undo", call))


@pytest.mark.parametrize("name", ["note", "reply"])
def test_words_of_staff_are_kept_in_the_case(agent: Client, shop: Shop, name: str) -> None:
    press(agent, name, target(name, shop))
    message = Message.objects.get(text=FORMS[name]["text"])
    assert message.direction == {"note": "note", "reply": "out"}[name]


@pytest.mark.parametrize("name", ["note", "reply"])
def test_empty_words_are_refused(agent: Client, shop: Shop, said: Said, name: str) -> None:
    assert "Write something first" in said(press(agent, name, target(name, shop), text="  "))
    assert not Message.objects.exists()


def test_taking_over_silences_the_agent(agent: Client, shop: Shop) -> None:
    case = target("take_over", shop)
    press(agent, "take_over", case)
    case.refresh_from_db()
    assert case.human_only
    assert case.assigned_to == agent.user  # type: ignore[attr-defined]


def test_closing_twice_is_told(agent: Client, shop: Shop, said: Said) -> None:
    case = target("close", shop)
    assert "Closed" in said(press(agent, "close", case))
    assert "closed already" in said(press(agent, "close", case))


def test_setting_aside_dates_the_wait(agent: Client, shop: Shop, said: Said) -> None:
    case = target("snooze", shop)
    assert "Choose" in said(press(agent, "snooze", case, days="9999"))
    press(agent, "snooze", case)
    case.refresh_from_db()
    assert case.state == Case.State.WAITING


def test_marking_a_decision_as_wrong_counts_once(agent: Client, shop: Shop, said: Said) -> None:
    decision = target("reverse", shop)
    press(agent, "reverse", decision)
    assert "reversed already" in said(press(agent, "reverse", decision))
    assert Reversal.objects.count() == 1


def test_a_flag_is_lowered_with_a_reason_once(agent: Client, shop: Shop, said: Said) -> None:
    flag = target("lower_flag", shop)
    assert "Say why" in said(press(agent, "lower_flag", flag, reason=""))
    press(agent, "lower_flag", flag)
    flag.refresh_from_db()
    assert flag.lower_reason == FORMS["lower_flag"]["reason"]
    assert "lowered already" in said(press(agent, "lower_flag", flag))


def test_a_switch_is_engaged_on_its_own_page_and_released(
    agent: Client, sign_in: SignIn, shop: Shop, said: Said
) -> None:
    url = reverse("admin:engage_switch")
    assert "Keep everything running" in agent.get(url).content.decode()
    agent.post(url, {"scope": "vendor", "key": "stripe", "reason": "Stripe shows doubled refunds."})
    switch = KillSwitch.objects.get()
    assert "Vendor" in agent.get(reverse("admin:index")).content.decode() or "vendor" in str(switch)
    assert "Your role" in said(press(agent, "release_switch", switch))
    finance = sign_in("finance approver")
    assert "Released" in said(press(finance, "release_switch", switch))
    assert "released already" in said(press(finance, "release_switch", switch))


@pytest.mark.parametrize(
    "form", [{"scope": "vendor"}, {"scope": "everything", "key": "stripe"}, {"scope": "shop"}]
)
def test_a_switch_names_exactly_what_it_stops(agent: Client, form: dict[str, str]) -> None:
    response = agent.post(reverse("admin:engage_switch"), {"reason": "Why.", **form})
    assert "Name exactly what stops" in response.content.decode()
    assert not KillSwitch.objects.exists()


def test_a_viewer_stops_nothing(viewer: Client) -> None:
    assert (
        viewer.post(reverse("admin:engage_switch"), {"scope": "everything", "reason": "x"}).status_code == 403
    )


def test_a_button_returns_to_our_own_pages_alone(agent: Client, shop: Shop) -> None:
    case = target("note", shop)
    url = reverse("admin:note", args=[case.pk])
    assert agent.post(url, {"text": "a", "next": "/admin/"})["Location"] == "/admin/"
    assert "evil" not in agent.post(url, {"text": "b", "next": "https://evil.example/"})["Location"]


def test_an_open_outcome_is_settled_once_on_its_page(sign_in: SignIn, shop: Shop) -> None:
    call, client = target("settle", shop), sign_in("approver")
    page = client.get(reverse("admin:tools_toolcall_change", args=[call.pk])).content.decode()
    assert reverse("admin:settle", args=[call.pk]) in page
    press(client, "settle", call)
    call.refresh_from_db()
    assert (call.state, call.settled_by) == ("succeeded", "person")
    again = press(client, "settle", call, succeeded="0").content.decode()
    assert "known by now" in again
    assert reverse("admin:settle", args=[call.pk]) not in again


def test_a_source_counts_from_now_only_where_the_person_ticked_that_it_lasts(
    sign_in: SignIn, shop: Shop, said: Said
) -> None:
    row, client = target("count_from_now", shop), sign_in("admin")
    before = row.cutover_at
    assert "Tick first" in said(press(client, "count_from_now", row, sure=""))
    row.refresh_from_db()
    assert row.cutover_at == before
    assert "Moved" in said(press(client, "count_from_now", row))
    row.refresh_from_db()
    assert row.cutover_at > before


def test_who_only_reads_sees_no_way_to_settle(viewer: Client, shop: Shop) -> None:
    call = target("settle", shop)
    page = viewer.get(reverse("admin:tools_toolcall_change", args=[call.pk])).content.decode()
    assert reverse("admin:settle", args=[call.pk]) not in page
