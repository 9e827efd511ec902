"""What of a contract our operations use, found without the check's own code, so that the check can be checked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from graphql import (
    ArgumentNode,
    DirectiveNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    type_from_ast,
    visit,
)
from pydantic import BaseModel

from tools.adapters.operation import Operation


@dataclass(frozen=True)
class Use:
    """One thing that a vendor could take away: `holders` are the dictionaries that it would vanish from."""

    what: str
    name: str
    holders: tuple[dict[str, Any], ...] = field(repr=False)

    @contextmanager
    def gone(self) -> Iterator[None]:
        taken = [holder.pop(self.name) for holder in self.holders]
        try:
            yield
        finally:
            for holder, value in zip(self.holders, taken, strict=True):
                holder[self.name] = value


def graphql_uses(schema: GraphQLSchema, operation: Operation) -> list[Use]:
    """Fields, arguments, input fields, enum values and directives that an operation uses."""
    document = parse(operation.document)
    info = TypeInfo(schema)
    collector = _Collector(schema, info, operation.reply)
    visit(document, TypeInfoVisitor(info, collector))
    found = collector.found
    definitions = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    for definition in (each for one in definitions for each in one.variable_definitions or ()):
        kind = type_from_ast(schema, definition.type)
        for example in operation.examples():
            found += _input_uses(kind, example.variables.get(definition.variable.name.value))
    return list({use.what: use for use in found}.values())


class _Collector(Visitor):
    def __init__(self, schema: GraphQLSchema, info: TypeInfo, reply: type[BaseModel] | None) -> None:
        super().__init__()
        self.schema, self.info, self.reply = schema, info, reply
        self.found: list[Use] = []
        self.path: list[str] = ["data"]

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent, name = self.info.get_parent_type(), node.name.value
        assert isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
        self.path.append((node.alias or node.name).value)
        self.found.append(Use(f"field {parent}.{name}", name, (parent.fields,)))
        kind = get_named_type(self.info.get_type())
        if isinstance(kind, GraphQLEnumType) and self.reply is not None:
            for value in literal_at(self.reply, self.path):
                if value in kind.values:
                    self.found.append(Use(f"value {kind}.{value}", value, (kind.values,)))

    def leave_field(self, *_: object) -> None:
        self.path.pop()

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        told, name = self.info.get_field_def(), node.name.value
        if told is not None and self.info.get_directive() is None:
            place = f"argument {self.info.get_parent_type()}.{'.'.join(self.path)}({name})"
            self.found.append(Use(place, name, (told.args,)))

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        told = self.schema.get_directive(node.name.value)
        assert told is not None
        self.found.append(Use(f"argument @{node.name.value}(key)", "key", (told.args,)))


def _input_uses(kind: object, value: object) -> Iterator[Use]:
    named = get_named_type(kind)  # type: ignore[call-overload]  # any type of the schema
    if isinstance(value, list | tuple):
        for item in value:
            yield from _input_uses(named, item)
    elif isinstance(named, GraphQLInputObjectType) and isinstance(value, Mapping):
        for key, inner in value.items():
            yield Use(f"input {named}.{key}", key, (named.fields,))
            yield from _input_uses(named.fields[key].type, inner)
    elif isinstance(named, GraphQLEnumType) and isinstance(value, str):
        yield Use(f"value {named}.{value}", value, (named.values,))


def members(annotation: object) -> Iterator[object]:
    """What is inside an annotation, through unions, tuples and Annotated."""
    if get_origin(annotation) in (Union, UnionType, Annotated, tuple, list):
        for inner in get_args(annotation):
            yield from members(inner)
    else:
        yield annotation


def literal_at(model: type[BaseModel], path: list[str]) -> set[str]:
    """The values of the Literal that a reply model has at a path of names; empty where there is none."""
    models: list[type[BaseModel]] = [model]
    found: list[object] = []
    for name in path:
        told = [one.model_fields[name].annotation for one in models if name in one.model_fields]
        found = [inner for annotation in told for inner in members(annotation)]
        models = [one for one in found if isinstance(one, type) and issubclass(one, BaseModel)]
    return {
        str(value)
        for one in found
        if get_origin(one) is Literal
        for value in get_args(one)
        if value is not None
    }


def paths_of(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path of fields that a reply model reads."""
    for name, told in model.model_fields.items():
        yield (*prefix, name)
        for inner in members(told.annotation):
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                yield from paths_of(inner, (*prefix, name))


class Document:
    """An OpenAPI document as plain dictionaries, whose properties can be taken away."""

    def __init__(self, text: str) -> None:
        self.content: dict[str, Any] = json.loads(text)

    def at(self, reference: str) -> Any:
        place: Any = self.content
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        return place

    def parts(self, schema: Any) -> Iterator[dict[str, Any]]:
        """A schema and all that it is put together from."""
        while isinstance(schema, dict) and "$ref" in schema:
            schema = self.at(schema["$ref"])
        if isinstance(schema, dict):
            yield schema
            for key in ("allOf", "anyOf", "oneOf"):
                for part in schema.get(key, ()):
                    yield from self.parts(part)

    def holders(self, schema: Any, path: tuple[str, ...]) -> list[dict[str, Any]]:
        """The `properties` that hold the last name of a path, through lists; none where the contract is silent."""
        parts = [inner for part in self.parts(schema) for inner in self._items(part)]
        held = [part["properties"] for part in parts if path[0] in part.get("properties", {})]
        if len(path) == 1:
            return list({id(one): one for one in held}.values())
        return [one for each in held for one in self.holders(each[path[0]], path[1:])]

    def _items(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        yield schema
        if "items" in schema:
            yield from self.parts(schema["items"])

    def operation(self, method: str, path: str) -> dict[str, Any]:
        for template, item in self.content["paths"].items():
            theirs, ours = template.rstrip("/").split("/"), path.rstrip("/").split("/")
            same = len(theirs) == len(ours) and all(
                a == b or a[:1] == "{" for a, b in zip(theirs, ours, strict=True)
            )
            if same and method.lower() in item:
                found: dict[str, Any] = item[method.lower()]
                return found
        raise KeyError(path)


def names_in(value: object, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every path of names in a request's content."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield (*prefix, name)
            yield from names_in(inner, (*prefix, name))
    elif isinstance(value, list | tuple):
        for item in value:
            yield from names_in(item, prefix)


def rest_uses(document: Document, operation: Operation) -> list[Use]:
    """The fields of answers and requests that an operation uses."""
    found: dict[str, Use] = {}
    for example in operation.examples():
        told = document.operation(example.method, example.path)
        if operation.reply is not None:
            answer = next(
                told["responses"][code] for code in sorted(told["responses"]) if code.startswith("2")
            )
            schema = document.at(answer["$ref"]) if "$ref" in answer else answer
            content = next(iter(schema["content"].values()))["schema"]
            for path in paths_of(operation.reply):
                found |= _use(document, content, path, "reply")
        if example.json is not None or example.form is not None:
            body = next(iter(told["requestBody"]["content"].values()))["schema"]
            sent = (
                example.json
                if example.form is None
                else {name.partition("[")[0]: "" for name in example.form}
            )
            for path in names_in(sent):
                found |= _use(document, body, path, "request")
    return list(found.values())


def _use(document: Document, schema: object, path: tuple[str, ...], kind: str) -> dict[str, Use]:
    holders = document.holders(schema, path)
    what = f"{kind} {'.'.join(path)}"
    return {what: Use(what, path[-1], tuple({id(one): one for one in holders}.values()))} if holders else {}
