"""Fields of vendors' answers that the pinned version did not have: counted and shown, never an error."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import structlog
from django.db import connection
from pydantic import BaseModel

from audit import sources
from tools import shops
from tools.models import NewField
from tools.redacting import key_of
from tools.wire import Call

log = structlog.get_logger(__name__)

MOST_PATHS = 50
# A field that stays new costs one statement an hour and process; what was counted meanwhile goes along with it.
WRITE_EVERY_SECONDS = 3600.0
DEEPEST = 24
LONGEST = 200

Key = tuple[str, str, str]


@dataclass
class _Seen:
    """What this process has counted of one path and not written yet."""

    count: int = 0
    written: float | None = None


@dataclass
class _Counts:
    lock: threading.Lock = field(default_factory=threading.Lock)
    paths: dict[Key, dict[str, _Seen]] = field(default_factory=dict)


_counts = _Counts()


def forget() -> None:
    """Makes this process know nothing, as after its start."""
    with _counts.lock:
        _counts.paths.clear()


def count_new_fields(call: Call, reply: type[object], body: bytes) -> None:
    """Counts the fields of an answer that neither its model nor the pinned version has.

    Costs no query while there is nothing new; a field that stays new is written once an hour with its count, and an
    operation keeps at most 50 of them. Raises nothing, since the answer itself was good.

    Only answers are counted: a webhook's model names what we read of a body that has many fields more, so its other
    fields are not new, and what it tells of is read by an operation as well.
    """
    if not issubclass(reply, BaseModel):
        return
    try:
        found = set(unknown(json.loads(body), reply))
        if found:
            _count((call.shop, call.vendor, call.operation), found)
    except Exception:
        log.exception(
            "new_fields.not_counted",
            vendor=call.vendor,
            operation=call.operation,
            correlation_id=str(call.correlation_id),
        )


def unknown(value: Any, expected: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    """Dotted paths of the keys in `value` that the type `expected` doesn't know; an item of a list is `*`."""
    if depth > DEEPEST:
        return
    if isinstance(value, list | tuple):
        for inner in value:
            yield from unknown(inner, _item(expected), _join(path, "*"), depth + 1)
    elif isinstance(value, dict):
        yield from _of_object(value, expected, path, depth)


def _of_object(value: dict[str, Any], expected: Any, path: str, depth: int) -> Iterator[str]:
    models = list(_models(expected))
    if not models:
        # A mapping of anything, or a field that is read as it comes.
        return
    # Of a union the model that knows most of the keys is the one that was meant.
    names, model = max(
        ((_names(model), model) for model in models), key=lambda pair: len(pair[0].keys() & value.keys())
    )
    also: frozenset[str] = getattr(model, "also_known", frozenset())
    for key, inner in value.items():
        if key in names:
            yield from unknown(inner, names[key], _join(path, key), depth + 1)
        elif key not in also:
            yield _join(path, key_of(key))[:LONGEST]


def _names(model: type[BaseModel]) -> dict[str, Any]:
    """A model's fields under the names that the vendor uses, each with its type."""
    return {known.alias or name: known.annotation for name, known in model.model_fields.items()}


def _models(expected: Any) -> Iterator[type[BaseModel]]:
    if isinstance(expected, type) and issubclass(expected, BaseModel):
        yield expected
    elif get_origin(expected) in (Union, UnionType, Annotated):
        for part in get_args(expected):
            yield from _models(part)


def _item(expected: Any) -> Any:
    """The type of a list's items; None where it isn't told."""
    origin = get_origin(expected)
    if origin in (Union, UnionType, Annotated):
        return next((found for found in map(_item, get_args(expected)) if found is not None), None)
    if origin in (list, tuple, set, frozenset):
        return next(iter(get_args(expected)), None)
    return None


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step


def _count(key: Key, found: set[str]) -> None:
    due: dict[str, int] = {}
    with _counts.lock:
        known = _counts.paths.get(key)
    stored = _stored(key) if known is None else ()
    with _counts.lock:
        paths = _counts.paths.setdefault(key, {path: _Seen() for path in stored})
        for path in sorted(found):
            if path not in paths and len(paths) >= MOST_PATHS:
                continue
            seen = paths.setdefault(path, _Seen())
            seen.count += 1
            if seen.written is None or time.monotonic() - seen.written > WRITE_EVERY_SECONDS:
                due[path], seen.count, seen.written = seen.count, 0, time.monotonic()
    if due:
        _write(key, due)


def _stored(key: Key) -> list[str]:
    shop, vendor, operation = key
    rows = NewField.objects.filter(shop__slug=shop, vendor=vendor, operation=operation)
    return list(rows.values_list("field_path", flat=True)[:MOST_PATHS])


def _write(key: Key, due: dict[str, int]) -> None:
    slug, vendor, operation = key
    shop_id = shops.id_of(slug)
    table, now = NewField._meta.db_table, sources.now()
    statement = (
        f"INSERT INTO {table} (shop_id, vendor, operation, field_path, count, first_seen_at, last_seen_at)"  # noqa: S608
        " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (shop_id, vendor, operation, field_path) DO UPDATE SET"
        f" count = {table}.count + excluded.count,"
        f" last_seen_at = greatest({table}.last_seen_at, excluded.last_seen_at)"
    )
    # Sorted, so that two processes that meet don't wait for each other crosswise.
    rows = [(shop_id, vendor, operation, path, count, now, now) for path, count in sorted(due.items())]
    with connection.cursor() as cursor:
        cursor.executemany(statement, rows)
