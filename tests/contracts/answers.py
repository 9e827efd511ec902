"""Assertions that an answer, of the sandbox or of a fixture, is one that the vendor's contract allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest
from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    is_composite_type,
    parse,
    validate,
)

from tools.adapters import shopify_documents, stripe_known
from tools.adapters.table import named
from tools.contracts import graphql_contract, openapi
from tools.contracts.graphql_replies import SCALARS, Selections
from tools.contracts.instances import Problem, problems
from tools.contracts.openapi import OpenApi

HERE = Path(__file__).parent
SPECS = HERE.parents[2] / "shared" / "specs"
needs_specs = pytest.mark.skipif(not SPECS.is_dir(), reason="the vendors' fuller contracts are not at hand")
JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "instant": str,
}


@cache
def shopify_schema(version: str = shopify_documents.VERSION) -> GraphQLSchema:
    return graphql_contract.load((HERE / f"shopify_{version}.graphql").read_text())


@cache
def stripe_contract() -> OpenApi:
    return openapi.load((HERE / f"stripe_{stripe_known.VERSION}.json").read_text())


@cache
def shared_contract(vendor: str, version: str) -> OpenApi | None:
    """A contract that may not be part of the repository, from beside it; None where it isn't at hand."""
    path = SPECS / vendor / f"{vendor}_{version}.trimmed.json"
    return openapi.load(path.read_text()) if path.is_file() else None


def assert_shopify_answer(
    document: str, variables: Mapping[str, object], answer: Mapping[str, object]
) -> None:
    """The document and its variables are valid, and `data` holds what was asked for and nothing else.

    An answer without data (an error on top) is checked for its form alone.
    """
    schema = shopify_schema()
    parsed = parse(document)
    wrong = [error.message for error in validate(schema, parsed)]
    assert not wrong, wrong
    refused = list(graphql_contract.check_variables(schema, document, variables))
    assert not refused, refused
    assert set(answer) <= {"data", "errors", "extensions"}
    if answer.get("data") is not None:
        found = list(_Answer(schema, parsed).problems(answer["data"]))
        assert not found, found
    else:
        assert answer.get("errors"), "neither data nor errors"


class _Answer:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        self.selections = Selections(schema, document)
        found = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
        self.operation = next(found)

    def problems(self, data: object) -> Iterator[str]:
        root = self.schema.get_root_type(self.operation.operation)
        yield from self._object(root, (self.operation.selection_set,), data, "data")

    def _object(
        self, kind: object, sets: Sequence[SelectionSetNode], value: object, path: str
    ) -> Iterator[str]:
        if not isinstance(value, Mapping):
            yield f"{path} is not an object"
            return
        selected = self.selections.of(kind, sets)
        yield from (f"{path}.{name} was not asked for" for name in set(value) - set(selected))
        for name, one in selected.items():
            if name in value:
                yield from self._value(one.type, one.sets, value[name], f"{path}.{name}")
            elif one.certain:
                yield f"{path}.{name} is missing"

    def _value(
        self, kind: GraphQLOutputType, sets: Sequence[SelectionSetNode], value: object, path: str
    ) -> Iterator[str]:
        if value is None:
            if isinstance(kind, GraphQLNonNull):
                yield f"{path} is null"
            return
        kind = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
        if isinstance(kind, GraphQLList):
            yield from self._list(kind, sets, value, path)
        elif is_composite_type(kind):
            yield from self._object(kind, sets, value, path)
        elif isinstance(kind, GraphQLEnumType):
            if value not in kind.values:
                yield f"{path} is no {kind.name}"
        elif isinstance(kind, GraphQLScalarType) and not _is_scalar(kind.name, value):
            yield f"{path} is no {kind.name}"

    def _list(
        self, kind: GraphQLList[GraphQLOutputType], sets: Sequence[SelectionSetNode], value: object, path: str
    ) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path} is not a list"
            return
        for place, item in enumerate(value):
            yield from self._value(kind.of_type, sets, item, f"{path}.{place}")


def _is_scalar(name: str, value: object) -> bool:
    kinds = SCALARS[name]
    if not kinds:
        return True
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, JSON_TYPES[kind]) for kind in kinds)


def assert_stripe_answer(operation: str, answer: object) -> None:
    """The answer to one of our operations (`refunds.create`) is what the contract promises, unknown fields refused."""
    found = _problems(stripe_contract(), "stripe", operation, answer)
    assert not found, found


def assert_klaviyo_answer(operation: str, answer: object, revision: str = "2026-07-15") -> None:
    """Like Stripe's; passes unchecked where the contract isn't at hand (it is no part of the repository)."""
    contract = shared_contract("klaviyo", revision)
    found = [] if contract is None else _problems(contract, "klaviyo", operation, answer)
    assert not found, found


def assert_whatsapp_answer(operation: str, answer: object, version: str = "v23.0") -> None:
    """Like Klaviyo's."""
    contract = shared_contract("whatsapp", version)
    found = [] if contract is None else _problems(contract, "whatsapp", operation, answer)
    assert not found, found


def _problems(contract: OpenApi, vendor: str, name: str, answer: object) -> list[Problem]:
    operation = named(vendor, name)
    assert operation is not None, f"tools/adapters/table.py has no {vendor} {name}"
    example = operation.examples()[0]
    found = contract.operation(example.method, example.path)
    if found is None and contract.trimmed:
        return []
    assert found is not None, f"the contract has no {example.method} {example.path}"
    schema = contract.answer(found)
    if schema is None:
        return [] if answer in (None, "", b"") else [Problem("", "unknown", "the contract promises no body")]
    return [one for one in problems(contract, schema, answer) if one.rule != "deprecated"]
