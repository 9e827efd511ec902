"""A chain that was walked before asks the database what Django would ask it, and reads the answer alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import MultipleObjectsReturned, ObjectDoesNotExist
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Prefetch, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields import TextField
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from cases.models import Case, LegalEntity, Shop, Template, User
from opsagent.simulation.asking import asked_once
from opsagent.simulation.compiling import compiled_once
from tests.factories import make_entity, make_shop, make_template, make_user
from tests.simulation.test_compiling import PAIRS
from tools.models import ToolCall

pytestmark = pytest.mark.django_db
Rows = QuerySet[Any, Any]
Ask = Callable[[int], Any]
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LANGUAGES = ["en", "de", "ja"]


def templates() -> QuerySet[Template]:
    return Template.objects.order_by("pk")


def shops() -> QuerySet[Shop]:
    return Shop.objects.order_by("pk")


def one_of(rows: Rows) -> Any:
    try:
        return rows.get()
    except (ObjectDoesNotExist, MultipleObjectsReturned) as problem:
        return type(problem).__name__


def first_of(rows: Rows) -> Any:
    try:
        return rows.first()
    except TypeError as problem:
        return str(problem)


ENDS: dict[str, Callable[[Rows], Any]] = {
    "all": list,
    "the first": first_of,
    "one": one_of,
    "some": lambda rows: list(rows[1:3]),
    "whether any": lambda rows: rows.exists(),
}
# Each is asked about 1, about 2, and about both again.
CHAINS: dict[str, Ask] = {
    "an object": lambda n: templates()[n].__dict__ | {"_state": None},
    "one of some": lambda n: [row.pk for row in templates().filter(language__in=LANGUAGES[:n])],
    "one of a set": lambda n: templates().filter(version__in={n, 3}).count(),
    "one of the same twice": lambda n: list(templates().filter(version__in=[n, n, 3]).values("key")),
    "one of none": lambda n: list(templates().filter(language__in=LANGUAGES[: n - 1])),
    "one of none, or another": lambda n: list(
        templates().filter(
            Q(language__in=LANGUAGES[: n - 1], version=n) | Q(version=2, key=f"letter-{n}"), active=True
        )
    ),
    "not one of none, or another": lambda n: list(
        templates().filter(~Q(language__in=LANGUAGES[: n - 1], version=n) | Q(version=2, key=f"letter-{n}"))
    ),
    "several where one was meant": lambda n: one_of(templates().filter(active=n == 1)),
    "tuples": lambda n: list(templates().filter(language=LANGUAGES[n]).values_list("key", "version")[:5]),
    "words": lambda n: list(templates().filter(language=LANGUAGES[n]).values_list("key", flat=True)),
    "named words": lambda n: [
        row.key for row in templates().filter(version=n).values_list("key", named=True)
    ],
    "part of an object": lambda n: sorted(templates().only("key")[n].__dict__),
    "a like word": lambda n: templates().filter(key__icontains="ab"[n - 1]).exists(),
    "a number as a word": lambda n: templates().filter(pk=str(n)).exists(),
    "a number that no column takes": lambda n: templates().filter(pk=10 ** (9 * n)).exists(),
    "nothing at all": lambda n: list(templates().none()) + list(templates().filter(pk=n).none()),
    "either": lambda n: templates().filter(Q(key="x") | ~Q(language=LANGUAGES[n])).first(),
    "a field of its own": lambda n: Case.objects.filter(fence=F("dirty"), pk=n).exists(),
    "of some others": lambda n: list(ToolCall.objects.filter(case__in=Case.objects.filter(pk=n)[:n])),
    "where something exists": lambda n: list(
        Case.objects.filter(Exists(ToolCall.objects.filter(case=OuterRef("pk"), amount_minor=n)))
    ),
    "raw words": lambda n: [
        row.word
        for row in shops().annotate(word=RawSQL("slug || 'x'", [], TextField())).filter(slug=f"shop{n}")
    ],
    "what hangs on it": lambda n: [shop.slug for shop in entity(n).shops.all()],
    "what it hangs on": lambda n: shops().get(slug=f"shop{n}").legal_entity.name,
    "with what it hangs on": lambda n: (
        shops().select_related("legal_entity").get(slug=f"shop{n}").legal_entity.name
    ),
    "some of many to many": lambda n: [
        shop.slug for shop in user(n).shops.filter(slug__in=["shop1", "shop2"]).order_by("pk")
    ],
    "all of many to many": lambda n: sorted(user(n).get_group_permissions()),
    "read beforehand": lambda n: [
        [shop.slug for shop in one.shops.all()]
        for one in LegalEntity.objects.order_by("pk").prefetch_related("shops")[:n]
    ],
    "some of it beforehand": lambda n: [
        [shop.slug for shop in one.shops.all()]
        for one in LegalEntity.objects.order_by("pk").prefetch_related(
            Prefetch("shops", Shop.objects.filter(slug=f"shop{n}"))
        )
    ],
    "locked": lambda n: [shop.pk for shop in shops().select_for_update().filter(slug=f"shop{n}")],
    "a change": lambda n: shops().filter(slug=f"shop{n}").update(name=f"Shop {n}", planner=None),
    "a change to something or nothing": lambda n: Case.objects.filter(pk=n).update(
        due_at=None if n == 1 else NOON
    ),
    "a change by what is there": lambda n: shops().filter(slug=f"shop{n}").update(name=F("slug")),
    "a change by what is there or not": lambda n: shops().update(name=F("slug") if n == 1 else "x"),
    "a change of what hangs on": lambda n: shops().filter(legal_entity__name=f"Entity {n}").update(name="x"),
    "a change of none": lambda n: templates().filter(pk__in=[]).update(active=n == 1),
    "a row more": lambda n: LegalEntity.objects.create(name=f"Another {n}").name,
    "a row as it is now": lambda n: moved(entity(n)),
    "a row less": lambda n: User.shops.through.objects.filter(user=user(n)).delete()[0],
}


def entity(n: int) -> LegalEntity:
    return LegalEntity.objects.get(name=f"Entity {n}")


def user(n: int) -> User:
    return User.objects.get(username=f"user{n}")


def moved(one: LegalEntity) -> str:
    one.address = f"{one.name} Street"
    one.save()
    return one.address


@pytest.fixture(autouse=True)
def rows(db: None) -> None:
    for n in (1, 2):
        shop = make_shop(f"shop{n}", legal_entity=make_entity(f"Entity {n}"))
        make_user(username=f"user{n}", roles=["agent"] if n == 1 else ["viewer"], shops=[shop])
        for language in LANGUAGES:
            make_template(f"letter-{n}", language=language, version=n)


def answers(ask: Ask, *numbers: int) -> list[tuple[Any, list[str]]]:
    """What is answered each time, and what the database was asked for it; nothing of it stays."""
    found = []
    for number in numbers:
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            answer = ask(number)
            transaction.set_rollback(True)
        asked = [one["sql"] for one in captured.captured_queries]
        found.append((answer, [sql for sql in asked if "SAVEPOINT" not in sql]))
    return found


@pytest.mark.parametrize("ask", CHAINS.values(), ids=CHAINS)
def test_the_second_walk_asks_and_answers_as_the_first(ask: Ask) -> None:
    plain = answers(ask, 1, 2)
    with compiled_once(), asked_once():
        assert answers(ask, 1, 2, 1, 2) == plain * 2


@pytest.mark.parametrize("make", PAIRS.values(), ids=PAIRS)
def test_a_chain_ends_alike_whatever_is_asked_of_it(make: Callable[[int], Rows]) -> None:
    for end in ENDS.values():
        plain = answers(lambda n, end=end: end(make(n)), 1, 2)  # type: ignore[misc]
        with compiled_once(), asked_once():
            assert answers(lambda n, end=end: end(make(n)), 1, 2, 1, 2) == plain * 2  # type: ignore[misc]


def test_no_query_is_built_for_a_chain_that_was_walked_before() -> None:
    with compiled_once(), asked_once():
        walked = [Template.objects.filter(key="x", version__lt=n).order_by("-pk")[:n] for n in (5, 5)]
        for again in walked:
            assert list(again) == []
        assert [rows.__dict__["_query"] is None for rows in walked] == [False, True]


@pytest.mark.django_db(transaction=True)
def test_a_lock_outside_of_a_transaction_is_refused_as_ever() -> None:
    with compiled_once(), asked_once():
        with transaction.atomic():
            assert Shop.objects.select_for_update().get(slug="shop1").slug == "shop1"
        with pytest.raises(TransactionManagementError):
            Shop.objects.select_for_update().get(slug="shop1")


def test_afterwards_django_goes_its_own_way_again() -> None:
    before = {name: QuerySet.__dict__[name] for name in ("query", "filter", "get", "update", "_fetch_all")}
    with asked_once():
        assert QuerySet.__dict__["query"] is not before["query"]
    assert before == {name: QuerySet.__dict__[name] for name in before}
