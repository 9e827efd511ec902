"""Calls as the executor finds them, and a caller that notes what it is asked and told."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from audit.models import Entry
from cases.models import Shop
from tests import factories
from tests.adapters.faking import Vendor
from tests.authority.rows import refundable_case, refunded, reserved_call
from tools import wire
from tools.models import ToolCall

Answer = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


@dataclass
class Caller:
    """Answers `stop` before anything is sent, and notes each call as it is handed over."""

    stop: str = ""
    before: list[tuple[int, str]] = field(default_factory=list)
    after: list[tuple[int, str]] = field(default_factory=list)

    def before_send(self, call: ToolCall) -> str:
        self.before.append((call.position, call.state))
        return self.stop

    def after_outcome(self, call: ToolCall) -> None:
        self.after.append((call.position, call.state))


def refund(shop: Shop) -> ToolCall:
    """The first of a refund's three steps, which is due."""
    return reserved_call(refundable_case(shop=shop))


def step(call: ToolCall, position: int) -> ToolCall:
    """Another step of the same decision."""
    return ToolCall.objects.get(decision_id=call.decision_id, position=position)


def lone(shop: Shop, **fields: Any) -> ToolCall:
    """A refund that is its decision's only step."""
    order = factories.make_order(shop, [("Pegs", 1, 1500)], shipping_minor=0)
    decision = factories.make_decision(factories.make_case(order=order))
    return factories.make_call(decision, **fields)


@contextmanager
def vendor(*answers: Answer) -> Iterator[Vendor]:
    """Every vendor gives these in turn, or says yes."""
    fake = Vendor(*(answers or (refunded,)))
    with wire.transport_override(fake.transport):
        yield fake


def told(call: ToolCall) -> list[str]:
    """What the log says of the call, in order."""
    return [entry.action for entry in entries(call)]


def entries(call: ToolCall) -> list[Entry]:
    return list(Entry.objects.filter(subject_type="tools.toolcall", subject_id=str(call.pk)).order_by("seq"))


def data_of(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(entry.body)["data"]
    return found


def money(call: ToolCall) -> tuple[int, int]:
    """What the payment has set aside and given back."""
    assert call.payment is not None
    call.payment.refresh_from_db()
    return call.payment.reserved_minor, call.payment.refunded_minor
