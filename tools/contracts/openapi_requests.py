"""Our REST requests, as the examples of our operations make them, against an OpenAPI contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tools.adapters.operation import Example
from tools.contracts.findings import Difference, Severity
from tools.contracts.instances import Problem, nested, problems
from tools.contracts.openapi import Found, OpenApi, Schema

FORM = "application/x-www-form-urlencoded"


def check_request(contract: OpenApi, found: Found, example: Example, operation: str) -> Iterator[Difference]:
    """Unknown, missing, retyped and deprecated parameters of one example."""
    if found.deprecated:
        yield Difference(f"{found.method} {found.path}", "the operation is deprecated", Severity.DEPRECATED)
    yield from _query(contract, found, example, operation)
    yield from _body(contract, found, example, operation)


def _query(contract: OpenApi, found: Found, example: Example, operation: str) -> Iterator[Difference]:
    told = {str(one.get("name")): one for one in found.parameters if one.get("in") == "query"}
    given = _by_parameter(example.query, told)
    for name, parameter in told.items():
        if name in given:
            yield from _parameter(contract, parameter, given[name], name, operation)
        elif parameter.get("required"):
            yield _difference(
                Problem(name, "missing", "the contract requires it"), "query parameter", operation
            )
    for name in given:
        if name not in told:
            problem = Problem(name, "unknown", "the contract does not know it")
            yield _difference(problem, "query parameter", operation)


def _by_parameter(query: Mapping[str, str], told: Mapping[str, Schema]) -> dict[str, object]:
    """Values by parameter: `fields[event]` may be a parameter's own name, and `created[gte]` a part of `created`."""
    own = {name: value for name, value in query.items() if name in told}
    return {**own, **nested({name: value for name, value in query.items() if name not in told})}


def _parameter(
    contract: OpenApi, parameter: Schema, value: object, name: str, operation: str
) -> Iterator[Difference]:
    if parameter.get("deprecated"):
        yield _difference(Problem(name, "deprecated", "it is deprecated"), "query parameter", operation)
    schema = parameter.get("schema", {})
    if isinstance(value, str) and contract.flat(schema).get("type") == "array":
        value = value.split(",")
    for problem in problems(contract, schema, value, name, form=True):
        yield _difference(problem, "query parameter", operation)


def _body(contract: OpenApi, found: Found, example: Example, operation: str) -> Iterator[Difference]:
    media, schema, required = contract.request_body(found)
    sent = example.json if example.form is None else nested(example.form)
    if sent is None:
        if required:
            yield Difference("request body", "the contract requires one, and our request has none")
        return
    if not media:
        yield Difference("request body", "the operation takes none in this version, and our request has one")
        return
    if (media == FORM) != (example.form is not None):
        yield Difference("request body", f"the contract wants {media}, and our request is of another kind")
        return
    for problem in problems(contract, schema, sent, form=example.form is not None):
        yield _difference(problem, "request field", operation)


def _difference(problem: Problem, kind: str, operation: str) -> Difference:
    severity = Severity.DEPRECATED if problem.rule == "deprecated" else Severity.BREAKS
    where = f"{kind} {problem.path}" if problem.path else "request body"
    return Difference(where, problem.what, severity, problem.rule, f"{operation} {problem.path}")
