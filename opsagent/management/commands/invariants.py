"""Checks on the live database that the books hold, and names every row where they don't."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from audit import sources
from cases.invariants.base import Invariant, Scope, Violation
from cases.invariants.chain import NAME as CHAIN
from cases.invariants.runs import Checked, Report, as_json, check, kept_by_hand
from cases.invariants.vendors import EQUAL, Reading, read_vendors
from cases.models import Case, Shop

MOST_SHOWN = 20
MOST_PAYMENTS = 1000
BROKEN, WRONG_QUESTION, UNREAD = 1, 2, 3


class Command(BaseCommand):
    help = _(
        "Checks every invariant of the books on all rows of the database as it is. Nothing is changed; how it went is"
        " kept for the desk, unless only some cases or shops were asked about. One alone looks at recent rows only: the"
        " audit chain is followed from where a kept run found it whole. --full follows all of it, as each night does."
        " Exit status: 0 all holds; 1 an invariant is broken, and each row was named; 2 the question was wrong, such as"
        " a case that is not there; 3 nothing broken was found, but with --vendors some payments could not be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help=_("one JSON line, printed last"))
        parser.add_argument(
            "--full", action="store_true", help=_("follow the whole audit chain, not only what came since")
        )
        parser.add_argument("--case", type=int, action="append", help=_("only this case; may be repeated"))
        parser.add_argument("--shop", action="append", help=_("only this shop's rows, by its short name"))
        parser.add_argument(
            "--vendors", action="store_true", help=_("also read each payment's refunds at its vendor")
        )
        parser.add_argument(
            "--payments",
            type=int,
            default=MOST_PAYMENTS,
            help=_("with --vendors: at most so many, those with refunds first (default %(default)s)"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        began, scope = sources.now(), _scope(options["case"], options["shop"])
        report = check(scope, whole_chain=options["full"])
        reading = read_vendors(scope, most=options["payments"]) if options["vendors"] else None
        if scope.everything:
            kept_by_hand(report, began, reading)
        found = report.violations + (reading.violations if reading else [])
        self._table(report)
        self._of_vendors(reading)
        self._end(report, found)
        if options["json"]:
            self.stdout.write(json.dumps(_line(report, reading, found), ensure_ascii=False, sort_keys=True))
        if found or (reading and reading.unread):
            sys.exit(BROKEN if found else UNREAD)

    def _table(self, report: Report) -> None:
        for one in report.checks:
            self._row(one)
            self._rows(one.invariant, one.violations)

    def _row(self, one: Checked) -> None:
        word = str(len(one.violations)) if one.violations else _("holds")
        style = self.style.ERROR if one.violations else self.style.SUCCESS
        self.stdout.write(f"{style(f'{word:>7}')}  {one.milliseconds:>6} ms  {one.invariant.name}")

    def _rows(self, invariant: Invariant, rows: Sequence[Violation]) -> None:
        if not rows:
            return
        self.stdout.write(f"         {invariant.sentence}")
        for row in rows[:MOST_SHOWN]:
            case = _(", case %(case)s") % {"case": row.case_id} if row.case_id else ""
            self.stdout.write(self.style.ERROR(f"         - {row}{case}"))
        if len(rows) > MOST_SHOWN:
            self.stdout.write(_("         and %(n)s more") % {"n": len(rows) - MOST_SHOWN})
        self.stdout.write(f"         {invariant.todo}")

    def _of_vendors(self, reading: Reading | None) -> None:
        if reading is None:
            return
        self.stdout.write(
            _("Compared with the vendors' own ledgers: %(n)s payments; %(hand)s are paid by hand.")
            % {"n": reading.compared, "hand": reading.by_hand}
        )
        self._rows(EQUAL, reading.violations)
        for name, payments in reading.unread.items():
            self.stdout.write(
                self.style.WARNING(_("Not read: %(n)s payments, %(why)s") % {"n": payments, "why": name})
            )

        if reading.left_out:
            self.stdout.write(_("Left out: %(n)s payments; --payments reads more.") % {"n": reading.left_out})

    def _end(self, report: Report, found: Sequence[Violation]) -> None:
        seconds = f"{report.milliseconds / 1000:.1f}"
        if report.entries_from:
            self.stdout.write(
                _(
                    "The audit chain was followed from entry %(since)s, up to which it held before; --full follows"
                    " all of it."
                )
                % {"since": report.entries_from}
            )
        words = _("%(n)s violations, %(checks)s invariants, %(seconds)s s.")
        style = self.style.ERROR if found else self.style.SUCCESS
        self.stdout.write(style(words % {"n": len(found), "checks": len(report.checks), "seconds": seconds}))


def _scope(cases: Sequence[int] | None, slugs: Sequence[str] | None) -> Scope:
    """What was asked about; raises CommandError for a case or shop that isn't there."""
    shops = None if slugs is None else list(Shop.objects.filter(slug__in=slugs).values_list("pk", "slug"))
    _refuse_unknown(slugs or (), {slug for _pk, slug in shops or ()}, _("There is no such shop: %(name)s."))
    known = set(Case.objects.filter(pk__in=cases or ()).values_list("pk", flat=True))
    _refuse_unknown(cases or (), known, _("There is no such case: %(name)s."))
    return Scope.of(cases, None if shops is None else [pk for pk, _slug in shops])


def _refuse_unknown(asked: Iterable[object], known: set[Any], words: str) -> None:
    for one in asked:
        if one not in known:
            raise CommandError(words % {"name": one}, returncode=WRONG_QUESTION)


def _line(report: Report, reading: Reading | None, found: Sequence[Violation]) -> dict[str, Any]:
    vendors = None
    if reading is not None:
        vendors = {
            "compared": reading.compared,
            "by_hand": reading.by_hand,
            "left_out": reading.left_out,
            "unread": reading.unread,
        }
    return {
        "ok": not found,
        "violations": [as_json(one) for one in found],
        "checks": {one.invariant.name: one.milliseconds for one in report.checks},
        "seconds": round(report.milliseconds / 1000, 3),
        "only_recent_rows_of": [CHAIN] if report.entries_from else [],
        "audit": {
            "whole_chain": report.entries_from == 0,
            "after": report.entries_from,
            "until": report.entries_until,
        },
        "vendors": vendors,
    }
