"""Whether people have stopped what is about to leave: asked right before each attempt, of the layer that knows.

    gate.before  a first try, a retry, what comes after a wait, each page of a reading
    last look    the connection took long: once more before the first byte
    a planner    before it begins to think, and before each call of its model

Each is one statement in a transaction of its own, so that what somebody stopped a moment ago counts. What is held back
here was never sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from tools.errors import HeldBack
from tools.models import ToolCall


@dataclass(frozen=True, slots=True)
class Work:
    """On whose behalf something leaves: a call that is being sent, a planner's turn in a shop, or neither."""

    call: ToolCall | None = None
    shop: str = ""
    planner: str = ""


# Shop, vendor, work: since when it is stopped, None where it may go.
Asked = Callable[[str, str, Work], datetime | None]

_nobody = Work()
_work: ContextVar[Work] = ContextVar("work", default=_nobody)
_asked: list[Asked] = []


def ask(whom: Asked) -> None:
    """Names who knows; once, when the program starts."""
    _asked[:] = [whom]


@contextmanager
def sending(call: ToolCall) -> Iterator[None]:
    """What leaves in here leaves for this call, also the readings that it rests on."""
    with _on_behalf(Work(call=call)):
        yield


@contextmanager
def thinking(shop: str, planner: str) -> Iterator[None]:
    """What leaves in here leaves for a turn of this kind of planner."""
    with _on_behalf(Work(shop=shop, planner=planner)):
        yield


@contextmanager
def _on_behalf(work: Work) -> Iterator[None]:
    token = _work.set(work)
    try:
        yield
    finally:
        _work.reset(token)


def refuse(shop: str, vendor: str, operation: str = "") -> None:
    """Raises HeldBack where somebody has stopped what would leave now."""
    if since(shop, vendor) is not None:
        raise HeldBack(vendor=vendor, operation=operation, code=HeldBack.SWITCH)


def refuse_turn() -> None:
    """Raises HeldBack where somebody has stopped the planner whose turn this is; nothing outside of a turn."""
    work = _work.get()
    if work.planner:
        refuse(work.shop, "")


def since(shop: str, vendor: str) -> datetime | None:
    """Since when it is stopped that anything leaves for this shop to this vendor; None where it may."""
    (asked,) = _asked
    return asked(shop, vendor, _work.get())
