"""How fast a vendor may be asked: one token bucket per shop and vendor, shared by all processes.

Each function is one statement of its own on the database's clock, outside any transaction: no row stays locked while
anybody waits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection

from audit import sources
from tools.errors import InvalidArgs

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Budget:
    """What a vendor allows, in its own unit: a burst of `capacity`, restored at `per_second`."""

    capacity: float
    per_second: float
    source: str


# What we begin with. The vendor's own word, where it gives one, replaces it at the first answer.
BUDGETS: dict[str, Budget] = {
    # Cost points of the smallest plan; the bucket holds what comes back in twenty seconds.
    "shopify": Budget(2000, 100, "https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits"),
    # Requests; 100 in live mode, 25 in a sandbox and at most endpoints.
    "stripe": Budget(25, 25, "https://docs.stripe.com/rate-limits"),
    # Requests of size L: 75 in a second, 700 in a minute. Events are XL; smaller sizes cost more than one.
    "klaviyo": Budget(75, 700 / 60, "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling"),
    # Messages per business phone number.
    "whatsapp": Budget(80, 80, "https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput"),
    # Mails, through whichever server: the only rate that a common one publishes, with a short burst.
    "email": Budget(10, 1, "https://docs.aws.amazon.com/ses/latest/dg/quotas.html"),
    # Messages per channel.
    "slack": Budget(1, 1, "https://docs.slack.dev/apis/web-api/rate-limits"),
}
KEPT_FOR_WRITES = 0.2
# A vendor that wishes for longer is asked again after an hour all the same.
LONGEST_EMPTY_SECONDS = 3600.0
SHORTEST_WAIT_SECONDS = 0.05
TRIES = 3

# A statement that waited for another's row has an old moment: then nothing was restored in between.
REFILLED = """LEAST(b.capacity, b.level + b.per_second
    * GREATEST(0, EXTRACT(EPOCH FROM moment.now - b.level_at))::float8)"""
MOMENT = "WITH moment AS MATERIALIZED (SELECT COALESCE(%(held)s, clock_timestamp()) AS now)"
WHOSE = "s.slug = %(shop)s AND b.shop_id = s.id AND b.vendor = %(vendor)s"
# What costs more than a reader may ever hold goes when the bucket is full.
NEEDED = "LEAST(b.capacity, %(cost)s + %(kept)s * b.capacity)"

TAKE = f"""
    {MOMENT}
    UPDATE tools_ratebudget AS b
    SET level = {REFILLED} - %(cost)s, level_at = GREATEST(b.level_at, moment.now)
    FROM cases_shop AS s, moment
    WHERE {WHOSE} AND {REFILLED} >= {NEEDED}
    RETURNING b.id
"""  # noqa: S608 - our own words alone
WAIT = f"""
    {MOMENT}
    SELECT ({NEEDED} - {REFILLED}) / b.per_second
    FROM tools_ratebudget AS b, cases_shop AS s, moment WHERE {WHOSE}
"""  # noqa: S608
BEGIN = """
    INSERT INTO tools_ratebudget (shop_id, vendor, capacity, per_second, level, level_at)
    SELECT s.id, %(vendor)s, %(capacity)s, %(per_second)s, %(level)s, COALESCE(%(held)s, clock_timestamp())
    FROM cases_shop AS s WHERE s.slug = %(shop)s
    ON CONFLICT (shop_id, vendor) DO
"""
EMPTY = f"""
    {MOMENT}
    UPDATE tools_ratebudget AS b
    SET level = LEAST({REFILLED}, -b.per_second * %(seconds)s), level_at = GREATEST(b.level_at, moment.now)
    FROM cases_shop AS s, moment WHERE {WHOSE}
"""  # noqa: S608


def take(shop: str, vendor: str, cost: float, *, write: bool) -> float:
    """Takes `cost` from the bucket and returns 0, or takes nothing and returns the seconds until there is enough.

    Reads leave a fifth of the capacity for writes. Raises InvalidArgs for a vendor without a budget, and for a shop
    that doesn't exist.
    """
    asked = {"shop": shop, "vendor": vendor, "cost": cost, "kept": 0.0 if write else KEPT_FOR_WRITES}
    # Between the two statements the row may be made, or filled up, by somebody else: then it is asked for again.
    for _ in range(TRIES):
        if _one(TAKE, asked):
            return 0.0
        wait = _one(WAIT, asked)
        if wait is None:
            _begin(shop, vendor)
        elif wait[0] > 0:
            return max(SHORTEST_WAIT_SECONDS, wait[0])
    return SHORTEST_WAIT_SECONDS


def wait_for(shop: str, vendor: str, cost: float) -> float:
    """The seconds until a write of this cost could be taken, 0 where it can be now; takes nothing."""
    found = _one(WAIT, {"shop": shop, "vendor": vendor, "cost": cost, "kept": 0.0})
    return max(0.0, found[0]) if found else 0.0


def empty(shop: str, vendor: str, seconds: float) -> None:
    """Nothing is left, and nothing is restored for so many seconds: the vendor said that it is too much."""
    _do(EMPTY, {"shop": shop, "vendor": vendor, "seconds": min(seconds, LONGEST_EMPTY_SECONDS)})


def learn(shop: str, vendor: str, capacity: float, per_second: float, level: float) -> None:
    """The vendor's own word on the shop's bucket replaces ours; figures that can't be are logged and left."""
    figures = (capacity, per_second, level)
    if not all(math.isfinite(figure) for figure in figures) or capacity <= 0 or per_second <= 0:
        log.warning("rate_budget_not_believed", vendor=vendor, shop=shop)
        return
    told = {"capacity": capacity, "per_second": per_second, "level": min(level, capacity)}
    update = """UPDATE SET capacity = EXCLUDED.capacity, per_second = EXCLUDED.per_second,
        level = EXCLUDED.level, level_at = EXCLUDED.level_at"""
    _do(BEGIN + update, {"shop": shop, "vendor": vendor, **told})


def _begin(shop: str, vendor: str) -> None:
    budget = BUDGETS.get(vendor)
    if budget is None:
        raise InvalidArgs("has no rate budget", vendor=vendor, code="no_budget")
    figures = {"capacity": budget.capacity, "per_second": budget.per_second, "level": budget.capacity}
    # Somebody else may have begun at the same moment, which is as good.
    _do(BEGIN + "NOTHING", {"shop": shop, "vendor": vendor, **figures})
    known = "SELECT 1 FROM cases_shop WHERE slug = %(shop)s"
    if not _one(known, {"shop": shop}):
        raise InvalidArgs("no such shop", vendor=vendor, code="no_shop")


def _one(statement: str, values: dict[str, Any]) -> tuple[float, ...] | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "held": sources.held()})
        found: tuple[float, ...] | None = cursor.fetchone()
    return found


def _do(statement: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**values, "held": sources.held()})
