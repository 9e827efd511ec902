"""Asks every vendor of every shop once, operation by operation, and says whether each still speaks as we know it."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit import sources
from cases.models import Shop
from tools import probing
from tools.adapters import table
from tools.models import Drift
from tools.vendor_report import Standing, VendorStanding, standing_of

WORDS = {
    probing.OK: "ok",
    probing.NOTHING: "ok so far: there is nothing there to read",
    probing.NOT_CONFIGURED: "not connected",
    probing.NO_PROBE: "NOT PROVEN: it has no reading of its own, so nothing can be asked",
    probing.UNAVAILABLE: "NOT READABLE, try again later",
    probing.REFUSED: "REFUSED by the vendor",
    probing.CRASHED: "FAILED on our side, see the log",
}
FINDINGS = dict(Drift.Finding.choices)


class Command(BaseCommand):
    help = (
        "Makes one read per operation against the configured vendors; exits with 1 where an answer has drifted or "
        "can't be read, or nothing could be asked at all. Drift that it finds is recorded as by any other call."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shop", help="short name of one shop; all shops without it")
        parser.add_argument("--json", action="store_true", help="one line of JSON at the end of stdout")

    def handle(self, *args: Any, **options: Any) -> None:
        shops = list(Shop.objects.filter(slug=options["shop"]) if options["shop"] else Shop.objects.all())
        if not shops:
            known = ", ".join(Shop.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no such shop. Known: {known}.")
        found = {shop.pk: self._probe(shop) for shop in shops}
        standing = standing_of([shop.pk for shop in shops])
        today = sources.now().date()
        report = [_shop(shop, found[shop.pk], standing[shop.pk], today) for shop in shops]
        self._table(report)
        everything = [one for rows in found.values() for one in rows]
        asked = any(one.result in probing.ASKED for one in everything)
        good = asked and not any(one.bad for one in everything)
        if options["json"]:
            line = {"ok": good, "checked_at": sources.now().isoformat(), "shops": report}
            self.stdout.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
        elif not asked:
            self.stderr.write("Nothing could be asked: no vendor is connected.")
        if not good:
            sys.exit(1)

    def _probe(self, shop: Shop) -> list[probing.Found]:
        """Asks one after the other and says on stderr how far it is, so that stdout stays clean."""
        whole, rows = len(table.OPERATIONS), []
        for number, one in enumerate(probing.probe_all(shop), 1):
            rows.append(one)
            self.stderr.write(f"{shop.slug} {number}/{whole} {one.vendor} {one.operation}: {one.result}")
        return rows

    def _table(self, report: list[dict[str, Any]]) -> None:
        for shop in report:
            self.stdout.write(f"{shop['name']} ({shop['shop']})")
            for vendor in shop["vendors"]:
                versions = ", ".join(_version(pair) for pair in vendor["versions"]) or "version not known yet"
                self.stdout.write(f"  {vendor['vendor']}: {versions}")
                for end in vendor["sunsets"]:
                    when = f"ends on {end['on']}, in {end['days']} days"
                    self.stdout.write(f"    {end['version']} {when}: then {end['then']}")
                for notice in vendor["deprecations"]:
                    self.stdout.write(f"    deprecation notice: {notice}")
                for one in vendor["operations"]:
                    self.stdout.write(f"    {one['operation']:<28} {_sentence(one)}")


def _version(pair: dict[str, str]) -> str:
    served = pair["served"]
    return pair["asked"] if served in ("", pair["asked"]) else f"{pair['asked']} asked, {served} SERVED"


def _sentence(one: dict[str, Any]) -> str:
    if one["result"] == probing.DRIFT:
        words = f"DRIFT at {one['field_path']}: {FINDINGS.get(one['finding'], one['finding'])}"
        # Only a version's detail is a word of the vendor's; all others are the reading model's own codes.
        words += f": {one['detail']}" if one["finding"] == "version" else ""
    else:
        words = WORDS[one["result"]]
        words += f" ({one['code']})" if one["code"] and one["result"] != probing.NOT_CONFIGURED else ""
        words += f": {one['variable']} is not set" if one["variable"] else ""
    if one["open_drift"]:
        words += f"; {one['open_drift']} open drift, to be cleared in the admin"
    if one["new_fields"]:
        words += f"; new fields: {', '.join(one['new_fields'])}"
    return words


def _shop(
    shop: Shop, found: list[probing.Found], standing: list[VendorStanding], today: date
) -> dict[str, Any]:
    by_name = {(one.vendor, one.operation): one for one in found}
    return {
        "shop": shop.slug,
        "name": shop.name,
        "vendors": [_vendor(vendor, by_name, today) for vendor in standing],
    }


def _vendor(
    vendor: VendorStanding, found: dict[tuple[str, str], probing.Found], today: date
) -> dict[str, Any]:
    return {
        "vendor": vendor.vendor,
        "versions": [{"asked": asked, "served": served} for asked, served in vendor.versions],
        "sunsets": [
            {
                "version": sunset.version,
                "on": sunset.on.isoformat(),
                "days": sunset.days_left(today),
                "then": sunset.then,
                "source": sunset.source,
            }
            for sunset in vendor.sunsets
        ],
        "deprecations": list(vendor.deprecations),
        "other_open_drift": [f"{row.operation} {row.field_path}" for row in vendor.other_drift],
        "operations": [_operation(one, found[one.vendor, one.name]) for one in vendor.operations],
    }


def _operation(one: Standing, found: probing.Found) -> dict[str, Any]:
    return {
        "operation": one.name,
        "result": found.result,
        "version_asked": one.row.version_asked if one.row else "",
        "version_served": one.row.version_served if one.row else "",
        "deprecation": one.row.deprecation if one.row else "",
        "field_path": found.field_path,
        "finding": found.finding,
        "detail": found.detail,
        "code": found.code,
        "variable": found.variable,
        "open_drift": len(one.drift),
        "new_fields": [field.field_path for field in one.new_fields],
    }
