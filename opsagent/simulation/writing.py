"""Rows that are written, and read as objects: what Django works out anew for each is worked out once."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.db.models.base import ModelState
from django.db.models.signals import post_init, pre_init
from django.db.models.sql import UpdateQuery
from django.db.models.sql.compiler import SQLInsertCompiler, SQLUpdateCompiler
from django.db.models.sql.constants import ROW_COUNT

from opsagent.simulation.chains import NOTHING, OWN, Plan, Untold, is_told, plan_of, proven, slots_of
from opsagent.simulation.compiling import Reading

FROM_DB: Any = Model.__dict__["from_db"]
PLAIN_INIT: Any = Model.__init__
OWN_INSERT: Any = SQLInsertCompiler.as_sql
# The words that put a row in, by the columns that are told and those that are asked for.
INSERTS: dict[Hashable, str] = {}


def update(self: Any, **named: Any) -> Any:
    if not is_told(self):
        return OWN["update"](self, **named)
    meta = self.model._meta
    plan = _plan_of_writing(self, [(meta.get_field(name), value) for name, value in named.items()])
    if plan is None:
        return OWN["update"](self, **named)
    if plan is NOTHING:
        return 0
    self._for_write = True
    with transaction.mark_for_rollback_on_error(using=self.db):
        return plan.execute_sql(ROW_COUNT)


def update_fields(self: Any, values: Any) -> Any:
    plan = _plan_of_writing(self, [(one, value) for one, _model, value in values]) if is_told(self) else None
    if plan is None:
        return OWN["_update"](self, values)
    return 0 if plan is NOTHING else plan.execute_sql(ROW_COUNT)


def _plan_of_writing(rows: Any, pairs: list[tuple[Any, Any]]) -> Any:
    """A compiler with its statement, which sets these fields; None where Django has to say."""
    if any(hasattr(value, "resolve_expression") for _field, value in pairs):
        return None
    told, alias, names = rows._told, rows.db, tuple([(one.attname, value is None) for one, value in pairs])
    set_values = tuple([(one, value) for one, value in pairs if value is not None])

    def make() -> Plan:
        query = rows.query.chain(UpdateQuery)
        query.add_update_fields([(one, None, value) for one, value in pairs])
        compiler = query.get_compiler(alias)
        sql, params = compiler.as_sql()
        reading = Reading(compiler)
        reading.part(query.where)
        if len(params) != len(set_values) + len(reading.params):
            raise Untold
        slots = [(place, place + 1, _to_save(one)) for place, (one, _value) in enumerate(set_values)]
        slots += slots_of(reading, told.values, len(set_values), compiler)
        state = {"query": query, "elide_empty": True, "col_count": None}
        plan = Plan(sql, tuple(params), tuple(slots), _Writer, state, False, query, None)
        return proven(plan, (*[value for _one, value in set_values], *told.values), compiler)

    plan = plan_of(rows, ("update", names), make)
    if plan is None or plan is NOTHING:
        return plan
    return plan.compiler(alias, (*[value for _field, value in set_values], *told.values))


def _to_save(one: Any) -> Callable[[Any, Any], list[Any]]:
    def ready(value: Any, compiler: Any) -> list[Any]:
        told = value.prepare_database_save(one) if isinstance(value, Model) else value
        return [one.get_db_prep_save(told, connection=compiler.connection)]

    return ready


class _Writer(SQLUpdateCompiler):
    """Writes what it was told, to one table."""

    def as_sql(self, with_limits: bool = True, with_col_aliases: bool = False) -> Any:
        """The statement and its values."""
        return self.told  # type: ignore[attr-defined]


def insert_as_sql(self: Any) -> Any:
    """The statement that puts one row in; its words hang on the columns alone."""
    query, returning = self.query, self.returning_fields or ()
    if len(query.objs) != 1 or not query.fields or query.raw or query.on_conflict:
        return OWN_INSERT(self)
    row = [one.pre_save(query.objs[0], add=True) for one in query.fields]
    if any(hasattr(value, "resolve_expression") for value in row):
        return OWN_INSERT(self)
    words = (tuple([id(one) for one in query.fields]), tuple([id(one) for one in returning]))
    if words not in INSERTS:
        if any(hasattr(one, "get_placeholder") for one in query.fields):
            return OWN_INSERT(self)
        ((INSERTS[words], _params),) = told = OWN_INSERT(self)
        return told
    sent = [
        one.get_db_prep_save(value, self.connection) for one, value in zip(query.fields, row, strict=True)
    ]
    return [(INSERTS[words], tuple(sent))]


def from_db(cls: Any, alias: str, names: list[str], values: Any) -> Any:
    """As Django's own, which sets one column after the other."""
    if cls.__init__ is not PLAIN_INIT or pre_init.receivers or post_init.receivers:
        return FROM_DB.__func__(cls, alias, names, values)
    made, state = object.__new__(cls), ModelState()
    state.db, state.adding = alias, False
    made.__dict__.update(zip(names, values, strict=True), _state=state)
    return made
