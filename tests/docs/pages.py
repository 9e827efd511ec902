"""Reads the pages that people read: blocks of code, tables, links, and what stands in backticks."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.MULTILINE | re.DOTALL)


@cache
def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """Every block of code in this language, without the indentation that a list gives it."""
    return [dedent(body) for _indent, spoken, body in _FENCE.findall(page(name)) if spoken == language]


def prose(name: str) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", page(name))


def in_backticks(name: str) -> list[str]:
    return re.findall(r"`([^`\n]+)`", prose(name))


def links(name: str) -> list[str]:
    """Targets of links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(name))


def anchors(name: str) -> set[str]:
    """What a link may name on this page, as the usual renderers make it of headings."""
    headings = re.findall(r"^#+ (.+)$", prose(name), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(name: str, heading: str) -> str:
    """The text under one heading, up to the next of the same rank or higher."""
    level, _, _title = heading.partition(" ")
    _before, found, rest = page(name).partition(f"\n{heading}\n")
    assert found, f"{name} has no heading {heading!r}"
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table row in a text, heads and rulers left out."""
    lines = re.findall(r"^\|(.+)\|$(?!\n\|-)", text, re.MULTILINE)
    return [
        [cell.strip() for cell in line.split("|")]
        for line in lines
        if not line.startswith(("-", " Variable |"))
    ]
