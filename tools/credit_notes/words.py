"""The fixed words of a document in each language that customers are written to; read from templates/credit_notes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

LANGUAGES = ("en", "de", "fr", "es", "ja")
FALLBACK = "en"
FOLDER = Path(__file__).resolve().parent.parent.parent / "templates" / "credit_notes" / "words"


def language_of(language: str) -> str:
    """The language that a document is written in for somebody who reads this one."""
    short = language[:2].lower()
    return short if short in LANGUAGES else FALLBACK


@cache
def words(language: str) -> dict[str, str]:
    """The words by key, as `key: value` lines have them. Raises FileNotFoundError for another language."""
    lines = (FOLDER / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(":") for line in lines if line.strip())
    return {key.strip(): value.strip() for key, _colon, value in pairs}
