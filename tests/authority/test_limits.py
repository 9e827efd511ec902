"""Limits, terms, decisions and bookings: who writes them, who puts them in force, and that nobody edits them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, models, transaction

from approvals import versions
from approvals.errors import AlreadyDecided, Invalid, NotPermitted, Refusal
from approvals.facts import in_force
from approvals.limits import LIMITS, engage_switch, release_switch, start_with_defaults
from approvals.models import ApprovalRequest, Decision, LimitVersion, Reversal
from audit.actors import SYSTEM, Actor
from cases.models import Shop
from tests import factories
from tests.authority.rows import acting, signer
from tools.base import Effect, Kind
from tools.models import LedgerEntry
from tools.types import Money

pytestmark = pytest.mark.django_db


def draft(shop: Shop, by: Actor, **changes: object) -> LimitVersion:
    wish: dict[str, Any] = {
        "auto_up_to_minor": 5000,
        "one_approver_up_to_minor": 50_000,
        "two_people_above_minor": 100_000,
        "two_factor_up_to_minor": 200_000,
        "goodwill_percent": 10,
        "unsure_below_percent": 50,
    }
    reason = str(changes.pop("reason", "No reversal in 300 decisions."))
    currency = changes.pop("currency", "EUR")
    numbers = {**wish, **changes}
    return versions.draft(LIMITS, numbers=numbers, reason=reason, by=by, shop_id=shop.pk, currency=currency)


def publish(row: LimitVersion, by: Actor, **how: Any) -> LimitVersion:
    """Whoever may decide then is another test's matter."""
    return versions.publish(LIMITS, row.pk, by=by, **{"leaves_nobody_ok": True, **how})


def refund(currency: str) -> Effect:
    """One minor unit of a currency, or of none."""
    return Effect("issue_refund", Kind.MONEY, {}, money=Money(1, currency) if currency else None)


def auto_limit(shop: Shop) -> int | None:
    limits = in_force(shop.pk, refund("EUR")).for_policy
    return limits.auto_up_to_minor if limits else None


def test_a_draft_is_not_in_force_until_somebody_else_publishes_it() -> None:
    shop = factories.make_shop()
    row = draft(shop, acting(shop, "limit author"))
    assert auto_limit(shop) == 2000
    publish(row, by=acting(shop, "limit publisher"))
    assert auto_limit(shop) == 5000


def test_whoever_wrote_limits_does_not_publish_them_whatever_roles_they_have() -> None:
    shop = factories.make_shop()
    both = factories.make_user(roles=["limit author", "limit publisher"], shops=[shop])
    row = draft(shop, Actor("staff", str(both.pk), both.username))
    with pytest.raises(NotPermitted):
        publish(row, by=Actor("staff", str(both.pk), both.username))
    assert auto_limit(shop) == 2000


@pytest.mark.parametrize("role", ["limit publisher", "admin", "finance approver", "viewer"])
def test_only_authors_write_limits(role: str) -> None:
    shop = factories.make_shop()
    with pytest.raises(NotPermitted):
        draft(shop, acting(shop, role))
    assert shop.limits.count() == 1


@pytest.mark.parametrize("role", ["limit author", "admin", "finance approver", "auditor"])
def test_only_publishers_publish_limits(role: str) -> None:
    shop = factories.make_shop()
    row = draft(shop, acting(shop, "limit author"))
    with pytest.raises(NotPermitted):
        publish(row, by=acting(shop, role))
    assert auto_limit(shop) == 2000


def test_a_superuser_without_the_role_writes_no_limits() -> None:
    shop = factories.make_shop()
    root = factories.make_user(is_superuser=True, shops=[shop])
    with pytest.raises(NotPermitted):
        draft(shop, Actor("staff", str(root.pk), root.username))


def test_limits_of_another_shop_are_another_colleagues_matter() -> None:
    mine, other = factories.make_shop(), factories.make_shop()
    row = draft(other, acting(other, "limit author"))
    with pytest.raises(NotPermitted):
        draft(other, acting(mine, "limit author"))
    with pytest.raises(NotPermitted):
        publish(row, by=acting(mine, "limit publisher"))


def test_a_version_is_published_once() -> None:
    shop = factories.make_shop()
    row = publish(draft(shop, acting(shop, "limit author")), by=acting(shop, "limit publisher"))
    with pytest.raises(AlreadyDecided):
        publish(row, by=acting(shop, "limit publisher"))


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": "  "},
        {"auto_up_to_minor": -1},
        {"auto_up_to_minor": 50_001},
        {"one_approver_up_to_minor": 200_001},
        {"two_people_above_minor": 49_999},
        {"two_people_above_minor": 200_001},
        {"unsure_below_percent": 101},
        {"currency": "EURO"},
        {"goodwill_percent": 101},
        {"goodwill_percent": -1},
    ],
)
def test_limits_that_make_no_sense_are_not_written(changes: dict[str, object]) -> None:
    shop = factories.make_shop()
    with pytest.raises(Invalid):
        draft(shop, acting(shop, "limit author"), **changes)
    assert shop.limits.count() == 1


def test_limits_may_meet_but_not_cross() -> None:
    shop = factories.make_shop()
    row = draft(shop, acting(shop, "limit author"), auto_up_to_minor=50_000, goodwill_percent=100)
    assert row.auto_up_to_minor == row.one_approver_up_to_minor


def test_limits_start_no_earlier_than_they_say() -> None:
    shop = factories.make_shop()
    now = factories.now()
    factories.make_limits(shop, auto_up_to_minor=9000, effective_at=now + timedelta(hours=1))
    assert auto_limit(shop) == 2000


def test_the_newest_published_version_holds_and_a_late_older_one_does_not() -> None:
    shop = factories.make_shop()
    old = draft(shop, acting(shop, "limit author"), auto_up_to_minor=7000)
    new = draft(shop, acting(shop, "limit author"), auto_up_to_minor=1000)
    publish(new, by=acting(shop, "limit publisher"))
    with pytest.raises(AlreadyDecided, match="bring its numbers back"):
        publish(old, by=acting(shop, "limit publisher"))
    assert auto_limit(shop) == 1000


def test_a_currency_without_limits_has_none() -> None:
    shop = factories.make_shop()
    assert in_force(shop.pk, refund("KWD")).for_policy is None
    assert in_force(shop.pk, refund("")).for_policy is None


def test_a_new_shop_starts_with_conservative_limits_once() -> None:
    shop = factories.make_shop(base_currency="CHF")
    with transaction.atomic():
        start_with_defaults(shop.pk, shop.base_currency, by=SYSTEM)
    with transaction.atomic():
        start_with_defaults(shop.pk, shop.base_currency, by=SYSTEM)
    found = {row.currency: row.auto_up_to_minor for row in shop.limits.exclude(currency="CHF")}
    assert found == {"USD": 2000, "EUR": 2000, "GBP": 2000, "JPY": 3000}


@pytest.mark.parametrize(
    "change",
    [
        {"auto_up_to_minor": 1},
        {"one_approver_up_to_minor": 10**9},
        {"two_factor_up_to_minor": 10**9},
        {"two_people_above_minor": None},
        {"unsure_below_percent": 1},
        {"goodwill_percent": 99},
        {"currency": "USD"},
        {"version": 9},
        {"reason": "Because"},
    ],
)
@pytest.mark.parametrize("published", [True, False])
def test_the_database_refuses_to_edit_limits(change: dict[str, object], published: bool) -> None:
    shop = factories.make_shop()
    row = shop.limits.get() if published else draft(shop, acting(shop, "limit author"))
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        LimitVersion.objects.filter(pk=row.pk).update(**change)


def test_the_database_refuses_to_take_limits_back_or_date_them_anew() -> None:
    row = factories.make_shop().limits.get()
    for change in ({"published_at": None}, {"effective_at": factories.now()}):
        with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
            LimitVersion.objects.filter(pk=row.pk).update(**change)


def test_the_database_refuses_an_author_who_publishes_and_another_author() -> None:
    shop = factories.make_shop()
    row = draft(shop, acting(shop, "limit author"))
    with pytest.raises(IntegrityError, match="limits_author_does_not_publish"), transaction.atomic():
        LimitVersion.objects.filter(pk=row.pk).update(
            published_by=row.author, published_at=factories.now(), effective_at=factories.now()
        )
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        LimitVersion.objects.filter(pk=row.pk).update(author=signer(shop, "limit author"))


def _decision() -> models.Model:
    return factories.make_decision()


def _reversal() -> models.Model:
    decision = factories.make_decision()
    return Reversal.objects.create(
        shop=decision.shop,
        decision=decision,
        by=signer(decision.shop, "agent"),
        reason="Wrong item",
        at=factories.now(),
    )


def _booking() -> models.Model:
    return factories.make_order(factories.make_shop()).payments.get().entries.get()


# What is changed, and a column of it.
HISTORY: dict[type[models.Model], tuple[Callable[[], models.Model], dict[str, object]]] = {
    Decision: (_decision, {"outcome": "allow"}),
    Reversal: (_reversal, {"reason": "None"}),
    LedgerEntry: (_booking, {"amount_minor": 1}),
}


@pytest.mark.parametrize("model", HISTORY)
def test_history_is_neither_changed_nor_deleted(model: type[models.Model]) -> None:
    make, change = HISTORY[model]
    row = make()
    rows = model._base_manager.filter(pk=row.pk)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        rows.update(**change)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        rows._raw_delete(rows.db)


@pytest.mark.parametrize(
    "change",
    [
        {"amount_minor": 1},
        {"currency": "USD"},
        {"effect_hash": "f" * 64},
        {"tier": "one_approver"},
    ],
)
def test_what_is_signed_never_changes(change: dict[str, object]) -> None:
    request = factories.make_approval(large=True)
    with pytest.raises(DatabaseError, match="decided once"), transaction.atomic():
        ApprovalRequest.objects.filter(pk=request.pk).update(**change)


def test_a_decided_request_never_changes_again_and_none_is_deleted() -> None:
    request = factories.make_approval()
    rows = ApprovalRequest.objects.filter(pk=request.pk)
    rows.update(state="voided", decided_at=factories.now())
    with pytest.raises(DatabaseError, match="decided once"), transaction.atomic():
        rows.update(state="pending", decided_at=None)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        rows._raw_delete(rows.db)


def test_a_request_is_approved_by_somebody_or_not_at_all() -> None:
    request = factories.make_approval()
    with pytest.raises(IntegrityError, match="approval_is_pending_or_signed"), transaction.atomic():
        ApprovalRequest.objects.filter(pk=request.pk).update(state="approved", decided_at=factories.now())


def test_every_refusal_says_one_sentence_to_staff() -> None:
    shop = factories.make_shop()
    with pytest.raises(Refusal) as refused:
        draft(shop, acting(shop, "viewer"))
    assert refused.value.sentence.endswith(".")


def test_what_is_no_currency_gets_no_limits(north: Shop) -> None:
    with pytest.raises(Invalid, match="no currency"):
        draft(north, acting(north, "limit author"), currency="EURO")


@pytest.mark.parametrize(
    ("scope", "key"),
    [("vendor", "strpe"), ("tool", "refund"), ("nothing", ""), ("planner", "x"), ("shop", "x")],
)
def test_a_switch_that_would_stop_nothing_is_refused(north: Shop, scope: str, key: str) -> None:
    with pytest.raises(Invalid):
        engage_switch(scope=scope, key=key, shop_id=None, reason="Why.", by=acting(north, "agent"))


def test_anybody_on_duty_stops_everything_and_finance_lets_it_go_on(north: Shop) -> None:
    switch = engage_switch(scope="everything", key="", shop_id=None, reason="Odd.", by=acting(north, "agent"))
    with pytest.raises(NotPermitted):
        release_switch(switch.pk, by=acting(north, "agent"))
    assert release_switch(switch.pk, by=acting(north, "finance approver")).released_at is not None
