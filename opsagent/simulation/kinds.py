"""Every kind of failure that a point can suffer; each is told what is done there, and does it, or not, or twice.

At a commit, `do` commits; at a call it sends the request to the stand-in and returns its answer; at a step of the
queue it takes, runs or acknowledges a task; at a delivery it posts a webhook and returns the status.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
from django.db import OperationalError, connection

from opsagent.simulation import happenings

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

Do = Callable[[], Any]
Act = Callable[["Play", Do], Any]


@dataclass(frozen=True)
class Kind:
    """A kind of failure and the points it strikes, by class or by name; one that `lasts` strikes a process again."""

    at: tuple[str, ...]
    act: Act
    lasts: bool = False

    def strikes(self, point: str) -> bool:
        """Whether this kind can happen at a point of this name."""
        return point in self.at or point.partition(":")[0] in self.at


# at a commit, and wherever else a process can be killed


def killed_before(play: Play, do: Do) -> Any:
    undo_open_transaction()
    play.trace.die()


def killed_after(play: Play, do: Do) -> Any:
    do()
    play.trace.die()


def commit_refused(play: Play, do: Do) -> Any:
    undo_open_transaction()
    raise OperationalError("the database refused the commit")


def commit_unheard(play: Play, do: Do) -> Any:
    do()
    raise OperationalError("the connection broke after the commit")


def undo_open_transaction() -> None:
    """What the server does when a client is gone."""
    if connection.connection is not None and not connection.connection.closed:
        connection.connection.rollback()


# at a call


def connection_refused(play: Play, do: Do) -> Any:
    raise httpx.ConnectError("nobody there")


def lost_before(play: Play, do: Do) -> Any:
    """The request never arrived, and nobody said so."""
    play.wait(timedelta(seconds=10))
    raise httpx.ReadTimeout("silence")


def answer_lost(play: Play, do: Do) -> Any:
    do()
    play.wait(timedelta(seconds=10))
    raise httpx.ReadTimeout("silence")


def dropped_after(play: Play, do: Do) -> Any:
    do()
    raise httpx.RemoteProtocolError("hung up")


def by_the_vendor(kind: str, **settings: Any) -> Act:
    """A failure that the stand-in makes itself."""

    def act(play: Play, do: Do) -> Any:
        play.vendors.plant(kind, **settings)
        return do()

    return act


def slow(play: Play, do: Do) -> Any:
    """The answer comes when nobody should wait for it any more: meanwhile a sweep takes the sender for dead."""
    answer = do()
    play.wait(timedelta(seconds=100))
    play.beside("other workers", play.work_on)
    return answer


def overtaken(play: Play, do: Do) -> Any:
    """The request arrives only after its sender was taken for dead and others have looked for what it did."""
    play.wait(timedelta(seconds=100))
    play.beside("other workers", play.work_on)
    return do()


def wrong_echo(play: Play, do: Do) -> Any:
    """The answer speaks of another amount."""
    answer: httpx.Response = do()
    text = answer.text
    for said, lie in (('"amount": ', '"amount": 1'), ('"amount": "', '"amount": "1')):
        text = text.replace(said, lie)
    return httpx.Response(answer.status_code, headers=_plain(answer), content=text.encode())


def _plain(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "content-length"}


def settled_meanwhile(play: Play, do: Do) -> Any:
    """The vendor has done it and told so by webhook before its answer arrives."""
    answer = do()
    play.beside("webhooks", play.deliver_all)
    return answer


# at a step of the queue


def task_lost(play: Play, do: Do) -> Any:
    play.queue.forget_current()


def task_doubled(play: Play, do: Do) -> Any:
    do()
    return do()


def task_deferred(play: Play, do: Do) -> Any:
    play.queue.defer_current()


def enqueue_refused(play: Play, do: Do) -> Any:
    raise OperationalError("the queue's table is full")


def two_workers(play: Play, do: Do) -> Any:
    """Another worker does the same task while this one is at it."""
    play.race()
    return do()


def the_same_at_once(play: Play, do: Do) -> Any:
    """Another process does the same before this one has committed: the task, the delivery or the signature."""
    return play.abreast("the same", play.doing, do)


# at a delivery


def hook_doubled(play: Play, do: Do) -> Any:
    do()
    return do()


def hook_late(play: Play, do: Do) -> Any:
    play.vendors.defer_current(timedelta(hours=3))


def hook_reordered(play: Play, do: Do) -> Any:
    play.vendors.defer_current(timedelta(seconds=2))


def hook_lost(play: Play, do: Do) -> Any:
    play.vendors.lose_current()
    play.something_lost = True


def hook_unheard(play: Play, do: Do) -> Any:
    """Our 2xx is lost on its way: the vendor delivers again."""
    do()
    return 0


def forged(play: Play, do: Do) -> Any:
    """Somebody else posts the same body first, without the secret."""
    play.watch.refuses(play.vendors.forge_current)
    return do()


def meanwhile(happens: Callable[[Play], None]) -> Act:
    """Something of the outside world happens just before."""

    def act(play: Play, do: Do) -> Any:
        play.beside(happens.__name__, lambda: happens(play))
        return do()

    return act


def at_once(happens: Callable[[Play], None]) -> Act:
    """Somebody else does it at the very same time as this is committed."""
    return lambda play, do: play.abreast(happens.__name__, lambda: happens(play), do)


WORK = ("task", "act")
CLAIMS, SENDS = "commit:cases.planning._claim", "commit:tools.execution._claim[issue_refund]"
RECORDS, RECEIVES = "commit:tools.execution.record[issue_refund]", "commit:cases.intake.receiving.receive"
APPLIES = "commit:cases.planning._apply"
SIGNS, REJECTS = "commit:approvals.signing.approve", "commit:cases.services._reject"

KINDS: dict[str, Kind] = {
    "killed before": Kind(("commit", "call", "dequeue", "task", "ack", "act", "hook"), killed_before),
    "killed after": Kind(("commit", "call", "task", "act", "hook"), killed_after),
    "commit refused": Kind(("commit",), commit_refused),
    "commit unheard": Kind(("commit",), commit_unheard),
    "enqueue refused": Kind(("enqueue",), enqueue_refused),
    "connection refused": Kind(("call",), connection_refused, lasts=True),
    "request lost": Kind(("call",), lost_before, lasts=True),
    "answer lost": Kind(("call",), answer_lost, lasts=True),
    "hung up after the work": Kind(("call",), dropped_after, lasts=True),
    "stored 500": Kind(("call",), by_the_vendor("stored_500", executes=True), lasts=True),
    "500 without the work": Kind(("call",), by_the_vendor("unstored_500"), lasts=True),
    "500 after the work": Kind(("call",), by_the_vendor("unstored_500", executes=True), lasts=True),
    "too many requests": Kind(("call",), by_the_vendor("rate_limited", retry_after="7"), lasts=True),
    "half an answer": Kind(("call",), by_the_vendor("half_json"), lasts=True),
    "a page instead of an answer": Kind(("call",), by_the_vendor("html_200"), lasts=True),
    "slow answer": Kind(("call",), slow),
    "request overtaken": Kind(("call",), overtaken),
    "wrong amount echoed": Kind(("call",), wrong_echo, lasts=True),
    "webhook before the answer": Kind(("call",), settled_meanwhile),
    "task lost": Kind(("dequeue",), task_lost),
    "task doubled": Kind(("task",), task_doubled),
    "tasks reordered": Kind(("dequeue",), task_deferred),
    "two workers": Kind(("task", "call"), two_workers),
    "webhook doubled": Kind(("hook",), hook_doubled),
    "webhook late": Kind(("hook",), hook_late),
    "webhooks reordered": Kind(("hook",), hook_reordered),
    "webhook lost": Kind(("hook",), hook_lost),
    "webhook forged": Kind(("hook",), forged),
    "webhook taken and unheard": Kind(("hook",), hook_unheard),
    "minutes pass": Kind(WORK, meanwhile(happenings.minutes_pass)),
    "21 hours pass": Kind(WORK, meanwhile(happenings.a_day_passes)),
    "limits lowered": Kind(WORK, meanwhile(happenings.limits_are_lowered)),
    "switch engaged": Kind(WORK, meanwhile(happenings.switch_is_engaged)),
    "refund by hand": Kind(WORK, meanwhile(happenings.refund_by_hand)),
    "dispute": Kind(WORK, meanwhile(happenings.dispute_is_opened)),
    "undone": Kind(("task", "call"), meanwhile(happenings.call_is_undone)),
    "customer writes again": Kind(WORK, meanwhile(happenings.customer_writes_again)),
    "second approver": Kind(("act",), meanwhile(happenings.another_signs)),
    "signed by the wrong one": Kind(("act",), meanwhile(happenings.wrong_one_signs)),
    "approver rejects": Kind(("act",), meanwhile(happenings.another_rejects)),
    "ticked by another": Kind(("act:tick", "act:drop"), meanwhile(happenings.another_ticks)),
    "signed at the same time": Kind((SIGNS, REJECTS), at_once(happenings.another_signs)),
    "rejected at the same time": Kind((SIGNS, REJECTS), at_once(happenings.another_rejects)),
    "ticked at the same time": Kind(("commit:cases.paying._end",), at_once(happenings.another_ticks)),
    "another task at the same time": Kind((APPLIES,), at_once(happenings.another_works)),
    "two workers at the same time": Kind((CLAIMS, APPLIES, SENDS, RECORDS, RECEIVES), the_same_at_once),
    # Not once it is claimed to be sent: what comes then comes too late for us, and the vendor has the last word.
    "refund by hand at the same time": Kind(
        (APPLIES, SIGNS, RECORDS), at_once(happenings.refund_by_hand_told)
    ),
}
