"""What somebody proposed and nobody wants any more: versions withdrawn or declined, exceptions declined."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from approvals import exceptions, versions
from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.models import LimitException
from audit import actors, sources
from audit.actors import Actor
from audit.models import Entry
from cases.invariants import violations
from cases.models import Shop
from tests import factories
from tests.authority.rows import acting
from tests.authority.test_versions import KINDS, NOUNS, drafted, in_force, publish
from tools.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return factories.make_shop()


def told(row: Any) -> list[str]:
    label = row._meta.label_lower
    rows = Entry.objects.filter(subject_type=label, subject_id=str(row.pk)).order_by("id")
    return list(rows.values_list("action", flat=True))


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("kind", KINDS, ids=NOUNS)
def test_a_draft_is_withdrawn_by_its_author_or_declined_by_a_publisher_and_never_holds(
    kind: Any, shop: Shop, own: bool
) -> None:
    row = drafted(kind, shop)
    by = actors.staff(row.author) if own else acting(shop, "limit publisher")
    versions.withdraw(kind, row.pk, reason=" A slip. ", by=by)
    row.refresh_from_db()
    assert (str(row.withdrawn_by_id), row.withdrawn_reason) == (by.id, "A slip.")
    with pytest.raises(AlreadyDecided, match="withdrawn already"):
        publish(kind, row)
    with pytest.raises(AlreadyDecided, match="withdrawn already"):
        versions.withdraw(kind, row.pk, reason="Again.", by=by)
    assert in_force(kind, shop).version == 1
    assert told(row) == [f"{kind.noun}.drafted", f"{kind.noun}.withdrawn"]
    assert [str(one) for one in violations() if f"{kind.noun} {row.pk} " in str(one)] == []


@pytest.mark.parametrize("kind", KINDS, ids=NOUNS)
@pytest.mark.parametrize("role", ["limit author", "finance approver", "admin", "agent"])
def test_another_author_withdraws_nothing(kind: Any, shop: Shop, role: str) -> None:
    row = drafted(kind, shop)
    with pytest.raises(NotPermitted):
        versions.withdraw(kind, row.pk, reason="Mine is better.", by=acting(shop, role))
    assert told(row) == [f"{kind.noun}.drafted"]


def test_who_lost_the_right_to_write_withdraws_nothing(shop: Shop) -> None:
    row = drafted(KINDS[0], shop)
    row.author.groups.clear()
    with pytest.raises(NotPermitted):
        versions.withdraw(KINDS[0], row.pk, reason="A slip.", by=actors.staff(row.author))


@pytest.mark.parametrize("kind", KINDS, ids=NOUNS)
def test_a_withdrawal_says_why_and_comes_before_publishing(kind: Any, shop: Shop) -> None:
    row, by = drafted(kind, shop), acting(shop, "limit publisher")
    with pytest.raises(Invalid):
        versions.withdraw(kind, row.pk, reason=" ", by=by)
    publish(kind, row)
    with pytest.raises(AlreadyDecided, match="published already"):
        versions.withdraw(kind, row.pk, reason="Too late.", by=by)


@pytest.mark.parametrize("kind", KINDS, ids=NOUNS)
def test_the_database_lets_nothing_withdrawn_hold_or_be_written_again(kind: Any, shop: Shop) -> None:
    row, by, now = drafted(kind, shop), acting(shop, "limit publisher"), factories.now()
    rows = kind.model._default_manager.filter(pk=row.pk)
    for half in ({"withdrawn_at": now}, {"withdrawn_reason": "Why"}):
        with pytest.raises(IntegrityError, match="name_who_and_why"), transaction.atomic():
            rows.update(**half)
    versions.withdraw(kind, row.pk, reason="A slip.", by=by)
    for change in (
        {"withdrawn_reason": "Another."},
        {"published_by": int(by.id), "published_at": now, "effective_at": now},
        {"withdrawn_at": None, "withdrawn_by": None, "withdrawn_reason": ""},
    ):
        with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
            rows.update(**change)


def test_what_was_withdrawn_is_not_brought_back(shop: Shop) -> None:
    row = drafted(KINDS[0], shop)
    versions.withdraw(KINDS[0], row.pk, reason="A slip.", by=actors.staff(row.author))
    with pytest.raises(Invalid, match="propose it anew"):
        versions.restore(KINDS[0], row.pk, reason="Why.", by=acting(shop, "limit author"))


def asked(order: Order, by: Actor) -> LimitException:
    return exceptions.ask(
        shop_id=order.shop_id, scope="order", subject=str(order.pk), up_to_minor=5000, reason="A recall.",
        expires_at=sources.now() + timedelta(days=1), by=by,
    )  # fmt: skip


@pytest.mark.parametrize("role", ["limit publisher", "limit author"])
def test_an_exception_that_waits_is_declined_once_and_never_lifts_anything(shop: Shop, role: str) -> None:
    row, by = asked(factories.make_order(shop), acting(shop, "limit author")), acting(shop, role)
    with pytest.raises(Invalid, match="never held"):
        exceptions.end(row.pk, by=by)
    exceptions.decline(row.pk, by=by)
    row.refresh_from_db()
    assert exceptions.state_of(row, factories.now()) == "declined"
    for again in (exceptions.decline, exceptions.end, exceptions.approve):
        with pytest.raises(AlreadyDecided):
            again(row.pk, by=acting(shop, "limit publisher"))
    assert exceptions.lifted({"order": 1}, shop.pk, "EUR", {"order": [row.subject]}) == {"order": 1}
    assert told(row) == ["exception.asked", "exception.declined"]
    assert [str(one) for one in violations() if "exception" in str(one)] == []


@pytest.mark.parametrize("decline", [exceptions.decline, exceptions.end])
def test_who_neither_asks_nor_approves_ends_no_exception(shop: Shop, decline: Callable[..., Any]) -> None:
    row = asked(factories.make_order(shop), acting(shop, "limit author"))
    for role in ("finance approver", "admin", "agent"):
        with pytest.raises(NotPermitted):
            decline(row.pk, by=acting(shop, role))


def test_what_was_approved_is_ended_and_not_declined(shop: Shop) -> None:
    row = asked(factories.make_order(shop), acting(shop, "limit author"))
    exceptions.approve(row.pk, by=acting(shop, "limit publisher"))
    with pytest.raises(AlreadyDecided, match="end it instead"):
        exceptions.decline(row.pk, by=acting(shop, "limit author"))
    exceptions.end(row.pk, by=acting(shop, "limit author"))
    assert told(row)[-1] == "exception.ended"
