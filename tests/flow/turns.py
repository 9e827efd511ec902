"""Cases at the point where the agent acts, and a planner that proposes what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from audit.models import Entry
from audit.sources import Clock
from cases.models import PlannerConfig
from cases.planner.factory import scripted
from cases.planner.protocol import Proposal
from cases.planner.scripted import ScriptedPlanner
from opsagent.demo import postmark
from tests import factories
from tests.flow.world import World, deliver, drain
from tools.models import Order, ToolCall


def scripted_shop(world: World) -> None:
    """The shop's planner is the scripted one."""
    world.shop.planner, _ = PlannerConfig.objects.get_or_create(
        kind="scripted", version="1", catalogue_hash="0" * 64, defaults={"created_at": factories.now()}
    )
    world.shop.save(update_fields=["planner"])


@contextmanager
def planner(*proposals: Proposal) -> Iterator[ScriptedPlanner]:
    """Proposes these in turn."""
    script = ScriptedPlanner(list(proposals))
    with scripted(script):
        yield script


def refund(order: Order, **changes: Any) -> Proposal:
    """One piece of the order's first line, since it came broken."""
    return Proposal(tool="issue_refund", arguments={**factories.refund_wish(order), **changes})


def says(template: str = "order_in_transit", then: str = "close", **changes: Any) -> Proposal:
    return Proposal(tool="send_message", arguments={"template": template, "then": then, **changes})


def asks(question: str = "which_item") -> Proposal:
    return Proposal(tool="request_information", arguments={"question": question})


def damaged(world: World, text: str = "it arrived broken", **more: Any) -> Order:
    """A known order, delivered yesterday, whose customer has just written; the task waits in the queue."""
    who = world.customer()
    _order, row = world.known(who, **more)
    deliver(world.mail(who, f"{row.name}: {text}"))
    return row


def decided(world: World) -> ToolCall:
    """A refund that policy has allowed and nobody has sent yet."""
    scripted_shop(world)
    row = damaged(world)
    with planner(refund(row)):
        drain(only=["advance"])
    return ToolCall.objects.select_related("payment").get(position=0)


def states() -> list[str]:
    """Every call's state, in the order of their making."""
    return list(ToolCall.objects.order_by("pk").values_list("state", flat=True))


def told(call: ToolCall) -> list[str]:
    """What the log says of a call, in order."""
    rows = Entry.objects.filter(subject_type="tools.toolcall", subject_id=str(call.pk))
    return list(rows.order_by("seq").values_list("action", flat=True))


def fresh(row: Any) -> Any:
    """The row as it is now."""
    row.refresh_from_db()
    return row


def writes_again(world: World, row: Order, text: str) -> None:
    """The order's customer sends another mail."""
    assert row.person is not None
    letter = postmark.Letter(name=row.person.name, address=row.person.email, subject="Again", text=text)
    deliver(world.stage.writes("north", letter, world.stage.start, story_id=None))


def wait_for(clock: Clock, time: timedelta) -> datetime:
    """Time passes, and the order is read again meanwhile."""
    at = clock.advance(time)
    Order.objects.update(read_at=at)
    return at
