"""`manage.py sandbox`: the vendors' stand-ins on the loopback."""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from opsagent.environment import PRODUCTION
from tools.sandbox.__main__ import ABOUT, serve


class Command(BaseCommand):
    """Serves until it is interrupted; refuses production, where a stand-in would pass for a vendor."""

    help = "Serves stand-ins for Shopify, Stripe, Klaviyo, WhatsApp and Slack on 127.0.0.1."
    requires_system_checks: list[str] = []

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        kwargs.setdefault("formatter_class", RawDescriptionHelpFormatter)
        return super().create_parser(prog_name, subcommand, epilog=ABOUT, **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="0 picks a free port and prints it")
        parser.add_argument("--ledger", type=Path, required=True, help="SQLite file of the stand-ins' own")
        parser.add_argument("--json", action="store_true", help="prints all addresses as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.MODE == PRODUCTION:
            raise CommandError(_("The sandbox does not run when OPSAGENT_MODE is production."))
        serve(options["port"], options["ledger"], as_json=options["json"])
