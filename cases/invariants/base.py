"""What an invariant is: queries that name the rows which break it, and the words for whoever has to look.

Each is one SELECT, so it sees one moment of a database that others write to all the while. A question about one case
is a single statement with all of them, prepared once per connection: planning it costs more than answering.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.utils.functional import Promise


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken invariant and the row that breaks it; `facts` are the numbers and codes that show it."""

    invariant: str
    row: str
    facts: str = ""
    case_id: int | None = None
    shop_id: int | None = None

    def __str__(self) -> str:
        return f"{self.row} ({self.facts})" if self.facts else self.row


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases or shops are looked at; None is all of them."""

    cases: tuple[int, ...] | None = None
    shops: tuple[int, ...] | None = None

    @classmethod
    def of(cls, cases: Iterable[int] | None, shops: Iterable[int] | None) -> Scope:
        """The scope of what a caller names; an empty list is nothing, and not all."""
        return cls(*(None if ids is None else tuple(ids) for ids in (cases, shops)))

    @property
    def everything(self) -> bool:
        return self.cases is None and self.shops is None


# What several queries say, by the name under which it stands in them in braces.
FRAGMENTS = {
    # A call holds its money until it has failed or was cancelled; a refund that a vendor took back holds none.
    "holds": "('reserved', 'sending', 'pending', 'unknown')",
    "live": "('reserved', 'sending', 'pending', 'unknown', 'succeeded')",
    "case_of_payment": "(SELECT max(k.id) FROM cases_case k WHERE k.order_id = p.order_id)",
    "asked": "EXISTS (SELECT 1 FROM approvals_approvalrequest a WHERE a.case_id = k.id AND a.state = 'pending')",
    "called": "EXISTS (SELECT 1 FROM cases_handoff h WHERE h.case_id = k.id AND h.state IN ('waiting', 'claimed'))",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """One SELECT of (row, facts, case, shop) of each row that breaks an invariant, with `{scope}` where its condition
    ends.

    `case` and `shop` are the conditions under which a row belongs to the `%(cases)s` or `%(shops)s` that are asked
    about. `narrow` stands for `{narrow}` where cases are asked about, so that a sum isn't made over the rows of all.
    `since` is the audit entry after which `%(since)s` begins.
    """

    query: str
    case: str
    shop: str
    narrow: str = ""
    since: int = 0


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must be true of the stored rows at any moment.

    `name` is its stable name, `sentence` says to staff what is wrong, `todo` what to do about it.
    """

    name: str
    sentence: str | Promise
    todo: str | Promise
    asks: tuple[Ask, ...] = ()

    def violations(self, scope: Scope) -> list[Violation]:
        """Each row that breaks it, in the order of its queries."""
        return [row for ask in self.asks for row in _found(self.name, ask, scope)]


def _found(name: str, ask: Ask, scope: Scope) -> list[Violation]:
    params: dict[str, Any] = {
        "cases": list(scope.cases or ()),
        "shops": list(scope.shops or ()),
        "since": ask.since,
    }
    with connection.cursor() as cursor:
        cursor.execute(_sql(ask, scope.cases is not None, scope.shops is not None), params)
        return [Violation(name, row, facts or "", case, shop) for row, facts, case, shop in cursor.fetchall()]


@lru_cache(maxsize=512)
def _sql(ask: Ask, by_cases: bool, by_shops: bool) -> str:
    """The query as it is sent, with every fragment in its place."""
    conditions = [f"({ask.case})"] * by_cases + [f"({ask.shop})"] * by_shops
    words = {**FRAGMENTS, "scope": "".join(f" AND {one}" for one in conditions)}
    words["narrow"] = ask.narrow if by_cases else ""
    query = ask.query
    for word, fragment in words.items():
        query = query.replace("{" + word + "}", fragment)
    return query


def of_cases(invariants: Sequence[Invariant], cases: Sequence[int]) -> list[Violation]:
    """What breaks any of the invariants in these cases, at one moment, in the invariants' order."""
    asks = tuple((one.name, ask) for one in invariants for ask in one.asks)
    name, statement = _prepared(tuple(ask for _name, ask in asks))
    with transaction.atomic(), connection.cursor() as cursor:
        # No plan is better for one case than for another, so the first one serves for good.
        cursor.execute(
            "SELECT set_config('plan_cache_mode', 'force_generic_plan', true),"
            " EXISTS (SELECT 1 FROM pg_prepared_statements WHERE name = %s)",
            [name],
        )
        if not cursor.fetchone()[1]:
            cursor.execute(statement)
        cursor.execute(f"EXECUTE {name} (%s)", [list(cases)])
        rows = sorted(cursor.fetchall(), key=lambda row: row[0])
    return [Violation(asks[place][0], row, facts or "", case, shop) for place, row, facts, case, shop in rows]


@lru_cache(maxsize=8)
def _prepared(asks: tuple[Ask, ...]) -> tuple[str, str]:
    """A name for the statement that asks all of these about the cases in $1, and the statement."""
    parts = (
        f"SELECT {place}::int, one.* FROM ({_sql(ask, True, False)}) AS one"  # noqa: S608
        for place, ask in enumerate(asks)
    )
    query = (
        "\nUNION ALL\n".join(parts).replace("%(cases)s", "$1").replace("%(since)s", "0").replace("%%", "%")
    )
    name = f"books_{sha256(query.encode()).hexdigest()[:24]}"
    return name, f"PREPARE {name} (bigint[]) AS {query}"
