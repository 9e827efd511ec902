"""Our reply models against what a GraphQL document will be answered with, by the schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    is_composite_type,
    parse,
)
from pydantic import BaseModel

from tools.contracts.findings import Difference, Severity
from tools.contracts.wants import Wanted, Wants, fields

# How a scalar travels in JSON: https://shopify.dev/docs/api/admin-graphql/latest/scalars
SCALARS: dict[str, tuple[str, ...]] = {
    "ID": ("string",),
    "String": ("string",),
    "Int": ("integer", "number"),
    "Float": ("number",),
    "Boolean": ("boolean",),
    "DateTime": ("instant", "string"),
    "JSON": (),
    **dict.fromkeys(
        "ARN Color Date Decimal FormattedString HTML Money StorefrontID URL UnsignedInt64 UtcOffset".split(),
        ("string",),
    ),
}
# What stands beside `data` in any answer: https://spec.graphql.org/October2021/#sec-Response-Format
BESIDE_DATA = frozenset({"errors", "extensions"})


@dataclass(frozen=True)
class Selected:
    """What a document asks for under one name; `certain` is false where only some of the possible types have it."""

    type: GraphQLOutputType
    sets: tuple[SelectionSetNode, ...]
    certain: bool


class Selections:
    """The selections of one document, looked up by the schema's types."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.schema = schema
        found = (one for one in document.definitions if isinstance(one, FragmentDefinitionNode))
        self.fragments = {one.name.value: one for one in found}

    def of(
        self, kind: object, sets: Sequence[SelectionSetNode], *, certain: bool = True
    ) -> dict[str, Selected]:
        """By response name; what the schema doesn't have is left out, since the document's own check names it."""
        found: dict[str, Selected] = {}
        for one in sets:
            for node in one.selections:
                for name, selected in self._one(kind, node, certain):
                    before = found.get(name)
                    joined = before.sets if before else ()
                    sure = selected.certain or bool(before and before.certain)
                    found[name] = Selected(selected.type, (*joined, *selected.sets), sure)
        return found

    def _one(self, kind: object, node: object, certain: bool) -> Iterator[tuple[str, Selected]]:
        if isinstance(node, FieldNode):
            told = getattr(kind, "fields", {}).get(node.name.value)
            if told is not None:
                name = (node.alias or node.name).value
                sets = (node.selection_set,) if node.selection_set else ()
                yield name, Selected(told.type, sets, certain)
            return
        fragment = self.fragments.get(node.name.value) if isinstance(node, FragmentSpreadNode) else node
        if isinstance(fragment, InlineFragmentNode | FragmentDefinitionNode):
            condition = fragment.type_condition.name.value if fragment.type_condition else ""
            inner = self.schema.type_map.get(condition, kind) if condition else kind
            sure = certain and (inner is kind or inner in getattr(kind, "interfaces", ()))
            yield from self.of(inner, (fragment.selection_set,), certain=sure).items()


def check_reply(schema: GraphQLSchema, text: str, reply: type[BaseModel]) -> Iterator[Difference]:
    """Where the reply model reads what the schema says is gone, may be null, is retyped or has other values."""
    try:
        document = parse(text)
    except GraphQLError:
        return
    operation = next(one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    root = schema.get_root_type(operation.operation)
    walk = _Walk(Selections(schema, document))
    for wanted in fields(reply):
        if wanted.name == "data":
            for model in wanted.wants.models:
                yield from walk.fields(root, (operation.selection_set,), model, "")
        elif wanted.name not in BESIDE_DATA:
            yield Difference(f"reply field {wanted.name}", "no GraphQL answer has it beside `data`")


class _Walk:
    def __init__(self, selections: Selections) -> None:
        self.selections = selections

    def fields(
        self, kind: object, sets: Sequence[SelectionSetNode], model: type[BaseModel], path: str
    ) -> Iterator[Difference]:
        selected = self.selections.of(kind, sets)
        asked = {
            (node.alias or node.name).value
            for one in sets
            for node in one.selections
            if isinstance(node, FieldNode)
        }
        for wanted in fields(model):
            place = f"{path}.{wanted.name}".strip(".")
            found = selected.get(wanted.name)
            if found is not None:
                yield from self._field(found, wanted, place)
            elif wanted.required and wanted.name not in asked:
                yield Difference(
                    f"reply field {place}", f"{wanted.owner} reads it, and the document does not ask for it"
                )

    def _field(self, found: Selected, wanted: Wanted, place: str) -> Iterator[Difference]:
        if wanted.required and not found.certain:
            yield Difference(
                f"reply field {place}",
                f"only some of the types that may come have it, and {wanted.owner} needs it always",
                rule="sometimes",
                owner=wanted.owner,
            )
        yield from self._value(found.type, found.sets, wanted.wants, wanted.owner, place)

    def _value(
        self,
        kind: GraphQLOutputType,
        sets: Sequence[SelectionSetNode],
        wants: Wants,
        owner: str,
        place: str,
    ) -> Iterator[Difference]:
        if wants.anything:
            return
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        elif not wants.null:
            yield Difference(
                f"reply field {place}",
                f"it may be null in this version, and {owner} does not take null",
                rule="null",
                owner=owner,
            )
        if isinstance(kind, GraphQLList):
            yield from self._list(kind, sets, wants, owner, place)
        elif is_composite_type(kind):
            yield from self._composite(kind, sets, wants, owner, place)
        elif isinstance(kind, GraphQLEnumType):
            yield from enum_differences(set(kind.values), wants, owner, place, kind.name)
        elif isinstance(kind, GraphQLScalarType):
            yield from self._scalar(kind.name, wants, owner, place)

    def _list(
        self,
        kind: GraphQLList[GraphQLOutputType],
        sets: Sequence[SelectionSetNode],
        wants: Wants,
        owner: str,
        place: str,
    ) -> Iterator[Difference]:
        if not wants.one_of("array"):
            yield retyped(place, "a list", owner, wants)
        elif wants.items is not None:
            yield from self._value(kind.of_type, sets, wants.items, owner, place)

    def _composite(
        self, kind: object, sets: Sequence[SelectionSetNode], wants: Wants, owner: str, place: str
    ) -> Iterator[Difference]:
        if not wants.one_of("object"):
            yield retyped(place, f"an object, {kind}", owner, wants)
        for model in wants.models:
            yield from self.fields(kind, sets, model, place)

    def _scalar(self, name: str, wants: Wants, owner: str, place: str) -> Iterator[Difference]:
        if name not in SCALARS:
            what = f"it has the type {name}, of which we don't know how it is written; {owner} reads {told(wants)}"
            yield Difference(f"reply field {place}", what, Severity.CHANGES, f"scalar:{name}", owner)
        elif SCALARS[name] and not wants.one_of(*SCALARS[name]):
            yield retyped(place, name, owner, wants)
        elif wants.values is not None:
            yield not_enumerated(place, owner)


def enum_differences(
    values: set[str], wants: Wants, owner: str, place: str, kind: str
) -> Iterator[Difference]:
    """New and vanished values of an enum that a Literal names; a plain string takes any."""
    if not wants.one_of("string"):
        yield retyped(place, f"one of {kind}", owner, wants)
    if wants.values is None:
        return
    for value in sorted(value for value in values if value not in wants.values):
        yield Difference(
            f"reply field {place}",
            f"it may be {value}, which {owner} does not know",
            Severity.CHANGES,
            f"value:{value}",
            owner,
        )
    for value in sorted(str(one) for one in wants.values if one not in values):
        yield Difference(
            f"reply field {place}",
            f"{owner} knows {value}, which {kind} does not have",
            Severity.CHANGES,
            f"gone:{value}",
            owner,
        )


def not_enumerated(place: str, owner: str) -> Difference:
    return Difference(
        f"reply field {place}",
        f"{owner} knows certain values, and the contract does not say which there are",
        Severity.CHANGES,
        "values",
        owner,
    )


def retyped(place: str, kind: str, owner: str, wants: Wants) -> Difference:
    return Difference(
        f"reply field {place}",
        f"it is {kind} in this version, and {owner} reads {told(wants)}",
        rule="type",
        owner=owner,
    )


def told(wants: Wants) -> str:
    """`string or null`."""
    return " or ".join(sorted(wants.kinds, key=lambda kind: (kind == "null", kind)))
