"""kill -9 of the demo's own processes while its day is played, at moments and on victims that a seed picks.

The vendors' stand-ins are spared, since they are no part of us, and so is a database that somebody else runs.
"""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Queue

import psutil
import structlog

from opsagent import processes
from opsagent.postgres import Postgres, servers
from opsagent.supervisor import CLUSTERS, Group, Supervisor

log = structlog.get_logger(__name__)

# Shares of the kills that each day has for sure; the rest is spread over the others.
SHARES = {"postgres": 7, "everything": 12}
OTHERS = ("worker", "worker", "cluster", "watch", "web", "web worker", "backend")
NEEDS_POSTGRES = ("postgres", "backend")
SPARED = "sandbox"
# Longer than anything of ours takes to come back.
COMES_BACK_SECONDS = 60.0
LONGEST_DELAY = 1.0
# The player waits for a kill that is due, so that all of them fall into the day.
AHEAD = 1


def planned(seed: int, wanted: int, *, ours: bool) -> list[str]:
    """Whom each kill hits, in order; without PostgreSQL where it isn't `ours`."""
    rng = random.Random(f"kills {seed}")
    sure = [kind for kind, share in SHARES.items() for _ in range(max(1, wanted // share))]
    kinds = [*sure, *(rng.choice(OTHERS) for _ in range(wanted))]
    kinds = [kind for kind in kinds if ours or kind not in NEEDS_POSTGRES]
    while len(kinds) < wanted:
        kinds.append(rng.choice(("worker", "cluster")))
    kinds = kinds[:wanted]
    rng.shuffle(kinds)
    return kinds


class Killer:
    """Kills from a thread of its own as the day goes on; `done` counts what was killed, by kind."""

    def __init__(self, supervisor: Supervisor, seed: int, wanted: int, steps: int) -> None:
        self.supervisor = supervisor
        self.postgres = supervisor.keeper.server if supervisor.keeper else None
        self.rng = random.Random(f"victims {seed}")
        kinds = planned(seed, wanted, ours=self.postgres is not None and self.postgres.owned)
        places = sorted(self.rng.randint(1, max(1, steps)) for _ in kinds)
        self.plan = list(zip(places, kinds, strict=True))
        self.done: Counter[str] = Counter()
        self._due: Queue[tuple[str, float] | None] = Queue(maxsize=AHEAD)
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)
        self._thread.start()

    def reached(self, place: int) -> None:
        """The day has come so far: what is due by now is killed a moment later."""
        while self.plan and self.plan[0][0] <= place:
            self._due.put((self.plan.pop(0)[1], self.rng.uniform(0, LONGEST_DELAY)))

    def finish(self) -> None:
        """Returns when the last kill is done."""
        self._due.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (due := self._due.get()) is not None:
            kind, delay = due
            threading.Event().wait(delay)
            self.kill(kind)

    def kill(self, kind: str) -> None:
        """Kills one victim of this kind, as soon as there is one."""
        find = {
            "worker": lambda: self._below(self.rng.choice(CLUSTERS)),
            "cluster": lambda: self._main(self.rng.choice(CLUSTERS)),
            "watch": lambda: self._main("watch"),
            "web": lambda: self._main("web"),
            "web worker": lambda: self._below("web"),
            "postgres": self._postmaster,
            "backend": self._backend,
            "everything": self._everything,
        }[kind]
        victims: list[psutil.Process] = []

        def found() -> bool:
            victims[:] = _alive(find)
            return bool(victims)

        if not processes.wait_until(found, COMES_BACK_SECONDS, pause=0.1):
            log.error("kill_found_nobody", kind=kind)
            return
        for victim in victims:
            with suppress(psutil.NoSuchProcess):
                victim.send_signal(signal.SIGKILL)
        self.done[kind] += 1
        log.info("killed", kind=kind, processes=len(victims))

    def _group(self, name: str) -> Group:
        return next(group for group in self.supervisor.groups if group.spec.name == name)

    def _main(self, name: str) -> list[psutil.Process]:
        group = self._group(name)
        return [psutil.Process(group.pid)] if group.pid and group.ready() else []

    def _below(self, name: str) -> list[psutil.Process]:
        return self._one([child for main in self._main(name) for child in main.children(recursive=True)])

    def _postmaster(self) -> list[psutil.Process]:
        server = self._server()
        return [psutil.Process(server.process.pid)] if server and server.process else []

    def _backend(self) -> list[psutil.Process]:
        """A process of PostgreSQL's but the first, which then ends all others and recovers by itself."""
        server = self._server()
        if server is None or server.process is None:
            return []
        return self._one([one for one in servers(server.home.data) if one.pid != server.process.pid])

    def _everything(self) -> list[psutil.Process]:
        ours = [group for group in self.supervisor.groups if group.spec.name != SPARED]
        if not all(group.ready() for group in ours):
            return []
        mains = [psutil.Process(group.pid) for group in ours if group.pid]
        return (
            self._postmaster() + mains + [child for main in mains for child in main.children(recursive=True)]
        )

    def _server(self) -> Postgres | None:
        return self.postgres if self.postgres and self.postgres.alive() and self.postgres.answers() else None

    def _one(self, candidates: Sequence[psutil.Process]) -> list[psutil.Process]:
        ordered = sorted(candidates, key=lambda process: process.pid)
        return [self.rng.choice(ordered)] if ordered else []


def _alive(find: Callable[[], list[psutil.Process]]) -> list[psutil.Process]:
    """What it finds; nobody where one of them ended while it looked."""
    try:
        return find()
    except psutil.NoSuchProcess:
        return []
