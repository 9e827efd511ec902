"""The log: each change of state has exactly one entry that tells of it, and no entry tells of what isn't there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from cases.invariants.base import Invariant, Scope, Violation, rows_of

Between = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """How many entries of each action a row must have, from its own columns: a number, or the least and the most.

    The numbers are SQL over the row `r`; `{name.of.action}` in one is how many entries that action has.
    """

    table: str
    label: str
    word: str
    actions: Mapping[str, str | Between]
    case: str = "r.case_id"
    shop: str = "r.shop_id"


def _is(*states: str) -> str:
    """1 for a row in one of the states, else 0."""
    return f"(r.state IN ({', '.join(repr(state) for state in states)}))::int"


def _set(column: str) -> str:
    return f"(r.{column} IS NOT NULL)::int"


TOLD: tuple[Told, ...] = (
    Told(
        "tools_toolcall",
        "tools.toolcall",
        "call",
        {
            "call.reserved": "1",
            # One for each try; a try that never left us, or couldn't be begun, is told as retrying.
            "call.sending": (_set("first_sent_at"), "{call.retrying} + 1"),
            "call.pending": (_is("pending"), "1"),
            "call.unknown": (_is("unknown"), "1"),
            "call.succeeded": _is("succeeded", "failed_later"),
            "call.failed": _is("failed"),
            "call.failed_later": _is("failed_later"),
            "call.cancelled": _is("cancelled"),
        },
    ),
    Told("approvals_decision", "approvals.decision", "decision", {"decision.made": "1"}),
    Told(
        "approvals_reversal",
        "approvals.reversal",
        "reversal",
        {"decision.reversed": "1"},
        case="(SELECT d.case_id FROM approvals_decision d WHERE d.id = r.decision_id)",
    ),
    Told(
        "approvals_approvalrequest",
        "approvals.approvalrequest",
        "approval",
        {
            "approval.requested": "1",
            "approval.approved": _is("approved"),
            "approval.rejected": _is("rejected"),
            "approval.expired": _is("expired"),
            "approval.voided": _is("voided"),
        },
    ),
    Told(
        "cases_handoff",
        "cases.handoff",
        "hand-off",
        {
            "handoff.opened": "1",
            "handoff.claimed": _set("claimed_at"),
            "handoff.resolved": _is("resolved"),
        },
    ),
    Told(
        "cases_case",
        "cases.case",
        "case",
        {
            "case.opened": "1",
            # A case may be closed and opened again any number of times, in turn.
            "case.closed": "{case.reopened} + " + _is("closed"),
            "case.waiting": (_is("waiting"), "2147483647"),
            "case.woken": ("0", "{case.waiting}"),
        },
        case="r.id",
    ),
    Told(
        "cases_paymenttask",
        "cases.paymenttask",
        "payment task",
        {
            "payment_task.opened": "1",
            "payment_task.paid": _is("paid"),
            "payment_task.dropped": _is("dropped"),
        },
    ),
    Told(
        "approvals_riskflag",
        "approvals.riskflag",
        "risk flag",
        {"risk.raised": "1", "risk.lowered": _set("lowered_at")},
    ),
    Told(
        "cases_inboundevent",
        "cases.inboundevent",
        "event",
        {
            "event.absorbed": _is("absorbed"),
            "event.dead": "(r.state = 'dead' OR r.requeued > 0)::int",
            "event.requeued": "r.requeued",
            "event.found_late": _set("found_late_seconds"),
        },
    ),
)

# How many entries of each action each subject has; an index holds all three columns that are read.
COUNTED = """
    SELECT e.subject_id, {counts}
    FROM audit_entry e WHERE e.subject_type = '{label}' {of_rows} GROUP BY e.subject_id
"""
OF_ROWS = "AND e.subject_id IN (SELECT r.id::text FROM {table} r WHERE {case})"
QUERY = """
    WITH told AS ({counted})
    SELECT '{word} ' || r.id, concat_ws(', ', {facts}), {case}, {shop}
    FROM {table} r LEFT JOIN told ON told.subject_id = r.id::text
    WHERE ({wrong}) {{scope}}
    ORDER BY r.id
"""
WITHOUT_ROW = """
    SELECT '{word} ' || e.subject_id, min(e.action) || ' tells of a row that is not there',
           CASE WHEN e.stream LIKE 'case/%%' THEN substr(e.stream, 6)::bigint END, min(e.shop_id)
    FROM audit_entry e
    WHERE e.subject_type = '{label}' AND NOT EXISTS (SELECT 1 FROM {table} r WHERE r.id::text = e.subject_id) {{scope}}
    GROUP BY e.subject_id, e.stream
"""


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


def _query(told: Told, of_rows: str) -> str:
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
    counted = COUNTED.format(counts=counts, label=told.label, of_rows=of_rows)
    return QUERY.format(
        counted=counted,
        word=told.word,
        facts=", ".join(facts),
        case=told.case,
        shop=told.shop,
        table=told.table,
        wrong=" OR ".join(wrong),
    )


def _untold(invariant: Invariant, scope: Scope) -> list[Violation]:
    """Rows of every table whose changes the log tells of never, twice, or although they didn't happen."""
    found = []
    for told in TOLD:
        case, shop = f"{told.case} = ANY(%(cases)s)", f"{told.shop} = ANY(%(shops)s)"
        # Without this a question about one case would count the entries of all.
        query = _query(told, OF_ROWS.format(table=told.table, case=case) if scope.cases is not None else "")
        found += rows_of(invariant.name, query, scope, case, shop)
    return found


def _of_nothing(invariant: Invariant, scope: Scope) -> list[Violation]:
    found = []
    for told in TOLD:
        query = WITHOUT_ROW.format(word=told.word, label=told.label, table=told.table)
        streams = "e.stream IN (SELECT 'case/' || one FROM unnest(%(cases)s::bigint[]) AS one)"
        found += rows_of(invariant.name, query, scope, streams, "e.shop_id = ANY(%(shops)s)")
    return found


ASK = _(
    "Nothing in the program does this: somebody or something wrote to the database. Keep it and ask for help."
)

TELLING = (
    Invariant(
        "each change of state is told once",
        _("Something changed, and the log tells of it never or more than once."),
        ASK,
        find=_untold,
    ),
    Invariant(
        "each entry tells of a row that is there",
        _("The log tells of something that is no longer there."),
        ASK,
        find=_of_nothing,
    ),
)
