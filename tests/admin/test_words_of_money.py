"""Pages about money say what is so, offer what will be done, and call things by words instead of codes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.admin.words import REASONS, SAW
from approvals.models import ApprovalRequest, KillSwitch
from cases.models import Case, PaymentTask, Shop
from tests import factories as f
from tests.admin.conftest import client_of
from tests.admin.test_exceptions_and_rates import made
from tests.authority.test_policy_values import SEEN
from tools.catalog.issue_refund import IssueRefund
from tools.models import ToolCall
from tools.orders import RETURN_STAGES
from tools.registry import TOOLS
from tools.status_words import RETURN
from tools.tool_names import NAMES

SignIn = Callable[..., Client]
CALL, REQUEST, TASK, SWITCH = (
    f"admin:{name}_change"
    for name in ("tools_toolcall", "approvals_approvalrequest", "cases_paymenttask", "approvals_killswitch")
)


def page(client: Client, name: str, pk: int) -> str:
    return client.get(reverse(name, args=[pk])).content.decode()


def call_of(shop: Shop, outcome: str = "one_approver", **fields: Any) -> ToolCall:
    return f.make_call(f.make_decision(f.make_case(order=f.make_order(shop)), outcome=outcome), **fields)


def undo_url(call: ToolCall) -> str:
    return reverse("admin:undo", args=[call.pk])


class TestUndo:
    def test_what_has_not_left_is_undone(self, agent: Client, shop: Shop) -> None:
        call = call_of(shop)
        for text in (page(agent, CALL, call.pk), page(agent, "admin:cases_case_change", call.case_id)):
            assert undo_url(call) in text
            assert "Nothing has been sent yet" in text

    @pytest.mark.parametrize("held", [False, True])
    def test_what_is_tried_again_offers_no_undo_and_says_that_it_was_sent(
        self, agent: Client, shop: Shop, held: bool
    ) -> None:
        call = call_of(shop, first_sent_at=f.now(), held_since=f.now() if held else None)
        text = page(agent, CALL, call.pk)
        assert ("It was sent before" if held else "Stripe was busy or refused it for now") in text
        assert "Tried again" in text
        listed = agent.get(reverse("admin:tools_toolcall_changelist")).content.decode()
        for shown in (text, listed, page(agent, "admin:cases_case_change", call.case_id)):
            assert undo_url(call) not in shown
            assert "Nothing has been sent yet" not in shown


class TestStops:
    def release(self, row: KillSwitch) -> str:
        return reverse("admin:release_switch", args=[row.pk])

    def test_what_stops_all_shops_offers_its_release_to_whom_it_will_be_granted(
        self, agent: Client, sign_in: SignIn, shop: Shop
    ) -> None:
        row = f.make_switch(f.make_user())
        text = page(agent, SWITCH, row.pk)
        assert self.release(row) not in text
        assert "A finance approver releases what stops all shops." in text
        finance = sign_in("finance approver")
        assert self.release(row) in page(finance, SWITCH, row.pk)
        finance.post(self.release(row))
        text = page(agent, SWITCH, row.pk)
        assert self.release(row) not in text
        assert "A finance approver releases" not in text

    def test_an_agent_releases_what_stops_one_shop(self, agent: Client, viewer: Client, shop: Shop) -> None:
        row = f.make_switch(f.make_user(), scope="shop", shop=shop)
        assert self.release(row) in page(agent, SWITCH, row.pk)
        assert self.release(row) not in page(viewer, SWITCH, row.pk)


class TestSettling:
    def settle(self, call: ToolCall) -> str:
        return reverse("admin:settle", args=[call.pk])

    def test_what_a_person_pays_is_settled_in_its_task_alone(self, sign_in: SignIn, shop: Shop) -> None:
        task = f.make_payment_task(shop)
        text = page(sign_in("approver"), CALL, task.call_id)
        assert self.settle(task.call) not in text
        assert reverse(TASK, args=[task.pk]) in text

    @pytest.mark.parametrize(
        ("outcome", "role", "offered"),
        [
            ("one_approver", "approver", True),
            ("two_factor", "approver", False),
            ("two_factor", "finance approver", True),
        ],
    )
    def test_an_unknown_outcome_is_settled_by_who_signs_its_size(
        self, sign_in: SignIn, shop: Shop, outcome: str, role: str, offered: bool
    ) -> None:
        call = call_of(shop, outcome, state="unknown")
        client = sign_in(role)
        assert (self.settle(call) in page(client, CALL, call.pk)) is offered
        client.post(self.settle(call), {"succeeded": "0", "reason": "Not on their page."})
        assert (ToolCall.objects.get(pk=call.pk).state == "failed") is offered


def test_a_superuser_is_offered_nothing_about_money_that_is_refused(sign_in: SignIn, shop: Shop) -> None:
    client = client_of(f.make_user(is_superuser=True, roles=["finance approver", "limit publisher"]))
    call, switch = call_of(shop, state="unknown"), f.make_switch(f.make_user())
    waits = f.make_limits(shop, published_at=None, effective_at=None, author=f.make_user())
    exception = made(f.make_order(shop))
    pages = {
        "settle": page(client, CALL, call.pk),
        "release_switch": page(client, SWITCH, switch.pk),
        "publish_limits": page(client, "admin:approvals_limitversion_change", waits.pk),
        "approve_exception": page(client, "admin:approvals_limitexception_change", exception.pk),
    }
    rows = {"settle": call, "release_switch": switch, "publish_limits": waits, "approve_exception": exception}
    for name, text in pages.items():
        assert reverse(f"admin:{name}", args=[rows[name].pk]) not in text, name


def test_a_payment_that_was_not_made_has_a_reason_and_no_reference(sign_in: SignIn, shop: Shop) -> None:
    task, client = f.make_payment_task(shop), sign_in("approver")
    client.post(reverse("admin:drop", args=[task.pk]), {"reason": "The account is closed."})
    text = page(client, TASK, task.pk)
    assert "Not paid, says" in text
    assert "<dt>Reason</dt><dd>The account is closed.</dd>" in text
    assert "Reference" not in text
    assert PaymentTask.objects.get().state == "dropped"


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (0, "in time, so it was asked again"),
        (1, "so it was asked again."),
        (2, "so it was asked again 2 times."),
    ],
)
def test_a_renewed_request_says_how_often_it_was_asked(
    viewer: Client, shop: Shop, times: int, words: str
) -> None:
    before = f.make_approval(shop=shop, state="expired", decided_at=f.now()) if times else None
    row = f.make_approval(shop=shop, renewals=times, renewed_from=before)
    assert (words in page(viewer, REQUEST, row.pk)) is bool(times)


def test_what_ends_a_request_says_so_in_words(viewer: Client, shop: Shop) -> None:
    row = f.make_approval(shop=shop)
    f.make_message(row.case, at=f.now() + timedelta(seconds=1))
    assert "This ends the request." not in page(viewer, REQUEST, row.pk)
    f.make_flag(row.case, kind="fraud")
    assert page(viewer, REQUEST, row.pk).count("This ends the request.") == 1


def test_options_say_why_they_were_not_taken(viewer: Client, shop: Shop) -> None:
    row = f.make_approval(shop=shop)
    assert row.case.order is not None
    row.case.order.payments.update(captured_minor=9000)
    text = page(viewer, REQUEST, row.pk)
    assert "The shop&#x27;s terms grant more than a gesture." in text
    assert "The customer asked for less than the whole order." in text


def test_a_customers_past_is_told_in_words(viewer: Client, shop: Shop) -> None:
    row: ApprovalRequest = f.make_approval(shop=shop)
    assert row.case.order is not None
    other = f.make_order(shop, person=row.case.order.person)
    conversation = row.case.conversation
    case = f.make_case(order=other, state="closed", closed_at=f.now(), conversation=conversation)
    decision = f.make_decision(case, action={"reason": "wrong_item"})
    f.make_call(decision, state="succeeded", ended_at=f.now())
    text = page(viewer, REQUEST, row.pk)
    assert ">wrong item, " in text
    assert "wrong_item" not in text


def test_lists_and_pages_of_calls_and_decisions_use_words(viewer: Client, shop: Shop) -> None:
    call = call_of(shop)
    listed = viewer.get(reverse("admin:tools_toolcall_changelist")).content.decode()
    assert "Give the money back<small>" in listed
    assert "Give the money back, waits to be sent" in page(viewer, CALL, call.pk)
    assert "Give the money back: goes out" in page(viewer, "admin:cases_case_change", call.case_id)
    decided = page(viewer, "admin:approvals_decision_change", call.decision_id)
    assert ">Give the money back</a>" in decided
    decisions = viewer.get(reverse("admin:approvals_decision_changelist")).content.decode()
    assert "Small enough to run by itself, after the undo window.<small>refund.tier.automatic" in decisions
    for text in (listed, decisions):
        assert ">Give the money back</a>" in text, "the filter"
        assert ">issue_refund<" not in text


def test_an_orders_page_says_how_far_it_is_in_words(viewer: Client, shop: Shop) -> None:
    order = f.make_order(shop, financial_status="partially_refunded", fulfillment_status="unfulfilled")
    text = page(viewer, "admin:tools_order_change", order.pk)
    assert "Partly refunded" in text
    assert "Not sent" in text
    assert "partially" not in text
    assert "partly refunded" in viewer.get(reverse("admin:tools_order_changelist")).content.decode()


def test_every_code_that_is_shown_has_a_word() -> None:
    assert set(NAMES) >= set(TOOLS)
    assert set(RETURN) >= set(RETURN_STAGES)
    reason = IssueRefund.model_fields["reason"].annotation
    assert set(REASONS) == set(reason.__args__)  # type: ignore[union-attr]  # a Literal
    scopes = {"order", "customer", "instrument", "address", "day", "error"}
    seen = {name.removesuffix("_minor") for values in SEEN.values() for name in values} | scopes
    assert seen == set(SAW) | {"currency"}


def test_a_switch_says_what_stands_still_in_a_shops_words(viewer: Client, shop: Shop) -> None:
    f.make_case(order=f.make_order(shop), due_at=f.now(), state=Case.State.OPEN)
    text = page(viewer, SWITCH, f.make_switch(f.make_user()).pk)
    assert 'Cases in which the agent would go on</span><span class="end num">1<' in text
    for word in ("Turns", "Wishes", "outcomes"):
        assert word not in text


def test_the_desk_promises_no_order_that_it_does_not_keep(sign_in: SignIn, shop: Shop) -> None:
    f.make_approval(shop=shop)
    text = sign_in("approver").get(reverse("admin:index")).content.decode()
    assert "1 waiting, the most urgent first" in text


def test_every_amount_that_a_rule_saw_is_an_amount_of_money(viewer: Client, shop: Shop) -> None:
    values = [{"rule": "refund.amount", "answer": "", "values": {"amount_minor": 6640}}]
    row = f.make_decision(f.make_case(order=f.make_order(shop)), values=values)
    text = page(viewer, "admin:approvals_decision_change", row.pk)
    assert "amount: €66.40" in text
    assert "amount: 6640" not in text


def test_a_version_is_called_by_its_currency(viewer: Client, shop: Shop) -> None:
    text = page(viewer, "admin:approvals_limitversion_change", shop.limits.get().pk)
    assert "Limits EUR v1</h1>" in text
