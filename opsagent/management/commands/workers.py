import multiprocessing
import os
import signal
from argparse import ArgumentParser
from threading import Event
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from opsagent.launch import forks_die_with_parent
from opsagent.processes import wait_until
from opsagent.supervisor import CLUSTERS, START_GRACE_SECONDS, Supervisor, cluster_spec, run_folder


class Command(BaseCommand):
    help = "Runs the queue's clusters under a supervisor, until Ctrl-C."
    # Checked once by the supervisor and not again by each of its clusters.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", action="append", choices=CLUSTERS, help="run this cluster alone")
        parser.add_argument(
            "--cluster", choices=CLUSTERS, help="be this cluster (what the supervisor starts)"
        )

    def handle(self, *args: Any, only: list[str] | None, cluster: str | None, **options: Any) -> None:
        if cluster:
            self.be_cluster(cluster)
        else:
            self.supervise(only or list(CLUSTERS))

    def supervise(self, names: list[str]) -> None:
        self.check()
        connection.ensure_connection()
        connection.close()
        stop = Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda *_: stop.set())
        with (
            run_folder(settings.DATA_DIR) as run_dir,
            Supervisor(
                [cluster_spec(name) for name in names],
                run_dir=run_dir,
                silence=settings.HEARTBEAT_SECONDS,
            ) as supervisor,
        ):
            wait_until(lambda: stop.is_set() or not supervisor.not_ready(), START_GRACE_SECONDS)
            late = supervisor.not_ready()
            self.stdout.write(f"Not ready: {', '.join(late)}" if late else "Workers are ready.")
            stop.wait()

    def be_cluster(self, name: str) -> None:
        if os.environ.get("Q_CLUSTER_NAME") != name:
            raise CommandError(f"Set Q_CLUSTER_NAME={name} before the start: django-q2 reads it at import.")
        from django_q.cluster import Cluster

        # A pusher or worker that outlived its sentinel would keep taking tasks that nobody acknowledges.
        multiprocessing.set_start_method("fork", force=True)
        forks_die_with_parent()
        Cluster().start()
