"""The one shape of every call: may it go, send, read, and notice what has changed.

read-only? ─▶ wire.send (budget, circuit, retries) ─▶ strict model ─▶ our words
                                                  └─▶ drift: recorded, then raised (a write: OutcomeUnknown)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from tools import pacing, upstreams, wire
from tools.adapters.replies import Model, read
from tools.errors import ContractDrift, OutcomeUnknown, ToolError
from tools.wire import Answer, Call, Kind

Value = TypeVar("Value")
Judge = Callable[[Call, Answer], ToolError | None]


def ask(call: Call, reply: type[Model], make: Callable[[Model], Value]) -> Value:
    """Sends the call, reads its answer as `reply` and returns what `make` says of it in our words.

    Raises one of tools.errors. A write whose answer can't be read may have been executed: OutcomeUnknown with the
    finding in `drift`. What is no JSON at all is no drift either, but an answer that was lost on the way.
    """
    answer = tell(replace(call, judge=_also_json(call.judge)))
    try:
        found = read(reply, answer.body, vendor=call.vendor, operation=call.operation)
        made = make(found)
    except ContractDrift as drift:
        upstreams.record_drift(call.shop, drift, answer.body, correlation_id=call.correlation_id)
        if call.kind is Kind.READ:
            raise
        raise OutcomeUnknown(
            drift.detail, vendor=call.vendor, operation=call.operation, code="unreadable", drift=drift
        ) from drift
    upstreams.count_new_fields(call, reply, answer.body)
    return made


def _also_json(judge: Judge) -> Judge:
    """A maintenance page or half an answer counts against the vendor's health, and may be asked for again."""

    def both(call: Call, answer: Answer) -> ToolError | None:
        return judge(call, answer) or wire.not_json(call, answer)

    return both


def tell(call: Call) -> Answer:
    """Sends a call whose answer has no content that matters; drift of headers and status is recorded here."""
    upstreams.refuse_while_drifting(call)
    try:
        answer = wire.send(call, pacing.GATE)
    except ContractDrift as drift:
        upstreams.record_drift(call.shop, drift, b"", correlation_id=call.correlation_id)
        upstreams.note_version(call, drift)
        raise
    upstreams.note_answer(call, answer)
    return answer
