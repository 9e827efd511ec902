"""The only writer of the log."""

import re
import uuid
from collections.abc import Mapping

from django.db import connection, models

from audit import sources
from audit.actions import ACTIONS
from audit.actors import Actor
from audit.models import Entry, Json

LONGEST_TEXT = 200
_STREAM = re.compile(r"(case|order|shop)/[A-Za-z0-9_.:-]{1,100}|staff")


def record(
    action: str,
    *,
    by: Actor,
    stream: str,
    subject: models.Model,
    shop_id: int | None,
    correlation_id: uuid.UUID,
    data: Mapping[str, Json] | None = None,
) -> Entry:
    """Append one entry in the caller's transaction, which holds the stream's lock until it commits.

    Write entries last, and those of several streams in sorted stream order: opposite orders deadlock.
    `data` holds ids, codes and whole numbers (money in minor units), never personal text.
    Raises RuntimeError outside a transaction, LookupError for an unregistered action, and ValueError
    for a stream, subject or data that can't stand in the log.
    """
    if not _in_own_transaction():
        raise RuntimeError("An audit entry is written in the transaction of the change that it tells of.")
    registered(action)
    if not _STREAM.fullmatch(stream):
        raise ValueError(f"An audit stream is case/<id>, order/<id>, shop/<slug> or staff, not {stream!r}.")
    if subject.pk is None:
        raise ValueError("The subject of an audit entry is a stored row.")
    data = data or {}
    refuse_unfit(data, "data")
    entry = Entry(
        stream=stream,
        at=sources.now(),
        action=action,
        actor_kind=by.kind,
        actor_id=by.id,
        shop_id=shop_id,
        subject_type=subject._meta.label_lower,
        subject_id=str(subject.pk),
        correlation_id=correlation_id,
    )
    entry.body = entry.written(data)
    entry.save(force_insert=True)
    return entry


def registered(action: str) -> None:
    """Raises LookupError for an action that the log doesn't know."""
    if action not in ACTIONS:
        raise LookupError(f"{action!r} is not in audit.actions.ACTIONS; add it there with a sentence.")


def _in_own_transaction() -> bool:
    # A test case's outer block doesn't count: a service that forgot its own would pass every test.
    return any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks)


def refuse_unfit(value: object, place: str) -> None:
    """Raise ValueError, naming the place, for what is not plain JSON or may tell of a person."""
    if value is None or isinstance(value, bool | int):
        return
    if isinstance(value, str):
        _refuse_text(value, place)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{place} has the key {key!r}; keys of audit data are strings.")
            _refuse_text(key, f"a key of {place}")
            refuse_unfit(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            refuse_unfit(inner, f"{place}[{index}]")
    else:
        raise ValueError(
            f"{place} is a {type(value).__name__}; audit data is made of strings, whole numbers, "
            "booleans, null, lists and dicts."
        )


def _refuse_text(text: str, place: str) -> None:
    if len(text) > LONGEST_TEXT or "@" in text:
        raise ValueError(
            f"{place} may be personal text (it has an @ or more than {LONGEST_TEXT} characters); "
            "audit data holds ids, codes and numbers."
        )
