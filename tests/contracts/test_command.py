"""What `manage.py contract_check` prints, and how it ends."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from graphql import introspection_from_schema

from tests.contracts.answers import HERE, shopify_schema
from tests.contracts.test_replays import stripe_without
from tools.adapters import stripe_known

OLD = HERE / "shopify_2026-01.graphql"


def run(*arguments: str | Path) -> tuple[int, str]:
    out, code = StringIO(), 0
    try:
        call_command("contract_check", *map(str, arguments), stdout=out)
    except SystemExit as end:
        code = int(str(end.code))
    return code, out.getvalue()


def last_line(text: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(text.splitlines()[-1])
    return told


def test_the_pinned_versions_break_nothing() -> None:
    code, text = run("--json")
    told = last_line(text)
    assert (code, told["breaks"], told["findings"]) == (0, False, [])
    assert [(one["vendor"], one["version"]) for one in told["contracts"]] == [
        ("shopify", "2026-07"),
        ("stripe", stripe_known.VERSION),
    ]


def test_what_was_not_checked_is_said() -> None:
    _, text = run("--json")
    assert "klaviyo: not checked, since no contract was given" in text
    assert {one["vendor"] for one in last_line(text)["unchecked"]} == {"klaviyo", "whatsapp"}


def test_an_installation_without_the_pinned_contracts_says_so(settings: Any, tmp_path: Path) -> None:
    settings.BASE_DIR = tmp_path
    code, text = run()
    assert code == 0
    assert "shopify: not checked, since no contract was given" in text
    assert "stripe: not checked, since no contract was given" in text


def test_a_version_that_breaks_us_ends_with_one_and_names_what() -> None:
    code, text = run("--shopify-sdl", OLD, "--json")
    assert code == 1
    assert {
        "vendor": "shopify",
        "version": "2026-01",
        "operation": "dispute",
        "where": "reply field dispute.evidenceDueBy",
        "what": "it is Date in this version, and DisputeOfShop.evidenceDueBy reads instant or null",
        "severity": "breaks",
    } in last_line(text)["findings"]
    assert "  breaks      dispute: reply field dispute.evidenceDueBy\n" in text


def test_changes_alone_end_with_zero(tmp_path: Path) -> None:
    """PREVENTED goes, and nothing else."""
    changed = tmp_path / "shopify_2026-07.graphql"
    changed.write_text((HERE / changed.name).read_text().replace("  PREVENTED\n", ""))
    code, text = run("--shopify-sdl", changed, "--json")
    assert (code, {one["severity"] for one in last_line(text)["findings"]}) == (0, {"changes"})


def test_people_read_a_table_without_json() -> None:
    _, text = run("--shopify-sdl", OLD)
    assert text.startswith("shopify 2026-01: 3 findings (")
    assert "{" not in text


def test_an_introspection_leads_to_the_same_list_as_sdl(tmp_path: Path) -> None:
    introspection = tmp_path / "schema.json"
    content = introspection_from_schema(shopify_schema("2026-01"), input_value_deprecation=True)
    introspection.write_text(json.dumps({"data": content}))
    _, from_json = run("--shopify-sdl", introspection, "--shopify-version", "2026-01", "--json")
    _, from_sdl = run("--shopify-sdl", OLD, "--json")
    assert last_line(from_json) == last_line(from_sdl)


def test_stripes_lost_field_is_named(tmp_path: Path) -> None:
    file = tmp_path / "stripe.json"
    file.write_text(stripe_without("charge", "amount_captured"))
    code, text = run("--stripe", file, "--json")
    assert code == 1
    assert "reply field amount_captured" in {one["where"] for one in last_line(text)["findings"]}


NOT_CONTRACTS = [
    ("--shopify-sdl", "Dear diary", "neither a GraphQL schema nor an introspection: Syntax Error"),
    ("--shopify-sdl", "", "Syntax Error: Unexpected <EOF>"),
    ("--shopify-sdl", "{}", "neither a GraphQL schema nor an introspection"),
    ("--shopify-sdl", '{"data": {"order": 1}}', "neither a GraphQL schema nor an introspection"),
    ("--shopify-sdl", "type Order { id: ID }", "a GraphQL schema without a query type"),
    ("--shopify-sdl", "type Query { weather: Int }", "none of the queries and mutations that we use"),
    ("--shopify-sdl", "{" * 5000, "neither a GraphQL schema nor an introspection"),
    ("--stripe", "openapi: 3.0.0", "not JSON"),
    ("--stripe", "[1]", "not an OpenAPI 3 document"),
    ("--stripe", '{"swagger": "2.0"}', "not an OpenAPI 3 document"),
    ("--stripe", '{"openapi": "3.0.0", "paths": {}}', "without paths"),
    ("--klaviyo", '{"openapi": "3.0.0", "paths": {"/v1/refunds": {}}}', "none of the operations that we use"),
    ("--whatsapp", "[" * 100000, "not JSON"),
]


@pytest.mark.parametrize(("option", "text", "why"), NOT_CONTRACTS)
def test_a_file_that_is_no_contract_is_refused_with_its_reason(
    tmp_path: Path, option: str, text: str, why: str
) -> None:
    file = tmp_path / "given.txt"
    file.write_text(text)
    with pytest.raises(CommandError) as caught:
        run(option, file)
    assert why in str(caught.value)
    assert "is not a contract of" in str(caught.value)
    assert caught.value.returncode == 2


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="can't be read: No such file"):
        run("--stripe", tmp_path / "nowhere.json")
    file = tmp_path / "picture.json"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="is not a contract of stripe"):
        run("--stripe", file)
