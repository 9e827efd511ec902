"""`manage.py simulate`: made-up cases through the real code, with a failure at every point."""

import json
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterable
from textwrap import fill
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter
from django.utils.translation import gettext as _

from opsagent.environment import PRODUCTION
from opsagent.simulation.kinds import KINDS
from opsagent.simulation.running import Wish, replay, simulate
from opsagent.simulation.scenarios import SCENARIOS
from opsagent.simulation.trial import Verdict, trial

ABOUT = """
One case is one story: a customer orders, something is wrong, and it goes on to the last word about it. It is played
unbroken first, which shows the points that it passes: every commit, call, step of the queue, webhook and act of a
person. Then each kind of failure is made to happen at each point of a refund's way, several in one case, and after
that whatever chance brings. The same seed is the same run, on any number of processes.

Every violation is printed with its seed, its story, what broke in it ("strikes") and the invariant. To see what that
case passes, line by line, give the violation back as it was printed:

  manage.py simulate --seed 7 --cases 300 --json
  manage.py simulate --replay '{"seed": …, "story": …, "strikes": […]}'

The simulator is on trial itself: --trial plants bugs, one at a time, in a copy of this checkout and plays until each
is found. It prints for each bug whether it was found, after how many cases and seconds, the seed of the case, and
the invariant that it broke; it ends with status 1 where one wasn't found.

  manage.py simulate --trial --jobs 2
  manage.py simulate --trial --only document --json
"""
ROW = "{:<72} {:<5} {:>5} {:>7} {:>9}  {}"
# How wide a description on a screen may be.
WIDTH = 100


class Paragraphs(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Leaves the lines of a longer explanation as they are."""


class Command(BaseCommand):
    """Ends with status 1 where something was found."""

    help = (
        "Plays made-up cases through the real code against stand-ins of all vendors, in a database of its own, breaks"
        " something at every point of a refund's way, and compares our books with the vendors' after every case."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = Paragraphs
        parser.epilog = "\n".join((ABOUT, _listed("stories", SCENARIOS), _listed("kinds of failure", KINDS)))
        parser.add_argument("--cases", type=int, default=1000, help="how many cases (1000)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed is the same run (1)")
        parser.add_argument(
            "--jobs",
            type=int,
            default=1,
            help="processes that play, or bugs that are tried, at the same time (1)",
        )
        parser.add_argument("--until-found", action="store_true", help="stop where something was found")
        parser.add_argument(
            "--trial", action="store_true", help="plant bugs in a copy and see each one found"
        )
        parser.add_argument("--only", default="", help="with --trial: the bugs whose names hold this text")
        parser.add_argument(
            "--replay", default="", help="one violation as it was printed: what its case passes"
        )
        parser.add_argument("--json", action="store_true", help="one line of JSON last on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE == PRODUCTION:
            raise CommandError(_("The simulator makes up orders and money, so it refuses production mode."))
        if options["trial"]:
            self._trial(options)
            return
        if options["replay"]:
            self._replay(options["replay"])
            return
        wish = Wish(options["cases"], options["seed"], options["jobs"], options["until_found"])
        found = simulate(wish, self._progress)
        self.stdout.write(json.dumps(found) if options["json"] else _told(found))
        if found["violations"]:
            sys.exit(1)

    def _progress(self, cases: int, violations: int) -> None:
        self.stderr.write(f"{cases} cases, {violations} violations")
        self.stderr.flush()

    def _replay(self, violation: str) -> None:
        lines, result = replay(json.loads(violation))
        self.stdout.write("\n".join(lines))
        for invariant, row in result.findings:
            self.stdout.write(f"FOUND {invariant}: {row}")

    def _trial(self, options: dict[str, Any]) -> None:
        verdicts = []
        for verdict in trial(options["only"], options["seed"], options["cases"], options["jobs"]):
            verdicts.append(verdict)
            if not options["json"]:
                if len(verdicts) == 1:
                    self.stdout.write(ROW.format("bug", "found", "cases", "seconds", "seed", "invariant"))
                self.stdout.write(row_of(verdict))
                self.stdout.flush()
        missed = [verdict.bug for verdict in verdicts if not verdict.found]
        if options["json"]:
            said = [verdict.as_json() for verdict in verdicts]
            self.stdout.write(json.dumps({"bugs": len(said), "missed": missed, "trial": said}))
        if missed or not verdicts:
            sys.exit(1)


def row_of(verdict: Verdict) -> str:
    """A bug's line in the trial's table."""
    found, seed = "yes" if verdict.found else "NO", verdict.seed if verdict.seed is not None else "-"
    return ROW.format(verdict.bug, found, verdict.cases, verdict.seconds, seed, verdict.invariant)


def _listed(what: str, names: Iterable[str]) -> str:
    """The names of a table, as they stand in a violation."""
    found = list(names)
    return (
        f"{len(found)} {what}:\n"
        + fill("; ".join(found), WIDTH, initial_indent="  ", subsequent_indent="  ")
        + "\n"
    )


def _told(found: dict[str, Any]) -> str:
    path = found["refund_path"]
    lines = [
        f"{found['cases']} cases, {found['points']} points, {found['kinds']} kinds of failure",
        f"on the way of a refund: {path['hit']} of {path['pairs']} pairs of point and kind hit",
        *(f"seed {one['seed']}: {one['invariant']}: {one['row']}" for one in found["violations"]),
        f"{len(found['violations'])} violations, trace {found['trace']}",
    ]
    return "\n".join(lines)
