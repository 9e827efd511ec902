"""When a period that the shop promised is over where the customer lives: by days of the calendar, not by hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.core import get_global

SATURDAY = 5
A_DAY = timedelta(days=1)


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


def window(begins: datetime, days: int, zones: Sequence[ZoneInfo], *, law_of: str = "") -> Window:
    """The period of so many days that begins with what happened at `begins`; the day of that isn't counted.

    In a country with several time zones the one counts in which the period lasts longest. A period by the law of a
    country (`law_of`, two letters) that would end on a Saturday, a Sunday or a public holiday there ends with the next
    working day. Holidays are those of the whole country: who comes a day late after one of their region is heard by a
    person. https://eur-lex.europa.eu/eli/reg/1971/1182/oj (Article 3 (4))
    """
    return max((_in_zone(begins, days, zone, law_of) for zone in zones), key=lambda found: found.over)


def _in_zone(begins: datetime, days: int, zone: ZoneInfo, law_of: str) -> Window:
    began = begins.astimezone(zone).date()
    last = began + timedelta(days=days)
    while law_of and (last.weekday() >= SATURDAY or last in _holidays(law_of, last.year)):
        last += A_DAY
    return Window(began, last, datetime.combine(last + A_DAY, time.min, tzinfo=zone))


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    """Public holidays of a whole country; empty for a country that nobody knows."""
    # It takes most of a second to import, which few processes ever need.
    import holidays

    if country not in holidays.list_supported_countries():
        return frozenset()
    return frozenset(holidays.country_holidays(country, years=year))
