"""An entry that is written by a statement of the caller's, where what it tells of is born in the same statement.

`audit.services.record` is for everything else. The same checks hold; the ids that only the database knows, and the
moment, are put into the entry's body there.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from functools import lru_cache

from audit.actors import Actor
from audit.models import Entry
from audit.services import refuse_unfit, registered

# Stand in the body for the moment and the subject's id until the statement puts them in.
NO_MOMENT, NO_ID, NO_CORRELATION = datetime.min.replace(tzinfo=UTC), "?", uuid.UUID(int=0)
_BORN_AT = NO_MOMENT.isoformat(timespec="microseconds")

# What an entry brings to the caller's statement, and of which type.
COLUMNS = {
    "entry_action": "text",
    "entry_actor_kind": "text",
    "entry_actor_id": "text",
    "entry_shop": "bigint",
    "entry_subject_type": "text",
    "entry_correlation_id": "uuid",
    "entry_body": "text",
    "entry_at_place": "bigint",
}

# Of the entry's columns; `{stream}`, `{at}` and `{subject}` are the caller's expressions, as are COLUMNS by name.
INSERT = f"""
    INSERT INTO {Entry._meta.db_table}
        (stream, at, action, actor_kind, actor_id, shop_id, subject_type, subject_id, correlation_id, body)
    SELECT {{stream}}, {{at}}, entry_action, entry_actor_kind, entry_actor_id, entry_shop, entry_subject_type,
        {{subject}}::text, entry_correlation_id,
        overlay(replace(
            entry_body, '"id":"{NO_ID}","type"', '"id":"' || {{subject}}::text || '","type"'
        ) placing to_char({{at}} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
          from entry_at_place::int for {len(_BORN_AT)})
"""  # noqa: S608


def parameters(
    action: str,
    *,
    by: Actor,
    subject_type: str,
    shop_id: int | None,
    correlation_id: uuid.UUID,
    data: tuple[tuple[str, str | int], ...],
) -> dict[str, str | int | uuid.UUID | None]:
    """What INSERT takes; raises what `record` raises for an unregistered action and for unfit data."""
    body = _body(action, by, subject_type, shop_id, data).replace(str(NO_CORRELATION), str(correlation_id))
    return {
        "entry_action": action,
        "entry_actor_kind": by.kind,
        "entry_actor_id": by.id,
        "entry_shop": shop_id,
        "entry_subject_type": subject_type,
        "entry_correlation_id": correlation_id,
        "entry_body": body,
        # Characters of SQL count from 1.
        "entry_at_place": body.index(_BORN_AT) + 1,
    }


@lru_cache(maxsize=256)
def _body(
    action: str, by: Actor, subject_type: str, shop_id: int | None, data: tuple[tuple[str, str | int], ...]
) -> str:
    """The body with its gaps: the same for all entries of a kind."""
    registered(action)
    refuse_unfit(dict(data), "data")
    entry = Entry(
        at=NO_MOMENT,
        action=action,
        actor_kind=by.kind,
        actor_id=by.id,
        shop_id=shop_id,
        subject_type=subject_type,
        subject_id=NO_ID,
        correlation_id=NO_CORRELATION,
    )
    return entry.written(dict(data))
