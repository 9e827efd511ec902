"""An order that hasn't left is cancelled: at the shop, then the money, then the message, as one decision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import ApprovalRequest, Decision
from audit.actors import Actor
from audit.actors import staff as acting_staff
from cases import cancelling, services
from cases.invariants import violations
from cases.models import Case, Handoff, User
from cases.tasks import execute, settle
from opsagent.demo.script import Neutral
from tests import factories
from tests.flow.turns import fresh
from tests.flow.vendors import Vendors, lost, over, sums
from tests.flow.world import World, deliver, drain
from tools.errors import InvalidArgs
from tools.models import Order, ToolCall
from tools.registry import parse

pytestmark = pytest.mark.django_db

NOW = "2026-11-20T10:00:00Z"


class Shop(Vendors):
    """A shop that cancels when it is asked, a little later."""

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = self.job_done = False
        self.cancels: list[dict[str, Any]] = []
        self.refuses = self.loses = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "north.example" or b"OpsRefund" in request.content:
            return super().__call__(request)
        body = json.loads(request.content)
        if "OpsCancellation" in body["query"]:
            order = {"id": body["variables"]["id"], "test": False, "cancelReason": None, "cancellation": None}
            at = NOW if self.cancelled else None
            return httpx.Response(200, json={"data": {"order": {**order, "cancelledAt": at}}})
        if "OpsCancel" in body["query"]:
            return self._cancel(request, body["variables"])
        if "OpsJob" in body["query"]:
            job = {"id": body["variables"]["id"], "done": self.job_done}
            return httpx.Response(200, json={"data": {"job": job}})
        return super().__call__(request)

    def _cancel(self, request: httpx.Request, wish: dict[str, Any]) -> httpx.Response:
        self.cancels.append(wish)
        if self.loses:
            return lost(request)
        job = None if self.refuses else {"id": "gid://shopify/Job/j-1", "done": False}
        says = {"code": "INVALID", "field": ["orderId"], "message": "It has fulfilled items"}
        payload = {"job": job, "orderCancelUserErrors": [says] if self.refuses else []}
        return httpx.Response(200, json={"data": {"orderCancel": payload}})


@pytest.fixture
def fake() -> Iterator[Shop]:
    shop = Shop()
    with over(shop):
        yield shop


def asked_for(world: World, size: str = "small") -> tuple[Case, Neutral]:
    """A paid order that nobody has packed, and its customer's letter."""
    if size == "small":
        factories.publish_limits(world.shop, "USD", auto_up_to_minor=20_000, one_approver_up_to_minor=40_000)
    who = world.customer()
    order = world.sold(who, days=1, item=world.item(size))
    deliver(world.order_step(order))
    deliver(world.charge_step(order))
    row = Order.objects.get(external_id=str(order["id"]))
    Order.objects.filter(pk=row.pk).update(risk_level=Order.Risk.LOW, read_at=factories.now())
    deliver(world.mail(who, f"{row.name}: please cancel this order"))
    return Case.objects.get(order=row), order


def somebody(case: Case, role: str = "agent") -> tuple[User, Actor]:
    user = factories.make_user(roles=[role], shops=[case.shop])
    return user, acting_staff(user)


def looked(case: Case, by: Actor) -> str:
    """Somebody has it read what cancelling would do; the digest of what they are shown."""
    cancelling.ask(case.pk, by=by)
    drain(only=["prepare"])
    return cancelling.foresee(fresh(case), by)[0].digest


def cancelled(case: Case, by: Actor) -> Decision:
    """Looked at and confirmed."""
    shown = looked(case, by)
    return cancelling.cancel_order(case.pk, shown=shown, by=by)


def calls(decision: Decision) -> dict[str, str]:
    rows = ToolCall.objects.filter(decision=decision).order_by("position")
    return dict(rows.values_list("tool", "state"))


def call_of(decision: Decision, tool: str) -> ToolCall:
    return ToolCall.objects.select_related("payment").get(decision=decision, tool=tool)


class TestPermitted:
    def test_first_the_shop_then_the_money_then_the_message(self, world: World, fake: Shop) -> None:
        case, order = asked_for(world)
        decision = cancelled(case, by=somebody(case)[1])
        assert (decision.outcome, decision.entitled_by) == ("allow_after_undo", "terms.cancelled")
        drain(only=["execute"])
        assert calls(decision)["cancel_order"] == "pending"
        assert {state for tool, state in calls(decision).items() if tool != "cancel_order"} == {"reserved"}
        assert fake.writes() == []
        fake.cancelled = True
        assert settle(call_of(decision, "cancel_order").pk) == "succeeded"
        drain(only=["execute"])
        assert set(calls(decision).values()) == {"succeeded"}
        refund = call_of(decision, "issue_refund")
        assert refund.amount_minor == Order.objects.get().total_minor
        assert sums(refund) == (0, refund.amount_minor)
        assert (fresh(case).state, violations()) == ("closed", [])
        assert order["charge"]["id"] == fake.refunds[0]["charge"]

    def test_the_shop_moves_no_money_and_no_stock_and_writes_to_nobody(
        self, world: World, fake: Shop
    ) -> None:
        case, _order = asked_for(world)
        cancelled(case, by=somebody(case)[1])
        drain(only=["execute"])
        (wish,) = fake.cancels
        assert wish["refundMethod"] == {"originalPaymentMethodsRefund": False}
        assert (wish["restock"], wish["notifyCustomer"]) == (False, False)

    def test_it_is_one_decision_of_the_persons(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world)
        user, by = somebody(case)
        decision = cancelled(case, by=by)
        assert (decision.by_kind, decision.by_id, Decision.objects.count()) == ("staff", str(user.pk), 1)

    def test_its_whole_value_decides_who_signs(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world, "mid")
        user, by = somebody(case, "approver")
        user.groups.add(*factories.make_user(roles=["agent"]).groups.all())
        cancelled(case, by=by)
        request = ApprovalRequest.objects.get()
        assert (request.amount_minor, fresh(case).state) == (Order.objects.get().total_minor, "approval")
        with pytest.raises(NotPermitted):
            services.decide_approval(request.pk, approve=True, proof=None, reason="", by=by)
        other = somebody(case, "approver")[1]
        services.decide_approval(request.pk, approve=True, proof=None, reason="", by=other)
        drain(only=["execute"])
        assert len(fake.cancels) == 1
        fake.cancelled = True
        settle(call_of(request.decision, "cancel_order").pk)
        drain(only=["execute"])
        assert set(calls(request.decision).values()) == {"succeeded"}

    def test_who_has_the_case_keeps_it(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world)
        _user, by = somebody(case)
        services.take_over(case.pk, by=by)
        decision = cancelled(case, by=by)
        fake.cancelled = True
        drain(only=["execute"])
        settle(call_of(decision, "cancel_order").pk)
        drain(only=["execute"])
        assert (set(calls(decision).values()), fresh(case).state) == ({"succeeded"}, "handoff")


class TestForbidden:
    def nothing(self) -> bool:
        calls = ToolCall.objects.filter(amount_minor__gt=0)
        return not Decision.objects.filter(tool="cancel_order").exists() and not calls.exists()

    def test_to_who_may_only_read(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world)
        with pytest.raises(NotPermitted):
            cancelled(case, by=somebody(case, "viewer")[1])
        assert self.nothing()

    def test_to_the_planner(self) -> None:
        with pytest.raises(InvalidArgs):
            parse("cancel_order", {"order_id": 1}, by_planner=True)

    def test_once_a_parcel_has_left(self, world: World, fake: Shop) -> None:
        case, order = asked_for(world)
        for step in world.parcel_steps(order, "in_transit"):
            deliver(step)
        with pytest.raises(AlreadyDecided):
            cancelled(case, by=somebody(case)[1])
        assert self.nothing()

    def test_where_fraud_is_suspected(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world)
        factories.make_flag(case, kind="fraud", source="test")
        with pytest.raises(Invalid):
            cancelled(case, by=somebody(case)[1])
        assert self.nothing()

    def test_a_second_time(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world)
        _user, by = somebody(case)
        cancelled(case, by=by)
        with pytest.raises(AlreadyDecided):
            cancelled(case, by=by)
        assert Decision.objects.filter(tool="cancel_order").count() == 1

    def test_while_another_has_the_case(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world)
        services.take_over(case.pk, by=somebody(case)[1])
        with pytest.raises(Invalid):
            cancelled(case, by=somebody(case)[1])
        assert self.nothing()


class TestHalfWay:
    def test_an_order_that_the_shop_has_just_sent_costs_nothing(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world)
        decision = cancelled(case, by=somebody(case)[1])
        fake.refuses = True
        drain(only=["execute"])
        states = calls(decision)
        assert states.pop("cancel_order") == "failed"
        assert set(states.values()) == {"cancelled"}
        assert (fake.writes(), sums(call_of(decision, "issue_refund"))) == ([], (0, 0))
        assert (Handoff.objects.get().reason, fresh(case).state) == ("failed", "handoff")

    def test_a_flag_after_the_cancellation_keeps_the_money_and_calls_a_person(
        self, world: World, fake: Shop
    ) -> None:
        case, _order = asked_for(world)
        decision = cancelled(case, by=somebody(case)[1])
        execute(call_of(decision, "cancel_order").pk)
        factories.make_flag(case, kind="dispute", source="test")
        fake.cancelled = True
        settle(call_of(decision, "cancel_order").pk)
        drain(only=["execute"])
        assert (calls(decision)["cancel_order"], calls(decision)["issue_refund"]) == (
            "succeeded",
            "cancelled",
        )
        assert (fake.writes(), Handoff.objects.get().reason) == ([], "failed")

    @pytest.mark.parametrize("made", [True, False])
    def test_a_lost_answer_is_read_and_never_asked_for_again(
        self, world: World, fake: Shop, made: bool
    ) -> None:
        case, _order = asked_for(world)
        decision = cancelled(case, by=somebody(case)[1])
        fake.loses = True
        drain(only=["execute"])
        assert calls(decision)["cancel_order"] == "unknown"
        fake.loses, fake.cancelled = False, made
        for _ in range(3):
            settle(call_of(decision, "cancel_order").pk)
        assert len(fake.cancels) == 1
        assert calls(decision)["cancel_order"] == ("succeeded" if made else "unknown")

    def test_a_job_that_ended_without_cancelling_gives_nothing_back(self, world: World, fake: Shop) -> None:
        case, _order = asked_for(world)
        decision = cancelled(case, by=somebody(case)[1])
        drain(only=["execute"])
        fake.job_done = True
        assert settle(call_of(decision, "cancel_order").pk) == "failed"
        assert (calls(decision)["issue_refund"], fake.writes()) == ("cancelled", [])
