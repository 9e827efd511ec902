"""How many entries of the log each row must have, by its own columns: the table that the log is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


ANY = "2147483647"
NO_CASE = "NULL::bigint"

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
            "approval.renewed": _set("renewed_from_id"),
            "approval.approved": _is("approved"),
            "approval.rejected": _is("rejected"),
            "approval.expired": _is("expired"),
            "approval.voided": _is("voided"),
        },
    ),
    Told(
        "approvals_signature",
        "approvals.signature",
        "signature",
        # Those of requests that were signed before there were signatures have no entry of their own.
        {"approval.signed": ("0", "1"), "approval.taken_back": _set("taken_back_at")},
        case="(SELECT a.case_id FROM approvals_approvalrequest a WHERE a.id = r.request_id)",
        shop="(SELECT a.shop_id FROM approvals_approvalrequest a WHERE a.id = r.request_id)",
    ),
    Told(
        "approvals_recusal",
        "approvals.recusal",
        "recusal",
        {"approval.handed_on": "1"},
        shop="(SELECT a.shop_id FROM approvals_approvalrequest a WHERE a.id = r.request_id)",
    ),
    Told(
        "approvals_absence",
        "approvals.absence",
        "absence",
        {"absence.written": "1", "absence.cancelled": _set("cancelled_at")},
        case=NO_CASE,
        shop="NULL::bigint",
    ),
    Told(
        "approvals_delegation",
        "approvals.delegation",
        "delegation",
        {"delegation.given": "1", "delegation.ended": _set("ended_at")},
        case=NO_CASE,
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
            "case.waiting": (_is("waiting"), ANY),
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
        "cases_cancellation",
        "cases.cancellation",
        "cancellation",
        {
            # Asked and read in turn, any number of times; that it was decided is told by the decision.
            "cancellation.asked": "{cancellation.read} + " + _is("asked"),
            "cancellation.read": (_is("ready", "refused", "decided"), ANY),
        },
    ),
    Told(
        "approvals_factorreset",
        "approvals.factorreset",
        "reset of a second factor",
        {
            "factor.reset_asked": "1",
            "factor.reset_confirmed": _is("done"),
            "factor.reset_withdrawn": _is("withdrawn"),
        },
        case=NO_CASE,
        shop="NULL::bigint",
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
    Told(
        "cases_message",
        "cases.message",
        "message",
        {"message.received": "(r.direction = 'in')::int", "note.added": "(r.direction = 'note')::int"},
    ),
    Told(
        "tools_creditnote",
        "tools.creditnote",
        "credit note",
        {
            # Of a call, or in the place of one that was taken back.
            "credit_note.issued": "(r.corrects_id IS NULL)::int",
            "credit_note.corrected": _set("corrects_id"),
            "credit_note.downloaded": ("0", ANY),
        },
        case="(SELECT d.case_id FROM approvals_decision d WHERE d.id = r.decision_id)",
    ),
    Told(
        "approvals_killswitch",
        "approvals.killswitch",
        "kill switch",
        {"switch.engaged": "1", "switch.released": _set("released_at")},
        case=NO_CASE,
    ),
    Told(
        "approvals_limitversion",
        "approvals.limitversion",
        "limits",
        # Those that a shop begins with have no author, and are in force at once.
        {
            "limits.drafted": _set("author_id"),
            "limits.published": _set("published_at"),
            "limits.withdrawn": _set("withdrawn_at"),
        },
        case=NO_CASE,
    ),
    Told(
        "approvals_capsversion",
        "approvals.capsversion",
        "caps",
        # A shop that was there before its caps were has its first without an entry.
        {
            "caps.drafted": _set("author_id"),
            "caps.withdrawn": _set("withdrawn_at"),
            "caps.published": (
                "(r.published_at IS NOT NULL AND r.author_id IS NOT NULL)::int",
                _set("published_at"),
            ),
        },
        case=NO_CASE,
    ),
    Told(
        "approvals_termsversion",
        "approvals.termsversion",
        "terms",
        # As with caps: terms that were there before they were versions have no entry.
        {
            "terms.drafted": _set("author_id"),
            "terms.withdrawn": _set("withdrawn_at"),
            "terms.published": (
                "(r.published_at IS NOT NULL AND r.author_id IS NOT NULL)::int",
                _set("published_at"),
            ),
        },
        case=NO_CASE,
    ),
    Told(
        "approvals_limitexception",
        "approvals.limitexception",
        "exception",
        {
            "exception.asked": "1",
            "exception.approved": _set("approved_at"),
            # What was ended before it was approved told of an end until it had a word of its own.
            "exception.ended": (
                "(r.ended_at IS NOT NULL AND r.approved_at IS NOT NULL)::int",
                _set("ended_at"),
            ),
            "exception.declined": f"{_set('ended_at')} - {{exception.ended}}",
        },
        case=NO_CASE,
    ),
    Told(
        "cases_fraudentry",
        "cases.fraudentry",
        "fraud list entry",
        {"fraud_list.added": "1", "fraud_list.ended": _set("ended_at")},
        case=NO_CASE,
    ),
    Told(
        "tools_drift",
        "tools.drift",
        "drift",
        {"drift.found": "1", "drift.probed": ("0", ANY), "drift.cleared": _is("cleared")},
        case=NO_CASE,
    ),
    # It has no state: staff may change its words any number of times.
    Told(
        "cases_legalentity",
        "cases.legalentity",
        "legal entity",
        {"entity.changed": ("0", ANY)},
        case=NO_CASE,
        shop="(SELECT min(s.id) FROM cases_shop s WHERE s.legal_entity_id = r.id)",
    ),
)

# Models with a state and no line above, and why the log needs no entry of their own for each change.
UNTOLD = {
    "tools.Dispute": "The bank's word, as its event brought it; what we do about it is told by case and hand-off.",
    "tools.Order": "The shop's word, as its event brought it, which the event's own entry tells.",
    "tools.Shipment": "The carrier's word, as its event brought it, which the event's own entry tells.",
    "tools.Return": "The shop's word, as its event brought it, which the event's own entry tells.",
    "tools.VendorTemplate": "WhatsApp's word about a template, read anew each day; nothing of ours follows from it.",
}
