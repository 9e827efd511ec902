"""`manage.py mutation`: would the tests of policy and executor notice a change?"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from opsagent.mutation import AT_LEAST, SUBJECTS, NotPlayed, Score, play


class Command(BaseCommand):
    """Ends with status 1 where fewer changes were noticed than should be."""

    help = (
        "Changes policy and executor in a copy of this checkout, in one place at a time, and says which changes no"
        f" test noticed. At least {AT_LEAST:g} percent have to be noticed, and the policy's tests pass every branch."
        " Policy takes minutes, the executor a night."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=sorted(SUBJECTS), help="one of both")
        parser.add_argument("--json", action="store_true", help="one line of JSON last on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        scores = []
        for name in [options["only"]] if options["only"] else SUBJECTS:
            try:
                scores.append(play(name))
            except NotPlayed as error:
                raise CommandError(str(error)) from error
            if not options["json"]:
                self.stdout.write(told(scores[-1]))
        if options["json"]:
            self.stdout.write(json.dumps([score.as_json() for score in scores]))
        if not all(score.holds for score in scores):
            sys.exit(1)


def told(score: Score) -> str:
    """A score for people to read, with a line for each change that nobody noticed."""
    branches = "" if score.branches_percent is None else f", {score.branches_percent:g} % of branches passed"
    lines = [f"{score.subject}: {score.noticed} of {score.changes} noticed, {score.percent:g} %{branches}"]
    for survivor in score.survivors:
        changed = survivor.diff.replace("\n", "\n    ")
        lines.append(f"  {survivor.file}:{survivor.line}  {survivor.name}\n    {changed}")
    return "\n".join(lines)
