"""Stripe pays only charges that it holds for us: its own word counts, never the gateway's name in the shop's order."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from approvals.errors import EffectChanged
from approvals.models import ApprovalRequest, Decision
from audit.models import Entry
from cases.models import Case, Handoff
from cases.planning import advance
from cases.services import decide_approval
from tests import factories
from tests.authority.rows import acting, order_of, refundable_case
from tests.flow.turns import fresh, planner, refund, scripted_shop
from tests.flow.vendors import Answer, in_transaction, over
from tests.flow.world import World
from tools import payments
from tools.models import Order, Payment, ToolCall
from tools.snapshots import ChargeSnapshot

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world: World) -> Case:
    """Broken goods, of which only the shop's order says that Stripe took the money."""
    scripted_shop(world)
    case = refundable_case(shop=world.shop)
    Order.objects.filter(pk=order_of(case).pk).update(read_at=factories.now(), risk_level=Order.Risk.LOW)
    Payment.objects.update(livemode=None)
    Case.objects.filter(pk=case.pk).update(due_at=factories.now())
    return fresh(case)  # type: ignore[no-any-return]


def held(**changes: Any) -> Answer:
    """Stripe has the payment's charge, as it fits unless said otherwise."""

    def answer(request: httpx.Request) -> httpx.Response:
        assert (request.method, in_transaction()) == ("GET", False)
        payment = Payment.objects.get()
        charge = {
            "object": "charge",
            "id": payment.external_id,
            "amount": payment.captured_minor,
            "amount_captured": payment.captured_minor,
            "amount_refunded": 0,
            "currency": payment.currency.lower(),
            "paid": True,
            "livemode": False,
            "metadata": {"order_id": payment.order.external_id},
        }
        return httpx.Response(200, json={**charge, **changes})

    return answer


def turn(case: Case, answer: Answer) -> Decision:
    with over(answer), planner(refund(order_of(case))):
        advance(case.pk)
    return Decision.objects.get(by_kind="agent")


def test_a_charge_that_only_the_shop_names_is_asked_for_at_stripe_and_then_paid(case: Case) -> None:
    assert turn(case, held()).outcome == "allow_after_undo"
    assert [call.vendor for call in ToolCall.objects.filter(tool="issue_refund")] == ["stripe"]
    assert Payment.objects.get().livemode is False
    assert Entry.objects.filter(action="payment.proven").count() == 1


def test_a_charge_that_stripe_has_confirmed_is_not_asked_for_again(case: Case) -> None:
    def nobody(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"Asked {request.url}")

    Payment.objects.update(livemode=False)
    assert turn(case, nobody).outcome == "allow_after_undo"


NO_SUCH = {"error": {"type": "invalid_request_error", "code": "resource_missing"}}


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: httpx.Response(404, json=NO_SUCH),
        lambda request: httpx.Response(403, json={"error": {"type": "invalid_request_error"}}),
        held(currency="jpy"),
        held(amount_captured=1499),
        held(amount_captured=0),
        held(paid=False),
        held(metadata={"order_id": "another"}),
        held(livemode=None),
        held(amount_captured="many"),  # unreadable
    ],
)
def test_a_charge_that_stripe_does_not_hold_like_this_is_a_persons(case: Case, answer: Answer) -> None:
    decision = turn(case, answer)
    assert (decision.outcome, decision.problem) == ("deny", "refund.unproven_charge")
    assert Handoff.objects.get(case=case).detail == "refund.unproven_charge"
    assert not ToolCall.objects.filter(tool="issue_refund").exists()


def test_where_stripe_is_away_the_agent_tries_later(case: Case) -> None:
    with (
        over(lambda request: httpx.Response(503, headers={"Retry-After": "1"})),
        planner(refund(order_of(case))),
    ):
        assert advance(case.pk) == Case.State.OPEN
    assert not Decision.objects.exists()


def test_nobody_signs_for_a_charge_without_proof(db: None) -> None:
    request = factories.make_approval()
    payment = Payment.objects.get(pk=request.decision.effect["payment"])
    Payment.objects.filter(pk=payment.pk).update(livemode=None)
    with pytest.raises(EffectChanged):
        decide_approval(request.pk, approve=True, proof=None, reason="", by=acting(request.shop))
    assert fresh(request).state == ApprovalRequest.State.VOIDED
    assert not ToolCall.objects.filter(tool="issue_refund").exists()


@pytest.mark.parametrize(("captured_minor", "proven"), [(3500, True), (3490, True), (3489, False)])
def test_an_event_is_proof_only_of_what_it_tells(captured_minor: int, proven: bool, db: None) -> None:
    sold = factories.make_order(factories.make_shop(), [("Lamp", 1, 3490)], shipping_minor=0)
    sold.payments.update(livemode=None)
    payment = sold.payments.get()
    seen = ChargeSnapshot(
        external_id=payment.external_id, amount_minor=3500, captured_minor=captured_minor, refunded_minor=0,
        currency=payment.currency, paid=True, instrument="fp_9", livemode=True,
    )  # fmt: skip
    payments.record_charge(payment.shop_id, seen)
    assert (fresh(payment).instrument, payment.livemode) == ("fp_9", True if proven else None)
