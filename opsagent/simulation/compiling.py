"""SQL that Django compiled for a query serves the next query of the same shape: most of a play's time went there.

The shape holds everything that a query is made of but the values in its conditions. Whatever stands in a query that
isn't known here makes it a query without a shape, which is compiled as ever. Each shape's first query is compiled both
ways, and the shape is given up where the values aren't those that Django would have sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connection
from django.db.models import Exists, Field, Func, Model, Value, lookups
from django.db.models.expressions import Col, OrderBy, RawSQL
from django.db.models.fields.related_lookups import RelatedExact, RelatedIn, RelatedIsNull
from django.db.models.fields.reverse_related import ForeignObjectRel
from django.db.models.functions import Coalesce
from django.db.models.sql import Query
from django.db.models.sql.datastructures import BaseTable, Join
from django.db.models.sql.where import AND, WhereNode

# PostgreSQL's own, for plain queries: those that write have others.
SQLCompiler: Any = connection.ops.compiler(Query.compiler)

ATOMS = (str, int, bool, type(None))
WITH_ONE_VALUE = {
    lookups.Exact,
    lookups.IntegerFieldExact,
    lookups.GreaterThan,
    lookups.GreaterThanOrEqual,
    lookups.LessThan,
    lookups.LessThanOrEqual,
    lookups.IntegerGreaterThan,
    lookups.IntegerGreaterThanOrEqual,
    lookups.IntegerLessThan,
    lookups.IntegerLessThanOrEqual,
    RelatedExact,
}
WITH_VALUES = {lookups.In, RelatedIn}
WITHOUT_VALUE = {lookups.IsNull, RelatedIsNull}
# What Django works out of the rest and keeps, and what only building a query further would ask for.
WORKED_OUT = {
    "base_table",
    "alias_refcount",
    "table_map",
    "used_aliases",
    "filter_is_sticky",
    "_annotation_select_cache",
    "_extra_select_cache",
}


class NoShape(Exception):
    """Something in the query isn't known here."""


@dataclass(frozen=True)
class Kept:
    """What a compiler knows when it has compiled a query of some shape."""

    sql: str
    state: dict[str, Any]
    converters: dict[int, Any]


class _Reading:
    """Reads a query's shape, and collects the conditions whose values belong between its words."""

    def __init__(self, compiler: Any) -> None:
        self.compiler = compiler
        self.params: list[Any] = []

    def query(self, query: Query) -> tuple[Any, ...]:
        if type(query) is not Query or query.combinator or query.extra or query.group_by is not None:
            raise NoShape
        own = query.__dict__
        # The order of the values in the statement: what is selected, then what is asked.
        names = sorted(name for name in own if name not in WORKED_OUT and name != "where")
        # A table that nobody refers to any more is left out of the statement.
        unused = tuple(alias for alias, count in query.alias_refcount.items() if not count)
        said = tuple([(name, self.part(own[name])) for name in names])
        return (said, unused, self.part(query.where))

    def part(self, what: Any) -> Any:
        kind = type(what)
        if kind in ATOMS:
            return what
        if kind in (tuple, list):
            return (kind, tuple([self.part(one) for one in what]))
        if kind is dict:
            return tuple([(name, self.part(one)) for name, one in what.items()])
        if kind in (set, frozenset):
            return frozenset(what)
        reads = READS.get(kind)
        if reads is not None:
            return reads(self, what)
        if isinstance(what, Field | ForeignObjectRel) or (kind is type(Model) and issubclass(what, Model)):
            return id(what)
        raise NoShape

    def node(self, node: WhereNode) -> tuple[Any, ...]:
        before = len(self.params)
        children = tuple([self.part(child) for child in node.children])
        holds_nowhere = [child[-1] is EmptyResultSet for child in children]
        if not (any if node.connector == AND else all)(holds_nowhere or [False]):
            return (node.connector, node.negated, children)
        # What stands beside a condition that nothing meets is left out of the statement with it.
        del self.params[before:]
        return (node.connector, node.negated, children, None if node.negated else EmptyResultSet)

    def table(self, table: BaseTable) -> tuple[Any, ...]:
        return (BaseTable, table.table_name, table.table_alias)

    def join(self, join: Join) -> tuple[Any, ...]:
        if join.filtered_relation is not None:
            raise NoShape
        names = (join.table_name, join.table_alias, join.parent_alias)
        return (*names, join.join_type, join.nullable, id(join.join_field))

    def column(self, column: Col) -> tuple[Any, ...]:
        return (Col, column.alias, id(column.target), id(column.output_field))

    def value(self, value: Value) -> tuple[Any, ...]:
        self.params.append(value.value)
        return (Value, type(value.value))

    def exists(self, exists: Exists) -> tuple[Any, ...]:
        return (Exists, self.query(exists.query))

    def raw(self, raw: RawSQL) -> tuple[Any, ...]:
        self.params.extend(raw.params)
        return (RawSQL, raw.sql)

    def function(self, function: Func) -> tuple[Any, ...]:
        said = (function.extra, function.source_expressions)
        return (type(function), self.part(said[0]), self.part(said[1]))

    def order(self, order: OrderBy) -> tuple[Any, ...]:
        said = (order.descending, order.nulls_first, order.nulls_last)
        return (OrderBy, *said, self.part(order.expression))

    def lookup(self, lookup: Any) -> tuple[Any, ...]:
        kind, said = type(lookup), lookup.rhs
        left = self.part(lookup.lhs)
        if kind in WITHOUT_VALUE:
            return (kind, left, said)
        if type(said) is Col:
            return (kind, left, self.column(said))
        if kind in WITH_VALUES and type(said) is Query:
            return (kind, left, self.query(said))
        if lookup.bilateral_transforms or hasattr(said, "resolve_expression") or hasattr(said, "as_sql"):
            raise NoShape
        if type(said) is bool and getattr(lookup.lhs, "conditional", False):
            # A truth is the column itself, and stands in the statement without a value.
            return (kind, left, said)
        try:
            placeholder, params = lookup.process_rhs(self.compiler, self.compiler.connection)
        except EmptyResultSet:
            # One of none: what is left of the statement then is as fixed as the rest of it.
            return (kind, left, EmptyResultSet)
        self.params.extend(params)
        return (kind, left, placeholder, said if type(said) is bool else None)


READS: dict[type, Any] = {
    Query: _Reading.query,
    WhereNode: _Reading.node,
    BaseTable: _Reading.table,
    Join: _Reading.join,
    Col: _Reading.column,
    Value: _Reading.value,
    Exists: _Reading.exists,
    RawSQL: _Reading.raw,
    Coalesce: _Reading.function,
    OrderBy: _Reading.order,
    **dict.fromkeys(WITH_ONE_VALUE | WITH_VALUES | WITHOUT_VALUE, _Reading.lookup),
}
STATE = ("select", "klass_info", "annotation_col_map", "col_count", "has_extra_select", "_meta_ordering")


class Shapes:
    """Statements by the shapes of their queries; None for a shape that was given up."""

    def __init__(self) -> None:
        self.known: dict[Any, Kept | None] = {}
        self.served = self.compiled = 0

    def read(self, compiler: Any) -> tuple[Any, list[Any]] | None:
        """The query's shape and its values; None where it has no shape."""
        query = compiler.query
        reading = _Reading(compiler)
        try:
            # Django asks for a transaction when it compiles a lock.
            if query.subquery or (query.select_for_update and compiler.connection.get_autocommit()):
                return None
            return (compiler.elide_empty, reading.query(query)), reading.params
        except (NoShape, EmptyResultSet, FullResultSet):
            return None

    def keep(self, compiler: Any, shape: Any, sql: str, as_read: bool) -> None:
        """Remember what was compiled, where the values are those that were read."""
        state = {name: getattr(compiler, name) for name in STATE}
        columns = [one[0] for one in compiler.select[: compiler.col_count]]
        self.known[shape] = Kept(sql, state, PLAIN_CONVERTERS(compiler, columns)) if as_read else None

    def compile(self, compiler: Any) -> tuple[str, tuple[Any, ...]]:
        """The statement and its values, as `SQLCompiler.as_sql` returns them."""
        found = self.read(compiler)
        kept = None if found is None else self.known.get(found[0])
        if found is not None and kept is not None:
            self.served += 1
            compiler.__dict__.update(kept.state, kept=kept)
            return kept.sql, tuple(found[1])
        self.compiled += 1
        sql, params = PLAIN(compiler)
        if found is not None and found[0] not in self.known:
            self.keep(compiler, found[0], sql, as_read=list(params) == found[1])
        return sql, params


PLAIN_NAMES = Query.names_to_path


class Names:
    """Which fields and joins a condition's name leads to, where that hangs on the models alone."""

    def __init__(self) -> None:
        self.known: dict[Any, tuple[Any, ...]] = {}

    def path(self, query: Any, names: list[str], opts: Any, *how: bool, **named: bool) -> Any:
        """As `Query.names_to_path`, which walks the models anew for each condition."""
        if query.annotations or query._filtered_relations:
            return PLAIN_NAMES(query, names, opts, *how, **named)
        key = (opts, tuple(names), how, tuple(named.items()))
        if key not in self.known:
            self.known[key] = PLAIN_NAMES(query, names, opts, *how, **named)
        path, final, targets, rest = self.known[key]
        return list(path), final, targets, list(rest)


PLAIN, PLAIN_CONVERTERS = SQLCompiler.as_sql, SQLCompiler.get_converters


@contextmanager
def compiled_once() -> Iterator[Shapes]:
    """Within the block a query of a shape that was met before isn't compiled again."""
    shapes, names = Shapes(), Names()

    def as_sql(compiler: Any, with_limits: bool = True, with_col_aliases: bool = False) -> Any:
        if with_limits and not with_col_aliases:
            return shapes.compile(compiler)
        return PLAIN(compiler, with_limits, with_col_aliases)

    def get_converters(compiler: Any, columns: Any) -> Any:
        kept = compiler.__dict__.get("kept")
        return PLAIN_CONVERTERS(compiler, columns) if kept is None else kept.converters

    def names_to_path(query: Query, *told: Any, **named: Any) -> Any:
        return names.path(query, *told, **named)

    kind: Any = Query
    SQLCompiler.as_sql, SQLCompiler.get_converters = as_sql, get_converters
    kind.names_to_path = names_to_path
    try:
        yield shapes
    finally:
        del SQLCompiler.as_sql, SQLCompiler.get_converters
        kind.names_to_path = PLAIN_NAMES
