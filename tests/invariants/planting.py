"""How a test breaks an invariant: by SQL behind the program's back, with what stands in the way taken out first."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db import connection
from psycopg import sql

from approvals.models import ApprovalRequest, Decision
from audit.models import Entry
from cases.invariants import INVARIANTS
from cases.invariants.base import Scope, Violation
from cases.models import Case, Handoff, InboundEvent, Message
from cases.planner.protocol import Proposal
from tests.flow.turns import damaged, planner, refund, scripted_shop
from tests.flow.world import World, drain
from tools.models import Order, OrderLine, Payment, ToolCall

GUARDS = """
    SELECT conname, true FROM pg_constraint
    WHERE conrelid = %(table)s::regclass AND contype IN ('c', 'u')
    UNION ALL
    SELECT c.relname, false FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = %(table)s::regclass AND i.indisunique AND NOT i.indisprimary
      AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""


def run(statement: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)


def loosened(*tables: str) -> None:
    """Take checks, unique constraints and triggers off these tables; the test's rollback brings them back."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            name = sql.Identifier(table)
            cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(name))
            cursor.execute(GUARDS, {"table": table})
            for guard, is_constraint in cursor.fetchall():
                drop = (
                    "ALTER TABLE {table} DROP CONSTRAINT {guard}" if is_constraint else "DROP INDEX {guard}"
                )
                cursor.execute(sql.SQL(drop).format(table=name, guard=sql.Identifier(guard)))


def broken(name: str, **scope: Any) -> list[str]:
    """The rows that break one invariant."""
    return [row.row for row in found(name, **scope)]


def found(name: str, **scope: Any) -> list[Violation]:
    return INVARIANTS[name].violations(Scope(**scope))


def second_call(day: Day, **changes: object) -> ToolCall:
    """The same refund once more, as no code of ours would store it."""
    loosened("tools_toolcall")
    call = ToolCall.objects.get(pk=day.call.pk)
    call.pk, call.idempotency_key, call.position = None, uuid.uuid4(), 7
    for name, value in changes.items():
        setattr(call, name, value)
    call.save(force_insert=True)
    return call


@dataclass
class Day:
    """A customer's broken tent, refunded and told of by the agent alone; more happens where a plant needs it."""

    world: World

    def play(self) -> None:
        """The first case, from the customer's letter to its end."""
        scripted_shop(self.world)
        self.refunded("small")

    def refunded(self, size: str) -> Order:
        """A customer's letter about a broken thing of this size, and all that follows by itself."""
        order = damaged(self.world, item=self.world.item(size))
        with planner(refund(order)):
            drain()
        return order

    @cached_property
    def call(self) -> ToolCall:
        """The refund that was paid."""
        return ToolCall.objects.select_related("decision", "payment").get(
            tool="issue_refund", state="succeeded"
        )

    @property
    def case(self) -> Case:
        return Case.objects.get(pk=self.call.case_id)

    @property
    def payment(self) -> Payment:
        assert self.call.payment is not None
        return Payment.objects.select_related("order").get(pk=self.call.payment.pk)

    @property
    def line(self) -> OrderLine:
        return OrderLine.objects.get(order=self.payment.order_id, refunded_quantity__gt=0)

    @property
    def decision(self) -> Decision:
        return self.call.decision

    @property
    def event(self) -> InboundEvent:
        """The customer's letter."""
        return InboundEvent.objects.get(case=self.case)

    @property
    def message(self) -> Message:
        return Message.objects.get(case=self.case, direction="out")

    @cached_property
    def approval(self) -> ApprovalRequest:
        """A larger refund of another customer, which waits for a signature."""
        return ApprovalRequest.objects.get(case__order=self.refunded("mid"))

    @cached_property
    def handoff(self) -> Handoff:
        """Another customer's case that was given to people."""
        order = damaged(self.world)
        with planner(Proposal(tool="escalate", arguments={"reason": "unclear"}, note="Who knows.")):
            drain()
        return Handoff.objects.get(case__order=order)

    def entry(self, action: str, subject: str = "") -> Entry:
        """The log's last word of this."""
        rows = Entry.objects.filter(action=action, **({"subject_id": subject} if subject else {}))
        return rows.latest("id")


# What it plants, and the row that has to be named.
Plant = Callable[[Day], str]
