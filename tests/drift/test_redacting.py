"""What is kept of a changed answer tells its form and nobody's name."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.redacting import place, redacted, value_at, words_of

PERSONAL = st.sampled_from(
    ["Inês Carvalho", "ines@customer.example", "+47 900 11 222", "4790011222", "12 Fjord Road", "5003"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PERSONAL,
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(PERSONAL | st.sampled_from(["id", "note"]), inner)
    ),
    max_leaves=30,
)
BODY = {
    "order": {
        "id": "gid://shopify/Order/1",
        "status": "MAYBE",
        "paid": True,
        "tip": None,
        "total": 4.5,
        "lines": [{"quantity": index, "title": f"Tent {index}"} for index in range(5)],
    }
}


def test_keys_and_types_stand_and_contents_are_gone() -> None:
    assert json.loads(redacted(json.dumps(BODY).encode())) == {
        "order": {
            "id": "text(21)",
            "status": "text(5)",
            "paid": True,
            "tip": None,
            "total": "number",
            "lines": [{"quantity": "integer", "title": "text(6)"}] * 3 + ["… 2 more"],
        }
    }


def test_an_unknown_value_that_is_a_code_stays_for_staff_to_read() -> None:
    kept = json.loads(redacted(json.dumps(BODY).encode(), "order.status", "unknown_value"))
    assert kept["order"]["status"] == "MAYBE"
    assert kept["order"]["id"] == "text(21)"


@pytest.mark.parametrize("finding", ["missing", "retyped", "null", "other"])
def test_any_other_finding_keeps_no_value(finding: str) -> None:
    kept = json.loads(redacted(json.dumps(BODY).encode(), "order.status", finding))
    assert kept["order"]["status"] == "text(5)"


@pytest.mark.parametrize(
    "value", ["ines@customer.example", "Inês Carvalho", "4790011222", "two words", "x" * 41]
)
def test_an_unknown_value_that_is_no_code_is_redacted_too(value: str) -> None:
    body = json.dumps({"status": value}).encode()
    assert value not in redacted(body, "status", "unknown_value")
    assert value_at(body, "status") == ""


@given(
    VALUES, st.sampled_from(["", "id", "note", "0", "note.id"]), st.sampled_from(["unknown_value", "missing"])
)
def test_nothing_personal_survives(content: object, path: str, finding: str) -> None:
    kept = redacted(json.dumps(content, ensure_ascii=False).encode(), path, finding)
    for words in ("Carvalho", "customer.example", "90011222", "900 11", "Fjord", '"5003"', "@"):
        assert words not in kept


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", "(empty)"),
        (b"<!DOCTYPE html><h1>Dear Ines</h1>", "(markup, 33 bytes)"),
        (b'{"name": "Ines', "(broken JSON, 14 bytes)"),
        (b"\xff\xfe name", "(not JSON, 7 bytes)"),
        (b"[" * 200_000, "(broken JSON, 200000 bytes)"),  # deeper than any parser goes
    ],
)
def test_of_what_is_no_json_only_length_and_kind_are_kept(body: bytes, kept: str) -> None:
    assert redacted(body) == kept


def test_a_deep_body_and_a_long_one_are_cut() -> None:
    deep: object = "Ines"
    for _ in range(100):
        deep = [deep]
    assert "…" in redacted(json.dumps(deep).encode())
    assert len(redacted(json.dumps({f"field_{n}": "x" for n in range(5000)}).encode())) < 21_000


@pytest.mark.parametrize(
    ("path", "one"),
    [
        ("order.lines.3.id", "order.lines.*.id"),
        ("X-Shopify-API-Version", "X-Shopify-API-Version"),
        ("metadata.ines@customer.example", "metadata.ines?customer.example"),
    ],
)
def test_a_field_is_one_place_for_all_items_of_a_list(path: str, one: str) -> None:
    assert place(path) == one


@pytest.mark.parametrize("version", ["v25.0", "2026-10", "2026-07-15", "2027-01-01.acacia", "unstable"])
def test_another_version_stands_as_the_vendor_wrote_it(version: str) -> None:
    assert words_of(version, "version") == version


@given(PERSONAL | st.sampled_from(["0151-1234567", "maria", "2026-10-carvalho@customer.example", "1" * 41]))
def test_what_is_no_version_does_not_stand_for_one(text: str) -> None:
    assert not set(words_of(text, "version").split()) & set(text.split())
