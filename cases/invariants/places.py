"""Places: whatever was accepted has ended, waits for a date, stands in a queue, or is in a person's hands."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from approvals.models import ApprovalRequest
from cases.invariants.base import Ask, Invariant
from cases.models import Handoff

OF_CASE = "c.case_id = ANY(%(cases)s)"
OF_SHOP = "c.shop_id = ANY(%(shops)s)"
ITSELF = "k.id = ANY(%(cases)s)"
ITS_SHOP = "k.shop_id = ANY(%(shops)s)"


def open_handoffs() -> QuerySet[Handoff]:
    """What people still have to finish."""
    return Handoff.objects.exclude(state=Handoff.State.RESOLVED)


def pending_requests() -> QuerySet[ApprovalRequest]:
    """What still waits for a signature."""
    return ApprovalRequest.objects.filter(state=ApprovalRequest.State.PENDING)


# Each condition says what holds a case of its state; a case that nothing holds is lost, and its events with it.
LOST_EVENTS = """
    SELECT 'event ' || e.id, format('%%s %%s: %%s, case %%s %%s', e.source, e.topic, e.state, e.case_id, k.state),
           e.case_id, e.shop_id
    FROM cases_inboundevent e LEFT JOIN cases_case k ON k.id = e.case_id
    WHERE NOT coalesce(
        (e.state = 'absorbed')
        OR (e.state = 'dead' AND e.dead_reason <> '')
        OR (e.state = 'case' AND CASE k.state
            WHEN 'closed' THEN k.closed_at IS NOT NULL
            WHEN 'waiting' THEN k.wake_at IS NOT NULL AND k.wait_reason <> ''
            WHEN 'approval' THEN {asked}
            WHEN 'handoff' THEN {called}
            WHEN 'open' THEN k.due_at IS NOT NULL AND NOT k.human_only
        END), false) {scope}
    ORDER BY e.id
"""

OPEN_NOWHERE = """
    SELECT 'case ' || k.id, CASE WHEN k.human_only THEN 'the agent is silent' ELSE 'not due' END, k.id, k.shop_id
    FROM cases_case k WHERE k.state = 'open' AND (k.due_at IS NULL OR k.human_only) {scope} ORDER BY k.id
"""

UNDATED = """
    SELECT 'case ' || k.id, format('waits for "%%s" until %%s', k.wait_reason, k.wake_at), k.id, k.shop_id
    FROM cases_case k WHERE k.state = 'waiting' AND (k.wake_at IS NULL OR k.wait_reason = '') {scope} ORDER BY k.id
"""

UNASKED = """
    SELECT 'case ' || k.id, '', k.id, k.shop_id
    FROM cases_case k WHERE k.state = 'approval' AND NOT {asked} {scope} ORDER BY k.id
"""

UNSEEN = """
    SELECT 'case ' || k.id, '', k.id, k.shop_id
    FROM cases_case k WHERE k.state = 'handoff' AND NOT {called} {scope} ORDER BY k.id
"""

ASKED_ELSEWHERE = """
    SELECT 'approval ' || c.id, k.state, k.id, c.shop_id
    FROM approvals_approvalrequest c JOIN cases_case k ON k.id = c.case_id
    WHERE c.state = 'pending' AND k.state <> 'approval' {scope} ORDER BY c.id
"""

CALLED_ELSEWHERE = """
    SELECT 'hand-off ' || c.id, k.state, k.id, c.shop_id
    FROM cases_handoff c JOIN cases_case k ON k.id = c.case_id
    WHERE c.state IN ('waiting', 'claimed') AND k.state <> 'handoff' {scope} ORDER BY c.id
"""

# The sweep finds open calls by these columns: without them nobody ever looks again.
STUCK_CALLS = """
    SELECT 'call ' || c.id, CASE
               WHEN c.state = 'sending' THEN 'being sent by nobody'
               WHEN c.state = 'reserved' THEN 'behind a step that will not succeed'
               ELSE 'paid by hand without a task' END,
           c.case_id, c.shop_id
    FROM tools_toolcall c
    WHERE (c.state = 'sending' AND c.lease_until IS NULL
        OR c.state = 'reserved' AND EXISTS (
            SELECT 1 FROM tools_toolcall b WHERE b.decision_id = c.decision_id AND b.position < c.position
              AND b.state IN ('failed', 'cancelled', 'failed_later'))
        OR c.state = 'pending' AND c.vendor = 'manual' AND NOT EXISTS (
            SELECT 1 FROM cases_paymenttask t WHERE t.call_id = c.id AND t.state = 'open')) {scope}
    ORDER BY c.id
"""

UNSENT_MESSAGES = """
    SELECT 'message ' || c.id, '', c.case_id, c.shop_id
    FROM cases_message c
    WHERE c.direction = 'out' AND c.state = 'queued' AND NOT EXISTS (
        SELECT 1 FROM tools_toolcall b
        WHERE b.message_id = c.id AND b.state IN ('reserved', 'sending', 'pending', 'unknown')) {scope}
    ORDER BY c.id
"""

LOST_READINGS = """
    SELECT 'stock reading ' || c.id, format('item %%s, tried %%s times', c.inventory_item, c.attempts),
           NULL::bigint, c.shop_id
    FROM tools_stockreading c
    WHERE (c.given_up_at IS NULL AND c.due_at IS NULL OR c.given_up_at IS NOT NULL AND c.lease_until IS NOT NULL
        OR c.given_up_at IS NOT NULL AND c.error = '') {scope}
    ORDER BY c.id
"""

LOST_ROWS_OF_FEEDS = """
    SELECT 'feed run ' || c.id, format('%%s rows, %%s taken, %%s refused', c.rows, c.taken, c.refused),
           NULL::bigint, c.shop_id
    FROM tools_feedrun c WHERE c.rows <> c.taken + c.refused {scope} ORDER BY c.id
"""

# Neither belongs to a case.
NO_CASE = "false"

TAKE = _("Open the case and take it over: nothing happens in it by itself.")
ASK = _(
    "Nothing in the program does this: somebody or something wrote to the database. Keep it and ask for help."
)

PLACES = (
    Invariant(
        "every accepted event has a place",
        _("An event was accepted and has not ended, waits for nothing, and nobody has it."),
        TAKE,
        (Ask(LOST_EVENTS, "e.case_id = ANY(%(cases)s)", "e.shop_id = ANY(%(shops)s)"),),
    ),
    Invariant(
        "an open case has its turn coming",
        _("A case is with the agent, and the agent will never look at it."),
        TAKE,
        (Ask(OPEN_NOWHERE, ITSELF, ITS_SHOP),),
    ),
    Invariant(
        "a case that waits has a reason and a date",
        _("A case waits and will never wake."),
        TAKE,
        (Ask(UNDATED, ITSELF, ITS_SHOP),),
    ),
    Invariant(
        "a case that waits for approval has its request",
        _("A case waits for a signature that nobody can give."),
        TAKE,
        (Ask(UNASKED, ITSELF, ITS_SHOP),),
    ),
    Invariant(
        "a case with a person has its hand-off",
        _("A case is with a person, and no list shows it to anybody."),
        TAKE,
        (Ask(UNSEEN, ITSELF, ITS_SHOP),),
    ),
    Invariant(
        "what waits for a signature belongs to a case that waits for approval",
        _("A request waits for a signature in a case that has gone on."),
        _("Reject the request: what it asks for was decided without it."),
        (Ask(ASKED_ELSEWHERE, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "what a person has to finish belongs to a case with a person",
        _("A hand-off is open in a case that has gone on."),
        _("Claim the hand-off and resolve it."),
        (Ask(CALLED_ELSEWHERE, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "an open call has its next look coming",
        _("A call is open, and nobody will ever send it or look what became of it."),
        _("Look at the vendor's own page what has happened, and take the case over."),
        (Ask(STUCK_CALLS, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "a queued message has a call that sends it",
        _("A message waits to be sent, and nothing will send it."),
        _("Open the case and write to the customer yourself."),
        (Ask(UNSENT_MESSAGES, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "a stock reading is due or given up with its reason",
        _("News of an item's stock came, and nobody will read it."),
        ASK,
        (Ask(LOST_READINGS, NO_CASE, OF_SHOP),),
    ),
    Invariant(
        "a feed accounts for each of its rows",
        _("Rows of a supplier's feed were neither taken nor refused."),
        _("Import the feed once more."),
        (Ask(LOST_ROWS_OF_FEEDS, NO_CASE, OF_SHOP),),
    ),
)
