"""The texts that may leave the building: read from templates/messages, filled strictly, never evaluated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FIELDS = frozenset(
    {
        "first_name",
        "shop_name",
        "order_name",
        "item",
        "amount",
        "carrier",
        "tracking_number",
        "date",
        "return_fee",
        "return_at_own_cost",
    }
)
SEEDS = Path(__file__).resolve().parent.parent / "templates" / "messages"
_FIELD = re.compile(r"\{([^{}]*)\}")
_SEED = re.compile(
    r"Subject: (?P<subject>[^\n]+)\nOrder-Data: (?P<order_data>yes|no)\n\n(?P<body>.+)", re.DOTALL
)


class TemplateError(Exception):
    """A text can't be used as it is; the message names the text or the field."""


class Words(Protocol):
    """A subject and a body with fields in braces: a Template row or a SeedText."""

    @property
    def subject(self) -> str: ...

    @property
    def body(self) -> str: ...


@dataclass(frozen=True)
class SeedText:
    """One text of one language, as the repository ships it. `order_data`: it tells something about an order."""

    key: str
    language: str
    subject: str
    body: str
    order_data: bool


def seed_texts(folder: Path = SEEDS) -> list[SeedText]:
    """Every shipped text, sorted by language and key. Raises TemplateError for a file that isn't one."""
    return [_read(path) for path in sorted(folder.glob("*/*.txt"))]


def render(words: Words, values: Mapping[str, str]) -> tuple[str, str]:
    """Subject and body with the fields filled in.

    A line all of whose fields are empty is left out, as is the space before an empty field. Raises TemplateError for
    a field that isn't in FIELDS or has no value; braces in a value stay text.
    """
    return _fill(words.subject, values).strip(), _fill(words.body, values).strip() + "\n"


def fields(text: str) -> set[str]:
    """The fields that a text asks for. Raises TemplateError for one that isn't in FIELDS."""
    names = set(_FIELD.findall(text))
    if unknown := names - FIELDS:
        raise TemplateError(f"Unknown field: {min(unknown)!r}")
    if re.search(r"[{}]", _FIELD.sub("", text)):
        raise TemplateError("A brace stands alone.")
    return names


def _read(path: Path) -> SeedText:
    found = _SEED.fullmatch(path.read_text(encoding="utf-8").strip())
    if found is None:
        raise TemplateError(
            f"{path.parent.name}/{path.name} lacks its subject, its Order-Data line or its body."
        )
    fields(found["subject"] + found["body"])
    return SeedText(
        key=path.stem,
        language=path.parent.name,
        subject=found["subject"].strip(),
        body=found["body"].strip() + "\n",
        order_data=found["order_data"] == "yes",
    )


def _fill(text: str, values: Mapping[str, str]) -> str:
    missing = fields(text) - values.keys()
    if missing:
        raise TemplateError(f"No value for {min(missing)!r}")
    lines = [_fill_line(line, values) for line in text.split("\n")]
    # A line that was left out would leave two blank ones.
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line for line in lines if line is not None))


def _fill_line(line: str, values: Mapping[str, str]) -> str | None:
    names = _FIELD.findall(line)
    # A greeting without a name is still a greeting; a tracking line without a number is nothing.
    if names and not any(values[name].strip() for name in names):
        return re.sub(r"\s*\{[^{}]*\}", "", line) if line.rstrip().endswith((",", ":")) else None
    return re.sub(r"\s*\{([^{}]*)\}", lambda field: _value(field, values), line)


def _value(field: re.Match[str], values: Mapping[str, str]) -> str:
    value = values[field[1]].strip()
    return field[0][: field[0].index("{")] + value if value else ""
