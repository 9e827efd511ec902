"""One case from its first webhook to the last word on it, with failures on the way."""

from __future__ import annotations

import random
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q, QuerySet
from django.test import Client
from django_q.models import OrmQ

from audit import sources
from audit.sources import Clock
from cases import tasks
from cases.models import Case, PlannerConfig, Shop
from cases.planner.factory import scripted
from cases.planner.scripted import ScriptedPlanner
from cases.reconciling import running
from opsagent.simulation import colleagues, happenings, wishes
from opsagent.simulation.abreast import Other
from opsagent.simulation.furnishing import SHOP
from opsagent.simulation.hooks import forget, queue_watched, revive, watched
from opsagent.simulation.points import Killed, Strike, Trace
from opsagent.simulation.queue import Queue
from opsagent.simulation.scenarios import Scenario
from opsagent.simulation.vendors import Vendors
from opsagent.simulation.watching import Watch
from opsagent.simulation.world import World
from tools import wire
from tools.models import OPEN_STATES, Circuit, ToolCall

# A case that the agent has, that waits for an effect or for a signature, or one with a call that isn't over or an order
# that is still to be read for a cancellation.
MOVING = """
    SELECT EXISTS (
        SELECT FROM cases_case k JOIN tools_order o ON o.id = k.order_id
        WHERE o.external_id = ANY(%s) AND (
            k.state = 'open' AND NOT k.human_only OR k.state = 'waiting' AND k.wait_reason = 'effect'
            OR k.state = 'approval'
            OR EXISTS (SELECT FROM tools_toolcall c WHERE c.case_id = k.id AND c.state = ANY(%s))
            OR EXISTS (SELECT FROM cases_cancellation x WHERE x.case_id = k.id AND x.state = 'asked')
        )
    )
"""
MOST_STEPS = 400
# How long is waited where nothing is to be done: as long as the leases, the hold-backs and the waits of a case last.
PAUSES = (16, 100, 700)
# The last two let a request that nobody signs be asked again, twice, and then be a person's.
LONG_PAUSES = (16, 100, 700, 3700, 8 * 3600, 5 * 86400, 2 * 86400, 2 * 86400)


class Play:
    """One case: its world, its queue, its trace. `seed` decides everything about it but the strikes."""

    def __init__(
        self,
        seed: int,
        number: int,
        scenario: Scenario,
        strikes: list[Strike],
        clock: Clock,
        vendors: Vendors,
        client: Client,
        other: Other,
    ) -> None:
        self.seed, self.number, self.scenario = seed, number, scenario
        self.client, self.other = client, other
        self.rng = random.Random(seed)  # noqa: S311 - a play is to be repeated
        self.clock, self.vendors = clock, vendors
        self.trace = Trace(strikes=list(strikes), play=self)
        self.queue = Queue(self)
        self.watch = Watch(self)
        self.calm = self.limits_changed = self.something_lost = False
        self.shop_id: int = Shop.objects.values_list("pk", flat=True).get(slug=SHOP)
        self.settled: set[str] = set()
        # Of the calls that were queued.
        self.tools: dict[int, str] = {}
        # Whether a task may be in the queue: every one that is put there is seen.
        self.queued = True
        # Which process is at work: a task, a request and a signature are one each.
        self.turn = self._turns = 0
        # What a second process does that does the same.
        self.doing: Callable[[], Any] | None = None
        self.world = World(self, number)

    # the whole

    def run(self) -> None:
        """From the order to the last quiet."""
        forget()
        with self._on_stage():
            Shop.objects.filter(pk=self.shop_id).update(planner=self._planner())
            self.world.open()
            self.world.complain()
            self._until_quiet()
            for _ in range(self.scenario.wishes - 1 + self.scenario.asks):
                self.world.write_again()
                self._until_quiet()
            self._aftermath()
            self._calm_down()
            self.sweep()
            self._until_quiet()

    @contextmanager
    def _on_stage(self) -> Iterator[None]:
        self.vendors.play = self
        with ExitStack() as stack:
            # Two plays of one recipe in one database must not make the same ids.
            stack.enter_context(sources.seeded(self.seed * 1000 + self.number))
            stack.enter_context(scripted(ScriptedPlanner(lambda facts: wishes.propose(self, facts))))
            stack.enter_context(queue_watched(self.trace))
            stack.enter_context(self._as_thread())
            yield
        self.vendors.play = None

    @contextmanager
    def _as_thread(self) -> Iterator[None]:
        """What a thread of ours needs: its commits and its calls pass points, its sleep is the play's time."""
        pace = wire.Pace(
            sleep=lambda seconds: self.wait(timedelta(seconds=seconds)),
            uniform=lambda low, high: (low + high) / 2,
            monotonic=self.seconds,
        )
        with wire.transport_override(self.vendors, pace), watched(self.trace):
            yield

    def _planner(self) -> PlannerConfig | None:
        if self.scenario.planner == "rules":
            return None
        return PlannerConfig.objects.get(kind="scripted")

    # time and threads

    def wait(self, time: timedelta) -> None:
        """Time passes, for the database as for the vendors."""
        self.clock.advance(time)

    def seconds(self) -> float:
        """The play's time as the wire counts it."""
        return self.clock.at.timestamp()

    def as_process(self, work: Callable[[], Any]) -> Any:
        """Do something that may be killed; a killed process comes back with nothing in its hands."""
        found: list[Any] = []
        self.attempt(lambda: found.append(work()))
        return found[0] if found else None

    def attempt(self, work: Callable[[], Any]) -> bool:
        """Do something that may fail or be killed; False where it was killed."""
        before = self.turn
        self._turns += 1
        self.turn = self._turns
        try:
            work()
        except Killed:
            self.trace.tell("killed")
            self.trace.dead.discard(threading.get_ident())
            revive()
            return False
        except (OperationalError, InterfaceError):
            self.trace.tell("the database failed")
        except Exception as problem:
            self.trace.tell(f"crashed {type(problem).__name__}")
            self.watch.found("nothing crashes", "".join(traceback.format_exception(problem)[-3:])[-600:])
        finally:
            self.turn = before
        return True

    def beside(self, name: str, work: Callable[[], Any]) -> None:
        """Somebody else does something meanwhile, in a process of their own; this one waits."""
        self._as_another(name, work, self.other.do)

    def abreast(self, name: str, work: Callable[[], Any] | None, do: Callable[[], Any]) -> Any:
        """Somebody else comes as far as the locks that are held here, and goes on when `do` is done."""
        done: list[Any] = []

        def both(theirs: Callable[[], None]) -> None:
            self.other.do_until_it_waits(theirs, lambda: done.append(do()))

        if work is not None:
            self._as_another(name, work, both)
        return done[0] if done else do()

    def _as_another(
        self, name: str, work: Callable[[], Any], way: Callable[[Callable[[], None]], None]
    ) -> None:
        if self.calm or threading.current_thread() is not threading.main_thread():
            return
        self.trace.tell(f"beside {name}")

        def theirs() -> None:
            with self._as_thread():
                self.as_process(work)

        # Another worker has a hand of its own, and can't take what is in this one's.
        mine, self.queue = self.queue, Queue(self, self.queue.in_hand)
        context, self.trace.context = self.trace.context, ""
        try:
            way(theirs)
        finally:
            self.trace.context, self.queue = context, mine

    @contextmanager
    def at_work(self, again: Callable[[], Any]) -> Iterator[None]:
        """Something is done in the block that somebody else may do at the same time."""
        before, self.doing = self.doing, again
        try:
            yield
        finally:
            self.doing = before

    def race(self) -> None:
        """A second worker does the task that this one is at."""
        work = self.queue.running
        if work is not None:
            self.beside("worker", work)

    # until nothing moves

    def _until_quiet(self) -> None:
        # Where nobody signs, the request's own end is part of the story.
        pauses = iter(LONG_PAUSES if self.calm or self.scenario.staff == "nothing" else PAUSES)
        for _ in range(MOST_STEPS):
            if self._something_to_do():
                continue
            if not self._open_work():
                return
            pause = next(pauses, None)
            if pause is None:
                return
            self.wait(timedelta(seconds=pause))
            self.sweep()
        self.watch.found("a case comes to rest", f"case of order {self.world.order_id}")

    def _something_to_do(self) -> bool:
        return (
            self._read_mail() or self.deliver() or self.queue.step() or colleagues.act(self) or self._settle()
        )

    def _read_mail(self) -> bool:
        if not self.world.letters:
            return False
        # The order's own webhooks come before its customer's complaint.
        if not self.trace.visits["hook:email"] and self.vendors.due():
            return False
        letter = self.world.letters.pop(0)
        status = self.as_process(
            lambda: self.trace.around(
                "hook:email", lambda: self.post(letter.path, letter.body, letter.headers)
            )
        )
        if status is None or not 200 <= status < 300:
            self.world.letters.append(letter)
        return True

    def deliver(self) -> bool:
        """Deliver the oldest webhook that is due."""
        return self.vendors.deliver(self.post)

    def deliver_all(self) -> None:
        """Deliver every webhook that is due."""
        while self.deliver():
            pass

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """What our door answers; 0 where it was killed before it could."""
        context, self.trace.context = self.trace.context, ""
        with self.at_work(lambda: self.post(path, body, headers)):
            answer = self.as_process(
                lambda: self.client.post(path, data=body, content_type="application/json", headers=headers)
            )
        self.trace.context = context
        status = 0 if answer is None else int(answer.status_code)
        self.trace.tell(f"{status}")
        if status == 200:
            self.watch.taken(path, body)
        return status

    def sweep(self) -> None:
        """One turn of the watch."""
        with self.at_work(tasks.sweep):
            self.as_process(lambda: self.trace.around("task:sweep", tasks.sweep))

    def work_on(self) -> None:
        """What the watch and the other workers do."""
        self.sweep()
        while self.queue.step():
            pass

    def _settle(self) -> bool:
        """The vendor makes up its mind about a refund that it called pending."""
        if self.scenario.refund == "done" or (self.queued and OrmQ.objects.exists()):
            return False
        for row in self.refunds():
            if row["made_by"] == "api" and row["vendor"] == "stripe" and row["id"] not in self.settled:
                self.settled.add(row["id"])
                self.wait(timedelta(hours=5))
                self.vendors.settle_refund(
                    row["id"], "succeeded" if self.scenario.refund == "pending" else "failed"
                )
                return True
        return False

    def _open_work(self) -> bool:
        """Whether anything of this case is still to come by itself."""
        if self.world.letters or self.vendors.next_due() is not None:
            return True
        with connection.cursor() as cursor:
            cursor.execute(MOVING, [self.world.order_ids, [str(state) for state in OPEN_STATES]])
            return bool(cursor.fetchone()[0])

    def cases(self) -> list[int]:
        """The cases of this play's order and customer."""
        mine = Q(order__external_id__in=self.world.order_ids) | Q(person__email=self.world.who.email)
        return list(Case.objects.filter(mine).values_list("pk", flat=True))

    def calls(self) -> QuerySet[ToolCall]:
        """The calls of this play's orders."""
        return ToolCall.objects.filter(case__order__external_id__in=self.world.order_ids)

    def refunds(self) -> list[dict[str, Any]]:
        """What the vendors have in their own books of this play's orders."""
        return [row for order in self.world.order_ids for row in self.vendors.refunds(order)]

    def _aftermath(self) -> None:
        """Staff release what was stopped and the vendors are read for what was lost, both while things still fail."""
        self.as_process(lambda: happenings.switches_are_released(self))
        if self.something_lost:
            self._read_what_was_lost()
        self.sweep()
        self._until_quiet()

    def _read_what_was_lost(self) -> None:
        self.wait(timedelta(minutes=30))
        self.as_process(running.ring_due)

    def _calm_down(self) -> None:
        """From here on nothing fails, and what was stopped may go on."""
        self.calm = True
        self.trace.tell("calm")
        self.vendors.clear()
        happenings.switches_are_released(self)
        if self.limits_changed:
            happenings.limits_as_before(self)
        Circuit.objects.all().delete()
        if self.something_lost:
            self._read_what_was_lost()
