"""The committed contracts are what the script derives, and nothing that the fuller ones don't say."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema

from tests.contracts import derive
from tests.contracts.answers import HERE, SPECS, needs_specs, shopify_schema
from tests.contracts.shopify_contract import VERSIONS
from tools.adapters import stripe_known
from tools.contracts import graphql_contract

SHOPIFY = os.environ.get("OPSAGENT_SHOPIFY_MCP", "")
STRIPE = os.environ.get("OPSAGENT_STRIPE_WHEEL", "")
needs_shopify = pytest.mark.skipif(
    not SHOPIFY, reason="OPSAGENT_SHOPIFY_MCP names no copy of @shopify/dev-mcp 1.16.0"
)
needs_stripe = pytest.mark.skipif(not STRIPE, reason="OPSAGENT_STRIPE_WHEEL names no copy of stripe 16.1.0")


@needs_shopify
def test_shopifys_schemas_are_what_the_script_derives() -> None:
    assert {path: path.read_text() for path in derive.from_shopify(Path(SHOPIFY))} == derive.from_shopify(
        Path(SHOPIFY)
    )


@needs_stripe
def test_stripes_contract_is_what_the_script_derives() -> None:
    derived = derive.from_stripe(Path(STRIPE))
    assert {path: path.read_text() for path in derived} == derived
    assert derive.from_stripe(Path(STRIPE)) == derived


@needs_specs
@pytest.mark.parametrize("version", VERSIONS)
def test_a_pruned_schema_says_nothing_that_the_fuller_one_does_not(version: str) -> None:
    fuller = graphql_contract.load((SPECS / "shopify" / f"admin_{version}.trimmed.graphql").read_text())
    assert said(shopify_schema(version)) - said(fuller) == set()


def said(schema: GraphQLSchema) -> set[str]:
    """All that a schema says, one line each: fields, arguments, input fields and enum values with their types."""
    lines = set()
    for name, kind in schema.type_map.items():
        for field, told in getattr(kind, "fields", {}).items():
            lines.add(f"{name}.{field}: {told.type}")
            lines |= {f"{name}.{field}({one}: {arg.type})" for one, arg in getattr(told, "args", {}).items()}
        lines |= {f"{name}.{value}" for value in getattr(kind, "values", {})}
    return {line for line in lines if not line.startswith("__")}


@needs_specs
def test_stripes_contract_says_nothing_that_the_fuller_one_does_not() -> None:
    ours = json.loads((HERE / f"stripe_{stripe_known.VERSION}.json").read_text())
    fuller = json.loads((SPECS / "stripe" / f"stripe_{stripe_known.VERSION}.from-sdk.json").read_text())
    assert list(more(ours["components"]["schemas"], fuller["components"]["schemas"], "")) == []
    # That trimmed copy lacks the one path by which an invoice is read; the package itself has it.
    assert set(ours["paths"]) - set(fuller["paths"]) == {"/v1/invoices/{invoice}"}


def more(ours: Any, fuller: Any, path: str) -> list[str]:
    """Where ours says more or something else; an object that we cut off says nothing."""
    if ours == {"type": "object"} or (isinstance(ours, dict) and ours.keys() == {"type", "nullable"}):
        return []
    if isinstance(ours, dict) and isinstance(fuller, dict):
        absent = [f"{path}/{key}" for key in ours if key not in fuller]
        return absent + [
            line for key in ours if key in fuller for line in more(ours[key], fuller[key], f"{path}/{key}")
        ]
    if isinstance(ours, list) and isinstance(fuller, list) and len(ours) == len(fuller):
        return [
            line
            for at, pair in enumerate(zip(ours, fuller, strict=True))
            for line in more(*pair, f"{path}/{at}")
        ]
    return [] if ours == fuller else [path]


def test_the_licences_of_both_packages_are_told() -> None:
    notice = (HERE.parents[1] / "NOTICE").read_text()
    assert "@shopify/dev-mcp 1.16.0" in notice
    assert "ISC License" in notice
    assert "PyPI package stripe 16.1.0" in notice
    assert "The MIT License" in notice


@pytest.mark.parametrize("name", ["event.data", "charge.outcome", "credit_note.refunds", "refund", "list"])
def test_the_known_fields_are_those_of_the_contract(name: str) -> None:
    schemas = json.loads((HERE / f"stripe_{stripe_known.VERSION}.json").read_text())["components"]["schemas"]
    classes = {
        "event.data": "event.Data",
        "charge.outcome": "charge.Outcome",
        "credit_note.refunds": "credit_note.Refund",
    }
    if name != "list":
        assert stripe_known.FIELDS[name] == set(schemas[classes.get(name, name)]["properties"])
    assert stripe_known.FIELDS["list"] == {"object", "data", "has_more", "url"}
