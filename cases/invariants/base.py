"""What an invariant is: one query that names the rows which break it, and the words for whoever has to look.

Each is one SELECT, so it sees one moment of a database that others write to all the while.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection
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

# Within a sum over many rows, so that a question about one case doesn't add up those of all.
OF_PAYMENTS = """AND payment_id IN (
    SELECT x.id FROM tools_payment x
    WHERE x.order_id IN (SELECT order_id FROM cases_case WHERE id = ANY(%(cases)s)))"""

Find = Callable[["Invariant", Scope], list[Violation]]


def by_query(invariant: Invariant, scope: Scope) -> list[Violation]:
    """The rows of the invariant's own query."""
    return rows_of(invariant.name, invariant.query, scope, invariant.case, invariant.shop)


@dataclass(frozen=True, slots=True)
class Invariant:
    """One thing that must be true of the stored rows at any moment.

    `name` is its stable name, `sentence` says to staff what is wrong, `todo` what to do about it. `query` selects
    (row, facts, case, shop) of each row that breaks it, with `{scope}` where its condition ends; `case` and `shop`
    are the conditions under which a row belongs to the `%(cases)s` or `%(shops)s` that are asked about.
    """

    name: str
    sentence: str | Promise
    todo: str | Promise
    query: str = ""
    case: str = ""
    shop: str = ""
    find: Find = by_query

    def violations(self, scope: Scope) -> list[Violation]:
        """Each row that breaks it, in the order of its query."""
        return self.find(self, scope)


def rows_of(
    name: str, query: str, scope: Scope, case: str, shop: str, more: dict[str, Any] | None = None
) -> list[Violation]:
    """What a query of (row, facts, case, shop) finds within the scope."""
    conditions = [f"({case})"] if scope.cases is not None else []
    conditions += [f"({shop})"] if scope.shops is not None else []
    words = {**FRAGMENTS, "scope": "".join(f" AND {one}" for one in conditions)}
    words["of_payments"] = OF_PAYMENTS if scope.cases is not None else ""
    for word, fragment in words.items():
        query = query.replace("{" + word + "}", fragment)
    params = {"cases": list(scope.cases or ()), "shops": list(scope.shops or ()), **(more or {})}
    with connection.cursor() as cursor:
        cursor.execute(query, params)
        return [Violation(name, row, facts or "", case, shop) for row, facts, case, shop in cursor.fetchall()]
