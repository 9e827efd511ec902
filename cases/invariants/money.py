"""Money: what left a payment or a line never exceeds what came in, and every sum is what its rows add up to."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from cases.invariants.base import Ask, Invariant

OF_PAYMENT = "p.order_id IN (SELECT order_id FROM cases_case WHERE id = ANY(%(cases)s))"
OF_SHOP = "p.shop_id = ANY(%(shops)s)"
# Within a sum over many rows, so that a question about one case doesn't add up those of all.
OF_PAYMENTS = """AND payment_id IN (
    SELECT x.id FROM tools_payment x
    WHERE x.order_id IN (SELECT order_id FROM cases_case WHERE id = ANY(%(cases)s)))"""

OURS_OVER = """
    SELECT 'payment ' || p.id,
           format('%%s captured, ours %%s %%s', p.captured_minor,
                  greatest(p.reserved_minor + p.refunded_minor, coalesce(c.ours, 0)), p.currency),
           {case_of_payment}, p.shop_id
    FROM tools_payment p
    LEFT JOIN (
        SELECT payment_id, sum(amount_minor) AS ours FROM tools_toolcall
        WHERE payment_id IS NOT NULL AND state IN {live} {narrow} GROUP BY payment_id
    ) c ON c.payment_id = p.id
    WHERE greatest(p.reserved_minor + p.refunded_minor, coalesce(c.ours, 0)) > p.captured_minor {scope}
    ORDER BY p.id
"""

# More has gone or is promised than came in. That is a fact from outside, and no fault of ours, where we set nothing
# aside any more once it was so, and where a person had the order's case at or after the last such fact.
TOGETHER_OVER = """
    WITH over AS (
        SELECT p.* FROM tools_payment p
        WHERE p.reserved_minor + p.refunded_minor + p.elsewhere_minor > p.captured_minor
          AND p.reserved_minor + p.refunded_minor <= p.captured_minor {scope}
    ), run AS (
        SELECT e.payment_id, e.kind, e.at, e.amount_minor,
               sum(e.amount_minor) FILTER (WHERE e.kind IN ('reserved', 'released', 'reversed', 'elsewhere'))
                   OVER w AS promised,
               sum(e.amount_minor) FILTER (WHERE e.kind = 'captured') OVER w AS captured
        FROM tools_ledgerentry e WHERE e.payment_id IN (SELECT id FROM over)
        WINDOW w AS (PARTITION BY e.payment_id ORDER BY e.id)
    )
    SELECT 'payment ' || p.id,
           format('%%s captured, ours %%s, elsewhere %%s %%s', p.captured_minor,
                  p.reserved_minor + p.refunded_minor, p.elsewhere_minor, p.currency),
           {case_of_payment}, p.shop_id
    FROM over p
    WHERE EXISTS (
        SELECT 1 FROM run WHERE run.payment_id = p.id AND run.kind = 'reserved' AND run.promised > run.captured
    ) OR NOT EXISTS (
        SELECT 1 FROM cases_handoff h JOIN cases_case k ON k.id = h.case_id
        WHERE k.order_id = p.order_id AND (h.resolved_at IS NULL OR h.resolved_at >= (
            SELECT max(run.at) FROM run
            WHERE run.payment_id = p.id AND run.kind = 'elsewhere' AND run.amount_minor > 0
        ))
    )
    ORDER BY p.id
"""

# What others gave back on top of ours is a fact from outside, and no fault of ours where a person had the order's case
# at or after the last refund that named anything, and where we had sent ours before that.
TOLD = """(
            SELECT max(e.at) FROM tools_ledgerentry e JOIN tools_payment p ON p.id = e.payment_id
            WHERE p.order_id = {order} AND e.kind = 'elsewhere' AND e.vendor_ref LIKE 'lines/%%'
        )"""
NOBODY = """NOT EXISTS (
            SELECT 1 FROM cases_handoff h JOIN cases_case k ON k.id = h.case_id
            WHERE k.order_id = {order} AND (h.resolved_at IS NULL OR h.resolved_at >= coalesce({told}, '-infinity'))
        )"""

LINE_OVER = (
    """
    WITH ours AS (
        SELECT (part ->> 'line')::bigint AS line, sum((part ->> 'quantity')::bigint) AS pieces,
               sum((part ->> 'amount_minor')::bigint) AS minor,
               sum(coalesce((part ->> 'duties_minor')::bigint, 0)) AS duties, max(c.first_sent_at) AS sent
        FROM tools_toolcall c, jsonb_array_elements(c.request::jsonb -> 'lines') AS part
        WHERE c.tool = 'issue_refund' AND c.payment_id IS NOT NULL AND c.state IN {live} {narrow}
        GROUP BY 1
    )
    SELECT 'order line ' || l.id,
           format('%%s bought, %%s removed, %%s refunded elsewhere, %%s by us, by calls %%s; '
                  '%%s of %%s minor, by calls %%s; duties %%s of %%s, by calls %%s',
                  l.quantity, l.removed_quantity, l.elsewhere_quantity, l.refunded_quantity,
                  coalesce(ours.pieces, 0),
                  l.refunded_minor, l.total_minor, coalesce(ours.minor, 0),
                  l.duties_refunded_minor, l.duties_minor, coalesce(ours.duties, 0)),
           (SELECT max(k.id) FROM cases_case k WHERE k.order_id = l.order_id), o.shop_id
    FROM tools_orderline l JOIN tools_order o ON o.id = l.order_id LEFT JOIN ours ON ours.line = l.id
    WHERE (l.refunded_quantity > l.quantity OR l.removed_quantity > l.quantity
        OR l.refunded_minor > l.total_minor OR l.refunded_minor < 0
        OR l.duties_refunded_minor > l.duties_minor OR l.duties_refunded_minor < 0
        OR coalesce(ours.pieces, 0) <> l.refunded_quantity OR coalesce(ours.minor, 0) <> l.refunded_minor
        OR coalesce(ours.duties, 0) <> l.duties_refunded_minor
        OR (l.refunded_quantity > 0 AND ({nobody} OR ours.sent > {told})
            AND l.refunded_quantity + l.elsewhere_quantity + l.removed_quantity > l.quantity)) {scope}
    ORDER BY l.id
""".replace("{nobody}", NOBODY)
    .replace("{told}", TOLD)
    .replace("{order}", "l.order_id")
)

SHIPPING_OVER = (
    """
    WITH ours AS (
        SELECT (c.request::jsonb ->> 'order')::bigint AS id,
               sum((c.request::jsonb ->> 'shipping_minor')::bigint) AS minor
        FROM tools_toolcall c
        WHERE c.tool = 'issue_refund' AND c.payment_id IS NOT NULL AND c.state IN {live} {narrow} GROUP BY 1
    )
    SELECT 'order ' || o.id,
           format('%%s of %%s refunded by us, by calls %%s, elsewhere %%s',
                  o.shipping_refunded_minor, o.shipping_minor, coalesce(ours.minor, 0), o.shipping_elsewhere_minor),
           (SELECT max(k.id) FROM cases_case k WHERE k.order_id = o.id), o.shop_id
    FROM tools_order o LEFT JOIN ours USING (id)
    WHERE (o.shipping_refunded_minor > o.shipping_minor OR o.shipping_refunded_minor < 0
        OR coalesce(ours.minor, 0) <> o.shipping_refunded_minor
        OR (o.shipping_refunded_minor > 0 AND {nobody}
            AND o.shipping_refunded_minor + o.shipping_elsewhere_minor > o.shipping_minor)) {scope}
    ORDER BY o.id
""".replace("{nobody}", NOBODY)
    .replace("{told}", TOLD)
    .replace("{order}", "o.id")
)

SUMS = """
    SELECT 'payment ' || p.id,
           format('captured %%s by entries %%s, reserved %%s by entries %%s by calls %%s, '
                  'refunded %%s by entries %%s by calls %%s, elsewhere %%s by entries %%s, disputed %%s by entries %%s',
                  p.captured_minor, e.captured, p.reserved_minor, e.reserved, c.reserved,
                  p.refunded_minor, e.refunded, c.refunded, p.elsewhere_minor, e.elsewhere,
                  p.disputed_minor, e.disputed),
           {case_of_payment}, p.shop_id
    FROM tools_payment p
    LEFT JOIN (
        SELECT payment_id,
               coalesce(sum(amount_minor) FILTER (WHERE kind = 'captured'), 0) AS captured,
               coalesce(sum(amount_minor) FILTER (WHERE kind IN ('reserved', 'released')), 0)
                   - coalesce(sum(amount_minor) FILTER (WHERE kind = 'refunded'), 0) AS reserved,
               coalesce(sum(amount_minor) FILTER (WHERE kind IN ('refunded', 'reversed')), 0) AS refunded,
               coalesce(sum(amount_minor) FILTER (WHERE kind = 'elsewhere'), 0) AS elsewhere,
               coalesce(sum(amount_minor) FILTER (WHERE kind = 'disputed'), 0) AS disputed
        FROM tools_ledgerentry WHERE true {narrow} GROUP BY payment_id
    ) e ON e.payment_id = p.id
    LEFT JOIN (
        SELECT payment_id,
               coalesce(sum(amount_minor) FILTER (WHERE state IN {holds}), 0) AS reserved,
               coalesce(sum(amount_minor) FILTER (WHERE state = 'succeeded'), 0) AS refunded
        FROM tools_toolcall WHERE payment_id IS NOT NULL {narrow} GROUP BY payment_id
    ) c ON c.payment_id = p.id
    WHERE (p.captured_minor <> coalesce(e.captured, 0)
        OR p.reserved_minor <> coalesce(e.reserved, 0) OR p.reserved_minor <> coalesce(c.reserved, 0)
        OR p.refunded_minor <> coalesce(e.refunded, 0) OR p.refunded_minor <> coalesce(c.refunded, 0)
        OR p.elsewhere_minor <> coalesce(e.elsewhere, 0)
        OR p.disputed_minor <> coalesce(e.disputed, 0)) {scope}
    ORDER BY p.id
"""

LOOK = _(
    "Stop refunds of this shop with a kill switch, compare the payment with the vendor's page, then correct it."
)

MONEY = (
    Invariant(
        "our refunds never exceed the capture",
        _("We have paid back, or are about to pay back, more than this payment took."),
        LOOK,
        (Ask(OURS_OVER, OF_PAYMENT, OF_SHOP, OF_PAYMENTS),),
    ),
    Invariant(
        "what was refunded here and elsewhere stays within the capture, or stands before a person",
        _("With the refunds that were made elsewhere, more went back than came in, and no person has it."),
        _("Take the order's case over and settle with the customer what went back too much."),
        (Ask(TOGETHER_OVER, OF_PAYMENT, OF_SHOP),),
    ),
    Invariant(
        "a line gives back no more than was bought and not removed",
        _("More pieces or money of this line went back than the customer bought, and no person has it."),
        LOOK,
        (
            Ask(
                LINE_OVER,
                "l.order_id IN (SELECT order_id FROM cases_case WHERE id = ANY(%(cases)s))",
                "o.shop_id = ANY(%(shops)s)",
                OF_PAYMENTS,
            ),
        ),
    ),
    Invariant(
        "shipping is given back at most once",
        _("More shipping went back than the customer paid, and no person has it."),
        LOOK,
        (
            Ask(
                SHIPPING_OVER,
                "o.id IN (SELECT order_id FROM cases_case WHERE id = ANY(%(cases)s))",
                "o.shop_id = ANY(%(shops)s)",
                OF_PAYMENTS,
            ),
        ),
    ),
    Invariant(
        "a payment's sums are those of its ledger",
        _("A payment's sums are not what its ledger entries and tool calls add up to."),
        LOOK,
        (Ask(SUMS, OF_PAYMENT, OF_SHOP, OF_PAYMENTS),),
    ),
)
