"""Plays a seeded day of a made-up shop through the real thing, and keeps serving."""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from argparse import ArgumentParser
from threading import Event
from typing import Any

import segno
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from opsagent.demo import house as demo_house
from opsagent.demo.house import House, Plan
from opsagent.demo.kills import Killer
from opsagent.demo.patience import patiently
from opsagent.demo.player import Tally
from opsagent.demo.script import Story
from opsagent.demo.summary import Summary, summarise
from opsagent.environment import PRODUCTION
from opsagent.postgres_home import PostgresError
from tools.types import Money


class Command(BaseCommand):
    help = (
        "Plays a made-up day of two shops through the real webhooks, workers and a sandbox of all vendors, prints what"
        " came of it and keeps serving the admin until Ctrl-C. Needs no key, account or server. With --headless it"
        " uses a fresh database of its own, prints the numbers and ends with status 0 only if what was posted arrived,"
        " every event ended and the books are equal."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--headless", action="store_true", help="play, print the numbers, stop")
        parser.add_argument("--events", type=int, default=200, help="deliveries with a right signature (200)")
        parser.add_argument("--seed", type=int, default=1, help="the same seed is the same day (1)")
        parser.add_argument("--json", action="store_true", help="one line of JSON last on standard output")
        parser.add_argument(
            "--port",
            type=int,
            default=None,
            help="of the web server (8000, or any free one where that is taken)",
        )
        parser.add_argument(
            "--kills",
            type=int,
            default=0,
            help="with --headless: kill -9 of workers, clusters, watch, web, PostgreSQL or all at once, so often",
        )
        parser.add_argument("--undo-seconds", type=int, default=None, help="undo window of automatic refunds")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE == PRODUCTION:
            raise CommandError("The demo makes up orders and money, so it refuses production mode.")
        if options["events"] < 10:
            raise CommandError("A day has at least ten events: use --events 10 or more.")
        if options["kills"] and not options["headless"]:
            raise CommandError("--kills is for --headless, where nobody is at work.")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        # The console is the reader's: what processes do in good order stays in the logs.
        logging.getLogger("opsagent.supervisor").setLevel(logging.WARNING)
        headless = options["headless"]
        self.console = Console(stderr=options["json"] or headless)
        plan = Plan(
            seed=options["seed"],
            events=options["events"],
            port=options["port"],
            headless=headless,
            undo_seconds=_undo(options["undo_seconds"], headless),
            kills=options["kills"],
        )
        try:
            good = self.run(plan, options["json"])
        except PostgresError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            self.console.print("Stopped.")
            return
        if headless and not good:
            sys.exit(1)

    def run(self, plan: Plan, as_json: bool) -> bool:
        began = time.monotonic()
        self.console.print("Starting the database.")
        with demo_house.database(plan) as postgres:
            self.console.print("Opening two shops and starting vendors, workers, watch and web server.")
            with demo_house.house(plan, postgres, settings.DATA_DIR, self.report) as home:
                day = demo_house.Progress(plan, settings.DATA_DIR)
                story = day.story()
                if not plan.headless:
                    self.introduce(home)
                killer = (
                    Killer(home.supervisor, plan.seed, plan.kills, len(story.steps)) if plan.kills else None
                )
                tally = self.play(home, day, story, killer)
                wanted = plan.events if plan.headless else 0
                seconds = time.monotonic() - began
                result = patiently(lambda: summarise(story, home.sandbox, seconds, tally, wanted=wanted))
                kills = dict(killer.done) if killer else {}
                self.show(result, kills)
                if as_json:
                    told = {**result.as_dict(), "kills": kills} if killer else result.as_dict()
                    self.stdout.write(json.dumps(told, ensure_ascii=False))
                    self.stdout.flush()
                if not plan.headless:
                    self.serve(home)
        return result.good

    def report(self, sentence: str) -> None:
        self.console.print(f"[yellow]{sentence}[/yellow]")

    def play(self, home: House, day: demo_house.Progress, story: Story, killer: Killer | None) -> Tally:
        columns = (
            TextColumn("[bold]The day[/bold]"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=self.console, transient=True) as progress:
            bar = progress.add_task("starts", total=len(story.steps))
            tally = demo_house.play(
                home,
                day,
                story,
                lambda step: progress.update(bar, advance=1, description=f"{step.shop} {step.kind}"),
                killer,
            )
            progress.update(bar, description="waiting for the last effects")
        return tally

    def show(self, result: Summary, kills: dict[str, int]) -> None:
        table = Table(title="What came of the day", show_header=False, title_justify="left")
        table.add_column()
        table.add_column(justify="right")
        for name, value in _rows(result):
            table.add_row(name, value)
        for kind, times in sorted(kills.items()):
            table.add_row(f"kill -9: {kind}", str(times))
        self.console.print(table)
        for miss in result.mismatches:
            self.console.print(
                f"  [yellow]{miss['story']}[/yellow]: a shop would expect {miss['wanted']}, case {miss['case']} went"
                f" {miss['got']} ({miss['rule']})"
            )

    def introduce(self, home: House) -> None:
        """Who works here and where, before the day begins: its undo windows are short."""
        table = Table(title="Who works here", title_justify="left")
        for heading in ("Sign in as", "Name", "Role", "Password"):
            table.add_column(heading)
        for who in home.staff:
            table.add_row(who.username, who.name, ", ".join(who.roles), who.password)
        self.console.print(table)
        for who in home.staff:
            if "finance approver" in who.roles:
                self.console.print(
                    f"\n{who.name} signs in and approves with this authenticator: {who.otpauth}",
                    soft_wrap=True,
                )
                segno.make(who.otpauth, micro=False).terminal(out=sys.stdout, compact=True)
        self.console.print(
            "\n[bold]Signing in asks for the password, then for a code.[/bold] In a second terminal:"
            " python manage.py demo_code NAME"
        )
        self.address(home)

    def address(self, home: House) -> None:
        url = f"{home.web.replace('127.0.0.1', 'localhost')}/admin/"
        self.console.print(f"[bold]The admin: {url}[/bold]  (Ctrl-C stops everything)")
        sys.stdout.flush()

    def serve(self, home: House) -> None:
        """Stay until somebody says stop."""
        self.address(home)
        stop = Event()
        signal.signal(signal.SIGINT, lambda *_: stop.set())
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        while not stop.wait(1):
            continue
        self.console.print("Stopping.")


def _undo(asked: int | None, headless: bool) -> int:
    if asked is not None:
        return asked
    return 1 if headless else 20


def _rows(result: Summary) -> list[tuple[str, str]]:
    refunds = [
        (f"refunded, {tier.replace('_', ' ')}", str(Money(minor, currency)))
        for currency, tiers in result.refunded_minor.items()
        for tier, minor in tiers.items()
    ]
    posted = f"NO, {result.posted} of {result.wanted}"
    lost = [] if result.arrived else [("all events posted and found in the rows", posted)]
    return [
        *lost,
        ("events accepted", str(result.accepted)),
        ("delivered again (no effect)", str(result.duplicates)),
        ("refused (forged)", str(result.refused)),
        ("dead letters", str(result.dead)),
        ("cases", str(result.cases)),
        ("handled automatically", str(result.automatic)),
        ("waiting for one approver", str(result.approvals)),
        ("waiting for two-factor", str(result.two_factor)),
        ("  of them for two people", str(result.two_people)),
        ("handed to a human", str(result.handoffs)),
        ("  above all that may be approved", str(result.above_all)),
        ("  99 % of them within", f"{result.handoff_p99_s} s"),
        *refunds,
        ("went as a shop would expect", f"{result.lane_match:.0%}"),
        ("sandbox's payment ledger equals ours", "yes, to the cent" if result.books_equal else "NO"),
        ("invariants broken", str(result.invariant_violations)),
        ("took", f"{result.seconds} s"),
    ]
