"""Plants against places: what was accepted, and then nobody has it."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from cases.models import Case
from tests import factories
from tests.invariants.planting import Day, Plant, loosened, run
from tools.models import StockReading, ToolCall
from tools.suppliers.feeds import import_csv


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


PLANTS: dict[str, list[Plant]] = {
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
    "a queued message has a call that sends it": [queued_for_ever],
    "a stock reading is due or given up with its reason": [reading_never_due],
    "a feed accounts for each of its rows": [rows_of_a_feed_lost],
}
