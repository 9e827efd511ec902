"""Personal text that is kept: readable while its person's key is, and by nobody afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from audit.actors import SYSTEM
from audit.models import Entry
from cases import personal
from cases.models import PersonalText, PersonKey, Shop
from tests import factories as f

TEXT = "髙橋 﨑子\nŁódź, Żółta 5"


@pytest.fixture
def kept(shop: Shop) -> Iterator[PersonalText]:
    with transaction.atomic():
        yield personal.keep(f.make_person(shop), TEXT)


def test_what_is_kept_is_read_back_and_stands_nowhere_in_clear(kept: PersonalText) -> None:
    row = PersonalText.objects.get()
    assert row.text == TEXT
    assert "Łódź".encode() not in bytes(row.sealed)


def test_one_person_has_one_key_and_another_person_another(shop: Shop) -> None:
    people = [f.make_person(shop) for _ in range(2)]
    for person in (*people, *people):
        personal.keep(person, TEXT)
    assert PersonKey.objects.count() == 2
    assert len({bytes(row.sealed) for row in PersonalText.objects.all()}) == 4


def test_deleting_the_key_erases_all_texts_of_that_person_alone(shop: Shop) -> None:
    gone, stays = f.make_person(shop), f.make_person(shop)
    texts = [personal.keep(person, TEXT) for person in (gone, gone, stays)]
    assert personal.erase(gone, by=SYSTEM)
    assert [PersonalText.objects.get(pk=row.pk).text for row in texts] == [None, None, TEXT]
    assert Entry.objects.get().action == "person.texts_erased"
    assert not personal.erase(gone, by=SYSTEM)


def test_what_is_kept_after_an_erasure_has_a_new_key(shop: Shop) -> None:
    person = f.make_person(shop)
    old = personal.keep(person, TEXT)
    personal.erase(person, by=SYSTEM)
    assert personal.keep(person, "new").text == "new"
    assert PersonalText.objects.get(pk=old.pk).text is None


def test_a_text_put_in_the_place_of_another_is_not_read(shop: Shop) -> None:
    person = f.make_person(shop)
    one, other = personal.keep(person, "one"), personal.keep(person, "other")
    PersonalText.objects.filter(pk=one.pk).update(sealed=other.sealed)
    with pytest.raises(personal.Unreadable):
        _ = PersonalText.objects.get(pk=one.pk).text


def test_an_old_secret_key_opens_until_it_is_dropped(kept: PersonalText, settings: Settings) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-" * 6
    with pytest.raises(personal.Unreadable):
        _ = PersonalText.objects.get().text
    settings.SECRET_KEY_FALLBACKS = [old]
    assert PersonalText.objects.get().text == TEXT


def test_keys_wrapped_anew_no_longer_need_the_old_secret(kept: PersonalText, settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-" * 6
    assert [personal.rewrap(), personal.rewrap()] == [1, 0]
    settings.SECRET_KEY_FALLBACKS = []
    assert PersonalText.objects.get().text == TEXT


@pytest.mark.django_db(transaction=True)
def test_first_texts_at_the_same_moment_share_one_key() -> None:
    person = f.make_person(f.make_shop())

    def work(number: int) -> None:
        try:
            with transaction.atomic():
                personal.keep(person, str(number))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(16)))
    assert PersonKey.objects.count() == 1
    assert {row.text for row in PersonalText.objects.all()} == {str(number) for number in range(16)}


def test_the_command_wraps_keys_anew_and_says_what_it_needs(
    kept: PersonalText, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-" * 6
    with pytest.raises(CommandError, match="SECRET_KEY_FALLBACKS"):
        call_command("rewrap_keys")
    settings.SECRET_KEY_FALLBACKS = [old]
    call_command("rewrap_keys")
    assert "Wrapped 1 keys" in capsys.readouterr().out
