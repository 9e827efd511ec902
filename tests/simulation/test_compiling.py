"""A query that is served by another's statement is the one that Django would have compiled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from cases.models import Case, Shop, User
from opsagent.simulation.compiling import compiled_once
from tools.models import Order, ToolCall

pytestmark = pytest.mark.django_db
Rows = QuerySet[Any, Any]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
CALLS, CASES = ToolCall.objects, Case.objects

# Twice the same question about something else, or one that only looks the same.
PAIRS: dict[str, Callable[[int], Rows]] = {
    "a value": lambda n: CALLS.filter(pk=n),
    "a truth": lambda n: User.objects.filter(is_active=n == 1),
    "nothing": lambda n: CALLS.filter(not_before__isnull=n == 1),
    "one of some": lambda n: CALLS.filter(state__in=["reserved", "sending", "unknown"][:n]),
    "one of none": lambda n: CALLS.filter(Q(state__in=["reserved"][: n - 1]) | Q(pk=n)),
    "one of none, and more": lambda n: CALLS.filter(Q(state__in=["sent"][: n - 1], tool="x") | Q(pk=n)),
    "not one of none": lambda n: CALLS.exclude(state__in=["sent"][: n - 1], tool="x").filter(pk=n),
    "more or less": lambda n: CALLS.filter(**{"amount_minor__gt" if n == 1 else "amount_minor__lt": n}),
    "across tables": lambda n: CALLS.filter(case__order__external_id=str(n)).order_by("-pk")[:n],
    "not": lambda n: CALLS.exclude(state="failed") if n == 1 else CALLS.filter(state="failed"),
    "or and and": lambda n: CASES.filter(Q(pk=n), Q(state="open") if n == 1 else ~Q(state="open")),
    "columns": lambda n: CASES.filter(pk=n).values_list("pk", "state")[:n],
    "with what hangs on it": lambda n: CALLS.select_related("case" if n == 1 else "decision").filter(pk=n),
    "parts": lambda n: CALLS.only("pk") if n == 1 else CALLS.defer("request"),
    "distinct": lambda n: CALLS.distinct() if n == 1 else CALLS.all(),
    "locked": lambda n: Order.objects.select_for_update(no_key=n == 1, skip_locked=n == 2).filter(pk=n),
    "two fields": lambda n: CASES.filter(fence=F("dirty") if n == 1 else F("pk")),
    "sorted": lambda n: CASES.order_by(F("pk").desc(nulls_last=n == 1 or None), "state"),
    "a subquery": lambda n: CALLS.filter(case__in=CASES.filter(pk=n).values("pk"), amount_minor=n),
    "something exists": lambda n: CASES.filter(
        Exists(CALLS.filter(case=OuterRef("pk"), amount_minor=n)), fence=n + 1
    ),
    "grouped": lambda n: CASES.values("state").annotate(n=Count("pk")).filter(pk=n),
    "a date": lambda n: CALLS.filter(not_before__lte=NOON.replace(hour=n)),
}


def compiled(rows: Rows) -> tuple[str, tuple[object, ...]]:
    with transaction.atomic():
        sql, params = rows.query.get_compiler("default").as_sql()
    return sql, tuple(params)


@pytest.mark.parametrize("make", PAIRS.values(), ids=PAIRS)
def test_a_statement_serves_only_the_same_question(make: Callable[[int], Rows]) -> None:
    plain = [compiled(make(number)) for number in (1, 2)]
    with compiled_once():
        assert [compiled(make(number)) for number in (1, 2, 1, 2)] == plain * 2


def test_the_second_query_of_a_shape_is_not_compiled() -> None:
    with compiled_once() as shapes:
        for name in (
            "a value",
            "a truth",
            "one of none",
            "one of none, and more",
            "across tables",
            "a subquery",
            "or and and",
            "locked",
        ):
            served = shapes.served
            assert compiled(PAIRS[name](1)) == compiled(PAIRS[name](1))
            assert shapes.served == served + 1, name


def test_what_is_served_is_read_as_what_was_compiled() -> None:
    shops = Shop.objects.order_by("pk")
    before = list(shops.values()), [shop.pk for shop in shops.select_related("planner")]
    with compiled_once() as shapes:
        for _ in range(2):
            assert (list(shops.values()), [shop.pk for shop in shops.select_related("planner")]) == before
            assert shops.filter(slug="nobody").exists() is False
        assert shapes.served >= 2
