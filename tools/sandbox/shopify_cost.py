"""What a query costs and the leaky bucket that pays for it.

Objects cost 1, scalars and enums 0, an interface or union the dearest of its selections, a mutation 10, and a
connection 2 plus as many nodes as `first` or `last` ask for (a list with `first` counts as full too): https://shopify.dev/docs/api/usage/limits
"""

import json
from sqlite3 import Connection
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from tools.sandbox import store, things
from tools.sandbox.exchange import Doc

MOST = 1000
MUTATION = 10
CAPACITY, RESTORED_PER_SECOND = 2000.0, 100.0
ABOUT = "https://shopify.dev/api/usage/rate-limits"


class Pricing:
    """Prices one document for its variables, and lists the deprecated fields that it uses."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Doc) -> None:
        self.schema, self.variables = schema, variables
        nodes = document.definitions
        self.fragments = {one.name.value: one for one in nodes if isinstance(one, FragmentDefinitionNode)}
        self.deprecated: list[str] = []

    def requested(self, operation: OperationDefinitionNode) -> int:
        root = self.schema.get_root_type(operation.operation)
        return self._selection(operation.selection_set, root) if root else 0

    def _selection(self, selection: SelectionSetNode, kind: GraphQLNamedType) -> int:
        plain, dearest = 0, 0
        for node in selection.selections:
            if isinstance(node, FieldNode):
                plain += self._field(node, kind)
            else:
                dearest = max(dearest, self._fragment(node, kind))
        # Fragments on an object all apply; on an interface or union only one of them does.
        return plain + dearest

    def _fragment(self, node: object, kind: GraphQLNamedType) -> int:
        if isinstance(node, FragmentSpreadNode):
            node = self.fragments[node.name.value]
        if not isinstance(node, InlineFragmentNode | FragmentDefinitionNode):
            return 0
        condition = node.type_condition
        own = self.schema.type_map[condition.name.value] if condition else kind
        return self._selection(node.selection_set, own)

    def _field(self, node: FieldNode, kind: GraphQLNamedType) -> int:
        if (
            not isinstance(kind, GraphQLObjectType | GraphQLInterfaceType)
            or node.name.value not in kind.fields
        ):
            return 0
        field = kind.fields[node.name.value]
        if field.deprecation_reason:
            self.deprecated.append(f"{kind.name}.{node.name.value}")
        own = get_named_type(field.type)
        if node.selection_set is None or not isinstance(
            own, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
        ):
            return 0
        if kind is self.schema.mutation_type:
            return MUTATION
        if own.name.endswith("Connection"):
            return 2 + self._size(node) * self._nodes(node.selection_set, own)
        return (self._size(node) or 1) * (1 + self._selection(node.selection_set, own))

    def _nodes(self, selection: SelectionSetNode, kind: GraphQLNamedType) -> int:
        """One node's price inside a connection: `nodes` and `edges { node }` themselves are free."""
        price = 0
        for child in selection.selections:
            if (
                not isinstance(child, FieldNode)
                or not child.selection_set
                or not isinstance(kind, GraphQLObjectType)
            ):
                continue
            own = get_named_type(kind.fields[child.name.value].type)
            if child.name.value == "edges":
                price += self._nodes(child.selection_set, own)
            elif child.name.value in ("nodes", "node"):
                price += 1 + self._selection(child.selection_set, own)
        return price

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value = argument.value
                if isinstance(value, VariableNode):
                    return int(self.variables.get(value.name.value) or 0)
                if isinstance(value, IntValueNode):
                    return int(value.value)
        return 0


def actual(data: Any, *, mutation: bool) -> int:
    """What the answer's own objects cost."""
    if not isinstance(data, dict):
        return 0
    if mutation:
        return MUTATION * sum(value is not None for value in data.values())
    return sum(map(_weight, data.values()))


def _weight(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_weight, value))
    if not isinstance(value, dict):
        return 0
    if "nodes" in value or "edges" in value:
        edges = [edge.get("node") for edge in value.get("edges") or ()]
        return 2 + _weight(value.get("nodes") or []) + _weight(edges)
    return 1 + sum(map(_weight, value.values()))


class Bucket:
    """A shop's points: they come back with the time, and a query must find its whole requested price there."""

    def __init__(self, db: Connection, shop: str, now: float) -> None:
        self.db, self.name = db, f"bucket:{shop}"
        known = store.credentials(db, shop) or {}
        self.capacity = float(known.get("bucket", CAPACITY))
        self.rate = float(known.get("restore_rate", RESTORED_PER_SECOND))
        held = json.loads(things.setting(db, self.name) or f"[{self.capacity}, {now}]")
        self.level = min(self.capacity, held[0] + max(0.0, now - held[1]) * self.rate)
        self.now = now

    def affords(self, price: int) -> bool:
        return bool(self.level >= price)

    def pay(self, price: int) -> None:
        self.level -= price
        things.set_setting(self.db, self.name, json.dumps([self.level, self.now]))

    def told(self, requested: int, spent: int | None) -> Doc:
        status = {
            "maximumAvailable": self.capacity,
            "currentlyAvailable": int(self.level),
            "restoreRate": self.rate,
        }
        return {"cost": {"requestedQueryCost": requested, "actualQueryCost": spent, "throttleStatus": status}}


def throttled() -> Doc:
    return {"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": ABOUT}}


def too_dear(price: int) -> Doc:
    message = (
        f"Query cost is {price}, which exceeds the single query max cost limit ({MOST}). See {ABOUT} for more"
        " information on how the cost of a query is calculated."
    )
    extensions = {"code": "MAX_COST_EXCEEDED", "cost": price, "maxCost": MOST, "documentation": ABOUT}
    return {"message": message, "extensions": extensions}
