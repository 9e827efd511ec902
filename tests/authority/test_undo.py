"""The undo window: until the first byte leaves a person may say stop, and exactly one of both wins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from django.db import transaction

from approvals.errors import AlreadyDecided, NotPermitted
from audit import sources
from audit.actors import TRIAGE
from audit.models import Entry
from cases import following, services, tasks
from cases.handoff import hand_off, raise_flags
from cases.models import Case, Handoff, Message, Shop
from tests import factories
from tests.adapters.faking import Vendor
from tests.authority.rows import acting, decide_refund, failures, refundable_case, refunded, together
from tests.flow.world import drain
from tools import execution, wire
from tools.models import LedgerEntry, OrderLine, Payment, ToolCall

WINDOW = timedelta(minutes=10)


def small_refund(shop: Shop, undo: timedelta = WINDOW) -> ToolCall:
    case = refundable_case(shop=shop)
    call = decide_refund(case, undo=undo).calls[0]
    Case.objects.filter(pk=case.pk).update(
        state="waiting", wait_reason="effect", wake_at=factories.now() + timedelta(hours=1)
    )
    return call


@pytest.mark.django_db
def test_undo_sends_nothing_and_gives_the_money_and_the_goods_back(north: Shop, vendor: Vendor) -> None:
    call = small_refund(north)
    assert services.undo(call.pk, by=acting(north, "agent")).state == "cancelled"
    with sources.frozen(factories.now() + WINDOW * 2):
        assert {tasks.execute(one.pk) for one in ToolCall.objects.all()} == {None}
    assert vendor.asked == []
    payment, line = Payment.objects.get(), OrderLine.objects.get()
    assert (payment.reserved_minor, payment.refundable.amount_minor) == (0, 1500)
    assert (line.refunded_quantity, line.refunded_minor) == (0, 0)
    assert sum(LedgerEntry.objects.exclude(kind="captured").values_list("amount_minor", flat=True)) == 0


@pytest.mark.django_db
def test_an_undone_case_comes_to_a_person_and_its_message_never_leaves(north: Shop) -> None:
    call = small_refund(north)
    services.undo(call.pk, by=acting(north, "agent"))
    row = Handoff.objects.get()
    assert (row.reason, row.detail, row.decision_id) == ("failed", "undone", call.decision_id)
    assert set(ToolCall.objects.values_list("state", flat=True)) == {"cancelled"}
    assert not Message.objects.filter(direction="out", state="queued", template__key="refund_done").exists()
    assert Entry.objects.filter(action="case.undone").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["viewer", "limit author", "auditor", "admin"])
def test_no_other_role_undoes(north: Shop, role: str) -> None:
    call = small_refund(north)
    with pytest.raises(NotPermitted):
        services.undo(call.pk, by=acting(north, role))
    call.refresh_from_db()
    assert call.state == "reserved"


@pytest.mark.django_db
def test_a_colleague_of_another_shop_undoes_nothing(north: Shop) -> None:
    with pytest.raises(NotPermitted):
        services.undo(small_refund(north).pk, by=acting(factories.make_shop(), "agent"))


@pytest.mark.django_db
def test_what_was_undone_or_sent_is_not_undone_again(north: Shop, vendor: Vendor) -> None:
    undone, sent = small_refund(north), small_refund(north, undo=timedelta(0))
    services.undo(undone.pk, by=acting(north, "agent"))
    tasks.execute(sent.pk)
    for call in (undone, sent):
        with pytest.raises(AlreadyDecided):
            services.undo(call.pk, by=acting(north, "agent"))
    assert LedgerEntry.objects.filter(kind="released").count() == 1


@pytest.mark.django_db
def test_what_was_begun_once_is_not_undone_while_it_waits_to_be_tried_again(north: Shop) -> None:
    call = small_refund(north, undo=timedelta(0))
    busy = Vendor(httpx.Response(429))
    with wire.transport_override(busy.transport):
        assert tasks.execute(call.pk) == "reserved"
    with pytest.raises(AlreadyDecided):
        services.undo(call.pk, by=acting(north, "agent"))


def taken_back() -> set[tuple[str, str]]:
    """What became of all steps of the refund once the task has run, before its time has come."""
    drain(only=["take_back"])
    return set(ToolCall.objects.filter(decision__by_kind="agent").values_list("state", "error"))


@pytest.mark.django_db
def test_a_reply_by_a_person_takes_the_refund_and_its_message_back(north: Shop, vendor: Vendor) -> None:
    call = small_refund(north)
    services.reply(call.case_id, text="Let me look first.", by=acting(north, "agent"))
    assert taken_back() == {("cancelled", "case.taken_over"), ("cancelled", "step_before_failed")}
    assert ToolCall.objects.filter(decision=call.decision).count() == 3
    with sources.frozen(factories.now() + WINDOW * 2):
        assert {tasks.execute(one.pk) for one in call.decision.calls.all()} == {None}
    assert (vendor.asked, Payment.objects.get().reserved_minor) == ([], 0)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["fraud", "dispute", "legal", "distress", "anger"])
def test_a_risk_flag_takes_it_back_too(north: Shop, vendor: Vendor, kind: str) -> None:
    call = small_refund(north)
    with transaction.atomic():
        raise_flags(call.case, (kind,), source="test", by=TRIAGE)
        hand_off(call.case, Handoff.Reason(kind), by=TRIAGE)
    assert taken_back() == {("cancelled", f"risk.{kind}"), ("cancelled", "step_before_failed")}
    assert (vendor.asked, Payment.objects.get().reserved_minor) == ([], 0)


@pytest.mark.django_db
def test_a_person_who_is_only_called_takes_nothing_back(north: Shop) -> None:
    call = small_refund(north)
    with transaction.atomic():
        hand_off(call.case, Handoff.Reason.STUCK, by=TRIAGE)
    assert taken_back() == {("reserved", "")}


def race_of_undo_and_release(north: Shop) -> tuple[str, int]:
    """Four undo it and four send it; how it ended, and how often the vendor was asked for it."""
    call = small_refund(north, undo=timedelta(0))
    by = acting(north, "agent")
    wires = [Vendor(refunded) for _ in range(4)]

    def release(fake: Vendor) -> Callable[[], object]:
        def run() -> object:
            with wire.transport_override(fake.transport):
                return tasks.execute(call.pk)

        return run

    undoers = [lambda: services.undo(call.pk, by=by)] * 4
    ended = together(*undoers, *[release(fake) for fake in wires])
    call.refresh_from_db()
    sent = sum(len(fake.asked) for fake in wires)
    assert failures(ended) == ["AlreadyDecided"] * (4 if sent else 3)
    payment = Payment.objects.get(calls=call)
    assert (payment.reserved_minor, payment.refunded_minor) == (0, 1500 * sent)
    steps = set(call.decision.calls.filter(position__gt=0).values_list("state", flat=True))
    assert steps == ({"reserved"} if sent else {"cancelled"})
    return call.state, sent


@pytest.mark.django_db(transaction=True)
def test_undo_and_release_at_once_are_one_of_both(north: Shop) -> None:
    assert {race_of_undo_and_release(north) for _ in range(10)} <= {("succeeded", 1), ("cancelled", 0)}


@pytest.mark.nightly
@pytest.mark.timeout(900)
@pytest.mark.django_db(transaction=True)
def test_undo_and_release_at_once_are_one_of_both_200_times(north: Shop) -> None:
    assert {race_of_undo_and_release(north) for _ in range(200)} == {("succeeded", 1), ("cancelled", 0)}


@pytest.mark.django_db(transaction=True)
def test_eight_colleagues_undo_once(north: Shop) -> None:
    call = small_refund(north)
    by = acting(north, "agent")
    ended = together(*[lambda: services.undo(call.pk, by=by)] * 8)
    assert failures(ended) == ["AlreadyDecided"] * 7
    assert LedgerEntry.objects.filter(kind="released").count() == 1
    assert Handoff.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_undo_and_a_letter_do_not_lock_each_other(north: Shop) -> None:
    """An audit entry holds its case's stream, so it is written after the case's lock was taken."""
    call = small_refund(north)
    met = threading.Barrier(2)

    def stop() -> bool:
        return execution.cancel(call.pk, reason="undone", after_outcome=follow)

    def follow(ended: ToolCall) -> None:
        if ended.position == 0:
            met.wait(10)
        following.after_outcome(ended)

    def write() -> None:
        with transaction.atomic():
            case = Case.objects.select_for_update(of=("self",)).get(pk=call.case_id)
            met.wait(10)
            hand_off(case, Handoff.Reason.ANGER, by=TRIAGE)

    assert failures(together(stop, write)) == []
    assert Handoff.objects.get().reason == "anger"


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_not_lost_to_somebody_who_looks_at_the_call_just_then(north: Shop) -> None:
    call = small_refund(north, undo=timedelta(0))
    looking = threading.Event()

    def look() -> None:
        with transaction.atomic():
            ToolCall.objects.select_for_update().get(pk=call.pk)
            looking.set()
            time.sleep(0.3)

    def answer(request: httpx.Request) -> httpx.Response:
        threading.Thread(target=together, args=[look], daemon=True).start()
        assert looking.wait(10)
        return refunded(request)

    with wire.transport_override(httpx.MockTransport(answer)):
        assert tasks.execute(call.pk) == "succeeded"
