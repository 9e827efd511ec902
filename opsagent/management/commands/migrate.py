"""manage.py migrate: Django's own; what only holds made-up data has it done in a fifth of the time."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.core.management.commands import migrate
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext

from opsagent.environment import PRODUCTION
from opsagent.migrating import Executor


class Command(migrate.Command):
    """Django's command; its executor is Django's own too where a shop's own database is migrated."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--thrown-away",
            action="store_true",
            help=gettext("The database holds made-up data alone and is dropped again."),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kept = bool(settings.DATABASE_URL) and not options["thrown_away"]
        a_shops = settings.MODE == PRODUCTION or kept
        # The command looks the class up by its name, so there is no other place to say which.
        vars(migrate)["MigrationExecutor"] = MigrationExecutor if a_shops else Executor
        super().handle(*args, **options)
