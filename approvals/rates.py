"""What an amount is in another currency: dated rates of the same source, rounded up, and how sure that is.

A rate counts as old from the end of the day that it is of. Between two currencies the newest rate counts, directly, the
other way round, or over one currency that both have a rate with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

from babel.numbers import list_currencies
from django.db import transaction
from django.utils.translation import gettext as _

from approvals.errors import Invalid
from approvals.models import ExchangeRate
from approvals.models.rates import DECIMALS
from audit import sources
from audit.actors import Actor
from audit.services import record as audit
from tools.types import Money, exponent

OK, STALE, MISSING = "ok", "stale", "missing"
CURRENCIES = frozenset(list_currencies())
MOST_DECIMALS = Decimal(1).scaleb(-DECIMALS)
LARGEST = Decimal(10) ** (20 - DECIMALS)
# A bank's day may have begun where ours has not.
AHEAD = timedelta(days=1)
# Older rows are history: nothing that old is ever fresh.
LOOK_BACK = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of a currency in another, exactly, of the older of the days that it took, by these sources."""

    ratio: Fraction
    as_of: date
    source: str

    def age(self, at: datetime) -> timedelta:
        """Since the end of its day in UTC; never below zero."""
        ended = datetime.combine(self.as_of, time.min, UTC) + timedelta(days=1)
        return max(at - ended, timedelta(0))


@dataclass(frozen=True, slots=True)
class Used:
    """A rate that amounts were converted by, as it is kept with what was decided."""

    base: str
    quote: str
    rate: Decimal
    as_of: date
    source: str

    @classmethod
    def of(cls, base: str, quote: str, rate: Rate) -> Used:
        # Wide enough for two of the largest rates one after the other.
        with localcontext(prec=60):
            number = Decimal(rate.ratio.numerator) / Decimal(rate.ratio.denominator)
            number = number.quantize(MOST_DECIMALS).normalize()
        return cls(base, quote, number, rate.as_of, rate.source)

    @classmethod
    def read(cls, text: str) -> Used:
        """What `str` wrote."""
        pair, number, day, source = text.split(" ", 3)
        base, _slash, quote = pair.partition("/")
        return cls(base, quote, Decimal(number), date.fromisoformat(day), source)

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.rate:f} {self.as_of} {self.source}"

    @property
    def ended(self) -> datetime:
        """The end of its day in UTC, from which on it is old."""
        return datetime.combine(self.as_of, time.min, UTC) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Converted:
    """At most so much, by this rate, which is "ok", "stale" or "missing"; without a rate it says nothing at all."""

    money: Money
    state: str
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Rates:
    """The newest known rates as they are at a moment."""

    pairs: Mapping[tuple[str, str], Rate]
    at: datetime

    def between(self, one: str, other: str) -> Rate | None:
        """What one unit of `one` is in `other`; None where no rate leads there."""
        found = self._direct(one, other)
        if found is not None:
            return found
        ways = [
            _joined(first, second)
            for middle in sorted({name for pair in self.pairs for name in pair} - {one, other})
            if (first := self._direct(one, middle)) and (second := self._direct(middle, other))
        ]
        # The way whose older rate is the newest.
        return max(ways, key=lambda rate: rate.as_of, default=None)

    def _direct(self, one: str, other: str) -> Rate | None:
        there, back = self.pairs.get((one, other)), self.pairs.get((other, one))
        if back is not None and (there is None or back.as_of > there.as_of):
            return Rate(1 / back.ratio, back.as_of, back.source)
        return there

    def convert(self, money: Money, to: str, *, max_age: timedelta) -> Converted:
        """The amount in another currency, rounded up to its smallest unit."""
        if money.currency == to:
            return Converted(money, OK)
        rate = self.between(money.currency, to)
        if rate is None:
            return Converted(Money(0, to), MISSING)
        scale = Fraction(10) ** (exponent(to) - exponent(money.currency))
        exact = money.amount_minor * rate.ratio * scale
        up = -(-exact.numerator // exact.denominator)
        return Converted(Money(up, to), OK if rate.age(self.at) <= max_age else STALE, rate)


def _joined(first: Rate, second: Rate) -> Rate:
    names = first.source if first.source == second.source else f"{first.source}, {second.source}"
    return Rate(first.ratio * second.ratio, min(first.as_of, second.as_of), names)


def table(at: datetime | None = None) -> Rates:
    """The newest rate of each pair, now or at a moment; one query."""
    at = at or sources.now()
    rows = ExchangeRate.objects.filter(as_of__gte=(at - LOOK_BACK).date(), read_at__lte=at)
    newest = rows.order_by("base", "quote", "-as_of", "-id").distinct("base", "quote")
    return Rates({(row.base, row.quote): Rate(ratio_of(row), row.as_of, row.source) for row in newest}, at)


def ratio_of(row: ExchangeRate) -> Fraction:
    """The row's rate, exactly."""
    return Fraction(row.rate)


def keep(rates: Iterable[tuple[str, str, Decimal]], *, as_of: date, source: str, by: Actor) -> int:
    """Keep what a source said of a day; how many rates are new. Keeping the same again changes nothing.

    All or none: raises Invalid for a day to come, a currency that is none, and a number that is no rate.
    """
    now = sources.now()
    if as_of > (now + AHEAD).date():
        raise Invalid(_("%(day)s is a day to come: nobody knows its rates.") % {"day": as_of.isoformat()})
    if not source.strip():
        raise Invalid(_("Say where the rates are from."))
    rows = [_row(base, quote, rate) for base, quote, rate in rates]
    for row in rows:
        row.as_of, row.source, row.read_at = as_of, source.strip()[:80], now
    with transaction.atomic():
        before = ExchangeRate.objects.count()
        ExchangeRate.objects.bulk_create(rows, ignore_conflicts=True)
        new = ExchangeRate.objects.count() - before
        if new:
            audit(
                "rates.read", by=by, stream="staff", subject=ExchangeRate.objects.latest("pk"), shop_id=None,
                correlation_id=sources.random_id(), data={"as_of": as_of.isoformat(), "new": new},
            )  # fmt: skip
    return new


def _row(base: str, quote: str, rate: Decimal) -> ExchangeRate:
    for code in (base, quote):
        if code not in CURRENCIES:
            raise Invalid(_("There is no currency %(code)s.") % {"code": code})
    if base == quote:
        raise Invalid(_("A rate is between two currencies, not %(code)s and itself.") % {"code": base})
    if not rate.is_finite() or not 0 < rate < LARGEST or rate != rate.quantize(MOST_DECIMALS):
        raise Invalid(
            _("%(rate)s is no rate: a number above zero with at most ten decimals.") % {"rate": rate}
        )
    return ExchangeRate(base=base, quote=quote, rate=rate)
