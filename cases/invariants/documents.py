"""Documents and ticks: each refund has its one credit note, numbers have no gap, and nobody is paid by hand twice."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from cases.invariants.base import Ask, Invariant

# A refund is looked at once nothing of its decision is under way. It owes a document where the call for one was
# stored, or the shop issues them itself and did so already when the refund was stored. What is missing is explained by
# a hand-off at or after its end, by a person who took the document back, or by Stripe, which credits what it invoiced.
UNDOCUMENTED = """
    WITH paid AS (
        SELECT c.decision_id, min(c.case_id) AS case_id, min(c.shop_id) AS shop_id, min(c.created_at) AS stored_at,
               max(c.ended_at) AS ended_at,
               coalesce(sum(c.amount_minor) FILTER (WHERE c.state = 'succeeded'), 0) AS minor,
               bool_and(coalesce(p.invoice, '') <> '') AS stripe
        FROM tools_toolcall c JOIN tools_payment p ON p.id = c.payment_id
        WHERE c.tool = 'issue_refund' AND c.amount_minor > 0 {narrow}
        GROUP BY c.decision_id
    )
    SELECT 'decision ' || paid.decision_id,
           format('%%s refunded, %%s in %%s documents', paid.minor, coalesce(note.minor, 0), coalesce(note.live, 0)),
           paid.case_id, paid.shop_id
    FROM paid JOIN cases_shop s ON s.id = paid.shop_id
    LEFT JOIN tools_toolcall step ON step.decision_id = paid.decision_id AND step.tool = 'issue_credit_note'
    LEFT JOIN LATERAL (
        SELECT sum(n.gross_minor) AS minor, count(n.corrects_id) AS taken_back,
               count(*) - 2 * count(n.corrects_id) AS live
        FROM tools_creditnote n WHERE n.decision_id = paid.decision_id
    ) note ON true
    WHERE (step.id IS NOT NULL OR s.credit_notes = 'ours' AND NOT EXISTS (
            SELECT 1 FROM audit_entry e
            WHERE e.subject_type = 'cases.shop' AND e.subject_id = s.id::text AND e.action = 'shop.changed'
              AND e.body LIKE '%%"credit_notes"%%' AND e.at > paid.stored_at))
      AND NOT EXISTS (
            SELECT 1 FROM tools_toolcall b WHERE b.decision_id = paid.decision_id AND b.state IN {holds})
      AND NOT coalesce(note.live = 1 AND note.minor = paid.minor, false)
      AND NOT (coalesce(note.live, 0) = 0 AND (paid.minor = 0 OR note.taken_back > 0 OR paid.stripe
            OR coalesce(step.state = 'succeeded' AND step.vendor_ref = 'credited by stripe', false)))
      AND NOT EXISTS (
            SELECT 1 FROM cases_handoff h
            WHERE h.case_id = paid.case_id AND (h.resolved_at IS NULL OR h.resolved_at >= paid.ended_at)) {scope}
    ORDER BY paid.decision_id
"""

OTHER_WORDS = """
    SELECT 'credit note ' || n.id, format('%%s: %%s %%s', n.number, n.gross_minor, n.currency), d.case_id, n.shop_id
    FROM tools_creditnote n JOIN approvals_decision d ON d.id = n.decision_id
    LEFT JOIN tools_creditnote b ON b.id = n.corrects_id
    WHERE (n.sha256 <> encode(sha256(convert_to(n.content, 'UTF8')), 'hex')
        OR n.content::jsonb ->> 'number' IS DISTINCT FROM n.number
        OR n.content::jsonb ->> 'currency' IS DISTINCT FROM n.currency
        OR n.content::jsonb -> 'gross_minor' IS DISTINCT FROM to_jsonb(n.gross_minor)
        OR n.gross_minor <> n.net_minor + n.tax_minor OR b.gross_minor <> -n.gross_minor) {scope}
    ORDER BY n.id
"""

GAPS = """
    SELECT 'credit note ' || n.id, format('%%s: there is no number %%s', n.number, n.sequence - 1),
           (SELECT d.case_id FROM approvals_decision d WHERE d.id = n.decision_id), n.shop_id
    FROM tools_creditnote n
    WHERE n.sequence <> 1 AND NOT EXISTS (
        SELECT 1 FROM tools_creditnote b WHERE b.entity_id = n.entity_id AND b.sequence = n.sequence - 1) {scope}
    ORDER BY n.entity_id, n.sequence
"""

COUNTERS = """
    SELECT 'legal entity ' || x.id, format('the counter stands at %%s, the last document has %%s', x.counted, x.given),
           NULL::bigint, NULL::bigint
    FROM (
        SELECT e.id, coalesce((SELECT c.last FROM tools_creditnotecounter c WHERE c.entity_id = e.id), 0) AS counted,
               coalesce((SELECT max(n.sequence) FROM tools_creditnote n WHERE n.entity_id = e.id), 0) AS given
        FROM cases_legalentity e
    ) x
    WHERE x.counted <> x.given {scope} ORDER BY x.id
"""

TASKS_OF_NOTHING = """
    SELECT 'payment task ' || c.id,
           format('task %%s %%s %%s, call %%s %%s %%s', c.state, c.amount_minor, c.currency,
                  b.state, b.amount_minor, b.currency),
           c.case_id, c.shop_id
    FROM cases_paymenttask c JOIN tools_toolcall b ON b.id = c.call_id
    WHERE (NOT CASE c.state WHEN 'open' THEN b.state = 'pending'
                            WHEN 'paid' THEN b.state = 'succeeded' AND b.settled_by = 'person'
                                             AND b.vendor_ref = 'payment-task/' || c.id
                            ELSE b.state = 'failed' END
        OR c.amount_minor <> b.amount_minor OR c.currency <> b.currency OR c.case_id <> b.case_id) {scope}
    ORDER BY c.id
"""

TICKED_TWICE = """
    SELECT 'payment task ' || c.id, format('%%s ticks, %%s refunds booked, %%s tasks of the call',
                                           told.ticks, booked.refunds, same.tasks), c.case_id, c.shop_id
    FROM cases_paymenttask c
    CROSS JOIN LATERAL (
        SELECT count(*) AS ticks FROM audit_entry e
        WHERE e.subject_type = 'cases.paymenttask' AND e.subject_id = c.id::text
          AND e.action IN ('payment_task.paid', 'payment_task.dropped')) told
    CROSS JOIN LATERAL (
        SELECT count(*) AS refunds FROM tools_ledgerentry l
        WHERE l.call_id = c.call_id AND l.kind = 'refunded') booked
    CROSS JOIN LATERAL (SELECT count(*) AS tasks FROM cases_paymenttask t WHERE t.call_id = c.call_id) same
    WHERE (told.ticks > 1 OR booked.refunds > 1 OR same.tasks > 1) {scope}
    ORDER BY c.id
"""

OF_CASE = "c.case_id = ANY(%(cases)s)"
OF_SHOP = "c.shop_id = ANY(%(shops)s)"
NOTE_OF_CASE = "n.decision_id IN (SELECT d.id FROM approvals_decision d WHERE d.case_id = ANY(%(cases)s))"
NOTE_OF_SHOP = "n.shop_id = ANY(%(shops)s)"
SELLER = "x.id IN (SELECT s.legal_entity_id FROM cases_shop s WHERE {0})"
SELLER_OF_CASE = SELLER.format("s.id IN (SELECT k.shop_id FROM cases_case k WHERE k.id = ANY(%(cases)s))")
SELLER_OF_SHOP = SELLER.format("s.id = ANY(%(shops)s)")

BOOKS = _(
    "Keep the database as it is, and ask whoever keeps the shop's books: documents have to be complete."
)

DOCUMENTS = (
    Invariant(
        "a refund has one document that says its amount, or stands before a person",
        _("Money went back, and its credit note is missing, doubled or about another amount."),
        _("Open the case: issue the counter-document, or have the missing one written by hand."),
        (
            Ask(
                UNDOCUMENTED,
                "paid.case_id = ANY(%(cases)s)",
                "paid.shop_id = ANY(%(shops)s)",
                "AND c.case_id = ANY(%(cases)s)",
            ),
        ),
    ),
    Invariant(
        "a credit note says what was issued",
        _("A credit note's columns, its text and its fingerprint say different things."),
        BOOKS,
        (Ask(OTHER_WORDS, NOTE_OF_CASE, NOTE_OF_SHOP),),
    ),
    Invariant(
        "credit notes are numbered without a gap",
        _("A number of a legal entity's credit notes is missing, or its counter has gone astray."),
        BOOKS,
        (Ask(GAPS, NOTE_OF_CASE, NOTE_OF_SHOP), Ask(COUNTERS, SELLER_OF_CASE, SELLER_OF_SHOP)),
    ),
    Invariant(
        "a payment task and its call tell the same",
        _("A payment by hand and the call behind it say different things."),
        _("Ask whoever ticked the task what was paid, and look at the case."),
        (Ask(TASKS_OF_NOTHING, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "a payment task is ticked at most once",
        _("A payment by hand was ticked or booked more than once."),
        _("Ask whoever ticked it whether the customer was paid twice."),
        (Ask(TICKED_TWICE, OF_CASE, OF_SHOP),),
    ),
)
