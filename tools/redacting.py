"""A vendor's body with its form kept and its content gone: what staff may see of an answer that no longer fits."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

# Letters first: a telephone number or a zip code is no code of an enum.
CODE = re.compile(r"^[A-Za-z_][A-Za-z0-9_.:-]{0,39}$", re.ASCII)
KEY = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$:-]{0,63}$", re.ASCII)
STEP = re.compile(r"[^A-Za-z0-9_$:*\[\]()-]", re.ASCII)
# `2026-10`, `v25.0`, `2027-01-01.acacia`: too few digits in a row for a telephone number, and no room for an address.
VERSION = re.compile(r"^(v?[0-9]{1,4}([.-]([0-9]{1,4}|[A-Za-z]{1,16})){1,4}|unstable)$", re.ASCII)
LONGEST_VERSION = 40
LONGEST = 20_000
LONGEST_PATH = 200
MOST_ITEMS = 3
DEEPEST = 24
UNKNOWN_VALUE = "unknown_value"
OTHER_VERSION = "version"


def redacted(body: bytes, path: str = "", finding: str = "") -> str:
    """The body as indented JSON whose keys stand and whose texts and numbers are replaced by their type.

    Only the value at the dotted `path` stays, where `finding` is unknown_value and it reads like a code. Of a body
    that is no JSON nothing is kept but its length and kind.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return _no_json(body)
    steps = path.split(".") if path and finding == UNKNOWN_VALUE else []
    text = json.dumps(_form(content, steps, on_path=bool(steps), depth=0), indent=1, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\n…"


def value_at(body: bytes, path: str) -> str:
    """The code that stands at a dotted path; empty where there is none, or what stands there is no code."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for step in path.split("."):
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and step.isdecimal() and int(step) < len(content):
            content = content[int(step)]
        else:
            return ""
    return content if isinstance(content, str) and CODE.match(content) else ""


def place(path: str) -> str:
    """A dotted path as one place for all items of a list: `lines.3.id` is `lines.*.id`; nothing odd stands in it."""
    steps = ["*" if step.isdecimal() else STEP.sub("?", step) for step in path.split(".")]
    return ".".join(steps)[:LONGEST_PATH]


def words_of(detail: str, finding: str) -> str:
    """What a parser said of a drift, with nothing odd in it; another version stands as the vendor wrote it."""
    if finding == OTHER_VERSION and detail:
        return detail if _is_version(detail) else f"text({len(detail)})"
    return " ".join(map(place, detail.split()))


def _is_version(word: str) -> bool:
    return len(word) <= LONGEST_VERSION and VERSION.match(word) is not None


def key_of(name: str) -> str:
    """A key as it stands, unless it may be somebody's name or address."""
    return name if KEY.match(name) else f"key({len(name)})"


def _no_json(body: bytes) -> str:
    if not body:
        return "(empty)"
    head = body.lstrip()[:1]
    kind = "markup" if head == b"<" else "broken JSON" if head in (b"{", b"[") else "not JSON"
    return f"({kind}, {len(body)} bytes)"


def _form(value: object, steps: Sequence[str], *, on_path: bool, depth: int) -> object:
    """`steps` is what is left of the drifted path; `on_path` says that it leads through this value."""
    if depth > DEEPEST:
        return "…"
    if isinstance(value, dict):
        return _object(value, steps, on_path=on_path, depth=depth)
    if isinstance(value, list):
        return _list(value, steps, on_path=on_path, depth=depth)
    if isinstance(value, str):
        kept = on_path and not steps and CODE.match(value)
        return value if kept else f"text({len(value)})"
    if value is None or isinstance(value, bool):
        return value
    return "integer" if isinstance(value, int) else "number"


def _object(value: dict[str, object], steps: Sequence[str], *, on_path: bool, depth: int) -> object:
    made: dict[str, object] = {}
    for name, inner in value.items():
        here = on_path and bool(steps) and steps[0] == name
        made[key_of(name)] = _form(inner, steps[1:] if here else (), on_path=here, depth=depth + 1)
    return made


def _list(value: list[object], steps: Sequence[str], *, on_path: bool, depth: int) -> object:
    """The first few items, and the one that the path leads through."""
    made: list[object] = []
    for index, inner in enumerate(value):
        here = on_path and bool(steps) and steps[0] == str(index)
        if index < MOST_ITEMS or here:
            made.append(_form(inner, steps[1:] if here else (), on_path=here, depth=depth + 1))
    if len(value) > len(made):
        made.append(f"… {len(value) - len(made)} more")
    return made
