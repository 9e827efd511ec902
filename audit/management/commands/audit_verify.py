import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from audit.verify import Report, verify


class Command(BaseCommand):
    help = _("Check that the audit log's chains hold; exits 1 where they do not.")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--stream", help=_("only this stream, such as case/17"))
        parser.add_argument("--json", action="store_true", help=_("one JSON line, printed last"))

    def handle(self, *args: Any, **options: Any) -> None:
        stream: str | None = options["stream"]
        report = verify(stream)
        if stream is not None and not report.streams:
            raise CommandError(_("There is no audit stream %(stream)s.") % {"stream": stream})
        self._tell(report)
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report), sort_keys=True))
        if not report.holds:
            sys.exit(1)

    def _tell(self, report: Report) -> None:
        self.stdout.write(
            _("%(entries)d entries in %(streams)d streams checked.")
            % {"entries": report.entries, "streams": report.streams}
        )
        for fault in report.faults:
            place = fault.stream if fault.seq is None else f"{fault.stream} #{fault.seq}"
            self.stdout.write(self.style.ERROR(f"{place}: {fault.why}"))
        if report.holds:
            self.stdout.write(self.style.SUCCESS(_("Every chain holds.")))
        else:
            self.stdout.write(
                self.style.ERROR(_("%(count)d faults: the log was changed.") % {"count": len(report.faults)})
            )
