"""What must be true of the stored rows at any moment; each query names the rows that break it.

violations(cases=[17])      one case, fast enough to ask after each step of a test
INVARIANTS                  the table, in the order in which it is told
runs.run()                  all of it, timed and kept, as the command and the night do it
"""

from __future__ import annotations

from collections.abc import Iterable

from cases.invariants.base import Invariant, Scope, Violation, of_cases
from cases.invariants.chain import broken_after
from cases.invariants.documents import DOCUMENTS
from cases.invariants.effects import EFFECTS
from cases.invariants.money import MONEY
from cases.invariants.places import PLACES, open_handoffs, pending_requests
from cases.invariants.telling import TELLING

__all__ = [
    "INVARIANTS",
    "Invariant",
    "Violation",
    "invariants",
    "open_handoffs",
    "pending_requests",
    "violations",
]


def invariants(*, entries_after: int = 0) -> tuple[Invariant, ...]:
    """The whole table; the audit chain is verified from the entry that is named, 0 from its beginning."""
    return (*EFFECTS, *MONEY, *DOCUMENTS, *PLACES, *TELLING, broken_after(entries_after))


INVARIANTS: dict[str, Invariant] = {one.name: one for one in invariants()}


def violations(*, cases: Iterable[int] | None = None, shops: Iterable[int] | None = None) -> list[Violation]:
    """All violations, in the table's order, of the named cases or shops alone where given; none is good news."""
    scope = Scope.of(cases, shops)
    if scope.cases is not None and scope.shops is None:
        return of_cases(tuple(INVARIANTS.values()), scope.cases)
    return [row for one in INVARIANTS.values() for row in one.violations(scope)]
