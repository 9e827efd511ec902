"""A queryset's chain that was walked before leads to its statement at once: no query is built, and none compiled.

A chain with anything in it that isn't known here goes Django's own way from there on, and so does whoever asks a
queryset for its query.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields import related_descriptors
from django.db.models.query import (
    MAX_GET_RESULTS,
    FlatValuesListIterable,
    ModelIterable,
    NamedValuesListIterable,
    ValuesIterable,
    ValuesListIterable,
)
from django.db.models.sql import Query
from django.db.models.sql.compiler import SQLInsertCompiler
from django.db.models.sql.constants import SINGLE

from opsagent.simulation.chains import (
    NOTHING,
    OWN,
    ROOTS,
    Node,
    Rows,
    Told,
    Untold,
    is_told,
    kind_of,
    kind_of_condition,
    plan_of,
    reading_plan,
    reads,
)
from opsagent.simulation.writing import FROM_DB, OWN_INSERT, from_db, insert_as_sql, update, update_fields

PREFETCHING: Any = related_descriptors
OWN_PREFETCH = PREFETCHING._filter_prefetch_queryset
INSERTING: Any = SQLInsertCompiler


def _further(rows: Any, step: Hashable, values: list[Any], how: tuple[Any, ...], **also: Any) -> Any:
    """The queryset after one more step."""
    told = rows._told
    made: Any = object.__new__(QuerySet)
    made.__dict__.update(rows.__dict__, _result_cache=None, _prefetch_done=False, **also)
    made._told = Told(told.node.step(step), (*told.values, *values), (*told.steps, how))
    return made


def _begin(self: Any, model: Any = None, query: Any = None, using: Any = None, hints: Any = None) -> None:
    if query is not None or type(self) is not QuerySet or model is None:
        OWN["__init__"](self, model, query, using, hints)
        return
    # As Django's own, without the query.
    self.__dict__.update(
        model=model, _db=using, _hints=hints or {}, _query=None, _result_cache=None, _sticky_filter=False,
        _for_write=False, _prefetch_related_lookups=(), _prefetch_done=False, _known_related_objects={},
        _iterable_class=ModelIterable, _fields=None, _defer_next_filter=False, _deferred_filter=None,
        _told=Told(_root(model)),
    )  # fmt: skip


def _root(model: type) -> Node:
    if model not in ROOTS:
        ROOTS[model] = Node()
    return ROOTS[model]


def _query(self: Any) -> Any:
    if self._query is None:
        rows: Any = object.__new__(QuerySet)
        OWN["__init__"](rows, self.model, Query(self.model))
        for name, told, named in self._told.steps:
            rows = REPLAYS[name](rows, *told, **named)
        self._query = rows.query
        self._iterable_class, self._fields = rows._iterable_class, rows._fields
    return OWN["query"].fget(self)


def _clone(self: Any) -> Any:
    if not is_told(self):
        return OWN["_clone"](self)
    made: Any = object.__new__(QuerySet)
    made.__dict__.update(self.__dict__, _result_cache=None, _prefetch_done=False, _defer_next_filter=False)
    return made


def _filter(self: Any, negate: bool, told: Any, named: Any) -> Any:
    if is_told(self):
        values: list[Any] = []
        try:
            parts = tuple([kind_of_condition(one, values) for one in told])
            # Django sorts them as well.
            names = tuple([(name, kind_of(named[name], values)) for name in sorted(named)])
        except (Untold, TypeError):
            pass
        else:
            self._defer_next_filter = False
            step = ("filter", negate, parts, names)
            return _further(self, step, values, ("filter", (negate, told, named), {}))
    # Django's own looks at the query itself from here on.
    self.query  # noqa: B018
    return OWN["_filter_or_exclude"](self, negate, told, named)


def _by_names(name: str, **also: Any) -> Callable[..., Any]:
    """A step that is told with names and truths alone."""

    def step(self: Any, *told: Any, **named: Any) -> Any:
        if not is_told(self) or not all(type(one) is str for one in told):
            return OWN[name](self, *told, **named)
        if any(type(one) not in (bool, tuple) for one in named.values()):
            return OWN[name](self, *told, **named)
        how: tuple[Any, ...] = (name, told, named)
        return _further(self, (name, told, tuple(named.items())), [], how, **also)

    return step


def _next_is_sticky(self: Any) -> Any:
    """As a relation of many to many does before its own condition, which it lets wait as well."""
    if not is_told(self) or not self._defer_next_filter:
        return OWN["_next_is_sticky"](self)
    return _further(self, "sticky", [], ("sticky", (), {}))


def _sticky(rows: Any) -> Any:
    rows._defer_next_filter = True
    return OWN["_next_is_sticky"](rows)


def _annotate(self: Any, *told: Any, **named: Any) -> Any:
    """A step where raw words without values stand beside the columns."""
    raw = all(type(one) is RawSQL and not one.params for one in named.values())
    if told or not raw or not is_told(self):
        return OWN["annotate"](self, *told, **named)
    step = tuple([(name, one.sql, type(one.output_field)) for name, one in named.items()])
    return _further(self, ("annotate", step), [], ("annotate", (), named))


def _of_instances(rows: Any, name: str, instances: Any) -> Any:
    """What hangs on these; Django has to say where only some of each are wanted."""
    owned = rows.model._meta.get_field(name).many_to_one
    if not owned or not is_told(rows) or any(how[0] == "limits" for how in rows._told.steps):
        return OWN_PREFETCH(rows, name, instances)
    return rows.filter(**{f"{name}__in": instances})


def _values_list(self: Any, *told: Any, flat: bool = False, named: bool = False) -> Any:
    plain = is_told(self) and all(type(one) is str for one in told) and len(set(told)) == len(told)
    if not plain or (flat and (named or len(told) != 1)):
        return OWN["values_list"](self, *told, flat=flat, named=named)
    iterable: Any = ValuesListIterable
    if flat or named:
        iterable = FlatValuesListIterable if flat else NamedValuesListIterable
    how = ("values_list", told, {"flat": flat, "named": named})
    return _further(self, ("values_list", told, flat, named), [], how, _iterable_class=iterable, _fields=told)


def _values(self: Any, *told: Any, **named: Any) -> Any:
    if not is_told(self) or named or not all(type(one) is str for one in told):
        return OWN["values"](self, *told, **named)
    how: tuple[Any, ...] = ("values", told, {})
    return _further(self, ("values", told), [], how, _iterable_class=ValuesIterable, _fields=told)


def _item(self: Any, place: Any) -> Any:
    if not is_told(self) or self._result_cache is not None:
        return OWN["__getitem__"](self, place)
    if type(place) is int and place >= 0:
        return _only_one(_limited(self, place, place + 1))
    if type(place) is slice and place.step is None:
        begin, end = place.start, place.stop
        if all(one is None or (type(one) is int and one >= 0) for one in (begin, end)):
            return _limited(self, begin, end)
    return OWN["__getitem__"](self, place)


def _not_combined(self: Any, name: str) -> None:
    if not is_told(self):
        OWN["_not_support_combined_queries"](self, name)


def _limited(self: Any, begin: int | None, end: int | None) -> Any:
    return _further(self, ("limits", begin, end), [], ("limits", (begin, end), {}))


def _only_one(rows: Any) -> Any:
    rows._fetch_all()
    return rows._result_cache[0]


def _limits(rows: Any, begin: int | None, end: int | None) -> Any:
    made = rows._chain()
    made.query.set_limits(begin, end)
    return made


def _get(self: Any, *told: Any, **named: Any) -> Any:
    rows = self.filter(*told, **named)
    if not is_told(rows) or any(how[0] == "limits" for how in rows._told.steps):
        return OWN["get"](self, *told, **named)
    found = list(_further(rows, "got", [], ("got", (), {})))
    if len(found) == 1:
        return found[0]
    name = self.model._meta.object_name
    if found:
        raise self.model.MultipleObjectsReturned(f"get() returned {len(found)} of {name}")
    raise self.model.DoesNotExist(f"{name} matching query does not exist.")


def _got(rows: Any) -> Any:
    made = rows.order_by()
    made.query.set_limits(high=MAX_GET_RESULTS)
    return made


def _first(self: Any) -> Any:
    if not is_told(self) or self._result_cache is not None:
        return OWN["first"](self)
    return next(iter(_further(self, "first", [], ("firsts", (), {}))), None)


def _firsts(rows: Any) -> Any:
    if not rows.ordered:
        rows._check_ordering_first_last_queryset_aggregation(method="first")
        rows = rows.order_by("pk")
    return rows[:1]


def _exists(self: Any) -> Any:
    if not is_told(self) or self._result_cache is not None:
        return OWN["exists"](self)
    told = self._told
    plan = plan_of(self, "any", lambda: reading_plan(self, self.query.exists(), told))
    if plan is None:
        return OWN["exists"](self)
    return plan is not NOTHING and bool(plan.compiler(self.db, told.values).execute_sql(SINGLE))


def _fetch_all(self: Any) -> None:
    if self._result_cache is None and is_told(self):
        self._result_cache = reads(self)
    OWN["_fetch_all"](self)


REPLAYS: dict[str, Callable[..., Any]] = {
    **OWN,
    "filter": OWN["_filter_or_exclude"],
    "limits": _limits,
    "got": _got,
    "firsts": _firsts,
    "sticky": _sticky,
}
OURS: dict[str, Any] = {
    "__init__": _begin,
    "query": property(_query, OWN["query"].fset),
    "_clone": _clone,
    "_filter_or_exclude": _filter,
    "order_by": _by_names("order_by"),
    "select_related": _by_names("select_related"),
    "select_for_update": _by_names("select_for_update", _for_write=True),
    "only": _by_names("only"),
    "values_list": _values_list,
    "values": _values,
    "__getitem__": _item,
    "get": _get,
    "first": _first,
    "exists": _exists,
    "_fetch_all": _fetch_all,
    "_not_support_combined_queries": _not_combined,
    "_next_is_sticky": _next_is_sticky,
    "annotate": _annotate,
    "update": update,
    "_update": update_fields,
}


@contextmanager
def asked_once() -> Iterator[None]:
    """Within the block a chain that was walked before leads to its statement at once."""
    model: Any = Model
    for name, ours in OURS.items():
        setattr(Rows, name, ours)
    model.from_db = classmethod(from_db)
    PREFETCHING._filter_prefetch_queryset, INSERTING.as_sql = _of_instances, insert_as_sql
    try:
        yield
    finally:
        for name, own in OWN.items():
            setattr(Rows, name, own)
        model.from_db = FROM_DB
        PREFETCHING._filter_prefetch_queryset, INSERTING.as_sql = OWN_PREFETCH, OWN_INSERT
