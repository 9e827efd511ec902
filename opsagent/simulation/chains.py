"""What stands at the end of a queryset's chain: the statement that Django made of the first chain that came there.

A chain's steps and the types of its values make a path through a tree of nodes. The values of each condition are made
ready by the condition's own class, or by a shorter way that was seen to do the same.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import EmptyResultSet, FullResultSet
from django.db import connections
from django.db.models import F, Model, Q, QuerySet
from django.db.models import query as querying
from django.db.models.query import ModelIterable

from opsagent.simulation.compiling import Kept, NoShape, Reading, same

PLAIN_TYPES = (str, int, UUID, datetime, date, Decimal, bytes)
# Whole numbers that every column takes: what is beyond them Django looks at more closely.
MOST = 2**31
OF_NONE = (list, ())
Rows: Any = QuerySet
POPULATORS: Any = getattr(querying, "get_related_populators")  # noqa: B009 - the stubs don't know it
# Django's own, which walk a chain the first time.
OWN: dict[str, Any] = {
    name: Rows.__dict__[name]
    for name in (
        "__init__", "query", "_clone", "_filter_or_exclude", "order_by", "values_list", "values", "select_related",
        "select_for_update", "only", "__getitem__", "get", "first", "exists", "_fetch_all", "update", "_update",
        "_not_support_combined_queries", "_next_is_sticky", "annotate",
    )
}  # fmt: skip


class Untold(Exception):
    """Something in the chain isn't known here."""


@dataclass(frozen=True)
class Plan:
    """A statement with the places of its values: where each condition's begin and end, and how they are made ready."""

    sql: str
    params: tuple[Any, ...]
    slots: tuple[tuple[int, int, Callable[[Any, Any], list[Any]]], ...]
    # What a compiler knows when it has compiled the statement.
    kind: type
    state: dict[str, Any]
    locks: bool
    query: Any
    iterable: Any
    # How rows become objects: their columns, what hangs on them.
    init: tuple[Any, ...] = ()

    def filled(self, values: tuple[Any, ...], compiler: Any) -> tuple[str, tuple[Any, ...]]:
        """The statement with these values in it."""
        params = list(self.params)
        for (begin, end, ready), value in zip(self.slots, values, strict=True):
            params[begin:end] = ready(value, compiler)
        return self.sql, tuple(params)

    def compiler(self, alias: str, values: tuple[Any, ...]) -> Any:
        """A compiler that has its statement already."""
        made: Any = object.__new__(self.kind)
        made.__dict__.update(self.state, connection=connections[alias], using=alias)
        made.told = self.filled(values, made)
        return made


# Of a statement that finds nothing whatever is there: Django doesn't send it either.
NOTHING = Plan("", (), (), object, {}, False, None, None)


@dataclass(eq=False)
class Node:
    """One step of a chain, with those that came after it; `plans` by what was asked at its end, None for given up."""

    further: dict[Hashable, Node] = field(default_factory=dict)
    plans: dict[Hashable, Plan | None] = field(default_factory=dict)

    def step(self, what: Hashable) -> Node:
        """The node that this step leads to."""
        found = self.further.get(what)
        if found is None:
            found = self.further[what] = Node()
        return found


class Told(NamedTuple):
    """A chain so far: its node, its values in the statement's order, and its steps as they were told."""

    node: Node
    values: tuple[Any, ...] = ()
    steps: tuple[Any, ...] = ()


ROOTS: dict[type, Node] = {}


def is_told(rows: Any) -> bool:
    """Whether a queryset is a chain of known steps alone: nobody has asked for its query yet."""
    return rows._query is None and not rows._sticky_filter


# what a value is


def kind_of(value: Any, values: list[Any]) -> Any:
    """What of a value stands in the statement's words; the value itself is put to the others where it doesn't."""
    kind = type(value)
    if value is None or kind is bool:
        return (kind, value)
    if kind in PLAIN_TYPES or isinstance(value, enum.Enum):
        if kind is int and not -MOST < value < MOST:
            raise Untold
        values.append(value)
        return kind
    if kind in (list, tuple, set, frozenset):
        return _kind_of_several(value, values)
    if isinstance(value, Model) and value.pk is not None:
        values.append(value)
        return kind
    if kind is QuerySet and value._query is None:
        values.extend(value._told.values)
        return value._told.node
    if kind is F:
        return (F, value.name)
    raise Untold


def _kind_of_several(value: Any, values: list[Any]) -> Any:
    """The same of some values; of none there is nothing to put."""
    unique = list(dict.fromkeys(value))
    if not unique:
        return OF_NONE
    kinds = tuple([type(one) for one in unique])
    if not all(one in PLAIN_TYPES or issubclass(one, enum.Enum | Model) for one in kinds):
        raise Untold
    values.append(unique)
    return (list, kinds)


def kind_of_condition(told: Any, values: list[Any]) -> Any:
    if type(told) is not Q:
        raise Untold
    before = len(values)
    parts = [
        (part[0], kind_of(part[1], values)) if type(part) is tuple else kind_of_condition(part, values)
        for part in told.children
    ]
    if told.connector == Q.AND and not told.negated and any(part[1] == OF_NONE for part in parts):
        # What stands beside a condition that nothing meets is left out of the statement with it.
        del values[before:]
    return (told.connector, told.negated, tuple(parts))


# how a value is made ready


def _ready(lookup: Any, value: Any, compiler: Any) -> Callable[[Any, Any], list[Any]]:
    """The shortest way from a value to what is sent of it, by an example; the long one is the condition's own."""

    def by_its_class(value: Any, compiler: Any) -> list[Any]:
        made = type(lookup)(lookup.lhs, value)
        return list(made.process_rhs(compiler, compiler.connection)[1])

    sent = by_its_class(value, compiler)
    if isinstance(value, Model):
        short = sent == [value.pk] and _is_its_key(lookup)
        return _by_key(type(sent[0])) if short else by_its_class
    if type(value) is not list:
        return _as_it_is(type(sent[0])) if sent == [value] and _alike(sent[0], value) else by_its_class
    kinds = {type(one) for one in sent}
    plain = sent == value and len(kinds) == 1 and all(map(_alike, sent, value))
    return _each(kinds.pop()) if plain else by_its_class


def _alike(sent: Any, value: Any) -> bool:
    """Whether nothing was done to a value but to say how wide a column it is for."""
    return type(sent) is type(value) or (type(value) is int and isinstance(sent, int))


def _as_it_is(kind: Any) -> Callable[[Any, Any], list[Any]]:
    return (lambda value, _: [kind(value)]) if issubclass(kind, int) else (lambda value, _: [value])


def _by_key(kind: Any) -> Callable[[Any, Any], list[Any]]:
    return (lambda value, _: [kind(value.pk)]) if issubclass(kind, int) else (lambda value, _: [value.pk])


def _each(kind: Any) -> Callable[[Any, Any], list[Any]]:
    return (lambda value, _: [*map(kind, value)]) if issubclass(kind, int) else (lambda value, _: list(value))


def _is_its_key(lookup: Any) -> bool:
    """Whether the condition is about a column that holds the other model's primary key."""
    target = getattr(lookup.lhs, "target", None)
    return target is not None and target.remote_field is not None and target.target_field.primary_key


# plans


def slots_of(reading: Any, values: tuple[Any, ...], first: int, compiler: Any) -> tuple[Any, ...]:
    if len(reading.slots) != len(values):
        raise Untold
    return tuple(
        (first + begin, first + end, _ready(lookup, value, compiler))
        for (lookup, begin, end), value in zip(reading.slots, values, strict=True)
    )


def reading_plan(rows: Any, query: Any, told: Told) -> Plan:
    """Raises NoShape, Untold, EmptyResultSet, FullResultSet."""
    compiler = query.get_compiler(using=rows.db)
    reading = Reading(compiler)
    reading.query(query)
    sql, params = compiler.as_sql()
    if not same(params, reading.params):
        raise Untold
    columns = [one[0] for one in compiler.select[: compiler.col_count]]
    state = {name: value for name, value in compiler.__dict__.items() if name not in ("connection", "using")}
    state["kept"] = Kept(sql, {}, compiler.get_converters(columns))
    plan = Plan(
        sql, tuple(params), slots_of(reading, told.values, 0, compiler), type(compiler), state,
        query.select_for_update, query, rows._iterable_class, _init(rows, compiler),
    )  # fmt: skip
    return proven(plan, told.values, compiler)


def _init(rows: Any, compiler: Any) -> tuple[Any, ...]:
    """What Django works out anew for each reading of objects."""
    info = compiler.klass_info
    if rows._iterable_class is not ModelIterable or info is None:
        return ()
    begin, end = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column[0].target.attname for column in compiler.select[begin:end]]
    populators = POPULATORS(info, compiler.select, rows.db)
    return (info["model"], begin, end, names, populators, compiler.annotation_col_map)


def proven(plan: Plan, values: tuple[Any, ...], compiler: Any) -> Plan:
    """The plan, where it makes of its own example what Django made of it. Raises Untold."""
    if not same(plan.filled(values, compiler)[1], plan.params):
        raise Untold
    return plan


def plan_of(rows: Any, what: Hashable, make: Callable[[], Plan]) -> Plan | None:
    """The plan for what is asked at the end of a chain; it is made where the chain ends so for the first time."""
    plans = rows._told.node.plans
    if what not in plans:
        try:
            plans[what] = make()
        except EmptyResultSet:
            plans[what] = NOTHING
        except (NoShape, Untold, FullResultSet):
            plans[what] = None
    found: Plan | None = plans[what]
    if found is not None and found.locks and connections[rows.db].get_autocommit():
        return None
    return found


def reads(rows: Any) -> Any:
    """The rows of a chain as its caller wants them; None where Django has to say."""
    told = rows._told
    plan = plan_of(rows, "rows", lambda: reading_plan(rows, rows.query, told))
    if plan is None or plan is NOTHING:
        return plan and []
    compiler = plan.compiler(rows.db, told.values)
    if plan.init and not rows._known_related_objects:
        return list(_objects(rows.db, plan, compiler))
    return list(plan.iterable(_Served(rows, plan, compiler)))


def _objects(alias: str, plan: Plan, compiler: Any) -> Iterator[Any]:
    model, begin, end, names, populators, annotated = plan.init
    for row in compiler.results_iter(compiler.execute_sql()):
        made = model.from_db(alias, names, row[begin:end])
        for populator in populators:
            populator.populate(row, made)
        for name, place in annotated.items():
            setattr(made, name, row[place])
        yield made


class _Served:
    """What an iterable asks a queryset for."""

    def __init__(self, rows: Any, plan: Plan, compiler: Any) -> None:
        self.db, self.model, self._fields = rows.db, rows.model, rows._fields
        self._known_related_objects = rows._known_related_objects
        self.query = self
        self._plan, self._compiler = plan, compiler

    def get_compiler(self, using: str) -> Any:
        """The one that has its statement."""
        return self._compiler

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plan.query, name)
