"""`manage.py mutation`: would the tests of policy and executor notice a change?"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from opsagent.mutation import AT_LEAST, SUBJECTS, NotPlayed, Passing, Score, passing, play


class Command(BaseCommand):
    """Ends with status 1 where fewer changes were noticed than should be."""

    help = (
        "Changes policy and executor in a copy of this checkout, in one place at a time, and says which changes no"
        f" test noticed. At least {AT_LEAST:g} percent have to be noticed, and every branch has to be passed."
        " The policy takes minutes, the executor about half an hour; --branches alone two minutes."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=sorted(SUBJECTS), help="one of both")
        parser.add_argument("--branches", action="store_true", help="only whether every branch is passed")
        parser.add_argument("--json", action="store_true", help="one line of JSON last on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        look = passing if options["branches"] else play
        scores: list[Score | Passing] = []
        for name in [options["only"]] if options["only"] else SUBJECTS:
            try:
                scores.append(look(name))
            except NotPlayed as error:
                raise CommandError(str(error)) from error
            if not options["json"]:
                self.stdout.write(told(scores[-1]))
        if options["json"]:
            self.stdout.write(json.dumps([score.as_json() for score in scores]))
        if not all(score.holds for score in scores):
            sys.exit(1)


def told(score: Score | Passing) -> str:
    """A result for people to read, with a line for each way not taken and each change that nobody noticed."""
    lines = [f"{score.subject}: {score.passed.percent:g} % of lines and branches passed"]
    lines += [f"  not passed: {place}" for place in score.passed.missed]
    if isinstance(score, Passing):
        return "\n".join(lines)
    lines.append(f"{score.subject}: {score.noticed} of {score.changes} noticed, {score.percent:g} %")
    lines += [f"  never ended: {name}" for name in score.hung]
    for survivor in score.survivors:
        changed = survivor.diff.replace("\n", "\n    ")
        lines.append(f"  {survivor.file}:{survivor.line}  {survivor.name}\n    {changed}")
    return "\n".join(lines)
