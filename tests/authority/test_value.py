"""Everything that leaves the shop counts, whether or not it is money, and no tool hides what it gives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from approvals import deciding
from approvals.deciding import Made, Wish
from audit.actors import AGENT
from cases.composing import composer
from cases.handoff import scope_of
from cases.models import Case, Shop
from cases.tasks import execute
from opsagent.checks import undeclared
from tests import factories
from tests.adapters.faking import Vendor
from tests.authority.rows import decide_refund, order_of, refundable_case, seen_by_agent
from tools.base import Arguments, Effect, Kind, Leaves, Outcome, Scope, Step, Tool
from tools.models import ToolCall
from tools.registry import TOOLS, parse
from tools.types import Money

pytestmark = pytest.mark.django_db


class SendAgain(Arguments):
    """Send a thing again, at what it is sold for."""

    order_id: int
    worth: int
    counted: int


def resolve(arguments: SendAgain, scope: Scope) -> Effect:
    case = Case.objects.get(pk=scope.case_id)
    body = {**factories.refund_effect(order_of(case), arguments.worth), "again": True}
    del body["payment"], body["tenders"], body["amount_minor"]
    steps = (Step("send_again", "ours", body, value=Money(arguments.counted, "EUR")),)
    return Effect("send_again", Kind.MONEY, body, steps, value=Money(arguments.worth, "EUR"))


def tool(**changes: Any) -> Tool:
    parts = {
        "kind": Kind.MONEY,
        "leaves": Leaves.REPLACEMENT,
        "send": lambda call: Outcome("sent"),
        **changes,
    }
    return Tool("send_again", arguments=SendAgain, resolve=resolve, **parts)


def send_again(case: Case, worth: int, counted: int | None = None) -> Made:
    arguments = {"order_id": case.order_id, "worth": worth, "counted": worth if counted is None else counted}
    with transaction.atomic():
        return deciding.decide(
            Wish("send_again", arguments, factories.planner_config().pk),
            scope=scope_of(case),
            situation=seen_by_agent(case),
            undo=timedelta(0),
            compose=composer(case),
            by=AGENT,
        )


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOOLS, "send_again", tool())


def test_goods_count_at_their_price_in_the_tiers_of_money() -> None:
    case = refundable_case(1500)
    made = send_again(case, 1999)
    assert made.decision.rule == "refund.tier.automatic"
    assert [(call.amount_minor, call.value_minor, call.currency) for call in made.calls] == [(0, 1999, "EUR")]
    assert send_again(case, 20_001).decision.rule == "refund.tier.two_factor"


def test_money_and_goods_add_up_in_both_directions() -> None:
    case = refundable_case(1500)
    person = order_of(case).person
    send_again(case, 600)
    other = refundable_case(1500, shop=case.shop, person=person)
    refund = decide_refund(other)
    assert refund.decision.rule == "refund.tier.one_approver"
    third = refundable_case(1500, shop=case.shop, person=person)
    assert send_again(third, 1).decision.values[-1]["values"]["customer_minor"] == 600 + 1500


def test_a_signature_on_goods_names_their_value() -> None:
    made = send_again(refundable_case(1500), 2001)
    assert made.request is not None
    assert (made.request.amount_minor, made.request.currency) == (2001, "EUR")


def test_limits_are_asked_again_before_goods_leave(north: Shop, vendor: Vendor) -> None:
    made = send_again(refundable_case(shop=north), 1500)
    factories.make_limits(north, auto_up_to_minor=1499)
    assert execute(made.calls[0].pk) == "cancelled"
    assert ToolCall.objects.get().error == "refund.tier.one_approver"


@pytest.mark.parametrize(
    ("changes", "counted"),
    [({"leaves": Leaves.NOTHING}, 1500), ({}, 1499)],
)
def test_value_that_a_tool_does_not_own_up_to_is_denied(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], counted: int
) -> None:
    monkeypatch.setitem(TOOLS, "send_again", tool(**changes))
    made = send_again(refundable_case(), 1500, counted)
    assert (made.decision.outcome, made.decision.problem) == ("deny", "tool.value")


def test_every_tool_says_what_leaves_and_one_that_hides_it_is_an_error() -> None:
    assert {name: tool.leaves for name, tool in TOOLS.items() if tool.leaves is not Leaves.NOTHING} == {
        "issue_refund": Leaves.REFUND,
        "adjust_refund": Leaves.REFUND,
        "cancel_order": Leaves.REFUND,
        "send_again": Leaves.REPLACEMENT,
    }
    assert undeclared(TOOLS) == []
    hidden = {"a": tool(leaves=Leaves.NOTHING), "b": tool(kind=Kind.CLOSE), "c": tool()}
    assert [(error.id, error.msg.split()[2]) for error in undeclared(hidden)] == [
        ("opsagent.E013", "a"),
        ("opsagent.E013", "b"),
    ]


@pytest.mark.parametrize("minor", [-1, 1499])
def test_the_database_refuses_a_call_that_is_worth_less_than_it_moves(minor: int) -> None:
    call = decide_refund(refundable_case()).calls[0]
    with pytest.raises(IntegrityError, match="call_is_worth_what_it_moves"), transaction.atomic():
        ToolCall.objects.filter(pk=call.pk).update(value_minor=minor)


def test_an_order_that_is_cancelled_counts_by_its_refund() -> None:
    case = refundable_case(1500)
    order = order_of(case)
    order.shipments.all().delete()
    scope = scope_of(case)
    cancel, arguments = parse("cancel_order", {"order_id": order.pk}, by_planner=False)
    effect = cancel.resolve(arguments, scope)
    assert effect.worth == Money(1500, "EUR")
    assert sum(step.worth.amount_minor for step in effect.steps if step.worth) == 1500
