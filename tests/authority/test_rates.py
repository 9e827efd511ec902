"""Exchange rates: what an amount is in another currency, rounded up, and when a rate is too old or missing."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import rates
from approvals.errors import Invalid
from approvals.models import ExchangeRate, RateReading
from approvals.rates import MISSING, OK, STALE, Rate, Rates, keep, table
from audit import sources
from audit.actors import SYSTEM
from audit.models import Entry
from cases.rates import SOURCE, read_now, watch_rates
from tests.adapters.faking import Vendor
from tools import wire
from tools.adapters import ecb
from tools.errors import ContractDrift
from tools.sandbox.server import Sandbox
from tools.types import Money, exponent

FRIDAY = date(2026, 11, 20)
MONDAY = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://rates.example/daily.xml"
AGE = timedelta(hours=72)


def known(pairs: dict[str, str], at: datetime = MONDAY) -> Rates:
    """{"EUR_USD": "1.1625"} and the like, of Friday."""
    made = {
        (name[:3], name[4:]): Rate(Fraction(Decimal(rate)), FRIDAY, "bank") for name, rate in pairs.items()
    }
    return Rates(made, at)


# Half a cent, a fils and a yen go up, never down: the agent is held to the more.
@pytest.mark.parametrize(
    ("pairs", "money", "to", "minor"),
    [
        ({"EUR_USD": "1.1625"}, Money(10_000, "EUR"), "USD", 11_625),
        ({"EUR_USD": "1.1625"}, Money(1, "EUR"), "USD", 2),
        ({"EUR_USD": "1.1625"}, Money(11_625, "USD"), "EUR", 10_000),
        ({"EUR_USD": "1.1625"}, Money(11_626, "USD"), "EUR", 10_001),
        ({"EUR_JPY": "176.50"}, Money(1, "EUR"), "JPY", 2),
        ({"EUR_JPY": "176.50"}, Money(1, "JPY"), "EUR", 1),
        ({"EUR_JPY": "176.50"}, Money(17_650, "JPY"), "EUR", 10_000),
        ({"USD_KWD": "0.307"}, Money(100, "USD"), "KWD", 307),
        ({"USD_KWD": "0.307"}, Money(1, "KWD"), "USD", 1),
        ({"EUR_USD": "2", "EUR_JPY": "200"}, Money(100, "USD"), "JPY", 100),
        ({"EUR_USD": "1.1625"}, Money(0, "EUR"), "USD", 0),
    ],
)
def test_an_amount_is_converted_exactly_and_rounded_up(
    pairs: dict[str, str], money: Money, to: str, minor: int
) -> None:
    found = known(pairs).convert(money, to, max_age=AGE)
    assert (found.money, found.state) == (Money(minor, to), OK)


@given(
    minor=st.integers(0, 10**12),
    rate=st.decimals("0.0001", "99999", places=6),
    to=st.sampled_from(["JPY", "USD", "KWD"]),
)
@settings(max_examples=100)
def test_converting_never_makes_less_and_never_a_unit_more(minor: int, rate: Decimal, to: str) -> None:
    there = known({f"EUR_{to}": str(rate)}).convert(Money(minor, "EUR"), to, max_age=AGE).money.amount_minor
    exact = Fraction(minor, 100) * Fraction(rate) * 10 ** exponent(to)
    assert exact <= there < exact + 1


def test_the_same_currency_needs_no_rate() -> None:
    assert known({}).convert(Money(5, "EUR"), "EUR", max_age=AGE).state == OK


def test_without_a_rate_nothing_is_known() -> None:
    assert known({"EUR_USD": "1.1"}).convert(Money(5, "GBP"), "USD", max_age=AGE).state == MISSING


# Friday ends at midnight; from there 72 hours count, so a weekend is no reason to stop.
@pytest.mark.parametrize(
    ("at", "state"),
    [
        (datetime(2026, 11, 24, 0, 0, tzinfo=UTC), OK),
        (datetime(2026, 11, 24, 0, 0, 0, 1, tzinfo=UTC), STALE),
        (datetime(2026, 11, 20, 9, 0, tzinfo=UTC), OK),
    ],
)
def test_a_rate_is_stale_after_the_hours_that_the_caps_allow(at: datetime, state: str) -> None:
    assert known({"EUR_USD": "1.1"}, at).convert(Money(5, "EUR"), "USD", max_age=AGE).state == state


def test_over_a_third_currency_the_older_day_counts() -> None:
    pairs = {
        ("EUR", "USD"): Rate(Fraction(2), FRIDAY, "bank"),
        ("EUR", "JPY"): Rate(Fraction(200), FRIDAY - timedelta(days=9), "other"),
    }
    found = Rates(pairs, MONDAY).convert(Money(100, "USD"), "JPY", max_age=AGE)
    assert found.state == STALE
    assert found.rate is not None
    assert found.rate.source == "bank, other"


def test_of_both_directions_the_newer_counts() -> None:
    pairs = {
        ("EUR", "USD"): Rate(Fraction(2), FRIDAY - timedelta(days=1), "bank"),
        ("USD", "EUR"): Rate(Fraction(1, 4), FRIDAY, "bank"),
    }
    assert Rates(pairs, MONDAY).between("EUR", "USD") == Rate(Fraction(4), FRIDAY, "bank")


class TestKept:
    pytestmark = pytest.mark.django_db

    def keep(self, rate: str, as_of: date = FRIDAY, source: str = "bank") -> int:
        return keep([("EUR", "USD", Decimal(rate))], as_of=as_of, source=source, by=SYSTEM)

    def test_the_newest_day_counts_and_of_one_day_what_was_read_last(self) -> None:
        with sources.frozen(MONDAY):
            for rate, day in (("1.2", FRIDAY), ("1.3", FRIDAY), ("9", FRIDAY - timedelta(days=1))):
                self.keep(rate, day)
            found = table().between("EUR", "USD")
        assert found is not None
        assert found.ratio == Fraction(13, 10)

    def test_keeping_the_same_again_changes_nothing_and_tells_nothing(self) -> None:
        with sources.frozen(MONDAY):
            assert (self.keep("1.2"), self.keep("1.2")) == (1, 0)
        assert Entry.objects.filter(action="rates.read").count() == 1

    def test_yesterdays_table_is_the_one_that_was_known_then(self) -> None:
        with sources.frozen(MONDAY):
            self.keep("1.2")
        assert table(MONDAY - timedelta(seconds=1)).between("EUR", "USD") is None

    @pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity", "1.00000000001", "10000000000"])
    def test_what_is_no_rate_is_not_kept(self, rate: str) -> None:
        with sources.frozen(MONDAY), pytest.raises(Invalid):
            self.keep(rate)
        assert not ExchangeRate.objects.exists()

    @pytest.mark.parametrize(("base", "quote"), [("EUR", "EUR"), ("EUR", "XXA"), ("eur", "USD")])
    def test_rates_are_between_two_currencies(self, base: str, quote: str) -> None:
        with pytest.raises(Invalid):
            keep([(base, quote, Decimal(1))], as_of=FRIDAY, source="bank", by=SYSTEM)

    def test_nobody_knows_the_rates_of_a_day_to_come(self) -> None:
        with sources.frozen(MONDAY), pytest.raises(Invalid):
            self.keep("1.2", MONDAY.date() + timedelta(days=2))

    def test_rates_are_neither_changed_nor_deleted(self) -> None:
        self.keep("1.2")
        changes: list[Callable[[QuerySet[ExchangeRate]], int]] = [
            lambda rows: rows.update(rate=2),
            lambda rows: rows._raw_delete("default"),
        ]
        for change in changes:
            with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
                change(ExchangeRate.objects.all())


def file_of(day: str = "2026-11-20", rows: str = "", more: int = 12) -> bytes:
    """The bank's file with these rows first."""
    codes = ("USD", "JPY", "GBP", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "CAD")[:more]
    body = rows + "".join(f"<Cube currency='{code}' rate='1.5'/>" for code in codes)
    return (
        '<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
        ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube>'
        f"<Cube time='{day}'>{body}</Cube></Cube></gesmes:Envelope>"
    ).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", file_of(day="today"), file_of(more=9), file_of(rows="<Cube currency='USD' rate='1,5'/>"),
        file_of(rows="<Cube currency='USD' rate='0'/>"), file_of(rows="<Cube currency='USD' rate='NaN'/>"),
        file_of(rows="<Cube currency='usd' rate='1'/>"), file_of(rows="<Cube currency='EUR' rate='1'/>"),
        file_of(rows="<Cube rate='1'/>"), b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + file_of(),
        file_of().decode().replace('<?xml version="1.0" encoding="UTF-8"?>', "").encode("utf-16"),
        file_of().replace(b"<Cube time", b"<Cube time='2026-11-19'/><Cube time"),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_no_rate(body: bytes) -> None:
    with pytest.raises(ContractDrift):
        ecb.parse(body)


class TestRead:
    pytestmark = pytest.mark.django_db

    @pytest.fixture(autouse=True)
    def address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OPSAGENT_RATES_URL", URL)

    @pytest.fixture
    def bank(self) -> Iterator[Vendor]:
        fake = Vendor(httpx.Response(200, content=file_of()))
        with wire.transport_override(fake.transport), sources.frozen(MONDAY):
            yield fake

    def test_the_banks_rates_are_kept_with_their_day_and_source(self, bank: Vendor) -> None:
        reading = read_now()
        row = ExchangeRate.objects.get(quote="USD")
        assert (row.base, row.rate, row.as_of, row.source, reading.as_of) == (
            "EUR", Decimal("1.5"), FRIDAY, SOURCE, FRIDAY,
        )  # fmt: skip
        assert str(bank.asked[0].url) == URL

    def test_a_failure_keeps_what_was_known_and_is_told(self, bank: Vendor) -> None:
        read_now()
        bank.answers = [httpx.Response(503)]
        assert read_now().error
        assert ExchangeRate.objects.filter(quote="USD").count() == 1

    def test_a_reading_is_due_every_six_hours_and_sooner_after_a_failure(self, bank: Vendor) -> None:
        at = sources.now()
        for later, error, due in ((6, "", 1), (5.9, "", 0), (0.25, "http_503", 1), (0.2, "http_503", 0)):
            RateReading.objects.all().delete()
            found: dict[str, Any] = {"error": error} if error else {"as_of": FRIDAY}
            asked = at - timedelta(hours=later)
            RateReading.objects.create(source=SOURCE, asked_at=asked, ended_at=asked, **found)
            assert watch_rates() == due

    def test_without_an_address_nothing_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("OPSAGENT_RATES_URL")
        assert watch_rates() == 0
        with pytest.raises(CommandError, match="OPSAGENT_RATES_URL"):
            call_command("rates", "read")

    def test_the_stand_in_serves_a_file_as_the_bank_does(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with Sandbox(ledger=tmp_path / "ledger.sqlite") as sandbox:
            monkeypatch.setenv(
                "OPSAGENT_RATES_URL", f"{sandbox.base_url}/all/ecb/stats/eurofxref/eurofxref-daily.xml"
            )
            assert read_now().error == ""
        found = table().convert(Money(10_000, "USD"), "JPY", max_age=AGE)
        assert found.state == OK
        assert 14_000 < found.money.amount_minor < 17_000


class TestImport:
    pytestmark = pytest.mark.django_db

    def run(self, path: Path, text: str) -> str:
        path.write_text(text)
        screen = io.StringIO()
        call_command("rates", "import", str(path), "--source", "House bank", stdout=screen)
        return screen.getvalue()

    def test_a_file_of_ones_own_is_taken_and_shown_with_source_and_age(self, tmp_path: Path) -> None:
        with sources.frozen(MONDAY):
            said = self.run(tmp_path / "r.csv", "base,quote,rate,as_of\nUSD,KWD,0.307,2026-11-20\n")
        assert "1 new rates" in said
        assert "of 2026-11-20, 60 h old, House bank" in said

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("base,quote,rate\nUSD,KWD,1\n", "columns"),
            ("base,quote,rate,as_of\nUSD,KWD,1,2026-11-20\nUSD,EUR,1,yesterday\n", "Line 3"),
            ("base,quote,rate,as_of\nUSD,KWD,1,2026-11-20\nUSD,EUR,x,2026-11-20\n", "Line 3"),
            ("base,quote,rate,as_of\nUSD,KWD,1,2026-11-19\nUSD,ABC,1,2026-11-20\n", "ABC"),
        ],
    )
    def test_a_file_is_taken_whole_or_not_at_all(self, tmp_path: Path, text: str, word: str) -> None:
        with sources.frozen(MONDAY), pytest.raises(CommandError, match=word):
            self.run(tmp_path / "r.csv", text)
        assert not ExchangeRate.objects.exists()

    def test_without_rates_the_command_says_what_follows(self) -> None:
        screen = io.StringIO()
        call_command("rates", stdout=screen)
        assert "goes to a person" in screen.getvalue()


def test_rates_of_the_sums_are_those_of_the_module() -> None:
    assert (rates.OK, rates.STALE, rates.MISSING) == ("ok", "stale", "missing")
