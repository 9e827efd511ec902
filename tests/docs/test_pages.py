"""What every page promises about the repository: paths, commands, links, code."""

from __future__ import annotations

import ast
import re
from itertools import product
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from tests.docs.pages import PAGES, ROOT, anchors, blocks, in_backticks, links, page, prose

OURS = ("opsagent", "cases", "approvals", "tools", "audit")
FOLDERS = (*OURS, "templates", "tests", ".ci", ".readme")
SUFFIXES = (".py", ".txt", ".in", ".toml", ".md", ".yaml", ".json")
# Files that the reader makes, not the repository.
READERS_OWN = {"open_shop.py"}
LARGEST_PICTURE = 200_000


def is_path(word: str) -> bool:
    plain = re.fullmatch(r"[\w.<>/-]+", word) is not None
    return plain and (word.startswith(tuple(f"{folder}/" for folder in FOLDERS)) or word.endswith(SUFFIXES))


@pytest.mark.parametrize("name", PAGES)
def test_every_path_that_is_named_exists(name: str) -> None:
    named = {word for word in in_backticks(name) if is_path(word)} - READERS_OWN
    missing = [word for word in named if not list(ROOT.glob(re.sub(r"<\w+>", "*", word)))]
    assert missing == []


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(name: str) -> None:
    broken = []
    for link in links(name):
        path, _, anchor = link.partition("#")
        if path.startswith("https://"):
            continue
        there = not path or (ROOT / path).exists()
        if not there or (anchor and anchor not in anchors(path or name)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_is_named_exists(name: str) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", page(name)))
    assert named - set(get_commands()) == set()


@pytest.mark.parametrize("name", PAGES)
def test_code_for_python_is_python(name: str) -> None:
    for code in blocks(name, "python"):
        lines = code.strip()
        # One line of a table is shown as it stands there.
        ast.parse(f"{{{lines}}}" if lines.startswith('"') and lines.endswith(",") else lines)


@pytest.mark.parametrize("name", PAGES)
def test_names_of_our_own_that_are_shown_are_in_the_code(name: str) -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8") for folder in OURS for path in (ROOT / folder).rglob("*.py")
    )
    named = {word.removeprefix("ACME_") for word in in_backticks(name) if re.fullmatch(r"[A-Z][A-Z_]+", word)}
    assert [word for word in named - {"ACME"} if not re.search(rf"\b{word}", code)] == []


def test_every_command_of_ours_is_listed_and_helps() -> None:
    listed = prose("README.md")
    for command, app in get_commands().items():
        if app not in OURS:
            continue
        assert f"| `manage.py {command}" in listed, command
        found = load_command_class(app, command)
        assert str(found.help), command
        assert command in found.create_parser("manage.py", command).format_help()


def test_options_that_are_named_exist() -> None:
    options = set(re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", page("README.md") + page("CONTRIBUTING.md")))
    parsers = [
        load_command_class(app, command).create_parser("manage.py", command).format_help()
        for command, app in get_commands().items()
        if app in OURS or command in ("createsuperuser", "collectstatic", "check")
    ]
    foreign = {"--require-hashes", "--universal", "--python-version", "--generate-hashes", "--fix"}
    granian = {"--interface", "--host", "--port", "--workers", "--blocking-threads", "--no-ws"}
    assert [o for o in options - foreign - granian if not any(o in text for text in parsers)] == []


@pytest.mark.parametrize("picture", sorted((ROOT / ".readme").iterdir()), ids=lambda path: path.name)
def test_a_picture_is_small_and_shown(picture: Path) -> None:
    assert picture.stat().st_size < LARGEST_PICTURE
    assert f".readme/{picture.name}" in links("README.md")


def test_no_page_names_a_machine_of_ours() -> None:
    private = ("/root/", "/home/", "/tmp/", "localhost:5432/opsagent_")
    assert [(name, word) for name, word in product(PAGES, private) if word in page(name)] == []
