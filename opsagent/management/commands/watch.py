import signal
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand

from opsagent.watch import Watch


class Command(BaseCommand):
    help = "Finds forgotten work, beside the queue, until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda *_: stop.set())
        Watch().run(stop)
