"""The two questions of `exposure`, each one statement: they are asked under locks that others wait for."""

from __future__ import annotations

# Whoever is written to at the same mailbox or called at the same phone; reads `wanted`.
NEAR = """
    SELECT id FROM wanted
    UNION
    SELECT p.id FROM wanted w JOIN cases_person p
        ON p.shop_id = w.shop_id AND p.email_key = w.email_key AND p.email_key <> ''
    UNION
    SELECT p.id FROM wanted w JOIN cases_person p ON p.shop_id = w.shop_id AND p.phone = w.phone AND p.phone <> ''
"""

# Values: people, shop, most.
SPELLINGS = f"""
WITH wanted AS (
    SELECT p.id, p.shop_id, p.email_key, p.phone FROM cases_person p WHERE p.id = ANY(%s::uuid[]) AND p.shop_id = %s
)
SELECT one.id FROM ({NEAR}) one LIMIT %s
"""  # noqa: S608 - put together of constants

# Who hangs together over however many steps: a person, what they paid with and where it went, whoever else paid with
# that or lives there, and so on. A shared place with too many people leads no further. Each row is one of the three,
# and no more of them are looked for than are asked for, which is where the walk ends.
REACHED = """
    SELECT near.id AS person, NULL::text AS card, NULL::uuid AS place FROM near
    UNION
    SELECT NULL, card.instrument, NULL FROM cards card
    UNION
    SELECT NULL, NULL, place.address_key FROM places place
"""
NEXT = """
    SELECT p.id AS person, NULL::text AS card, NULL::uuid AS place
    FROM cases_person me JOIN cases_person p
        ON p.shop_id = me.shop_id AND p.email_key = me.email_key AND p.email_key <> ''
    WHERE me.id = r.person AND me.shop_id = (SELECT id FROM shop)
    UNION ALL
    SELECT p.id, NULL, NULL
    FROM cases_person me JOIN cases_person p ON p.shop_id = me.shop_id AND p.phone = me.phone AND p.phone <> ''
    WHERE me.id = r.person AND me.shop_id = (SELECT id FROM shop)
    UNION ALL
    SELECT NULL, pay.instrument, NULL
    FROM tools_order o JOIN tools_payment pay ON pay.order_id = o.id AND pay.instrument <> ''
    WHERE o.person_id = r.person AND o.shop_id = (SELECT id FROM shop)
    UNION ALL
    SELECT NULL, NULL, o.address_key FROM tools_order o
    WHERE o.person_id = r.person AND o.shop_id = (SELECT id FROM shop) AND o.address_key IS NOT NULL
    UNION ALL
    SELECT o.person_id, NULL, NULL
    FROM tools_payment pay JOIN tools_order o ON o.id = pay.order_id AND o.person_id IS NOT NULL
    WHERE pay.instrument = r.card AND pay.instrument <> '' AND pay.shop_id = (SELECT id FROM shop)
    UNION ALL
    SELECT NULL, NULL, o.address_key
    FROM tools_payment pay JOIN tools_order o ON o.id = pay.order_id AND o.address_key IS NOT NULL
    WHERE pay.instrument = r.card AND pay.instrument <> '' AND pay.shop_id = (SELECT id FROM shop)
    UNION ALL
    SELECT o.person_id, pay.instrument, NULL
    FROM tools_order o
    LEFT JOIN tools_payment pay ON o.person_id IS NULL AND pay.order_id = o.id AND pay.instrument <> ''
    WHERE o.address_key = r.place AND o.shop_id = (SELECT id FROM shop)
        AND (o.person_id IS NOT NULL OR pay.instrument IS NOT NULL)
        AND (
            SELECT count(DISTINCT h.person_id) FROM tools_order h
            WHERE h.address_key = r.place AND h.shop_id = (SELECT id FROM shop)
        ) <= %s
"""

# Values: order, payment, how many of near, cards and places at most, people at one place, how many reached in all.
LINKED = f"""
WITH RECURSIVE mine AS (
    SELECT o.id, o.shop_id, o.person_id FROM tools_order o
    WHERE o.id = %s::bigint OR o.id = (SELECT p.order_id FROM tools_payment p WHERE p.id = %s::bigint)
),
shop AS (SELECT mine.shop_id AS id FROM mine ORDER BY mine.id LIMIT 1),
wanted AS (
    SELECT p.id, p.shop_id, p.email_key, p.phone
    FROM mine JOIN cases_person p ON p.id = mine.person_id AND p.shop_id = (SELECT id FROM shop)
),
near AS (SELECT one.id FROM ({NEAR}) one LIMIT %s),
theirs AS (
    SELECT o.id, o.address_key FROM mine JOIN tools_order o USING (id) WHERE o.shop_id = (SELECT id FROM shop)
    UNION
    SELECT o.id, o.address_key
    FROM near JOIN tools_order o ON o.person_id = near.id AND o.shop_id = (SELECT id FROM shop)
),
cards AS (
    SELECT DISTINCT p.instrument FROM theirs JOIN tools_payment p ON p.order_id = theirs.id
    WHERE p.instrument <> '' LIMIT %s
),
places AS (SELECT DISTINCT address_key FROM theirs WHERE address_key IS NOT NULL LIMIT %s),
reach AS (
    SELECT began.person, began.card, began.place FROM ({REACHED}) began
    UNION
    SELECT n.person, n.card, n.place FROM reach r CROSS JOIN LATERAL ({NEXT}) n
),
reached AS (SELECT reach.person, reach.card, reach.place FROM reach LIMIT %s)
SELECT
    shop.id,
    ARRAY(SELECT id FROM mine),
    ARRAY(SELECT id FROM near),
    ARRAY(SELECT instrument FROM cards),
    ARRAY(SELECT address_key FROM places),
    ARRAY(SELECT person FROM reached WHERE person IS NOT NULL),
    (SELECT count(*) FROM reached)
FROM shop
"""  # noqa: S608 - put together of constants

# What was given or is on its way, what waits for a signature, and what staff gave back by hand: of its order always,
# of all others by the vendor's day of it, and never of what the agent gave alone. What came back of it, since it failed
# or was ours after all, counts by the day on which it was made.
# Of requests that wait for each other the later one counts the earlier.
# What is not settled yet is given now, however long ago it was decided.
# Of a day counts what was promised or left in it, and what may leave any moment: else what a vendor could not take
# for a day would leave together with the next day's.
SUMS = """
WITH counted AS (
    SELECT c.currency, c.value_minor AS minor,
        CASE WHEN c.payment_id IS NULL THEN k.order_id ELSE p.order_id END AS order_id,
        c.created_at >= %(recent)s OR c.state = ANY(%(open)s::text[]) AS recent,
        c.created_at >= %(today)s OR c.first_sent_at >= %(today)s OR c.first_sent_at IS NULL AS today,
        d.outcome = %(alone)s AND d.by_kind = 'agent' AND kind.kind = %(planner)s AS alone, true AS of_order
    FROM tools_toolcall c
    LEFT JOIN tools_payment p ON p.id = c.payment_id
    LEFT JOIN cases_case k ON k.id = c.case_id
    LEFT JOIN approvals_decision d ON d.id = c.decision_id
    LEFT JOIN cases_plannerconfig kind ON kind.id = d.planner_id
    WHERE c.shop_id = %(shop)s AND c.state = ANY(%(counts)s::text[]) AND c.value_minor > 0
        AND (%(without)s::bigint IS NULL OR c.decision_id IS DISTINCT FROM %(without)s::bigint)
        AND (
            c.created_at >= %(recent)s OR c.state = ANY(%(open)s::text[])
            OR p.order_id = ANY(%(orders)s::bigint[])
            OR c.payment_id IS NULL AND k.order_id = ANY(%(orders)s::bigint[])
        )
    UNION ALL
    SELECT r.currency, r.amount_minor, k.order_id, true, true, false, true
    FROM approvals_approvalrequest r JOIN cases_case k ON k.id = r.case_id
    WHERE r.shop_id = %(shop)s AND r.state = %(pending)s
        AND (%(without)s::bigint IS NULL OR r.decision_id < %(without)s::bigint)
    UNION ALL
    SELECT p.currency, p.elsewhere_minor, p.order_id, false, false, false, true
    FROM tools_payment p WHERE p.order_id = ANY(%(orders)s::bigint[]) AND p.elsewhere_minor > 0
    UNION ALL
    SELECT e.currency, e.amount_minor, p.order_id, true, made.made_at >= %(today)s, false, false
    FROM tools_ledgerentry made
    JOIN tools_ledgerentry e ON e.payment_id = made.payment_id AND e.kind = 'elsewhere'
        AND split_part(e.vendor_ref, '/', 1) = made.vendor_ref
    JOIN tools_payment p ON p.id = made.payment_id
    WHERE made.shop_id = %(shop)s AND made.kind = 'elsewhere' AND made.made_at >= %(recent)s
        AND strpos(made.vendor_ref, '/') = 0 AND e.amount_minor <> 0
)
SELECT
    n.currency,
    coalesce(sum(n.minor) FILTER (WHERE n.of_order AND n.order_id = ANY(%(orders)s::bigint[])), 0)::bigint,
    coalesce(sum(n.minor) FILTER (WHERE n.recent AND o.person_id = ANY(%(people)s::uuid[])), 0)::bigint,
    coalesce(sum(n.minor) FILTER (WHERE n.recent AND o.id IN (
        SELECT p.order_id FROM tools_payment p WHERE p.instrument = ANY(%(cards)s::text[])
    )), 0)::bigint,
    coalesce(sum(n.minor) FILTER (WHERE n.recent AND o.address_key = ANY(%(places)s::uuid[])), 0)::bigint,
    coalesce(sum(n.minor) FILTER (WHERE n.today), 0)::bigint,
    coalesce(sum(n.minor) FILTER (WHERE n.today AND n.alone), 0)::bigint
FROM counted n LEFT JOIN tools_order o ON o.id = n.order_id AND o.shop_id = %(shop)s
GROUP BY n.currency
"""
SUMMED = ("order", "customer", "instrument", "address", "day", "automatic")
