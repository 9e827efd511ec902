"""Plants against authority and money: effects that nobody decided, that happen twice, and sums that are wrong."""

from __future__ import annotations

import json

from tests import factories
from tests.invariants.planting import Day, Plant, loosened, run, second_call
from tools.models import ToolCall


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


def approval_of(change: str) -> Plant:
    def plant(day: Day) -> str:
        approval = day.approval
        loosened("approvals_approvalrequest")
        run(f"UPDATE approvals_approvalrequest SET {change} WHERE id = %s", approval.pk)  # noqa: S608
        return f"approval {approval.pk}"

    return plant


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


def line_given_back_elsewhere_too(day: Day) -> str:
    run("UPDATE tools_orderline SET elsewhere_quantity = quantity WHERE id = %s", day.line.pk)
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


def shipping_given_back_elsewhere_too(day: Day) -> str:
    order = shipping_forgotten(day)
    run("UPDATE tools_order SET shipping_refunded_minor = 100 WHERE id = %s", day.payment.order_id)
    run(
        "UPDATE tools_order SET shipping_elsewhere_minor = shipping_minor WHERE id = %s", day.payment.order_id
    )
    return order


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
    "a line gives back no more than was bought and not removed": [
        line_over,
        line_given_back_elsewhere_too,
        line_money_over,
        line_forgotten,
    ],
    "shipping is given back at most once": [
        shipping_over,
        shipping_given_back_elsewhere_too,
        shipping_forgotten,
    ],
    "a payment's sums are those of its ledger": [
        *map(
            sum_differs,
            ("captured_minor", "reserved_minor", "refunded_minor", "elsewhere_minor", "disputed_minor"),
        ),
        entry_of_money_gone,
    ],
    "an approval signs its decision's effect": [
        approval_of("effect_hash = repeat('a', 64)"),
        approval_of("effect_hash = 'none'"),
        approval_of("amount_minor = amount_minor + 1"),
        approval_of("currency = 'EUR'"),
        approval_of("tier = 'two_factor'"),
    ],
}
