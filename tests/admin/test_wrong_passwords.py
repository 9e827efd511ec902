"""Passwords are guessed no faster than codes, and nobody locks a colleague out by guessing theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from audit import sources
from cases import passwords
from cases.models import SignInTry
from tests import factories as f
from tests.authority.rows import together

HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"


def enters(name: str, password: str = f.PASSWORD, *, address: str = HOME, forwarded: str = "") -> bool:
    """Whether the password leads on to the second factor."""
    return _answer(name, password, address, forwarded) == ""


def _answer(name: str, password: str, address: str, forwarded: str) -> str:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    posted = Client(REMOTE_ADDR=address, headers=headers).post(
        "/admin/login/", {"username": name, "password": password}
    )
    return "" if posted.status_code == 302 else posted.content.decode()


def errs(name: str, times: int = passwords.TRIES, **more: str) -> None:
    for _ in range(times):
        assert not enters(name, "wrong", **more)


@pytest.mark.django_db
class TestCounting:
    def test_after_five_wrong_passwords_the_right_one_is_not_looked_at(self) -> None:
        ada = f.make_user().username
        errs(ada)
        said = _answer(ada, f.PASSWORD, HOME, "")
        assert "Too many wrong passwords" in said
        assert "Wait fifteen minutes" in said

    def test_four_wrong_ones_and_the_right_one_begin_anew(self) -> None:
        ada = f.make_user().username
        for _ in range(2):
            errs(ada, passwords.TRIES - 1)
            assert enters(ada)
        assert not SignInTry.objects.exists()

    def test_after_fifteen_minutes_it_opens_again(self) -> None:
        ada = f.make_user().username
        with sources.frozen(f.now()) as clock:
            errs(ada)
            clock.advance(passwords.WINDOW)
            assert not enters(ada)
            clock.advance(timedelta(seconds=1))
            assert enters(ada)

    def test_its_owner_enters_from_elsewhere_and_colleagues_from_there(self) -> None:
        ada, ben = (f.make_user().username for _ in range(2))
        errs(ada)
        assert enters(ada, address=ELSEWHERE)
        assert enters(ben)

    def test_a_name_that_nobody_has_is_counted_alike(self) -> None:
        errs("nobody")
        assert "Too many wrong passwords" in _answer("nobody", "wrong", HOME, "")

    def test_what_is_kept_names_neither_the_account_nor_the_address(self) -> None:
        errs("nobody", 1)
        (row,) = SignInTry.objects.all()
        assert len(row.key) == 64
        assert set(row.key) <= set("0123456789abcdef")

    def test_what_is_over_is_not_kept(self) -> None:
        with sources.frozen(f.now()) as clock:
            errs("nobody")
            clock.advance(passwords.WINDOW + timedelta(seconds=1))
            errs("somebody", 1)
        assert SignInTry.objects.count() == 1


@pytest.mark.django_db
class TestAddresses:
    def test_behind_a_proxy_the_address_is_what_the_proxy_added(self, settings: Settings) -> None:
        settings.BEHIND_PROXY = True
        ada = f.make_user().username
        for number in range(passwords.TRIES):
            errs(ada, 1, forwarded=f"10.0.0.{number}, {HOME}")
        assert not enters(ada, forwarded=f"192.0.2.1, {HOME}")
        assert enters(ada, forwarded=f"{HOME}, {ELSEWHERE}")

    def test_without_one_a_client_can_not_say_where_it_is(self) -> None:
        ada = f.make_user().username
        for number in range(passwords.TRIES):
            errs(ada, 1, forwarded=f"10.0.0.{number}")
        assert not enters(ada, forwarded="10.0.0.9")

    def test_a_proxy_that_says_nothing_readable_stands_for_all_behind_it(self, settings: Settings) -> None:
        settings.BEHIND_PROXY = True
        ada = f.make_user().username
        for number in range(passwords.TRIES):
            errs(ada, 1, forwarded=f"unknown-{number}")
        assert not enters(ada)

    def test_a_home_that_changes_its_address_within_its_network_is_one_place(self) -> None:
        ada = f.make_user().username
        for number in range(passwords.TRIES):
            errs(ada, 1, address=f"2001:db8:0:7::{number}")
        assert not enters(ada, address="2001:db8:0:7:1:2:3:4")
        assert enters(ada, address="2001:db8:0:8::1")

    def test_one_address_in_two_spellings_is_one_place(self) -> None:
        ada = f.make_user().username
        errs(ada, address=f"::ffff:{HOME}")
        assert not enters(ada)


@pytest.mark.nightly
@pytest.mark.django_db(transaction=True)
def test_eight_tries_at_once_are_counted_too() -> None:
    begun = together(*[lambda: passwords.begin("ada", HOME)] * 8)
    assert len([one for one in begun if one is not None]) == passwords.TRIES
