"""Our GraphQL documents and their variables against a schema, of SDL or of an introspection."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    Node,
    NoDeprecatedCustomRule,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    build_client_schema,
    build_schema,
    get_location,
    is_input_type,
    parse,
    type_from_ast,
    validate,
)
from graphql.utilities import validate_input_value

from tools.contracts.findings import Difference, NotAContract, Severity

VERSION = re.compile(r"(?<!\d)20\d\d-(?:01|04|07|10)(?!-?\d)|unstable")


def load(text: str) -> GraphQLSchema:
    """The schema that SDL or an introspection's JSON tells of; raises NotAContract."""
    try:
        schema = _from_introspection(text) if _is_json(text) else _from_sdl(text)
    except (GraphQLError, TypeError, ValueError, KeyError, RecursionError) as problem:
        raise NotAContract(f"neither a GraphQL schema nor an introspection: {str(problem)[:200]}") from None
    if schema.query_type is None:
        raise NotAContract("a GraphQL schema without a query type")
    return schema


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] == "{" and text.lstrip()[1:].lstrip()[:1] in ('"', "}")


def _from_sdl(text: str) -> GraphQLSchema:
    # Shopify's own schema deprecates fields that an interface doesn't, which graphql-core would refuse.
    return build_schema(text, assume_valid=True, no_location=True)


def _from_introspection(text: str) -> GraphQLSchema:
    content = json.loads(text)
    return build_client_schema(content.get("data", content), assume_valid=True)


def version_of(name: str, text: str) -> str:
    """The version that a file's name or its first comment tells; a schema itself doesn't. Empty if unknown."""
    comment = "".join(line for line in text.lstrip()[:400].splitlines() if line.startswith("#"))
    found = VERSION.search(name) or VERSION.search(comment)
    return found.group(0) if found else ""


def check_document(schema: GraphQLSchema, text: str) -> Iterator[Difference]:
    """What the schema says against a document: unknown fields, arguments, directives and types; deprecations."""
    try:
        document = parse(text)
    except GraphQLError as problem:
        yield Difference("document", problem.message)
        return
    places = _places(document)
    for error in validate(_assumed_valid(schema), document):
        yield Difference(_where(error, places), error.message)
    for error in validate(_assumed_valid(schema), document, [NoDeprecatedCustomRule]):
        yield Difference(_where(error, places), error.message, Severity.DEPRECATED)


def _assumed_valid(schema: GraphQLSchema) -> GraphQLSchema:
    schema._validation_errors = []
    return schema


def _places(document: DocumentNode) -> dict[int, str]:
    """The path of fields that each node of a document stands under, by the node's identity."""
    found: dict[int, str] = {}

    def walk(node: object, path: str) -> None:
        if isinstance(node, list | tuple):
            for inner in node:
                walk(inner, path)
        if not isinstance(node, Node):
            return
        if isinstance(node, FieldNode):
            path = f"{path}.{node.name.value}".strip(".")
        found[id(node)] = path
        for key in node.keys:
            if key != "loc":
                walk(getattr(node, key), path)

    walk(document, "")
    return found


def _where(error: GraphQLError, places: Mapping[int, str]) -> str:
    node = error.nodes[0] if error.nodes else None
    if node is None or node.loc is None:
        return "document"
    line = get_location(node.loc.source, node.loc.start).line
    path = places.get(id(node), "")
    return f"document line {line}, {path}" if path else f"document line {line}"


def check_variables(
    schema: GraphQLSchema, text: str, variables: Mapping[str, object]
) -> Iterator[Difference]:
    """What the schema says against an example's variables: unknown, missing, retyped and deprecated input."""
    for definition in _definitions(text):
        name = definition.variable.name.value
        found = type_from_ast(schema, definition.type)
        if found is None or not is_input_type(found):
            continue  # The document's own check names the unknown type.
        yield from _one_variable(name, variables.get(name, Undefined), found, definition)
    for name in sorted(set(variables) - {one.variable.name.value for one in _definitions(text)}):
        yield Difference(f"variable {name}", "the document does not declare it")


def _definitions(text: str) -> list[VariableDefinitionNode]:
    try:
        document = parse(text)
    except GraphQLError:
        return []
    operations = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    return [definition for one in operations for definition in one.variable_definitions or ()]


def _one_variable(
    name: str, value: object, kind: GraphQLInputType, definition: VariableDefinitionNode
) -> Iterator[Difference]:
    if value is Undefined:
        if isinstance(kind, GraphQLNonNull) and definition.default_value is None:
            yield Difference(f"variable {name}", "it is required, and our request leaves it out")
        return
    problems: list[Difference] = []

    def note(error: GraphQLError, path: list[str | int]) -> None:
        what = error.message.partition(", found:")[0].rstrip(".")
        problems.append(Difference(f"variable {_dotted(name, path)}", what))

    validate_input_value(value, kind, note)
    yield from problems
    yield from _deprecated_input(value, kind, name)


def _dotted(name: str, path: list[str | int]) -> str:
    return ".".join([name, *(str(step) for step in path)])


def _deprecated_input(value: object, kind: GraphQLInputType, path: str) -> Iterator[Difference]:
    """graphql-core warns of deprecated input in a document's text only, and ours comes as variables."""
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    if isinstance(kind, GraphQLList) and isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _deprecated_input(item, kind.of_type, f"{path}.{place}")
    if isinstance(kind, GraphQLEnumType) and isinstance(value, str) and value in kind.values:
        yield from _reason(f"variable {path}", value, kind.values[value].deprecation_reason)
    if isinstance(kind, GraphQLInputObjectType) and isinstance(value, Mapping):
        for key in value:
            if key in kind.fields:
                yield from _reason(f"variable {path}.{key}", key, kind.fields[key].deprecation_reason)
                yield from _deprecated_input(value[key], kind.fields[key].type, f"{path}.{key}")


def _reason(where: str, name: str, reason: str | None) -> Iterator[Difference]:
    if reason is not None:
        yield Difference(where, f"{name} is deprecated: {reason}", Severity.DEPRECATED)
