"""The texts that may leave, and how they are filled."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from cases.message_templates import FIELDS, SeedText, TemplateError, render, seed_texts
from tools.catalog import request_information, send_message

LANGUAGES = {"en", "de", "fr", "es", "ja"}
ALL = dict.fromkeys(FIELDS, "x")


def text(body: str, subject: str = "Hello") -> SeedText:
    return SeedText("key", "en", subject, body, order_data=False)


def test_every_text_is_there_in_every_language() -> None:
    languages: dict[str, set[str]] = {}
    for seed in seed_texts():
        languages.setdefault(seed.key, set()).add(seed.language)
    assert {key: spoken for key, spoken in languages.items() if spoken != LANGUAGES} == {}


def test_every_template_that_a_tool_may_name_is_shipped() -> None:
    keys = {seed.key for seed in seed_texts()}
    questions = get_args(request_information.RequestInformation.model_fields["question"].annotation)
    assert set(get_args(send_message.Template)) <= keys
    assert {f"ask_{question}" for question in questions} <= keys


@pytest.mark.parametrize("seed", seed_texts(), ids=lambda seed: f"{seed.language}-{seed.key}")
def test_every_text_can_be_filled(seed: SeedText) -> None:
    subject, body = render(seed, ALL)
    assert subject
    assert "{" not in body


def test_a_text_is_told_to_strangers_only_if_it_names_nothing_of_an_order() -> None:
    telling = ("{order_name}", "{tracking_number}", "{carrier}", "{amount}")
    for seed in seed_texts():
        if not seed.order_data:
            assert not [field for field in telling if field in seed.subject + seed.body], seed.key


def test_translations_agree_on_what_they_tell() -> None:
    marks: dict[str, set[bool]] = {}
    for seed in seed_texts():
        marks.setdefault(seed.key, set()).add(seed.order_data)
    assert [key for key, values in marks.items() if len(values) > 1] == []


def test_an_unknown_field_is_an_error() -> None:
    with pytest.raises(TemplateError, match="email"):
        render(text("Hello {email}"), {**ALL, "email": "x"})


@pytest.mark.parametrize(
    "body", ["{first_name.__class__}", "{first_name!r}", "{0}", "{", "a } b", "{{first_name}}"]
)
def test_a_field_is_a_name_and_nothing_else(body: str) -> None:
    with pytest.raises(TemplateError):
        render(text(body), ALL)


def test_braces_in_a_value_stay_text() -> None:
    _subject, body = render(text("Item: {item}"), {**ALL, "item": "{amount}"})
    assert body == "Item: {amount}\n"


def test_a_value_that_was_not_given_is_an_error() -> None:
    with pytest.raises(TemplateError, match="item"):
        render(text("Item: {item}"), {})


def test_a_line_of_empty_fields_is_left_out_and_a_greeting_stays() -> None:
    body = "Hello {first_name},\n\nIt is on its way.\n\nTracking: {carrier} {tracking_number}\n\nBye"
    empty = dict.fromkeys(FIELDS, "")
    assert render(text(body), empty)[1] == "Hello,\n\nIt is on its way.\n\nBye\n"


def test_a_file_without_its_header_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "en").mkdir()
    (tmp_path / "en" / "broken.txt").write_text("Hello\n")
    with pytest.raises(TemplateError, match="broken"):
        seed_texts(tmp_path)
