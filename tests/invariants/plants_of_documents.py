"""Plants against documents and ticks: refunds without their credit note, numbers with gaps, two payments by hand."""

from __future__ import annotations

from typing import Any

from audit.actors import SYSTEM
from audit.services import record
from audit.sources import random_id
from cases.models import PaymentTask
from tests import factories
from tests.invariants.planting import Day, Plant, loosened, run
from tools.models import CreditNote


def note(day: Day) -> CreditNote:
    """The document of the day's refund, which anything may now be done to."""
    found = CreditNote.objects.get(decision=day.decision)
    loosened("tools_creditnote")
    return found


def note_gone(day: Day) -> str:
    run("DELETE FROM tools_creditnote WHERE id = %s", note(day).pk)
    return f"decision {day.decision.pk}"


def never_asked_for(day: Day) -> str:
    note_gone(day)
    loosened("tools_toolcall")
    run(
        "UPDATE tools_toolcall SET tool = 'close_case' WHERE tool = 'issue_credit_note' AND decision_id = %s",
        day.decision.pk,
    )
    return f"decision {day.decision.pk}"


def note_doubled(day: Day) -> str:
    again = note(day)
    again.pk, again.call, again.sequence, again.number = None, None, again.sequence + 1, "again"
    again.save(force_insert=True)
    return f"decision {day.decision.pk}"


def money_came_back(day: Day) -> str:
    run("UPDATE tools_toolcall SET state = 'failed_later' WHERE id = %s", day.call.pk)
    return f"decision {day.decision.pk}"


def other_amount(day: Day) -> str:
    run("UPDATE tools_creditnote SET gross_minor = gross_minor + 1 WHERE id = %s", note(day).pk)
    return f"decision {day.decision.pk}"


def note_becomes(change: str) -> Plant:
    def plant(day: Day) -> str:
        row = note(day)
        run(f"UPDATE tools_creditnote SET {change} WHERE id = %s", row.pk)  # noqa: S608
        return f"credit note {row.pk}"

    return plant


def counter_is(change: str) -> Plant:
    def plant(day: Day) -> str:
        loosened("tools_creditnotecounter")
        run(f"UPDATE tools_creditnotecounter SET last = last {change}")  # noqa: S608
        return f"legal entity {day.world.shop.legal_entity_id}"

    return plant


def task(day: Day) -> PaymentTask:
    return factories.make_payment_task(day.world.shop)


def call_of_task(change: str) -> Plant:
    def plant(day: Day) -> str:
        row = task(day)
        loosened("tools_toolcall")
        run(f"UPDATE tools_toolcall SET {change} WHERE id = %s", row.call_id)  # noqa: S608
        return f"payment task {row.pk}"

    return plant


def paid_by_no_person(day: Day) -> str:
    row = task(day)
    run("UPDATE tools_toolcall SET state = 'succeeded', settled_by = 'webhook' WHERE id = %s", row.call_id)
    loosened("cases_paymenttask")
    run("UPDATE cases_paymenttask SET state = 'paid' WHERE id = %s", row.pk)
    return f"payment task {row.pk}"


def ticked_twice(day: Day) -> str:
    row = task(day)
    told: dict[str, Any] = {
        "stream": f"case/{row.case_id}",
        "shop_id": row.shop_id,
        "correlation_id": random_id(),
    }
    for action in ("payment_task.paid", "payment_task.dropped"):
        record(action, by=SYSTEM, subject=row, **told)
    return f"payment task {row.pk}"


def booked_twice(day: Day) -> str:
    row = task(day)
    loosened("tools_ledgerentry")
    for _time in range(2):
        run(
            "INSERT INTO tools_ledgerentry (shop_id, payment_id, call_id, kind, amount_minor, currency, vendor_ref, at)"
            " SELECT shop_id, payment_id, id, 'refunded', amount_minor, currency, '', now() FROM tools_toolcall"
            " WHERE id = %s",
            row.call_id,
        )
    return f"payment task {row.pk}"


def entry_of_note_gone(day: Day) -> str:
    row = note(day)
    loosened("audit_entry")
    run("DELETE FROM audit_entry WHERE action = 'credit_note.issued' AND subject_id = %s", str(row.pk))
    return f"credit note {row.pk}"


PLANTS: dict[str, list[Plant]] = {
    "a refund has one document that says its amount, or stands before a person": [
        note_gone,
        never_asked_for,
        note_doubled,
        money_came_back,
        other_amount,
    ],
    "a credit note says what was issued": [
        note_becomes("content = content || ' '"),
        note_becomes("sha256 = repeat('a', 64)"),
        note_becomes("number = number || '0'"),
        note_becomes("gross_minor = gross_minor + 1, net_minor = net_minor + 1"),
        note_becomes("tax_minor = tax_minor + 1"),
    ],
    "credit notes are numbered without a gap": [
        note_becomes("sequence = sequence + 1"),
        counter_is("+ 1"),
        counter_is("- 1"),
    ],
    "a payment task and its call tell the same": [
        call_of_task("state = 'succeeded'"),
        call_of_task("amount_minor = amount_minor + 1"),
        call_of_task("currency = 'JPY'"),
        paid_by_no_person,
    ],
    "a payment task is ticked at most once": [ticked_twice, booked_twice],
    "each change of state is told once": [entry_of_note_gone],
}
