"""All that we ask of a vendor, against one contract of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from graphql import FieldNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, parse

from tools.adapters.operation import Operation
from tools.adapters.table import OPERATIONS
from tools.contracts import graphql_contract, graphql_replies, openapi, openapi_replies, openapi_requests
from tools.contracts.accepted import ACCEPTED
from tools.contracts.findings import Difference, Finding, NotAContract, Report
from tools.contracts.openapi import OpenApi
from tools.contracts.rules import run_time_rules


def of_vendor(vendor: str, operations: Sequence[Operation] = OPERATIONS) -> tuple[Operation, ...]:
    return tuple(one for one in operations if one.vendor == vendor)


def check_graphql(
    schema: GraphQLSchema, version: str, operations: Sequence[Operation] = OPERATIONS, vendor: str = "shopify"
) -> Report:
    """Every document, its examples' variables and its reply model against the schema of a version."""
    findings: list[Finding] = []
    chosen = of_vendor(vendor, operations)
    if chosen and not any(_knows(schema, one) for one in chosen):
        raise NotAContract("the schema has none of the queries and mutations that we use")
    for operation in chosen:
        differences = graphql_differences(schema, version, operation)
        findings += _told(differences, vendor, version, operation.name)
    return Report(vendor, version, tuple(findings), (), tuple(one.name for one in chosen))


def _knows(schema: GraphQLSchema, operation: Operation) -> bool:
    """Whether the schema has the first field that the operation's document asks for."""
    document = parse(operation.document, no_location=True)
    first = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    root = schema.get_root_type(first.operation)
    asked = {one.name.value for one in first.selection_set.selections if isinstance(one, FieldNode)}
    return root is not None and bool(asked & set(root.fields))


def graphql_differences(schema: GraphQLSchema, version: str, operation: Operation) -> Iterator[Difference]:
    yield from graphql_contract.check_document(schema, operation.document)
    for example in operation.examples():
        yield from graphql_contract.check_variables(schema, operation.document, example.variables)
    if operation.reply is not None:
        yield from graphql_replies.check_reply(schema, operation.document, operation.reply)
    try:
        yield from run_time_rules(parse(operation.document), version)
    except GraphQLError:
        return  # The document's own check has named it.


def check_openapi(
    contract: OpenApi, vendor: str, operations: Sequence[Operation] = OPERATIONS, version: str = ""
) -> Report:
    """Every example's request and every reply model against an OpenAPI contract.

    What a contract that says of itself that it was trimmed doesn't hold is unchecked; in any other it is gone.
    """
    version = version or contract.version
    findings: list[Finding] = []
    unchecked: list[tuple[str, str]] = []
    checked: list[str] = []
    chosen = of_vendor(vendor, operations)
    if chosen and not any(contract.operation(one.method, one.path) for op in chosen for one in op.examples()):
        raise NotAContract("it holds none of the operations that we use")
    for operation in chosen:
        missing = [one for one in operation.examples() if contract.operation(one.method, one.path) is None]
        if missing and contract.trimmed:
            what = f"this trimmed contract does not hold {missing[0].method} {missing[0].path}"
            unchecked.append((operation.name, what))
            continue
        checked.append(operation.name)
        findings += _told(openapi_differences(contract, operation), vendor, version, operation.name)
    return Report(vendor, version, tuple(findings), tuple(unchecked), tuple(checked))


def openapi_differences(contract: OpenApi, operation: Operation) -> Iterator[Difference]:
    for example in operation.examples():
        found = contract.operation(example.method, example.path)
        if found is None:
            yield Difference(f"{example.method} {example.path}", "this version does not have the operation")
            continue
        yield from openapi_requests.check_request(contract, found, example, operation.name)
        if operation.reply is None:
            continue
        answer = contract.answer(found)
        if answer is None:
            yield Difference(
                "reply", f"the contract promises no JSON, and {operation.reply.__name__} reads it"
            )
            continue
        yield from openapi_replies.check_reply(contract, answer, operation.reply)


def _told(differences: Iterable[Difference], vendor: str, version: str, operation: str) -> Iterator[Finding]:
    """Each difference once, without those that we chose."""
    seen: set[tuple[str, str]] = set()
    for one in differences:
        if (vendor, one.rule, one.owner) in ACCEPTED or (one.where, one.what) in seen:
            continue
        seen.add((one.where, one.what))
        yield Finding(vendor, version, operation, one.where, one.what, one.severity)


def shopify(text: str, version: str, operations: Sequence[Operation] = OPERATIONS) -> Report:
    """The report on Shopify for SDL or an introspection; raises NotAContract."""
    return check_graphql(graphql_contract.load(text), version, operations)


def rest(text: str, vendor: str, operations: Sequence[Operation] = OPERATIONS) -> Report:
    """The report on a vendor with an OpenAPI contract in JSON; raises NotAContract."""
    contract = openapi.load(text)
    try:
        return check_openapi(contract, vendor, operations)
    except RecursionError:
        raise NotAContract("its schemas are made of themselves without end") from None
