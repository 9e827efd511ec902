import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from threading import Event
from typing import Any

import psutil
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from opsagent import processes
from opsagent.environment import make_data_dir
from opsagent.postgres import START_SECONDS, Postgres, read_owner, read_place, server_url
from opsagent.postgres_home import PostgresError
from opsagent.supervisor import Supervisor, run_folder


class Command(BaseCommand):
    help = "Runs the embedded PostgreSQL: start (until Ctrl-C, or --detach), stop, status, url."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "url"])
        parser.add_argument("--detach", action="store_true", help="start in the background")

    def handle(self, *args: Any, action: str, detach: bool, **options: Any) -> None:
        if settings.DATABASE_URL:
            raise CommandError("DATABASE_URL is set, so the embedded PostgreSQL is not used.")
        self.postgres = Postgres(settings.DATA_DIR / "postgres", settings.POSTGRES_PLACE)
        try:
            if action == "start" and detach:
                self.start_detached()
            else:
                getattr(self, action)()
        except PostgresError as error:
            raise CommandError(str(error)) from error

    def start(self) -> None:
        self.refuse_second()
        stop = Event()
        with self.postgres:
            for signum in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, lambda *_: stop.set())
            with (
                run_folder(settings.DATA_DIR) as run_dir,
                Supervisor([], run_dir=run_dir, postgres=self.postgres),
            ):
                self.stdout.write(f"PostgreSQL runs at {self.postgres.url} - stop it with Ctrl-C.")
                stop.wait()
                self.stdout.write("Stopping.")

    def start_detached(self) -> None:
        self.refuse_second()
        path = make_data_dir(settings.DATA_DIR) / "db.log"
        # A file and no pipe: it goes on telling of crashes and restarts when nobody listens any more.
        with path.open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, sys.argv[0], "db", "start"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=output,
                start_new_session=True,
            )
        processes.wait_until(lambda: child.poll() is not None or self.answers(), START_SECONDS, pause=0.2)
        if child.poll() is not None:
            raise CommandError(path.read_text(errors="replace").strip() or "PostgreSQL did not start.")
        self.stdout.write(f"PostgreSQL runs at {self.postgres.url}")

    def stop(self) -> None:
        if self.postgres.own():
            self.postgres.stop()
            self.stdout.write("No embedded PostgreSQL was running.")
            return
        owner = read_owner(settings.POSTGRES_PLACE)
        if "db" not in (words := psutil.Process(owner).cmdline()):
            raise CommandError(f"Process {owner} runs the database; stop that one: {' '.join(words)}")
        os.kill(owner, signal.SIGTERM)
        if not processes.wait_until(self.postgres.own, START_SECONDS, pause=0.2):
            raise CommandError(f"The process {owner} keeps PostgreSQL running.")
        self.postgres.stop()
        self.stdout.write("Stopped.")

    def status(self) -> None:
        if not self.answers():
            raise CommandError("No embedded PostgreSQL is running.")
        self.stdout.write(f"PostgreSQL runs at {self.postgres.url}")

    def url(self) -> None:
        self.stdout.write(server_url(read_place(settings.POSTGRES_PLACE)))

    def answers(self) -> bool:
        return settings.POSTGRES_PLACE.exists() and self.postgres.answers()

    def refuse_second(self) -> None:
        if self.answers():
            raise CommandError(f"PostgreSQL runs already, at {self.postgres.url}")
