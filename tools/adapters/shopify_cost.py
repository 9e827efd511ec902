"""What a query takes from Shopify's rate budget, reckoned as Shopify does before it runs one.

https://shopify.dev/docs/api/usage/limits: scalars 0, objects 1, connections 2 and their nodes, mutations 10. Lists with
`first` are counted as full, so the figure is an upper bound; the answer tells what it really was.
"""

from __future__ import annotations

from functools import cache

from graphql import (
    FieldNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
)

# https://shopify.dev/docs/api/usage/limits#single-query-limit
MOST_PER_QUERY = 1000
MUTATION = 10
CONNECTION = 2


@cache
def cost(document: str) -> int:
    """Points of a document with one operation and no named fragments; of several on one interface, all count."""
    total = 0
    for definition in parse(document).definitions:
        if isinstance(definition, OperationDefinitionNode):
            total += MUTATION if definition.operation is OperationType.MUTATION else 0
            total += _inside(definition.selection_set)
    return total


def _inside(selected: SelectionSetNode | None) -> int:
    fields = selected.selections if selected else ()
    return sum(
        _inside(field.selection_set) if isinstance(field, InlineFragmentNode) else _field(field)
        for field in fields
        if isinstance(field, FieldNode | InlineFragmentNode)
    )


def _field(field: FieldNode) -> int:
    if field.selection_set is None:
        return 0
    nodes = [child for child in field.selection_set.selections if _named(child, "nodes")]
    if nodes:
        return CONNECTION + _first(field) * sum(_field(node) for node in nodes if isinstance(node, FieldNode))
    return _first(field) * (1 + _inside(field.selection_set))


def _named(child: object, name: str) -> bool:
    return isinstance(child, FieldNode) and child.name.value == name


def _first(field: FieldNode) -> int:
    for argument in field.arguments or ():
        if argument.name.value == "first" and isinstance(argument.value, IntValueNode):
            return int(argument.value.value)
    return 1
