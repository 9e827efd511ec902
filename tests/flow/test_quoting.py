"""What a vendor is asked before a refund is judged: asked again where the order changes, and never without end."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from approvals.models import Decision
from cases.models import Case, Handoff
from cases.planning import ROUNDS, advance
from tests import factories
from tests.adapters import shopify_answers as told
from tests.authority.rows import order_of, refundable_case
from tests.flow.turns import fresh, planner, refund, scripted_shop
from tests.flow.vendors import in_transaction, over
from tests.flow.world import World
from tools.models import Order, OrderLine, Payment, ToolCall

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world: World) -> Case:
    """Goods that were paid half by card and half by gift card came broken, and the agent has the case."""
    scripted_shop(world)
    case = refundable_case(shop=world.shop)
    order = order_of(case)
    Order.objects.filter(pk=order.pk).update(read_at=factories.now(), risk_level=Order.Risk.LOW)
    Payment.objects.update(captured_minor=750, vendor="shopify", gateway="shopify_payments", external_id="31")
    factories.make_payment(
        order, captured_minor=750, vendor="shopify", gateway="gift_card", external_id="32", instrument=""
    )
    Case.objects.filter(pk=case.pk).update(due_at=factories.now())
    return fresh(case)  # type: ignore[no-any-return]


def shop_that_splits(then: Callable[[], None]) -> Callable[[httpx.Request], httpx.Response]:
    """Half to each tender; before it has answered, something happens to the order."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert not in_transaction()
        asked = json.loads(request.content)["variables"]["id"]
        currency = Payment.objects.values_list("currency", flat=True)[0]
        half, all_of_it = told.bag("7.50", currency), told.bag("15.00", currency)
        parts = [
            {
                "gateway": "any",
                "amountSet": half,
                "maximumRefundableSet": half,
                "parentTransaction": {"id": told.gid("OrderTransaction", name)},
            }
            for name in (31, 32)
        ]
        then()
        found = told.suggestion(
            amountSet=all_of_it, maximumRefundableSet=all_of_it, suggestedTransactions=parts
        )
        return told.answer({"order": {**found, "id": asked}})

    return answer


def turn(case: Case, then: Callable[[], None]) -> int:
    """The agent's turn; how often the shop was asked for its split."""
    asked: list[httpx.Request] = []
    answer = shop_that_splits(then)

    def noted(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(request)

    with over(noted), planner(refund(order_of(case))):
        advance(case.pk)
    return len(asked)


def cheaper_each_time(times: int) -> Callable[[], None]:
    """The shop lowers the price while it is asked, so often."""
    left = [times]

    def lower() -> None:
        if left[0]:
            left[0] -= 1
            line = OrderLine.objects.get()
            OrderLine.objects.update(total_minor=line.total_minor - 100)

    return lower


def test_an_order_that_changes_while_its_split_is_asked_is_asked_about_again(case: Case) -> None:
    assert turn(case, cheaper_each_time(1)) == 2
    decision = Decision.objects.get(by_kind="agent")
    assert (decision.outcome, decision.effect["amount_minor"]) == ("allow_after_undo", 1400)
    assert [call.amount_minor for call in ToolCall.objects.filter(tool="issue_refund")] == [700, 700]


def test_an_order_that_does_not_hold_still_goes_to_a_person_after_two_rounds(case: Case) -> None:
    assert turn(case, cheaper_each_time(5)) == ROUNDS
    decision = Decision.objects.get(by_kind="agent")
    assert (decision.outcome, decision.problem) == ("deny", "refund.not_quoted")
    assert Handoff.objects.get(case=case).detail == "refund.not_quoted"
    assert not ToolCall.objects.filter(tool="issue_refund").exists()


def test_an_order_that_holds_still_is_asked_about_once(case: Case) -> None:
    assert turn(case, lambda: None) == 1
    assert ToolCall.objects.filter(tool="issue_refund").count() == 2
