"""The documents themselves: cheap enough, of no deprecated thing, and never one that gives back too much."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    validate,
    visit,
)

from tests.contracts.answers import SPECS, needs_specs
from tools.adapters.operation import Operation
from tools.adapters.shopify_cost import MOST_PER_QUERY, cost
from tools.adapters.shopify_operations import OPERATIONS
from tools.budgets import BUDGETS, KEPT_FOR_WRITES

VERSIONS = ("2026-01", "2026-04", "2026-07")
BY_NAME = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)


@cache
def schema(version: str) -> GraphQLSchema:
    return build_schema((SPECS / "shopify" / f"admin_{version}.trimmed.graphql").read_text())


@BY_NAME
def test_no_query_costs_more_than_shopify_runs(operation: Operation) -> None:
    assert 0 < cost(operation.document) <= MOST_PER_QUERY


def test_the_usual_reading_leaves_room_for_others() -> None:
    """Beside the fifth that is kept for writes, a bucket of the smallest plan holds three of the dearest."""
    dearest = max(cost(operation.document) for operation in OPERATIONS)
    assert dearest <= 500
    assert 3 * dearest <= (1 - KEPT_FOR_WRITES) * BUDGETS["shopify"].capacity


@pytest.mark.parametrize(
    ("document", "points"),
    [
        ("{ shop { name } }", 1),
        ("{ orders(first: 10) { nodes { id } } }", 12),
        ("{ orders(first: 10) { pageInfo { hasNextPage } nodes { id totalPriceSet { shopMoney { amount } } } } }", 32),
        ("{ order(id: 1) { refunds(first: 5) { id order { id } } } }", 11),
        ("mutation { tagsAdd(id: 1, tags: []) { node { id } } }", 12),
    ],
)  # fmt: skip
def test_a_price_is_reckoned_as_shopify_does(document: str, points: int) -> None:
    assert cost(document) == points


class _Fields(Visitor):
    """Every field that a document selects, with what the schema says against it."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.deprecated: list[str] = []

    def enter_field(self, node: FieldNode, *_: object) -> None:
        found = self.info.get_field_def()
        assert found is not None
        notes = [(node.name.value, found.deprecation_reason)]
        for argument in node.arguments or ():
            name = argument.name.value
            notes.append((f"{node.name.value}({name})", found.args[name].deprecation_reason))
        self.deprecated += [name for name, reason in notes if reason is not None]


def deprecated_inputs(kind: Any, value: Any, path: str) -> Iterator[str]:
    """What the values of a variable use that the schema has given up."""
    named = get_named_type(kind)
    if isinstance(value, list | tuple):
        for one in value:
            yield from deprecated_inputs(kind, one, path)
    elif isinstance(named, GraphQLInputObjectType) and isinstance(value, dict):
        for name, inner in value.items():
            if named.fields[name].deprecation_reason is not None:
                yield f"{path}.{name}"
            yield from deprecated_inputs(named.fields[name].type, inner, f"{path}.{name}")


@needs_specs
@pytest.mark.parametrize("version", VERSIONS)
@BY_NAME
def test_nothing_that_we_ask_is_given_up_by_shopify(operation: Operation, version: str) -> None:
    contract, document = schema(version), parse(operation.document)
    info = TypeInfo(contract)
    fields = _Fields(info)
    visit(document, TypeInfoVisitor(info, fields))
    assert (validate(contract, document), fields.deprecated) == ([], [])


@needs_specs
def test_no_input_that_we_send_is_given_up_by_shopify() -> None:
    contract = schema("2026-07")
    kinds = {"RefundInput": "input", "OrderInput": "input"}
    found: list[str] = []
    for operation in OPERATIONS:
        for kind, variable in kinds.items():
            for example in operation.examples():
                if kind in operation.document:
                    found += deprecated_inputs(contract.type_map[kind], example.variables[variable], kind)
    assert found == []


@BY_NAME
def test_nobody_can_ask_for_more_back_than_was_paid(operation: Operation) -> None:
    told = json.dumps([dict(example.variables) for example in operation.examples()]) + operation.document
    assert "overrefund" not in told.lower()


def test_no_refund_is_written_without_its_key() -> None:
    documents = [operation.document for operation in OPERATIONS if "refundCreate(" in operation.document]
    assert documents
    assert all("@idempotent(key: $key)" in document for document in documents)


def test_a_refund_rests_on_the_readings_that_judge_it() -> None:
    found = {operation.name: operation.rests_on for operation in OPERATIONS}
    assert found["refundCreate"] == ("order", "refunds", "suggestedRefund")
    assert set(found["orderCancel"]) == {"cancellation", "job"}


@BY_NAME
def test_every_operation_has_examples_and_all_but_a_job_a_probe(operation: Operation) -> None:
    assert operation.examples()
    assert (operation.probe is None) == (operation.name == "job")
