"""What a changed vendor stops goes to people: before anybody is asked to sign, before a byte leaves, once read."""

from __future__ import annotations

import httpx
import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from approvals.errors import EffectChanged, Invalid
from approvals.models import ApprovalRequest, Decision
from audit import actors
from cases import services
from cases.models import Case, Handoff
from tests import factories as f
from tests.drift.conftest import SignIn
from tests.flow.turns import damaged, decided, fresh, planner, refund, says, scripted_shop
from tests.flow.vendors import over, vendors
from tests.flow.world import World, drain
from tools import upstreams
from tools.adapters import table
from tools.drift import NEEDS, drifting, needed
from tools.models import Drift, Order, ToolCall
from tools.registry import TOOLS
from tools.wire import Kind

# What the server writes beside the tools; each is stopped by its own drift when it is called.
OF_NO_TOOL = {
    ("klaviyo", "data-privacy-deletion-jobs"),
    ("klaviyo", "profile-import"),
    ("shopify", "orderUpdate"),
    ("shopify", "tagsAdd"),
    ("slack", "webhook"),
}


def stop(world: World, operation: str = "refunds.create", vendor: str = "stripe") -> Drift:
    return f.make_drift(world.shop, vendor=vendor, operation=operation, field_path="amount")


def handed_over() -> Handoff:
    return Handoff.objects.select_related("drift", "case").get()


def test_no_approval_is_asked_for_what_can_not_be_sent(world: World) -> None:
    scripted_shop(world)
    row, drift = damaged(world), stop(world)
    with planner(refund(row)):
        drain(only=["advance"])
    assert Decision.objects.get(by_kind="agent").rule == "upstream.read_only"
    assert not ApprovalRequest.objects.exists()
    assert not ToolCall.objects.filter(amount_minor__gt=0).exists()
    assert (handed_over().reason, handed_over().drift) == ("drift", drift)
    assert handed_over().detail == "stripe refunds.create amount"


@pytest.mark.parametrize("operation", ["credit_notes.create", "credit_notes.list"])
def test_a_refund_that_may_be_a_credit_note_is_decided_by_people_while_those_drift(
    world: World, operation: str
) -> None:
    scripted_shop(world)
    row, drift = damaged(world), stop(world, operation)
    with planner(refund(row)):
        drain(only=["advance"])
    assert Decision.objects.get(by_kind="agent").rule == "upstream.read_only"
    assert not ToolCall.objects.filter(amount_minor__gt=0).exists()
    assert (handed_over().reason, handed_over().drift) == ("drift", drift)
    assert handed_over().detail == f"stripe {operation} amount"


@pytest.mark.parametrize("operation", ["refunds.create", "refunds.list", "charges.retrieve"])
def test_a_refund_rests_on_the_readings_that_prove_it(world: World, operation: str) -> None:
    stop(world, operation)
    assert drifting(world.shop.pk, [("issue_refund", "stripe")])
    assert not drifting(world.shop.pk, [("issue_refund", "shopify")])


def test_what_needs_no_vendor_asks_nothing_of_the_database(
    world: World, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert drifting(world.shop.pk, [("close_case", "")]) == []


def test_a_message_is_not_decided_while_its_vendor_has_changed(world: World) -> None:
    scripted_shop(world)
    damaged(world)
    stop(world, "events.create", "klaviyo")
    with planner(says("order_delivered")):
        drain(only=["advance"])
    assert handed_over().reason == "drift"
    assert not ToolCall.objects.exists()


def test_drift_of_another_shop_stops_nothing(world: World) -> None:
    stop(World(f.make_shop("south")))
    assert decided(world).state == "reserved"


def test_a_call_that_waits_is_cancelled_before_a_byte_leaves(world: World) -> None:
    call, drift = decided(world), stop(world)
    with vendors() as fake:
        drain(only=["execute"])
    assert fake.writes() == []
    assert (fresh(call).state, call.error) == ("cancelled", "upstream.read_only")
    assert (handed_over().reason, handed_over().drift) == ("drift", drift)
    assert fresh(call.payment).reserved_minor == 0


def test_once_the_drift_is_cleared_the_next_wish_is_sent(world: World) -> None:
    stop(world)
    Drift.objects.update(state="cleared", cleared_at=f.now(), cleared_by=f.make_user())
    call = decided(world)
    with vendors() as fake:
        drain(only=["execute"])
    assert len(fake.writes()) == 1
    assert fresh(call).state == "succeeded"


def test_an_approval_is_not_signed_while_the_vendor_has_changed(world: World) -> None:
    request = f.make_approval(shop=world.shop)
    stop(world)
    approver = actors.staff(f.make_user(roles=["approver"]))
    with pytest.raises(EffectChanged, match="Nothing was sent"):
        services.decide_approval(request.pk, approve=True, proof=None, reason="", by=approver)
    assert not ToolCall.objects.exists()
    assert handed_over().reason == "drift"


def test_a_colleague_hears_why_their_reply_is_not_sent(world: World) -> None:
    case = f.make_case(shop=world.shop)
    stop(world, "events.create", "klaviyo")
    agent = actors.staff(f.make_user(roles=["agent"]))
    with pytest.raises(Invalid, match="A vendor's answers have changed, so nothing is sent there for now"):
        services.reply(case.pk, text="I am on it.", by=agent)
    assert not ToolCall.objects.exists()


def drifted_order(world: World) -> tuple[Case, Order]:
    """The agent's turn, with a shop whose answer about the order no longer has what it had."""
    scripted_shop(world)
    row = damaged(world)
    Order.objects.update(read_at=None)
    answer = {
        "data": {"order": {"id": f"gid://shopify/Order/{row.external_id}", "email": "ines@customer.example"}}
    }
    with over(lambda request: httpx.Response(200, json=answer)), planner(refund(row)):
        drain(only=["advance"])
    return Case.objects.get(), row


def test_a_case_whose_order_can_not_be_read_goes_to_a_person_with_the_drift(world: World) -> None:
    case, _row = drifted_order(world)
    drift = Drift.objects.get()
    assert (drift.vendor, drift.operation, drift.finding) == ("shopify", "order", "missing")
    assert (case.state, handed_over().reason, handed_over().drift) == ("handoff", "drift", drift)
    assert not Decision.objects.filter(by_kind="agent").exists()


def test_the_case_page_leads_to_the_redacted_answer(world: World, sign_in: SignIn) -> None:
    case, _row = drifted_order(world)
    client = sign_in("agent")
    page = client.get(reverse("admin:cases_case_change", args=[case.pk])).content.decode()
    url = reverse("admin:tools_drift_change", args=[Drift.objects.get().pk])
    assert f'href="{url}"' in page
    assert "Waits for a person: a vendor&#x27;s answer has changed" in page
    shown = client.get(url).content.decode()
    assert "&quot;email&quot;: &quot;text(21)&quot;" in shown
    assert "ines@customer.example" not in shown


def test_money_that_waits_is_cancelled_where_its_facts_can_not_be_read_any_more(world: World) -> None:
    call = decided(world)
    Order.objects.update(read_at=None)
    with over(lambda request: httpx.Response(200, json={"data": {"order": {"id": 1}}})):
        drain(only=["execute"])
    assert (fresh(call).state, call.error) == ("cancelled", "facts.drifted")
    assert (handed_over().reason, handed_over().drift) == ("drift", Drift.objects.get())


def test_an_open_drift_is_known_to_who_rechecks(world: World) -> None:
    stop(world, "refunds.list")
    assert upstreams.open_drift(world.shop.pk, "stripe", "refunds.create")
    assert not upstreams.open_drift(world.shop.pk, "stripe", "events.list")


def test_every_step_of_every_tool_names_the_operation_that_it_needs() -> None:
    # The one that asks nobody: it writes to our own database.
    assert [name for name, tool in TOOLS.items() if bool(tool.send) != bool(tool.sends_by)] == [
        "issue_credit_note"
    ]
    steps = {(name, vendor) for name, tool in TOOLS.items() for vendor in tool.sends_by}
    assert steps == NEEDS.keys()


def test_every_write_is_one_of_a_tool_or_of_none() -> None:
    writes = {(one.vendor, one.name) for one in table.OPERATIONS if one.kind is not Kind.READ}
    needs = {(vendor, name) for (_tool, vendor), names in NEEDS.items() for name in names}
    assert writes == needs | OF_NO_TOOL
    assert not needs & OF_NO_TOOL


def test_every_reading_that_a_write_rests_on_is_an_operation() -> None:
    for one in table.OPERATIONS:
        assert all(table.named(one.vendor, name) for name in needed(one.vendor, one.name)), one.name
