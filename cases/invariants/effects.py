"""Authority: an effect has one decision with a verdict that allows it, comes after it, and happens once."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from cases.invariants.base import Ask, Invariant

OF_CASE = "c.case_id = ANY(%(cases)s)"
OF_SHOP = "c.shop_id = ANY(%(shops)s)"

PAID_TWICE = """
    SELECT 'decision ' || c.decision_id, format('payment %%s: calls %%s', c.payment_id, string_agg(c.id::text, ', ')),
           min(c.case_id), min(c.shop_id)
    FROM tools_toolcall c
    WHERE c.amount_minor > 0 AND c.state NOT IN ('failed', 'cancelled', 'failed_later') {scope}
    GROUP BY c.decision_id, c.payment_id HAVING count(*) > 1
    ORDER BY c.decision_id
"""

SENT_TWICE = """
    SELECT 'message ' || c.message_id, 'calls ' || string_agg(c.id::text, ', '), min(c.case_id), min(c.shop_id)
    FROM tools_toolcall c
    WHERE c.message_id IS NOT NULL AND c.state NOT IN ('failed', 'cancelled', 'failed_later') {scope}
    GROUP BY c.message_id HAVING count(*) > 1
    ORDER BY c.message_id
"""

STEP_TWICE = """
    SELECT 'decision ' || c.decision_id, format('step %%s: calls %%s', c.position, string_agg(c.id::text, ', ')),
           min(c.case_id), min(c.shop_id)
    FROM tools_toolcall c
    WHERE true {scope}
    GROUP BY c.decision_id, c.position HAVING count(*) > 1
    ORDER BY c.decision_id
"""

CLAIMED_TWICE = """
    SELECT 'refund ' || c.vendor_ref, 'calls ' || string_agg(c.id::text, ', '), min(c.case_id), c.shop_id
    FROM tools_toolcall c
    WHERE c.amount_minor > 0 AND c.vendor_ref <> '' AND c.vendor IN ('stripe', 'shopify')
      AND c.state NOT IN ('failed', 'cancelled') {scope}
    GROUP BY c.shop_id, c.vendor, c.vendor_ref HAVING count(*) > 1
    ORDER BY c.vendor_ref
"""

OLDER = """
    SELECT 'call ' || c.id, format('sent %%s, decided %%s', c.first_sent_at, greatest(d.at, a.decided_at)),
           c.case_id, c.shop_id
    FROM tools_toolcall c JOIN approvals_decision d ON d.id = c.decision_id
    LEFT JOIN approvals_approvalrequest a ON a.decision_id = d.id AND a.state = 'approved'
    WHERE (c.first_sent_at < d.at OR c.first_sent_at < a.decided_at OR c.created_at < d.at
        OR c.created_at < a.decided_at) {scope}
    ORDER BY c.id
"""

NOT_ALLOWED = """
    SELECT 'call ' || c.id, format('verdict %%s, approval %%s', d.outcome, coalesce(a.state, 'none')),
           c.case_id, c.shop_id
    FROM tools_toolcall c JOIN approvals_decision d ON d.id = c.decision_id
    LEFT JOIN approvals_approvalrequest a ON a.decision_id = d.id
    WHERE d.outcome NOT IN ('allow', 'allow_after_undo')
      AND NOT (d.outcome IN ('one_approver', 'two_factor') AND coalesce(a.state, '') = 'approved') {scope}
    ORDER BY c.id
"""

UNJUDGED = """
    SELECT 'decision ' || d.id, format('verdict "%%s", rule "%%s"', d.outcome, d.rule), d.case_id, d.shop_id
    FROM approvals_decision d
    WHERE (d.outcome NOT IN ('allow', 'allow_after_undo', 'one_approver', 'two_factor', 'human', 'deny')
        OR d.rule = '' OR d.policy_version = '' OR jsonb_typeof(d.values) <> 'array'
        OR d.values = '[]'::jsonb) {scope}
    ORDER BY d.id
"""

OTHER_HASH = """
    SELECT 'approval ' || c.id, format('%%s, %%s %%s; decided %%s', c.state, c.amount_minor, c.currency,
                                       coalesce(d.effect ->> 'amount_minor', 'nothing')), c.case_id, c.shop_id
    FROM approvals_approvalrequest c JOIN approvals_decision d ON d.id = c.decision_id
    WHERE (c.effect_hash <> d.effect_hash OR c.effect_hash !~ '^[0-9a-f]{64}$' OR c.case_id <> d.case_id
        OR c.tier <> d.outcome OR d.effect -> 'amount_minor' IS DISTINCT FROM to_jsonb(c.amount_minor)
        OR d.effect ->> 'currency' IS DISTINCT FROM c.currency) {scope}
    ORDER BY c.id
"""

STOP = _("Stop the tool with a kill switch and look at the vendor's own page what has really happened.")
REPORT = _(
    "Nothing in the program does this: somebody or something wrote to the database. Keep it and ask for help."
)

EFFECTS = (
    Invariant(
        "a decision pays at most once",
        _("One decision refunds the same payment more than once."),
        STOP,
        (Ask(PAID_TWICE, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "a message is sent at most once",
        _("One message is sent by more than one call."),
        STOP,
        (Ask(SENT_TWICE, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "a decision has one call per step",
        _("One step of a decision stands twice."),
        STOP,
        (Ask(STEP_TWICE, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "a vendor's refund belongs to one call",
        _("Two calls count the same refund of the vendor as theirs."),
        STOP,
        (Ask(CLAIMED_TWICE, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "no effect is older than its decision",
        _("An effect was stored or sent before somebody had decided it."),
        REPORT,
        (Ask(OLDER, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "no effect without a verdict that allows it",
        _("An effect was stored although its verdict doesn't allow it, or nobody has signed it."),
        STOP,
        (Ask(NOT_ALLOWED, OF_CASE, OF_SHOP),),
    ),
    Invariant(
        "no decision without a verdict",
        _("A decision holds no verdict with its rules."),
        REPORT,
        (Ask(UNJUDGED, "d.case_id = ANY(%(cases)s)", "d.shop_id = ANY(%(shops)s)"),),
    ),
    Invariant(
        "an approval signs its decision's effect",
        _("What was shown for a signature isn't what was decided."),
        REPORT,
        (Ask(OTHER_HASH, OF_CASE, OF_SHOP),),
    ),
)
