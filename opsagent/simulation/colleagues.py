"""What the people in the shop do in a story, as soon as it is their turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import connection

from approvals.errors import Refusal
from approvals.models import ApprovalRequest, Decision
from cases import cancelling, paying, services
from cases.models import Cancellation, Case, Message, PaymentTask
from opsagent.simulation import happenings
from opsagent.simulation.furnishing import actor
from tools.catalog.cancel_order import NAME as CANCELS
from tools.models import ToolCall

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

TOO_LATE = timedelta(hours=25)
# How often somebody tries what was refused before they leave it at that.
MOST_TRIES = 5
WORDS = "We have looked into it, and write to you again tomorrow."


# Asked at each turn of a play at which no machine has anything to do.
WAITING = """
    WITH mine AS (
        SELECT k.id, o.external_id = ANY(%(orders)s) AS of_order
        FROM cases_case k LEFT JOIN tools_order o ON o.id = k.order_id LEFT JOIN cases_person p ON p.id = k.person_id
        WHERE o.external_id = ANY(%(orders)s) OR p.email = %(email)s
    )
    SELECT
        EXISTS (
            SELECT FROM approvals_approvalrequest r JOIN mine ON mine.id = r.case_id AND mine.of_order
            WHERE r.state = 'pending'
        ),
        EXISTS (SELECT FROM cases_paymenttask t JOIN mine ON mine.id = t.case_id WHERE t.state = 'open'),
        EXISTS (SELECT FROM cases_paymenttask t JOIN mine ON mine.id = t.case_id WHERE t.state <> 'open')
"""


def act(play: Play) -> bool:
    """Whatever is next for somebody to do; False where nothing is."""
    return any(turn(play) for turn in _turns(play))


def _turns(play: Play) -> Iterator[Callable[[Play], bool]]:
    """Who could have something to do, in their order."""
    story = play.scenario
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"orders": play.world.order_ids, "email": play.world.who.email})
        asked, unpaid, paid = cursor.fetchone()
    if story.meanwhile:
        yield meanwhile
    if asked or story.staff == "undo":
        yield decide
    if unpaid:
        yield pay
    if paid:
        yield pay_again
    yield from (cancel, answer, take_up)


def _do(play: Play, what: str, do: Callable[[], Any], again: Callable[[], Any] | None = None) -> bool:
    """Somebody acts; `again` is what a colleague may do at the same time, where that isn't the same."""
    with play.at_work(again or do):
        play.as_process(lambda: play.trace.around(f"act:{what}", do))
    return True


def _try(play: Play, what: str, do: Callable[[], Any]) -> bool:
    """As `_do`, of what may be refused; False where it has been often enough."""
    play.world.tries[what] += 1

    def unless_refused() -> None:
        with suppress(Refusal):
            do()

    return play.world.tries[what] <= MOST_TRIES and _do(play, what, unless_refused)


def meanwhile(play: Play) -> bool:
    """The outside world acts once, while a refund waits to be signed or sent."""
    what = play.scenario.meanwhile
    waits = play.calls().filter(state=ToolCall.State.RESERVED, amount_minor__gt=0, first_sent_at=None)
    if not what or "meanwhile" in play.world.done or not (waits.exists() or _requests(play)):
        return False
    play.world.done.add("meanwhile")
    happens = {
        "refund by hand": play.world.refund_by_hand,
        "line by hand": play.world.refund_line_by_hand,
        "part by hand": play.world.use_up_gift_card,
        "dispute": play.world.dispute,
    }
    happens[what]()
    return True


def _requests(play: Play) -> list[ApprovalRequest]:
    pending = ApprovalRequest.objects.filter(
        state=ApprovalRequest.State.PENDING, case__order__external_id__in=play.world.order_ids
    )
    return [request for request in pending.order_by("pk") if request.expires_at > play.clock.at]


def decide(play: Play) -> bool:
    """Staff decide what waits for them, or undo what waits for nobody."""
    if play.scenario.staff == "nothing":
        return False
    if play.scenario.staff == "undo":
        return _undo(play)
    request = next(iter(_requests(play)), None)
    if request is None:
        return False
    sign = partial(happenings.another_signs, play)
    if play.scenario.staff == "reject":
        return _do(play, "reject", lambda: happenings.another_rejects(play), sign)
    return _do(play, "approve", lambda: happenings.try_sign(request, "ben"), sign)


def _undo(play: Play) -> bool:
    waits = play.calls().filter(state=ToolCall.State.RESERVED, amount_minor__gt=0, first_sent_at=None)
    if play.calm or not waits.exists():
        return False
    return _do(play, "undo", lambda: happenings.call_is_undone(play))


# payment tasks


def pay(play: Play) -> bool:
    """A person pays what no machine can, and ticks it; or says that they won't."""
    what = play.scenario.ticks
    task = happenings.tasks(play).filter(state=PaymentTask.State.OPEN).first()
    if task is None or (what == "never" and _with_people(play) is None):
        return False
    # What is overdue for days is dropped in the end.
    if what != "twice":
        return _try(
            play, "drop", lambda: paying.drop(task.pk, reason="They want a voucher.", by=actor("ben"))
        )
    return _try(play, "tick", lambda: happenings.tick(play, task, "ben"))


def pay_again(play: Play) -> bool:
    """Somebody who has the page still open ticks as well, once: nothing may come of it."""
    task = happenings.tasks(play).exclude(state=PaymentTask.State.OPEN).first()
    if task is None or "ticked again" in play.world.done:
        return False
    play.world.done.add("ticked again")
    return _try(play, "tick again", lambda: happenings.tick(play, task, "yuki"))


# cases that a person has


def cancel(play: Play) -> bool:
    """Somebody claims the case, has read what cancelling its order would do, and confirms that."""
    if play.scenario.colleague != "cancels":
        return False
    if Decision.objects.filter(case__order__external_id=play.world.order_id, tool=CANCELS).exists():
        return False
    case = _with_people(play)
    if case is None:
        return False
    row = Cancellation.objects.filter(case=case).first()
    if row is not None and row.state == Cancellation.State.ASKED:
        return False
    if row is not None and row.state == Cancellation.State.READY and cancelling.is_fresh(row):
        return _try(play, "cancel", lambda: _confirm(case))
    return _try(play, "look", lambda: _look(case))


def _look(case: Case) -> None:
    services.take_over(case.pk, by=actor("agent"))
    cancelling.ask(case.pk, by=actor("agent"))


def _confirm(case: Case) -> None:
    effect, _problem, _verdict = cancelling.foresee(case, actor("agent"))
    cancelling.cancel_order(case.pk, shown=effect.digest, by=actor("agent"))


def answer(play: Play) -> bool:
    """Somebody writes in their own words, later than WhatsApp takes those."""
    if play.scenario.colleague != "answers late" or _has_written(play):
        return False
    case = _with_people(play)
    if case is None:
        return False
    if "waited" not in play.world.done:
        play.world.done.add("waited")
        play.wait(TOO_LATE)
    return _try(play, "answer", lambda: services.reply(case.pk, text=WORDS, by=actor("agent")))


def take_up(play: Play) -> bool:
    """A refund's document failed: somebody tells the customer how they get it, and closes the case."""
    if play.scenario.documents != "no seller":
        return False
    failed = play.calls().filter(tool="issue_credit_note", state=ToolCall.State.FAILED)
    case = _with_people(play)
    if case is None or not failed.exists():
        return False
    if not _has_written(play):
        return _try(play, "answer", lambda: services.reply(case.pk, text=WORDS, by=actor("agent")))
    if play.calls().filter(tool="reply", state__in=("reserved", "sending", "unknown")).exists():
        return False
    return _try(play, "close", lambda: services.close_case(case.pk, by=actor("agent")))


def _with_people(play: Play) -> Case | None:
    """The case of the play's first order, where it waits for a person or one has it."""
    mine = Case.objects.filter(order__external_id=play.world.order_id, state=Case.State.HANDOFF)
    return mine.order_by("pk").first()


def _has_written(play: Play) -> bool:
    own = Message.objects.filter(case__in=play.cases(), direction=Message.Direction.OUT, text=WORDS)
    return own.exists()
