"""Opens a shop for real vendors."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from approvals.errors import Refusal
from audit import sources
from audit.actors import SYSTEM
from cases.connections import Source
from cases.shops import Opening, open_shop


def moment(text: str) -> datetime:
    """An ISO date or time; without a zone it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} is no date such as 2026-01-31 or 2026-01-31T09:00+01:00") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def source_since(text: str) -> tuple[str, datetime]:
    """`stripe=2026-01-31`: a source with an instant of its own."""
    source, _equals, at = text.partition("=")
    if source not in Source.values:
        raise ArgumentTypeError(f"{source} is no source: {', '.join(Source.values)}")
    return source, moment(at)


class Command(BaseCommand):
    help = "Opens a shop with conservative limits, told in the audit log; one that is there already stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="short name, which stands in the webhook addresses: acme")
        parser.add_argument("--name", required=True, help="what customers know it as")
        parser.add_argument("--legal-entity", required=True, help="who sells: Acme GmbH")
        parser.add_argument("--currency", required=True, type=str.upper, help="base currency: EUR")
        parser.add_argument("--time-zone", required=True, help="IANA name: Europe/Berlin")
        parser.add_argument("--languages", required=True, nargs="+", help="the first is the default: de en")
        parser.add_argument("--sender-email", required=True, help="address that customers write to")
        parser.add_argument("--sender-name", help="as which messages are signed (the shop's name)")
        parser.add_argument("--env-prefix", help="of its environment variables (the short name in capitals)")
        parser.add_argument(
            "--connected-since",
            type=moment,
            help="what is older is history: it opens no case and sends nothing (now)",
        )
        parser.add_argument(
            "--source-since",
            type=source_since,
            action="append",
            default=[],
            metavar="SOURCE=DATE",
            help=f"a source that counts from another day: stripe=2026-01-31 ({', '.join(Source.values)})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        slug = options["slug"]
        new = Opening(
            slug=slug,
            env_prefix=options["env_prefix"] or slug.upper().replace("-", "_"),
            name=options["name"],
            legal_entity=options["legal_entity"],
            base_currency=options["currency"],
            time_zone=options["time_zone"],
            languages=tuple(options["languages"]),
            sender_name=options["sender_name"] or options["name"],
            sender_email=options["sender_email"],
            connected_since=options["connected_since"] or sources.now(),
            sources_since=dict(options["source_since"]),
        )
        try:
            shop, is_new = open_shop(new, by=SYSTEM)
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        said = "is open" if is_new else "was open already; nothing was changed"
        self.stdout.write(f"{shop.name} {said}. Its variables begin with {shop.env_prefix}_.")
