"""The check reads contracts as others write them, and every way in which an answer can change."""

import json
import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from pydantic import AwareDatetime

from tools.adapters.operation import Example, Operation
from tools.adapters.replies import Reply
from tools.contracts import check
from tools.contracts.findings import NotAContract
from tools.contracts.graphql_contract import version_of
from tools.contracts.openapi import OpenApi
from tools.wire import Kind


class Inner(Reply):
    level: str | None = None


class Thing(Reply):
    id: str
    amount: int
    owner: str | None
    parts: tuple[Inner, ...] = ()
    at: AwareDatetime | None = None


FORM = {"amount": "5", "metadata[case]": "7", "lines[0][quantity]": "1", "expand[]": "owner"}


def thing(**more: Any) -> Operation:
    example = Example(**{"method": "POST", "path": "/v1/things/{id}", "form": FORM, **more})
    return Operation("stripe", "things.create", Kind.IDEMPOTENT_WRITE, Thing, lambda: (example,))


def public() -> dict[str, Any]:
    """A contract in the words of Stripe's public one: references, nullable, expandable fields, forms."""
    path = {"name": "thing", "in": "path", "required": True, "schema": {"type": "string"}}
    form = {
        "encoding": {"metadata": {"style": "deepObject", "explode": True}},
        "schema": form_schema(),
    }
    operation = {
        "parameters": [path],
        "requestBody": {"required": False, "content": {"application/x-www-form-urlencoded": form}},
        "responses": {
            "200": json_answer({"$ref": "#/components/schemas/thing"}),
            "default": json_answer({"type": "object"}),
        },
    }
    return {
        "openapi": "3.0.0",
        "info": {"version": "2027-01-01.fern"},
        "paths": {"/v1/things/{thing}": {"post": operation}},
        "components": {
            "schemas": {
                "thing": thing_schema(),
                "part": {"type": "object", "properties": {"level": {"type": "string", "nullable": True}}},
            }
        },
    }


def json_answer(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def form_schema() -> dict[str, Any]:
    line = {"type": "object", "properties": {"quantity": {"type": "integer"}}}
    words = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["amount"],
        "properties": {
            "amount": {"type": "integer"},
            "expand": {"type": "array", "items": {"type": "string"}},
            "lines": {"type": "array", "items": line},
            "metadata": {"anyOf": [words, {"type": "string", "enum": [""]}]},
        },
    }


def thing_schema() -> dict[str, Any]:
    owner = {"nullable": True, "anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/thing"}]}
    return {
        "type": "object",
        "required": ["id", "amount", "owner", "parts"],
        "x-expandableFields": ["owner"],
        "properties": {
            "id": {"type": "string", "maxLength": 5000},
            "amount": {"type": "integer"},
            "at": {"type": "string", "format": "date-time", "nullable": True},
            "owner": owner,
            "parts": {"type": "array", "items": {"$ref": "#/components/schemas/part"}},
        },
    }


def found(contract: dict[str, Any], operation: Operation | None = None) -> list[tuple[str, str, str]]:
    report = check.rest(json.dumps(contract), "stripe", [operation or thing()])
    return [(one.severity.value, one.where, one.what) for one in report.findings]


def schema(contract: dict[str, Any], name: str = "thing") -> dict[str, Any]:
    told: dict[str, Any] = contract["components"]["schemas"][name]
    return told


def body(contract: dict[str, Any]) -> dict[str, Any]:
    content = contract["paths"]["/v1/things/{thing}"]["post"]["requestBody"]["content"]
    told: dict[str, Any] = content["application/x-www-form-urlencoded"]["schema"]
    return told


def test_a_contract_in_the_words_of_stripes_public_one_is_read() -> None:
    assert found(public()) == []
    assert check.rest(json.dumps(public()), "stripe", [thing()]).version == "2027-01-01.fern"


def test_the_newer_way_to_write_null_is_read() -> None:
    contract = {**public(), "openapi": "3.1.0"}
    schema(contract)["properties"]["owner"] = {"type": ["string", "null"]}
    assert found(contract) == []
    schema(contract)["properties"]["amount"] = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    what = "it may be null in this version, and Thing.amount does not take null"
    assert found(contract) == [("breaks", "reply field amount", what)]


CHANGES: list[tuple[str, object, str]] = [
    ("id", {"type": "integer"}, "it is a whole number in this version, and Thing.id reads string"),
    ("amount", {"type": "string"}, "it is a string in this version, and Thing.amount reads integer"),
    ("amount", {"type": "number"}, "it is a number in this version, and Thing.amount reads integer"),
    ("amount", {"type": "boolean"}, "it is a boolean in this version, and Thing.amount reads integer"),
    (
        "owner",
        {"type": "array", "items": {}},
        "it is a list in this version, and Thing.owner reads string or null",
    ),
    ("parts", {"type": "object"}, "it is an object in this version, and Thing.parts reads array"),
    (
        "id",
        {"type": "string", "nullable": True},
        "it may be null in this version, and Thing.id does not take null",
    ),
    ("at", {"type": "integer"}, "it is a whole number in this version, and Thing.at reads instant or null"),
]


@pytest.mark.parametrize(("name", "told", "what"), CHANGES)
def test_a_retyped_field_is_named_with_both_types(name: str, told: object, what: str) -> None:
    contract = public()
    schema(contract)["properties"][name] = told
    assert found(contract) == [("breaks", f"reply field {name}", what)]


def test_a_field_that_need_not_come_any_more_is_named() -> None:
    contract = public()
    schema(contract)["required"].remove("amount")
    what = "it may be missing in this version, and Thing.amount needs it"
    assert found(contract) == [("breaks", "reply field amount", what)]


def test_a_field_inside_a_list_that_goes_is_named_with_its_path() -> None:
    contract = public()
    schema(contract, "part")["properties"] = {"other": {"type": "string"}}
    what = "it is not in this version, and Inner.level reads it"
    assert found(contract) == [("breaks", "reply field parts.level", what)]


def test_what_the_vendor_newly_requires_of_a_request_is_named() -> None:
    contract = public()
    body(contract)["required"] += ["currency"]
    body(contract)["properties"]["currency"] = {"type": "string"}
    assert found(contract) == [("breaks", "request field currency", "the contract requires it")]


REQUESTS = [
    ("amount", {"type": "boolean"}, "request field amount", "it is text, and the contract wants boolean"),
    ("lines", {"type": "string"}, "request field lines", "it is a list, and the contract wants string"),
    ("amount", {"type": "integer", "deprecated": True}, "request field amount", "it is deprecated"),
    (
        "expand",
        {"type": "array", "items": {"enum": ["parts"]}},
        "request field expand.0",
        "'owner' is not among its values",
    ),
]


@pytest.mark.parametrize(("name", "told", "where", "what"), REQUESTS)
def test_a_retyped_parameter_is_named(name: str, told: object, where: str, what: str) -> None:
    contract = public()
    body(contract)["properties"][name] = told
    assert [one[1:] for one in found(contract)] == [(where, what)]


def test_a_deprecated_operation_still_works_and_is_named() -> None:
    contract = public()
    contract["paths"]["/v1/things/{thing}"]["post"]["deprecated"] = True
    told = ("deprecated", "POST /v1/things/{thing}", "the operation is deprecated")
    assert found(contract) == [told]


def test_a_form_that_became_json_is_named() -> None:
    contract = public()
    content = contract["paths"]["/v1/things/{thing}"]["post"]["requestBody"]["content"]
    content["application/json"] = content.pop("application/x-www-form-urlencoded")
    what = "the contract wants application/json, and our request is of another kind"
    assert found(contract) == [("breaks", "request body", what)]


def test_an_answer_that_lost_its_body_is_named() -> None:
    contract = public()
    contract["paths"]["/v1/things/{thing}"]["post"]["responses"] = {"204": {"description": "done"}}
    assert found(contract) == [("breaks", "reply", "the contract promises no JSON, and Thing reads it")]


def test_a_reference_that_leads_nowhere_or_in_a_circle_ends_the_check_with_a_finding() -> None:
    contract = public()
    contract["components"]["schemas"]["thing"] = {"$ref": "#/components/schemas/thing"}
    assert found(contract) != []
    contract["components"]["schemas"] = {}
    assert found(contract) != []


def test_a_query_is_held_against_its_parameters() -> None:
    contract = public()
    operation = thing(query={"created[gte]": "5", "limit": "many", "colour": "red"})
    parameters = contract["paths"]["/v1/things/{thing}"]["post"]["parameters"]
    created = {"anyOf": [{"type": "object", "properties": {"gte": {"type": "integer"}}}, {"type": "integer"}]}
    parameters += [
        {"name": "created", "in": "query", "schema": created},
        {"name": "limit", "in": "query", "schema": {"type": "integer"}},
        {"name": "account", "in": "query", "required": True, "schema": {"type": "string"}},
    ]
    assert sorted(one[1:] for one in found(contract, operation)) == [
        ("query parameter account", "the contract requires it"),
        ("query parameter colour", "the contract does not know it"),
        ("query parameter limit", "it is text, and the contract wants integer"),
    ]


def test_nothing_is_trimmed_unless_the_contract_says_so() -> None:
    other = thing(path="/v1/others")
    operations = [thing(), other]
    report = check.check_openapi(OpenApi(public()), "stripe", operations)
    assert [one.what for one in report.findings] == ["this version does not have the operation"]
    trimmed = check.check_openapi(OpenApi({**public(), "x-trimmed": {}}), "stripe", operations)
    assert (trimmed.findings, len(trimmed.unchecked)) == ((), 1)


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("admin_2026-10.graphql", "", "2026-10"),
        ("admin-2025-10-full.graphql", "", "2025-10"),
        ("schema.graphql", "# Admin API 2026-04\ntype Query", "2026-04"),
        ("admin_unstable.json", "", "unstable"),
        ("schema.graphql", "type Query { a: Int }", ""),
        ("dump-2026-10-23.graphql", "", ""),
        ("schema.graphql", 'type Query { "since 2026-04" a: Int }', ""),
    ],
)
def test_the_version_of_a_schema_is_read_from_its_name_or_first_lines(
    name: str, text: str, version: str
) -> None:
    assert version_of(name, text) == version


def nodes(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nodes(inner, (*path, key))


JUNK: list[object] = [None, [], {}, "junk", 5, True, [{}], [None], {"$ref": "#/nowhere"}, {"$ref": 5}]


@pytest.mark.parametrize("seed", range(8))
def test_no_malformed_contract_ends_in_anything_but_findings_or_a_refusal(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(25):
        contract = public()
        *steps, last = chance.choice(list(nodes(contract)))
        place: Any = contract
        for step in steps:
            place = place[step]
        place[last] = chance.choice(JUNK)
        with suppress(NotAContract):
            found(contract)


def test_a_schema_that_is_made_of_itself_is_refused() -> None:
    contract = public()
    schema(contract)["allOf"] = [{"$ref": "#/components/schemas/thing"}]
    with pytest.raises(NotAContract, match="made of themselves without end"):
        found(contract)
    schema(contract)["properties"]["id"] = {"$ref": "other.json#/id"}
    with pytest.raises(NotAContract, match="refers to another file"):
        found(contract)
