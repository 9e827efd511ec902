"""Speed: more orders, wishes for money or refunds by one customer, card or address than anybody honest has.

The numbers are literal, so that no setting turns them off; the caps of a shop hold the sums below them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection

from approvals.exposure import COUNTS, MOST_AT_ONE_PLACE
from audit import sources
from tools.base import Kind
from tools.registry import TOOLS


@dataclass(frozen=True, slots=True)
class Pace:
    """How often something may be within a time, by each customer, card and address."""

    most: int
    within: timedelta


PACES = {
    "orders": Pace(10, timedelta(hours=24)),
    "wishes": Pace(8, timedelta(days=30)),
    "refunds": Pace(5, timedelta(days=30)),
}

# Whose an order is: a customer under all spellings of one e-mail and phone, the cards that paid it, its address unless
# so many people live there that it says nothing.
QUERY = """
WITH own AS (SELECT id, shop_id, person_id, address_key FROM tools_order WHERE id = %(order)s
), one AS (SELECT p.id, p.shop_id, p.email_key, p.phone FROM cases_person p JOIN own ON p.id = own.person_id
), near AS (
    SELECT id FROM one
    UNION SELECT p.id FROM cases_person p JOIN one ON p.shop_id = one.shop_id AND p.email_key = one.email_key
        WHERE p.email_key <> ''
    UNION SELECT p.id FROM cases_person p JOIN one ON p.shop_id = one.shop_id AND p.phone = one.phone
        WHERE p.phone <> ''
), paid AS (
    SELECT DISTINCT p.order_id FROM own JOIN tools_payment mine ON mine.order_id = own.id AND mine.instrument <> ''
    JOIN tools_payment p ON p.shop_id = own.shop_id AND p.instrument = mine.instrument AND p.instrument <> ''
), there AS (
    SELECT o.id, o.person_id FROM own
    JOIN tools_order o ON o.shop_id = own.shop_id AND o.address_key = own.address_key
), theirs AS (
    SELECT o.id AS order_id, 'customer' AS scope, o.placed_at FROM tools_order o
    WHERE o.person_id IN (SELECT id FROM near)
    UNION ALL SELECT o.id, 'instrument', o.placed_at FROM tools_order o WHERE o.id IN (SELECT order_id FROM paid)
    UNION ALL SELECT o.id, 'address', o.placed_at FROM tools_order o WHERE o.id IN (SELECT id FROM there)
        AND (SELECT count(DISTINCT person_id) FROM there) <= %(at_one_place)s
), counted AS (
    SELECT 'orders' AS what, scope, count(*) AS number FROM theirs
    WHERE placed_at > %(now)s - %(orders_within)s GROUP BY scope
    UNION ALL
    SELECT 'wishes', scope, count(DISTINCT d.case_id) FROM theirs
    JOIN cases_case c ON c.order_id = theirs.order_id JOIN approvals_decision d ON d.case_id = c.id
    WHERE d.by_kind = 'agent' AND d.tool = ANY(%(tools)s) AND d.at > %(now)s - %(wishes_within)s GROUP BY scope
    UNION ALL
    SELECT 'refunds', scope, count(DISTINCT t.decision_id) FROM theirs
    JOIN cases_case c ON c.order_id = theirs.order_id JOIN tools_toolcall t ON t.case_id = c.id
    WHERE t.value_minor > 0 AND t.state = ANY(%(counts)s) AND t.created_at > %(now)s - %(refunds_within)s
    GROUP BY scope
)
SELECT what, max(number) FROM counted GROUP BY what
"""


def too_fast(order_id: int) -> list[str]:
    """What there is more of than `PACES` allow for the customer, cards or address of an order, by name."""
    words: dict[str, Any] = {f"{what}_within": pace.within for what, pace in PACES.items()}
    words |= {
        "order": order_id,
        "now": sources.now(),
        "tools": [name for name, tool in TOOLS.items() if tool.kind is Kind.MONEY],
        "counts": [str(state) for state in COUNTS],
        "at_one_place": MOST_AT_ONE_PLACE,
    }
    with connection.cursor() as cursor:
        cursor.execute(QUERY, words)
        counted = dict(cursor.fetchall())
    return [what for what, pace in PACES.items() if counted.get(what, 0) > pace.most]
