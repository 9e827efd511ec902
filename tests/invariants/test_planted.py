"""Each invariant finds what a test plants behind the program's back, and names the row."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from django.db import transaction

from cases.invariants import INVARIANTS, violations
from cases.models import Case
from tests import factories
from tests.flow.vendors import Vendors
from tests.flow.world import World
from tests.invariants.planting import Day, broken, loosened, run
from tools.models import StockReading, ToolCall
from tools.suppliers.feeds import import_csv

pytestmark = pytest.mark.django_db

Plant = Callable[[Day], str]


@pytest.fixture
def day(world: World, fake: Vendors) -> Day:
    played = Day(world)
    played.play()
    return played


def second_call(day: Day, **changes: object) -> ToolCall:
    """The same refund once more, as no code of ours would store it."""
    loosened("tools_toolcall")
    call = ToolCall.objects.get(pk=day.call.pk)
    call.pk, call.idempotency_key, call.position = None, uuid.uuid4(), 7
    for name, value in changes.items():
        setattr(call, name, value)
    call.save(force_insert=True)
    return call


def paid_twice(day: Day) -> str:
    second_call(day)
    return f"decision {day.decision.pk}"


def reserved_twice(day: Day) -> str:
    second_call(day, state="reserved")
    return f"decision {day.decision.pk}"


def sent_twice(day: Day) -> str:
    message = ToolCall.objects.get(message__isnull=False)
    second_call(day, message_id=message.message_id, payment=None, amount_minor=0)
    return f"message {message.message_id}"


def step_twice(day: Day) -> str:
    second_call(day, position=0, state="failed")
    return f"decision {day.decision.pk}"


def claimed_twice(day: Day) -> str:
    other = factories.make_decision(day.case)
    second_call(day, decision=other)
    return f"refund {day.call.vendor_ref}"


def sent_before_decided(day: Day) -> str:
    run(
        "UPDATE tools_toolcall SET first_sent_at = first_sent_at - interval '1 day' WHERE id = %s",
        day.call.pk,
    )
    return f"call {day.call.pk}"


def stored_before_decided(day: Day) -> str:
    run("UPDATE tools_toolcall SET created_at = created_at - interval '1 day' WHERE id = %s", day.call.pk)
    return f"call {day.call.pk}"


def sent_unsigned(day: Day) -> str:
    call = second_call(day, decision=day.approval.decision, case_id=day.approval.case_id)
    return f"call {call.pk}"


def sent_though_denied(day: Day) -> str:
    loosened("approvals_decision")
    run("UPDATE approvals_decision SET outcome = 'deny' WHERE id = %s", day.decision.pk)
    return f"call {day.call.pk}"


def unjudged(day: Day) -> str:
    loosened("approvals_decision")
    run("UPDATE approvals_decision SET outcome = '' WHERE id = %s", day.decision.pk)
    return f"decision {day.decision.pk}"


def judged_by_no_rule(day: Day) -> str:
    loosened("approvals_decision")
    run("UPDATE approvals_decision SET values = '[]' WHERE id = %s", day.decision.pk)
    return f"decision {day.decision.pk}"


def more_than_captured(day: Day) -> str:
    loosened("tools_payment")
    run("UPDATE tools_payment SET captured_minor = refunded_minor - 1 WHERE id = %s", day.payment.pk)
    return f"payment {day.payment.pk}"


def calls_beyond_the_capture(day: Day) -> str:
    second_call(day, state="unknown", amount_minor=day.payment.captured_minor)
    return f"payment {day.payment.pk}"


def over_with_nobody(day: Day) -> str:
    run(
        "UPDATE tools_payment SET elsewhere_minor = captured_minor WHERE id = %s",
        day.payment.pk,
    )
    return f"payment {day.payment.pk}"


def line_over(day: Day) -> str:
    loosened("tools_orderline")
    run("UPDATE tools_orderline SET removed_quantity = quantity WHERE id = %s", day.line.pk)
    return f"order line {day.line.pk}"


def line_money_over(day: Day) -> str:
    loosened("tools_orderline")
    run("UPDATE tools_orderline SET refunded_minor = total_minor + 1 WHERE id = %s", day.line.pk)
    return f"order line {day.line.pk}"


def line_forgotten(day: Day) -> str:
    line = day.line
    run("UPDATE tools_orderline SET refunded_quantity = 0, refunded_minor = 0 WHERE id = %s", line.pk)
    return f"order line {line.pk}"


def shipping_over(day: Day) -> str:
    loosened("tools_order")
    run(
        "UPDATE tools_order SET shipping_refunded_minor = shipping_minor + 1 WHERE id = %s",
        day.payment.order_id,
    )
    return f"order {day.payment.order_id}"


def shipping_forgotten(day: Day) -> str:
    loosened("tools_toolcall")
    body = {**json.loads(day.call.request), "shipping_minor": 100}
    run("UPDATE tools_toolcall SET request = %s WHERE id = %s", json.dumps(body), day.call.pk)
    return f"order {day.payment.order_id}"


def sum_differs(column: str) -> Plant:
    def plant(day: Day) -> str:
        loosened("tools_payment")
        run(f"UPDATE tools_payment SET {column} = {column} + 1 WHERE id = %s", day.payment.pk)  # noqa: S608
        return f"payment {day.payment.pk}"

    return plant


def entry_of_money_gone(day: Day) -> str:
    loosened("tools_ledgerentry")
    run("DELETE FROM tools_ledgerentry WHERE call_id = %s AND kind = 'refunded'", day.call.pk)
    return f"payment {day.payment.pk}"


def case_becomes(change: str) -> Callable[[Day], Case]:
    def plant(day: Day) -> Case:
        loosened("cases_case")
        run(f"UPDATE cases_case SET {change} WHERE id = %s", day.case.pk)  # noqa: S608
        return day.case

    return plant


def event_in(change: str) -> Plant:
    return lambda day: (case_becomes(change)(day), f"event {day.event.pk}")[1]


def case_in(change: str) -> Plant:
    return lambda day: f"case {case_becomes(change)(day).pk}"


def event_is(state: str) -> Plant:
    def plant(day: Day) -> str:
        loosened("cases_inboundevent")
        event = day.event
        run("UPDATE cases_inboundevent SET state = %s, case_id = NULL WHERE id = %s", state, event.pk)
        return f"event {event.pk}"

    return plant


def asked_in_a_case_that_went_on(day: Day) -> str:
    run("UPDATE cases_case SET state = 'open', due_at = now() WHERE id = %s", day.approval.case_id)
    return f"approval {day.approval.pk}"


def called_in_a_case_that_went_on(day: Day) -> str:
    run("UPDATE cases_case SET state = 'open', due_at = now() WHERE id = %s", day.handoff.case_id)
    return f"hand-off {day.handoff.pk}"


def sent_by_nobody(day: Day) -> str:
    run("UPDATE tools_toolcall SET state = 'sending', lease_until = NULL WHERE id = %s", day.call.pk)
    return f"call {day.call.pk}"


def behind_a_failed_step(day: Day) -> str:
    later = ToolCall.objects.get(decision=day.decision, position=day.call.position + 1)
    run("UPDATE tools_toolcall SET state = 'failed' WHERE id = %s", day.call.pk)
    run("UPDATE tools_toolcall SET state = 'reserved' WHERE id = %s", later.pk)
    return f"call {later.pk}"


def by_hand_without_a_task(day: Day) -> str:
    loosened("tools_toolcall")
    run("UPDATE tools_toolcall SET state = 'pending', vendor = 'manual' WHERE id = %s", day.call.pk)
    return f"call {day.call.pk}"


def task_of_an_ended_call(day: Day) -> str:
    task = factories.make_payment_task(day.world.shop)
    run("UPDATE tools_toolcall SET state = 'succeeded' WHERE id = %s", task.call_id)
    return f"payment task {task.pk}"


def queued_for_ever(day: Day) -> str:
    run("UPDATE cases_message SET state = 'queued' WHERE id = %s", day.message.pk)
    return f"message {day.message.pk}"


def reading_never_due(day: Day) -> str:
    at = factories.now()
    row = StockReading.objects.create(
        shop=day.world.shop,
        inventory_item="77",
        news_at=at,
        asked_at=at,
        due_at=at,
        correlation_id=uuid.uuid4(),
    )
    loosened("tools_stockreading")
    run("ALTER TABLE tools_stockreading ALTER COLUMN due_at DROP NOT NULL")
    run("UPDATE tools_stockreading SET due_at = NULL WHERE id = %s", row.pk)
    return f"stock reading {row.pk}"


def rows_of_a_feed_lost(day: Day) -> str:
    feed = import_csv(day.world.shop.pk, "Nordic Gear", b"sku,available\nTENT-1,4\nTENT-2,x\n")
    run("UPDATE tools_feedrun SET rows = 3 WHERE id = %s", feed.pk)
    return f"feed run {feed.pk}"


def entry_gone(action: str) -> Plant:
    def plant(day: Day) -> str:
        entry = day.entry(action)
        loosened("audit_entry")
        run("DELETE FROM audit_entry WHERE id = %s", entry.pk)
        return f"{WORDS[entry.subject_type]} {entry.subject_id}"

    return plant


def entry_twice(action: str) -> Plant:
    def plant(day: Day) -> str:
        entry = day.entry(action)
        loosened("audit_entry")
        run(
            "INSERT INTO audit_entry (stream, seq, prev_hash, hash, at, action, actor_kind, actor_id, shop_id,"
            " subject_type, subject_id, correlation_id, body) SELECT stream, seq + 1000, prev_hash, hash, at, action,"
            " actor_kind, actor_id, shop_id, subject_type, subject_id, correlation_id, body FROM audit_entry"
            " WHERE id = %s",
            entry.pk,
        )
        return f"{WORDS[entry.subject_type]} {entry.subject_id}"

    return plant


WORDS = {
    "tools.toolcall": "call",
    "approvals.decision": "decision",
    "approvals.approvalrequest": "approval",
    "cases.handoff": "hand-off",
    "cases.case": "case",
    "cases.inboundevent": "event",
}


def and_approval(plant: Plant) -> Plant:
    return lambda day: (day.approval, plant(day))[1]


def and_handoff(plant: Plant) -> Plant:
    return lambda day: (day.handoff, plant(day))[1]


def row_gone(day: Day) -> str:
    handoff = day.handoff
    run("DELETE FROM cases_handoff WHERE id = %s", handoff.pk)
    return f"hand-off {handoff.pk}"


def edited(change: str) -> Plant:
    def plant(day: Day) -> str:
        entry = day.entry("call.succeeded")
        loosened("audit_entry")
        run(f"UPDATE audit_entry SET {change} WHERE id = %s", entry.pk)  # noqa: S608
        return f"{entry.stream} #{entry.seq}"

    return plant


def follower_of_a_deleted_entry(day: Day) -> str:
    entry = day.entry("call.reserved")
    loosened("audit_entry")
    run("DELETE FROM audit_entry WHERE id = %s", entry.pk)
    return f"{entry.stream} #{entry.seq + 1}"


def last_entry_gone(day: Day) -> str:
    stream = f"case/{day.case.pk}"
    loosened("audit_entry")
    run("DELETE FROM audit_entry WHERE id = (SELECT max(id) FROM audit_entry WHERE stream = %s)", stream)
    return stream


def head_gone(day: Day) -> str:
    entry = day.entry("call.succeeded")
    loosened("audit_streamhead")
    run("DELETE FROM audit_streamhead WHERE stream = %s", entry.stream)
    return f"{entry.stream} #{entry.seq}"


def head_behind(day: Day) -> str:
    entry = day.entry("case.closed")
    loosened("audit_streamhead")
    run("UPDATE audit_streamhead SET seq = 1 WHERE stream = %s", entry.stream)
    return f"{entry.stream} #{entry.seq}"


PLANTS: dict[str, list[Plant]] = {
    "a decision pays at most once": [paid_twice, reserved_twice],
    "a message is sent at most once": [sent_twice],
    "a decision has one call per step": [step_twice],
    "a vendor's refund belongs to one call": [claimed_twice],
    "no effect is older than its decision": [sent_before_decided, stored_before_decided],
    "no effect without a verdict that allows it": [sent_unsigned, sent_though_denied],
    "no decision without a verdict": [unjudged, judged_by_no_rule],
    "our refunds never exceed the capture": [more_than_captured, calls_beyond_the_capture],
    "what was refunded here and elsewhere stays within the capture, or stands before a person": [
        over_with_nobody
    ],
    "a line gives back no more than was bought and not removed": [line_over, line_money_over, line_forgotten],
    "shipping is given back at most once": [shipping_over, shipping_forgotten],
    "a payment's sums are those of its ledger": [
        *map(
            sum_differs,
            ("captured_minor", "reserved_minor", "refunded_minor", "elsewhere_minor", "disputed_minor"),
        ),
        entry_of_money_gone,
    ],
    "every accepted event has a place": [
        event_in("state = 'open', due_at = NULL"),
        event_in("state = 'open', due_at = now(), human_only = true"),
        event_in("state = 'waiting', wait_reason = 'customer', wake_at = NULL"),
        event_in("state = 'approval'"),
        event_in("state = 'handoff'"),
        event_in("closed_at = NULL"),
        event_is("case"),
        event_is("dead"),
        event_is("lost"),
    ],
    "an open case has its turn coming": [
        case_in("state = 'open', due_at = NULL"),
        case_in("state = 'open', due_at = now(), human_only = true"),
    ],
    "a case that waits has a reason and a date": [
        case_in("state = 'waiting', wait_reason = 'customer', wake_at = NULL"),
        case_in("state = 'waiting', wait_reason = '', wake_at = now()"),
    ],
    "a case that waits for approval has its request": [case_in("state = 'approval'")],
    "a case with a person has its hand-off": [case_in("state = 'handoff'")],
    "what waits for a signature belongs to a case that waits for approval": [asked_in_a_case_that_went_on],
    "what a person has to finish belongs to a case with a person": [called_in_a_case_that_went_on],
    "an open call has its next look coming": [sent_by_nobody, behind_a_failed_step, by_hand_without_a_task],
    "a payment task and its call tell the same": [task_of_an_ended_call],
    "a queued message has a call that sends it": [queued_for_ever],
    "a stock reading is due or given up with its reason": [reading_never_due],
    "a feed accounts for each of its rows": [rows_of_a_feed_lost],
    "each change of state is told once": [
        *(
            plant(action)
            for plant in (entry_gone, entry_twice)
            for action in (
                *("call.reserved", "call.sending", "call.succeeded", "decision.made", "case.opened"),
                *("case.closed", "event.absorbed"),
            )
        ),
        and_approval(entry_gone("approval.requested")),
        and_approval(entry_twice("approval.requested")),
        and_handoff(entry_gone("handoff.opened")),
        and_handoff(entry_twice("handoff.opened")),
    ],
    "each entry tells of a row that is there": [row_gone],
    "the audit chain holds": [
        edited("body = replace(body, 'call.succeeded', 'call.failed')"),
        edited("hash = repeat('a', 64)"),
        edited("prev_hash = repeat('a', 64)"),
        edited("action = 'call.failed'"),
        edited("subject_id = '0'"),
        edited("at = at + interval '1 microsecond'"),
        follower_of_a_deleted_entry,
        last_entry_gone,
        head_gone,
        head_behind,
    ],
}


def test_every_invariant_is_planted_against() -> None:
    assert set(PLANTS) == set(INVARIANTS)


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_is_named(day: Day, name: str) -> None:
    assert violations() == []
    for number, plant in enumerate(PLANTS[name]):
        with transaction.atomic():
            row = plant(Day(day.world))
            assert row in broken(name), number
            # The next one is planted into the day as it was.
            transaction.set_rollback(True)
