"""The log: each change of state has exactly one entry that tells of it, and no entry tells of what isn't there."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from cases.invariants.base import Ask, Invariant
from cases.invariants.chain import OF_CASES
from cases.invariants.told import TOLD, Between, Told

# How many entries of each action each subject has; an index holds all three columns that are read.
COUNTED = """
    SELECT e.subject_id, {counts}
    FROM audit_entry e WHERE e.subject_type = '{label}' {{narrow}} GROUP BY e.subject_id
"""
OF_ROWS = "AND e.subject_id IN (SELECT r.id::text FROM {table} r WHERE {case})"
QUERY = """
    WITH told AS ({counted})
    SELECT '{word} ' || r.id, concat_ws(', ', {facts}), {case}, {shop}
    FROM {table} r LEFT JOIN told ON told.subject_id = r.id::text
    WHERE ({wrong}) {{scope}}
    ORDER BY r.id
"""
# By subject first, which an index alone answers; where it stood is read of what is found.
WITHOUT_ROW = """
    SELECT '{word} ' || x.subject_id, o.action || ' tells of a row that is not there',
           CASE WHEN o.stream LIKE 'case/%%' THEN substr(o.stream, 6)::bigint END, o.shop_id
    FROM (
        SELECT e.subject_id, min(e.id) AS first FROM audit_entry e WHERE e.subject_type = '{label}' {{scope}}
        GROUP BY e.subject_id
    ) x JOIN audit_entry o ON o.id = x.first
    WHERE NOT EXISTS (SELECT 1 FROM {table} r WHERE r.id::text = x.subject_id {{narrow}})
"""
# Of few subjects each one's row is found by the row's own index; what is no number belongs to no row.
BY_NUMBER = "AND r.id = CASE WHEN x.subject_id ~ '^[0-9]{1,18}$' THEN x.subject_id::bigint END"


def _column(action: str) -> str:
    return action.partition(".")[2]


def _names(told: Told) -> list[str]:
    """Every action that is counted: those of the table, and those that another one's number rests on."""
    spoken = [*told.actions]
    for wanted in told.actions.values():
        for text in (wanted,) if isinstance(wanted, str) else wanted:
            spoken += [part.partition("}")[0] for part in text.split("{")[1:]]
    return list(dict.fromkeys(spoken))


def _number(told: Told, text: str) -> str:
    for action in _names(told):
        text = text.replace("{" + action + "}", f"coalesce(told.{_column(action)}, 0)")
    return text


def _bounds(told: Told, wanted: str | Between) -> Between:
    least, most = (wanted, wanted) if isinstance(wanted, str) else wanted
    return _number(told, least), _number(told, most)


def _query(told: Told) -> str:
    """One SELECT of all rows of a table whose entries are missing or doubled."""
    names = _names(told)
    counts = ", ".join(f"count(*) FILTER (WHERE e.action = '{name}') AS {_column(name)}" for name in names)
    wrong, facts = [], []
    for action, wanted in told.actions.items():
        least, most = _bounds(told, wanted)
        found = f"coalesce(told.{_column(action)}, 0)"
        bad = f"{found} NOT BETWEEN {least} AND {most}"
        wrong.append(bad)
        facts.append(f"CASE WHEN {bad} THEN format('{action} told %%s times', {found}) END")
    counted = COUNTED.format(counts=counts, label=told.label)
    return QUERY.format(
        counted=counted,
        word=told.word,
        facts=", ".join(facts),
        case=told.case,
        shop=told.shop,
        table=told.table,
        wrong=" OR ".join(wrong),
    )


def _untold(told: Told) -> Ask:
    """Rows of a table whose changes the log tells of never, twice, or although they didn't happen."""
    case = f"{told.case} = ANY(%(cases)s)"
    # Without this a question about one case would count the entries of all.
    narrow = OF_ROWS.format(table=told.table, case=case)
    return Ask(_query(told), case, f"{told.shop} = ANY(%(shops)s)", narrow)


def _of_nothing(told: Told) -> Ask:
    """Entries about a row of a table that is not there."""
    query = WITHOUT_ROW.format(word=told.word, label=told.label, table=told.table)
    return Ask(query, OF_CASES.format("e"), "e.shop_id = ANY(%(shops)s)", BY_NUMBER)


ASK = _(
    "Nothing in the program does this: somebody or something wrote to the database. Keep it and ask for help."
)

TELLING = (
    Invariant(
        "each change of state is told once",
        _("Something changed, and the log tells of it never or more than once."),
        ASK,
        tuple(_untold(told) for told in TOLD),
    ),
    Invariant(
        "each entry tells of a row that is there",
        _("The log tells of something that is no longer there."),
        ASK,
        tuple(_of_nothing(told) for told in TOLD),
    ),
)
