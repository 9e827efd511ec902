"""One call to one vendor: sent once, never inside a transaction, and whatever is answered ends in a state."""

from __future__ import annotations

import json
from datetime import timedelta

import httpx
import pytest
from django.db import transaction

from audit import sources
from cases.models import Handoff, Message
from cases.tasks import execute
from opsagent.demo.script import Neutral
from tests import factories
from tests.flow.threads import THREADS, at_once
from tests.flow.turns import decided, fresh, states, told, wait_for
from tests.flow.vendors import Vendors, away, busy, html, in_transaction, lost, over, refused, sums, vendors
from tests.flow.world import World, deliver, drain, the_case
from tools import execution
from tools.models import LedgerEntry, ToolCall
from tools.outcomes import MOST_ATTEMPTS
from tools.registry import TOOLS

pytestmark = pytest.mark.django_db

State = ToolCall.State


class TestSuccess:
    def test_a_refund_is_sent_once_and_the_case_closes(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            drain()
        assert (len(fake.writes()), states()) == (1, ["succeeded"] * 3)
        assert fresh(call).vendor_ref == "re_1"
        assert sums(call) == (0, call.amount_minor)
        assert (the_case().state, the_case().closed_by) == ("closed", "agent")

    def test_the_vendor_hears_key_charge_amount_and_case(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            execute(call.pk)
        (request,) = fake.writes()
        assert request.headers["Idempotency-Key"] == str(call.idempotency_key)
        assert request.headers["X-Correlation-Id"] == str(call.correlation_id)
        assert fake.refunds[0]["amount"] == call.amount_minor

    def test_the_call_and_its_key_are_committed_before_the_first_byte(self, world: World) -> None:
        call = decided(world)
        seen: list[tuple[str, bool]] = []
        with vendors() as fake:
            fake.on_send = lambda: seen.append((ToolCall.objects.get(pk=call.pk).state, in_transaction()))
            execute(call.pk)
        assert seen == [("sending", False)]

    def test_each_change_of_state_is_told_once(self, world: World) -> None:
        call = decided(world)
        with vendors():
            drain()
        assert told(call) == ["call.reserved", "call.sending", "call.succeeded"]
        assert set(call.ledger.values_list("kind", flat=True)) == {"reserved", "refunded"}

    def test_the_message_follows_the_money(self, world: World) -> None:
        decided(world)
        with vendors() as fake:
            drain()
        hosts = [request.url.host for request in fake.asked]
        assert hosts == ["stripe.example", "north.example", "klaviyo.example"]
        out = Message.objects.get(direction="out")
        assert (out.state, out.template is not None) == ("sent", True)

    def test_a_second_task_for_a_finished_call_does_nothing(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            drain()
            assert [execute(call.pk) for _ in range(3)] == [None] * 3
        assert len(fake.writes()) == 1

    def test_a_refund_on_its_way_is_pending_and_keeps_its_reservation(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            fake.refund = fake.pending
            drain()
        assert states() == ["pending", "reserved", "reserved", "succeeded"]
        assert ToolCall.objects.latest("pk").decision.tool == "tell_on_its_way"
        assert sums(call) == (call.amount_minor, 0)
        assert the_case().wait_reason == "effect"


class TestOrderOfSteps:
    def test_the_second_step_waits_for_the_first(self, world: World) -> None:
        decided(world)
        with vendors() as fake:
            assert execute(ToolCall.objects.get(position=1).pk) is None
        assert fake.asked == []

    def test_a_failed_step_cancels_what_would_follow(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            fake.refund = refused
            drain(only=["execute"])
        assert states()[:2] == ["failed", "cancelled"]
        assert ToolCall.objects.get(position=1, decision=call.decision_id).error == "step_before_failed"

    def test_a_message_that_is_never_sent_says_so(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            fake.refund = refused
            execute(call.pk)
        step = ToolCall.objects.get(position=2, decision=call.decision_id)
        assert step.message is not None
        assert step.message.state == Message.State.FAILED

    def test_nothing_leaves_inside_the_undo_window(self, world: World) -> None:
        factories.make_caps(world.shop, undo_seconds=600)
        call = decided(world)
        with vendors() as fake, sources.frozen(sources.now()) as clock:
            drain()
            assert (fake.asked, fresh(call).state) == ([], "reserved")
            wait_for(clock, timedelta(seconds=601))
            assert execute(call.pk) == "succeeded"


class TestRefused:
    def test_a_no_releases_the_money_and_calls_a_person(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            fake.refund = refused
            execute(call.pk)
        assert (fresh(call).state, call.error) == ("failed", "charge_already_refunded")
        assert sums(call) == (0, 0)
        assert call.decision.case.order is not None
        assert fresh(call.decision.case.order).lines.get().refunded_quantity == 0
        row = Handoff.objects.get()
        assert (row.reason, row.detail, row.decision_id) == (
            "failed",
            "charge_already_refunded",
            call.decision_id,
        )

    def test_each_change_is_told_once(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            fake.refund = refused
            execute(call.pk)
        assert told(call) == ["call.reserved", "call.sending", "call.failed"]

    def test_a_missing_setting_sends_nothing_and_calls_a_person(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        call = decided(world)
        monkeypatch.delenv("NORTH_STRIPE_API_KEY")
        with vendors() as fake:
            execute(call.pk)
        assert (fake.asked, fresh(call).state, call.error) == ([], "failed", "not_configured")
        assert Handoff.objects.exists()


class TestUnavailable:
    @pytest.mark.parametrize("answer", [away, busy])
    def test_it_is_tried_later_with_the_same_key_and_the_same_bytes(
        self, world: World, answer: object
    ) -> None:
        call = decided(world)
        with vendors() as fake, sources.frozen(sources.now()) as clock:
            fake.refund = answer  # type: ignore[assignment]
            assert execute(call.pk) == "reserved"
            assert fresh(call).not_before > clock.at
            assert execute(call.pk) is None
            fake.refund = fake.made
            wait_for(clock, timedelta(minutes=6))
            assert execute(call.pk) == "succeeded"
        assert (len(fake.keys()), len(fake.bodies())) == (1, 1)
        assert told(call) == [
            "call.reserved", "call.sending", "call.retrying", "call.sending", "call.succeeded",
        ]  # fmt: skip

    def test_the_money_stays_set_aside_meanwhile(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake:
            fake.refund = away
            execute(call.pk)
        assert sums(call) == (call.amount_minor, 0)
        assert LedgerEntry.objects.filter(call=call).count() == 1

    def test_the_vendors_own_wish_is_respected(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake, sources.frozen(sources.now()) as clock:
            fake.refund = busy
            execute(call.pk)
            assert fresh(call).not_before - clock.at >= timedelta(seconds=30)

    def test_a_vendor_that_never_comes_back_is_a_persons(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake, sources.frozen(sources.now()) as clock:
            fake.refund = away
            for _ in range(MOST_ATTEMPTS):
                execute(call.pk)
                wait_for(clock, timedelta(minutes=11))
        assert (fresh(call).state, sums(call)) == ("failed", (0, 0))
        assert Handoff.objects.get().reason == "failed"


class TestFacts:
    """Money that waited for somebody is sent on facts read anew."""

    def test_a_shop_that_can_not_be_read_holds_the_money_back(self, world: World) -> None:
        call = decided(world)
        with vendors() as fake, sources.frozen(sources.now()) as clock:
            clock.advance(timedelta(hours=1))
            assert execute(call.pk) is None
            assert fake.writes() == []
            wait_for(clock, timedelta(minutes=6))
            assert execute(call.pk) == "succeeded"
        assert sums(call) == (0, call.amount_minor)


class TestLost:
    @pytest.mark.parametrize("answer", [lost, html])
    def test_an_answer_that_is_lost_keeps_its_reservation(self, world: World, answer: object) -> None:
        call = decided(world)
        with vendors() as fake:
            fake.refund = answer  # type: ignore[assignment]
            execute(call.pk)
        assert (fresh(call).state, sums(call)) == ("unknown", (call.amount_minor, 0))
        assert (the_case().state, Handoff.objects.exists()) == ("waiting", False)
        assert told(call) == ["call.reserved", "call.sending", "call.unknown"]

    def test_another_amount_in_the_answer_is_no_success(self, world: World) -> None:
        call = decided(world)

        def less(request: object) -> object:
            answer = json.loads(fake.made(request).content) | {"amount": 1}  # type: ignore[arg-type]
            return httpx.Response(200, json=answer)

        with vendors() as fake:
            fake.refund = less  # type: ignore[assignment]
            execute(call.pk)
        assert fresh(call).state == "unknown"


class TestStopped:
    """What is asked again under the lock, right before anything leaves."""

    def stopped_by(self, call: ToolCall) -> str:
        with vendors() as fake:
            execute(call.pk)
            drain(only=["execute"])
        assert fake.writes() == []
        assert (fresh(call).state, sums(call)) == ("cancelled", (0, 0))
        assert told(call)[-1] == "call.cancelled"
        assert Handoff.objects.exists()
        return str(call.error)

    def test_a_kill_switch(self, world: World) -> None:
        call = decided(world)
        factories.make_switch(factories.make_user())
        assert self.stopped_by(call) == "switch.engaged"

    def test_a_flag(self, world: World) -> None:
        call = decided(world)
        factories.make_flag(the_case(), kind="fraud", source="test")
        assert self.stopped_by(call) == "risk.fraud"

    def test_an_angry_message_that_comes_in_the_undo_window(self, world: World) -> None:
        call = decided(world)
        deliver_anger(world)
        assert self.stopped_by(call) == "risk.anger"

    def test_stricter_limits(self, world: World) -> None:
        call = decided(world)
        factories.make_limits(world.shop, "USD", auto_up_to_minor=100, one_approver_up_to_minor=200)
        assert self.stopped_by(call) == "refund.tier.two_factor"

    def test_a_dispute(self, world: World) -> None:
        call = decided(world)
        order = the_case().order
        assert order is not None
        deliver(world.dispute_step(neutral_of(world, order.external_id)))
        assert self.stopped_by(call).startswith("risk.")

    def test_a_refund_that_somebody_made_by_hand_meanwhile(self, world: World) -> None:
        call = decided(world)
        order = the_case().order
        assert order is not None
        neutral = neutral_of(world, order.external_id)
        deliver(world.refund_step(neutral, neutral["total"]))
        assert self.stopped_by(call)


def neutral_of(world: World, external_id: str) -> Neutral:
    return next(order for order in world.stage.orders if str(order["id"]) == external_id)


def deliver_anger(world: World) -> None:
    case = the_case()
    factories.make_flag(case, kind="anger", source="triage.message")


class TestUndo:
    def test_who_undoes_in_time_stops_it(self, world: World) -> None:
        call = decided(world)
        assert execution.cancel(call.pk, reason="undone", after_outcome=lambda call: None)
        with vendors() as fake:
            drain()
        assert fake.writes() == []
        assert (fresh(call).state, sums(call)) == ("cancelled", (0, 0))

    def test_who_undoes_too_late_stops_nothing(self, world: World) -> None:
        call = decided(world)
        with vendors():
            execute(call.pk)
        assert not execution.cancel(call.pk, reason="undone", after_outcome=lambda call: None)
        assert fresh(call).state == "succeeded"


class TestTransactions:
    def test_a_network_call_inside_a_transaction_is_refused(self, world: World) -> None:
        call = decided(world)
        send = TOOLS["issue_refund"].send
        assert send is not None
        with vendors() as fake, transaction.atomic(), pytest.raises(RuntimeError, match="inside a database"):
            send(call)
        assert fake.asked == []


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_eight_workers_send_once(self, world: World) -> None:
        call = decided(world)
        fake = Vendors()

        def work(_number: int) -> str | None:
            with over(fake):
                return execute(call.pk)

        results = at_once(work)
        assert sorted(results, key=str) == [*[None] * (THREADS - 1), "succeeded"]
        assert len(fake.writes()) == 1

    def test_undo_and_sending_at_once_have_one_winner(self, world: World) -> None:
        call = decided(world)
        fake = Vendors()

        def work(number: int) -> object:
            if number % 2:
                return execution.cancel(call.pk, reason="undone", after_outcome=lambda call: None)
            with over(fake):
                return execute(call.pk)

        at_once(work)
        assert len(fake.writes()) == (fresh(call).state == "succeeded")
        assert call.state in ("succeeded", "cancelled")
        assert sums(call)[0] == 0
