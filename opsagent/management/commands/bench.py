"""Measures intake, queue and executor beside others that do the same."""

from __future__ import annotations

import json
import logging
import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from opsagent.bench import execute, intake, queue
from opsagent.bench.figures import missed
from opsagent.bench.grounds import Grounds, free_port, grounds
from opsagent.bench.serving import NotServing
from opsagent.bench.showing import show
from opsagent.environment import PRODUCTION

# The benchmarks with goals.
PROMISED = ("intake", "queue")


class Command(BaseCommand):
    help = (
        "Measures how fast webhooks are taken (intake), tasks are woken and drained (queue) and reserved calls are sent"
        " (execute), each beside the least that could be done and, where requirements-bench.txt is installed, beside"
        " others. All contenders take turns, and what counts are ratios within a round. Uses a database of its own,"
        " which is dropped at the end."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", choices=("intake", "queue", "execute"))
        parser.add_argument("--json", action="store_true", help="one line of JSON last on standard output")
        parser.add_argument(
            "--hold", action="store_true", help="end with status 1 where a goal was missed or not measured"
        )
        parser.add_argument("--rounds", type=int, default=7, help="turns of each contender (7)")
        parser.add_argument(
            "--count",
            type=int,
            default=400,
            help="webhooks, tasks or calls of each contender in a round (400)",
        )
        parser.add_argument("--wakes", type=int, default=20, help="queue: wake-ups in a round (20)")
        parser.add_argument("--connections", type=int, default=4, help="intake: posting at once (4)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed is the same orders (1)")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE == PRODUCTION:
            raise CommandError("Benchmarks make up shops and orders, so they refuse production mode.")
        if min(options["rounds"], options["count"], options["wakes"], options["connections"]) < 1:
            raise CommandError("There must be at least one of each.")
        if options["hold"] and options["what"] not in PROMISED:
            raise CommandError(f"Nothing is promised about {options['what']}, so there is no goal to hold.")
        # Ended by a signal, it drops its database all the same.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # What goes wrong is raised; what goes well is counted.
        logging.getLogger().setLevel(logging.ERROR)
        port = free_port()
        try:
            with grounds(settings.DATA_DIR, f"http://127.0.0.1:{port}") as found:
                result = self.measure(found, port, options)
        except (intake.Failed, NotServing) as error:
            raise CommandError(str(error)) from error
        self.tell(result, as_json=options["json"], hold=options["hold"])

    def tell(self, result: dict[str, Any], *, as_json: bool, hold: bool) -> None:
        """Print a result; with `hold` raise CommandError where a goal was not shown."""
        if as_json:
            self.stdout.write(json.dumps(result))
        else:
            show(result, Console())
        short = missed(result["goals"])
        if hold and short:
            raise CommandError(f"Missed: {'; '.join(short)}.")

    def measure(self, found: Grounds, port: int, options: dict[str, Any]) -> dict[str, Any]:
        rounds, count, seed = options["rounds"], options["count"], options["seed"]
        match options["what"]:
            case "intake":
                size = intake.Size(rounds, count, options["connections"], seed)
                return intake.measure(found, size, self.stderr.write)
            case "queue":
                return queue.measure(found, queue.Size(rounds, options["wakes"], count), self.stderr.write)
            case _:
                return execute.measure(found, execute.Size(rounds, count, seed), port, self.stderr.write)
