"""`manage.py rates`: the exchange rates that caps are summed by; reads them now, or takes them from a file."""

import csv
from argparse import ArgumentParser
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from approvals import rates
from approvals.errors import Invalid
from audit import sources
from audit.actors import SYSTEM
from cases.rates import read_now
from tools.adapters import ecb

COLUMNS = ("base", "quote", "rate", "as_of")


class Command(BaseCommand):
    """Exits with 1 where rates could not be read, and takes a file whole or not at all."""

    help = (
        "Shows the exchange rates with source and age. `rates read` reads the file at OPSAGENT_RATES_URL now;"
        " `rates import FILE --source NAME` takes a CSV file with the columns base,quote,rate,as_of"
        " (EUR,USD,1.1625,2026-11-20: one euro was 1.1625 dollars on that day)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("what", nargs="?", choices=("show", "read", "import"), default="show")
        parser.add_argument("file", nargs="?", type=Path, help="of `import`: the CSV file")
        parser.add_argument("--source", default="", help="of `import`: where the rates are from")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["what"] == "read":
            self._read()
        elif options["what"] == "import":
            self._import(options["file"], options["source"])
        self._show()

    def _read(self) -> None:
        if not ecb.rates_url():
            raise CommandError(_("Set OPSAGENT_RATES_URL first, or import a file."))
        reading = read_now()
        if reading.error:
            raise CommandError(_("The rates can't be read now: %(error)s.") % {"error": reading.error})

    def _import(self, path: Path | None, source: str) -> None:
        if path is None:
            raise CommandError(_("Name the file: manage.py rates import FILE --source NAME."))
        try:
            with transaction.atomic():
                new = sum(
                    rates.keep(rows, as_of=day, source=source, by=SYSTEM)
                    for day, rows in _by_day(path).items()
                )
        except Invalid as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(_("%(new)s new rates.") % {"new": new})

    def _show(self) -> None:
        now = sources.now()
        known = rates.table(now).pairs
        if not known:
            self.stdout.write(_("No rates: a refund whose sums are of two currencies goes to a person."))
        for (base, quote), rate in sorted(known.items()):
            hours = int(rate.age(now).total_seconds() // 3600)
            line = f"1 {base} = {float(rate.ratio):.6g} {quote}"
            about = _("of %(day)s, %(hours)s h old, %(source)s")
            self.stdout.write(
                f"{line:<28} {about % {'day': rate.as_of, 'hours': hours, 'source': rate.source}}"
            )


def _by_day(path: Path) -> dict[date, list[tuple[str, str, Decimal]]]:
    """The file's rates by their day. Raises CommandError with the line that doesn't fit."""
    days: dict[date, list[tuple[str, str, Decimal]]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise CommandError(_("The first line names the columns base,quote,rate,as_of."))
            for row in reader:
                days.setdefault(_day(row, reader.line_num), []).append(_pair(row, reader.line_num))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise CommandError(_("%(file)s can't be read: %(why)s") % {"file": path, "why": problem}) from problem
    return days


def _day(row: dict[str, Any], line: int) -> date:
    try:
        return date.fromisoformat((row["as_of"] or "").strip())
    except ValueError as error:
        raise CommandError(_("Line %(line)s: as_of is a day, as 2026-11-20.") % {"line": line}) from error


def _pair(row: dict[str, Any], line: int) -> tuple[str, str, Decimal]:
    try:
        rate = Decimal((row["rate"] or "").strip())
    except InvalidOperation as error:
        raise CommandError(_("Line %(line)s: rate is a number, as 1.1625.") % {"line": line}) from error
    return (row["base"] or "").strip(), (row["quote"] or "").strip(), rate
