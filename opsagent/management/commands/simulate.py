"""`manage.py simulate`: made-up cases through the real code, with a failure at every point."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from opsagent.environment import PRODUCTION
from opsagent.simulation.running import Wish, replay, simulate
from opsagent.simulation.trial import trial


class Command(BaseCommand):
    """Ends with status 1 where something was found."""

    help = (
        "Plays made-up cases through the real code against stand-ins of all vendors, in a database of its own, breaks"
        " something at every point of a refund's way, and compares our books with the vendors' after every case."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--cases", type=int, default=1000, help="how many cases (1000)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed is the same run (1)")
        parser.add_argument("--jobs", type=int, default=1, help="processes that play at the same time (1)")
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
        for verdict in trial(options["only"], options["seed"], options["cases"]):
            verdicts.append(verdict)
            if not options["json"]:
                seen = f"seed {verdict.seed}, {verdict.cases} cases: {verdict.invariant}"
                self.stdout.write(f"{verdict.bug}: {seen if verdict.found else 'NOT FOUND'}")
                self.stdout.flush()
        missed = [verdict.bug for verdict in verdicts if not verdict.found]
        if options["json"]:
            said = [verdict.as_json() for verdict in verdicts]
            self.stdout.write(json.dumps({"bugs": len(said), "missed": missed, "trial": said}))
        if missed or not verdicts:
            sys.exit(1)


def _told(found: dict[str, Any]) -> str:
    path = found["refund_path"]
    lines = [
        f"{found['cases']} cases, {found['points']} points, {found['kinds']} kinds of failure",
        f"on the way of a refund: {path['hit']} of {path['pairs']} pairs of point and kind hit",
        *(f"seed {one['seed']}: {one['invariant']}: {one['row']}" for one in found["violations"]),
        f"{len(found['violations'])} violations, trace {found['trace']}",
    ]
    return "\n".join(lines)
