"""`manage.py contract_check`: what of ours breaks against a version of a vendor's contract."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from tools.adapters import shopify_documents, stripe_known
from tools.contracts import check
from tools.contracts.findings import NotAContract, Report, Severity
from tools.contracts.graphql_contract import version_of

# The vendors whose pinned contract is part of the tests, which an installation needn't have.
PINNED = {
    "shopify": f"shopify_{shopify_documents.VERSION}.graphql",
    "stripe": f"stripe_{stripe_known.VERSION}.json",
}
WORDS = {
    Severity.BREAKS: gettext_lazy("breaks"),
    Severity.CHANGES: gettext_lazy("changes"),
    Severity.DEPRECATED: gettext_lazy("deprecated"),
}


class Command(BaseCommand):
    """Exits with 1 where something breaks, with 2 where a file isn't a contract."""

    help = (
        "Tells what of ours breaks against a version of a vendor's contract, before anybody upgrades to it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--shopify-sdl", type=Path, help="Admin GraphQL schema: SDL or introspection JSON"
        )
        parser.add_argument(
            "--shopify-version", default="", help="its version (2026-10), if its name tells none"
        )
        parser.add_argument("--stripe", type=Path, help="OpenAPI 3 document, as JSON")
        parser.add_argument("--klaviyo", type=Path, help="OpenAPI 3 document, as JSON")
        parser.add_argument("--whatsapp", type=Path, help="OpenAPI 3 document, as JSON")
        parser.add_argument("--json", action="store_true", help="one line of JSON last on standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        readers: dict[str, Callable[[str, Path], Report]] = {
            "shopify": partial(_shopify, version=options["shopify_version"]),
            "stripe": partial(_rest, vendor="stripe"),
            "klaviyo": partial(_rest, vendor="klaviyo"),
            "whatsapp": partial(_rest, vendor="whatsapp"),
        }
        reports, unchecked = [], []
        for vendor, reader in readers.items():
            path = options["shopify_sdl" if vendor == "shopify" else vendor] or _pinned(vendor)
            if path is None:
                unchecked.append(vendor)
            else:
                reports.append(_read(vendor, path, reader))
        for report in reports:
            self._tell(report)
        for vendor in unchecked:
            self.stdout.write(_("%(vendor)s: not checked, since no contract was given") % {"vendor": vendor})
        breaks = any(report.breaks for report in reports)
        if options["json"]:
            self.stdout.write(json.dumps(_as_dict(reports, unchecked, breaks=breaks), ensure_ascii=False))
        if breaks:
            raise SystemExit(1)

    def _tell(self, report: Report) -> None:
        found = ngettext("%(count)d finding", "%(count)d findings", len(report.findings))
        counted = found % {"count": len(report.findings)}
        version = report.version or _("of unknown version")
        asked = ", ".join(report.checked) or "-"
        self.stdout.write(f"{report.vendor} {version}: {counted} ({asked})")
        for one in report.findings:
            self.stdout.write(f"  {WORDS[one.severity]!s:<11} {one.operation}: {one.where}")
            self.stdout.write(f"  {'':<11} {one.what}")
        for operation, why in report.unchecked:
            self.stdout.write(f"  {_('not checked'):<11} {operation}: {why}")


def _pinned(vendor: str) -> Path | None:
    path = Path(settings.BASE_DIR) / "tests" / "contracts" / PINNED.get(vendor, "")
    return path if path.is_file() else None


def _read(vendor: str, path: Path, reader: Callable[[str, Path], Report]) -> Report:
    try:
        return reader(path.read_text(encoding="utf-8-sig"), path)
    except OSError as problem:
        raise CommandError(
            _("%(file)s can't be read: %(why)s") % {"file": path, "why": problem.strerror}, returncode=2
        ) from None
    except (NotAContract, UnicodeDecodeError) as problem:
        why = _("%(file)s is not a contract of %(vendor)s: %(why)s")
        raise CommandError(why % {"file": path, "vendor": vendor, "why": problem}, returncode=2) from None


def _shopify(text: str, path: Path, *, version: str) -> Report:
    return check.shopify(text, version or version_of(path.name, text))


def _rest(text: str, path: Path, *, vendor: str) -> Report:
    return check.rest(text, vendor)


def _as_dict(reports: list[Report], unchecked: list[str], *, breaks: bool) -> dict[str, object]:
    return {
        "breaks": breaks,
        "contracts": [
            {"vendor": one.vendor, "version": one.version, "checked": list(one.checked)} for one in reports
        ],
        "unchecked": [
            *({"vendor": vendor, "operation": "", "why": "no contract was given"} for vendor in unchecked),
            *(
                {"vendor": one.vendor, "operation": name, "why": why}
                for one in reports
                for name, why in one.unchecked
            ),
        ],
        "findings": [finding.as_dict() for one in reports for finding in one.findings],
    }
