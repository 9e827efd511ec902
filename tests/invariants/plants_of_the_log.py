"""Plants against the log: told never or twice, told of nothing, or changed after it was told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from approvals.models import Reversal
from audit.actors import SYSTEM
from audit.services import record
from audit.sources import random_id
from cases.models import Cancellation, Message
from tests import factories
from tests.invariants.planting import Day, Plant, broken, loosened, run
from tools.models import Drift


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
    "cases.message": "message",
    "cases.paymenttask": "payment task",
    "approvals.limitversion": "limits",
}


def and_approval(plant: Plant) -> Plant:
    return lambda day: (day.approval, plant(day))[1]


def and_handoff(plant: Plant) -> Plant:
    return lambda day: (day.handoff, plant(day))[1]


def untold(make: Callable[[Day], Any], word: str) -> Plant:
    """A row that came about behind the program's back."""
    return lambda day: f"{word} {make(day).pk}"


def switch(day: Day) -> Any:
    return factories.make_switch(factories.make_user())


def released(day: Day) -> str:
    row = switch(day)
    told: dict[str, Any] = {"by": SYSTEM, "stream": "staff", "shop_id": None, "correlation_id": random_id()}
    record("switch.engaged", subject=row, **told)
    assert f"kill switch {row.pk}" not in broken("each change of state is told once")
    run(
        "UPDATE approvals_killswitch SET released_at = now(), released_by_id = engaged_by_id WHERE id = %s",
        row.pk,
    )
    return f"kill switch {row.pk}"


def drift(day: Day) -> Any:
    at = factories.now()
    facts = {"vendor": "stripe", "operation": "refunds.list", "field_path": "x", "finding": "missing"}
    return Drift.objects.create(shop=day.world.shop, first_seen_at=at, last_seen_at=at, **facts)


def reversal(day: Day) -> Any:
    facts = {"by": factories.make_user(), "reason": "It was fine.", "at": factories.now()}
    return Reversal.objects.create(shop=day.world.shop, decision=day.decision, **facts)


def cancellation(day: Day) -> Any:
    facts = {"asked_by": factories.make_user(), "asked_at": factories.now()}
    return Cancellation.objects.create(shop=day.world.shop, case=day.case, **facts)


def note(day: Day) -> Any:
    facts = {"direction": "note", "state": "kept", "text": "Call them.", "at": factories.now()}
    return Message.objects.create(shop=day.world.shop, case=day.case, **facts)


def and_task(plant: Plant) -> Plant:
    return lambda day: (factories.make_payment_task(day.world.shop), plant(day))[1]


def told_of_nobody(day: Day) -> str:
    entry = day.entry("call.succeeded")
    loosened("audit_entry")
    run("UPDATE audit_entry SET subject_id = 'nobody' WHERE id = %s", entry.pk)
    return "call nobody"


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
        and_task(entry_gone("payment_task.opened")),
        *(
            plant(action)
            for plant in (entry_gone, entry_twice)
            for action in ("message.received", "limits.published")
        ),
        untold(switch, "kill switch"),
        released,
        untold(drift, "drift"),
        untold(reversal, "reversal"),
        untold(note, "message"),
        untold(cancellation, "cancellation"),
    ],
    "each entry tells of a row that is there": [row_gone, told_of_nobody],
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
