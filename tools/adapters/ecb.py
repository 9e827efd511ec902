"""The European Central Bank's euro foreign exchange reference rates: one small file, new on each of its working days.

https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates/html/index.en.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from uuid import UUID
from xml.etree import ElementTree as ET

from tools import wire
from tools.errors import ContractDrift
from tools.wire import Call, Kind

VENDOR = "ecb"
OPERATION = "daily_rates"
BASE = "EUR"
CUBE = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
# About thirty currencies; a file of half of them is a torn one.
FEWEST = 10
SMALLEST, LARGEST = Decimal("0.000001"), Decimal(10) ** 9


@dataclass(frozen=True, slots=True)
class DailyRates:
    """How many units of each currency one euro was on a day."""

    as_of: date
    rates: Mapping[str, Decimal]


def rates_url() -> str:
    """Where the file is (OPSAGENT_RATES_URL); empty where no rates are read."""
    return os.environ.get("OPSAGENT_RATES_URL", "").strip()


def read_daily(url: str, *, correlation_id: UUID) -> DailyRates:
    """The newest day's rates at the file's address. Raises one of tools.errors; a file that doesn't fit is no rate.

    https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml
    """
    call = Call(
        vendor=VENDOR,
        operation=OPERATION,
        shop="",
        kind=Kind.READ,
        method="GET",
        url=url,
        correlation_id=correlation_id,
        headers={"Accept": "application/xml, text/xml"},
    )
    return parse(wire.send(call).body)


def parse(body: bytes) -> DailyRates:
    """The file's content in our words; raises ContractDrift where anything in it is not as documented."""
    try:
        text = body.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "\0" in text:
            # A document type could name entities that grow without end; the bank's file has none.
            raise _drift("document", "a document type")
        root = ET.fromstring(text.partition("?>")[2] or text)  # noqa: S314 - nothing is left to expand
    except (UnicodeDecodeError, ET.ParseError) as error:
        raise _drift("document", "no XML") from error
    days = [cube for cube in root.iter(CUBE) if "time" in cube.attrib]
    if len(days) != 1:
        raise _drift("Cube.time", "not one day")
    rates = {_currency(cube.attrib): _rate(cube.attrib) for cube in days[0].iter(CUBE) if cube is not days[0]}
    if len(rates) < FEWEST:
        raise _drift("Cube.currency", "too few")
    return DailyRates(_day(days[0].attrib["time"]), rates)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _drift("Cube.time", "no date") from error


def _currency(found: Mapping[str, str]) -> str:
    code = found.get("currency", "")
    if not (len(code) == 3 and code.isascii() and code.isupper()) or code == BASE:
        raise _drift("Cube.currency", "no currency")
    return code


def _rate(found: Mapping[str, str]) -> Decimal:
    try:
        rate = Decimal(found.get("rate", ""))
    except InvalidOperation as error:
        raise _drift("Cube.rate", "no number") from error
    if not (rate.is_finite() and SMALLEST <= rate <= LARGEST):
        raise _drift("Cube.rate", "out of bounds")
    return rate


def _drift(path: str, said: str) -> ContractDrift:
    return ContractDrift(said, vendor=VENDOR, operation=OPERATION, field_path=path)
