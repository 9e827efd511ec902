"""When a period that the shop promised is over where the customer lives: by days of the calendar, not by hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Window:
    """A period in days of the calendar: the one on which it began, its last, and the moment when that is over."""

    began: date
    last: date
    over: datetime


@cache
def zones_of(country: str) -> tuple[ZoneInfo, ...]:
    """Every time zone of a country by its two letters; empty where nobody knows the country."""
    named = (name for name, where in get_global("zone_territories").items() if where == country)
    found = (_zone(name) for name in sorted(named))
    return tuple(zone for zone in found if zone is not None)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def window(begins: datetime, days: int, zones: Sequence[ZoneInfo], *, by_law: bool = False) -> Window:
    """The period of so many days that begins with what happened at `begins`; the day of that isn't counted.

    In a country with several time zones the one counts in which the period lasts longest. A period `by_law` of the EU
    that would end on a Saturday or Sunday ends with the next Monday; public holidays are not known here, so who comes
    a day late after one is heard by a person. https://eur-lex.europa.eu/eli/reg/1971/1182/oj (Article 3)
    """
    return max((_in_zone(begins, days, zone, by_law) for zone in zones), key=lambda found: found.over)


def _in_zone(begins: datetime, days: int, zone: ZoneInfo, by_law: bool) -> Window:
    began = begins.astimezone(zone).date()
    last = began + timedelta(days=days)
    if by_law and last.weekday() >= SATURDAY:
        last += timedelta(days=7 - last.weekday())
    return Window(began, last, datetime.combine(last + timedelta(days=1), time.min, tzinfo=zone))
