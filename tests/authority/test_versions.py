"""Limits and caps as versions: the difference, the moment from which they hold, and how an old one comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from approvals import versions
from approvals.caps import CAPS, SIZES, caps_of, defaults, undo_window
from approvals.errors import Invalid, LeavesNobody, NotPermitted
from approvals.limits import LIMITS, start_with_defaults
from approvals.models import CapsVersion, LimitVersion, TermsVersion
from approvals.promises import TERMS
from approvals.versions import Kind
from audit import actors, sources
from audit.actors import SYSTEM
from audit.models import Entry
from cases.models import Shop, User
from tests import factories
from tests.authority.rows import acting, device_of

pytestmark = pytest.mark.django_db
KINDS: list[Kind[Any]] = [LIMITS, CAPS, TERMS]
NOUNS = [kind.noun for kind in KINDS]


@pytest.fixture
def shop() -> Shop:
    return factories.make_shop()


def first(kind: Kind[Any], shop: Shop) -> Any:
    return kind.model._default_manager.get(shop=shop)


def drafted(kind: Kind[Any], shop: Shop, **changes: object) -> Any:
    row = kind.model._default_manager.filter(shop=shop).latest("version")
    author = acting(shop, "limit author")
    numbers = {**row.numbers(), **changes}
    return versions.draft(kind, numbers=numbers, reason="300 decisions.", by=author, **row.key())


def publish(kind: Kind[Any], row: Any, **how: Any) -> Any:
    by = acting(row.shop, "limit publisher")
    return versions.publish(kind, row.pk, by=by, **{"leaves_nobody_ok": True, **how})


def in_force(kind: Kind[Any], shop: Shop) -> Any:
    return versions.in_force(kind.model, **first_key(kind, shop))


def first_key(kind: Kind[Any], shop: Shop) -> dict[str, Any]:
    key: dict[str, Any] = kind.model._default_manager.filter(shop=shop).earliest("version").key()
    return key


@pytest.mark.parametrize("kind", KINDS, ids=NOUNS)
def test_a_version_holds_from_the_moment_that_it_was_published_for(kind: Kind[Any], shop: Shop) -> None:
    row = drafted(kind, shop)
    with sources.frozen(sources.now()) as clock:
        publish(kind, row, effective_at=clock.at + timedelta(hours=2))
        clock.advance(timedelta(hours=2, microseconds=-1))
        assert in_force(kind, shop).version == 1
        clock.advance(timedelta(microseconds=1))
        assert in_force(kind, shop).version == 2


@pytest.mark.parametrize(
    "ahead", [timedelta(microseconds=-1), timedelta(days=-30), timedelta(days=366, microseconds=1)]
)
def test_nothing_holds_from_the_past_on_or_from_a_far_future(shop: Shop, ahead: timedelta) -> None:
    row = drafted(LIMITS, shop)
    with sources.frozen(sources.now()) as clock, pytest.raises(Invalid):
        publish(LIMITS, row, effective_at=clock.at + ahead)
    assert LimitVersion.objects.get(pk=row.pk).published_at is None


@pytest.mark.parametrize("kind", KINDS, ids=NOUNS)
@pytest.mark.parametrize("role", ["limit author", "admin", "finance approver", "agent"])
def test_only_a_publisher_publishes(kind: Kind[Any], shop: Shop, role: str) -> None:
    row = drafted(kind, shop)
    with pytest.raises(NotPermitted):
        versions.publish(kind, row.pk, leaves_nobody_ok=True, by=acting(shop, role))
    assert in_force(kind, shop).version == 1


@pytest.mark.parametrize("role", ["limit publisher", "admin", "finance approver"])
def test_only_an_author_writes_caps(shop: Shop, role: str) -> None:
    row = first(CAPS, shop)
    with pytest.raises(NotPermitted):
        versions.draft(CAPS, numbers=row.numbers(), reason="Why.", by=acting(shop, role), **row.key())


def test_who_wrote_caps_does_not_publish_them_by_service_or_table(shop: Shop) -> None:
    row = drafted(CAPS, shop)
    user = row.author
    user.groups.add(*factories.make_user(roles=["limit publisher"]).groups.all())
    with pytest.raises(NotPermitted, match="You wrote this version"):
        versions.publish(CAPS, row.pk, leaves_nobody_ok=True, by=actors.staff(user))
    now = factories.now()
    with pytest.raises(IntegrityError, match="caps_author_does_not_publish"), transaction.atomic():
        CapsVersion.objects.filter(pk=row.pk).update(published_by=user, published_at=now, effective_at=now)


def test_what_a_person_wrote_is_published_by_a_person(shop: Shop) -> None:
    row, now = drafted(CAPS, shop), factories.now()
    with pytest.raises(IntegrityError, match="published_by_people"), transaction.atomic():
        CapsVersion.objects.filter(pk=row.pk).update(published_at=now, effective_at=now)


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("change", [{"damage_days": 900}, {"withdrawal": {}}, {"reason": "None"}])
def test_the_database_refuses_to_edit_terms(shop: Shop, change: dict[str, Any], published: bool) -> None:
    row = first(TERMS, shop) if published else drafted(TERMS, shop)
    rows = TermsVersion.objects.filter(pk=row.pk)
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        rows.update(**change)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        rows._raw_delete(rows.db)


def test_who_wrote_terms_does_not_publish_them_by_service_or_table(shop: Shop) -> None:
    row, now = drafted(TERMS, shop), factories.now()
    row.author.groups.add(*factories.make_user(roles=["limit publisher"]).groups.all())
    with pytest.raises(NotPermitted, match="You wrote this version"):
        versions.publish(TERMS, row.pk, by=actors.staff(row.author))
    with pytest.raises(IntegrityError, match="terms_author_does_not_publish"), transaction.atomic():
        TermsVersion.objects.filter(pk=row.pk).update(
            published_by=row.author, published_at=now, effective_at=now
        )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"withdrawal": {"DE": 7}}, "14 days at least"),
        ({"final_sale": ["sale mug"]}, "SKUs have"),
        ({"photo_above": {"EUR": -1}}, "none is below zero"),
        ({"refund_on": "never"}, "Money of a return goes back: that can't be promised."),
    ],
)
def test_terms_that_no_shop_can_promise_are_not_stored(
    shop: Shop, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(Invalid, match=words):
        drafted(TERMS, shop, **change)
    assert TermsVersion.objects.filter(shop=shop).count() == 1


def test_terms_say_their_difference_in_words(shop: Shop) -> None:
    row = drafted(
        TERMS, shop, withdrawal={**TermsVersion.objects.get(shop=shop).withdrawal, "SE": 30, "DE": 30},
        goodwill_days=None, photo_above={"EUR": 5000}, hygiene=["EARRING-*"],
    )  # fmt: skip
    lines = {
        line.name: line for line in versions.difference(TERMS, in_force(TERMS, shop), row) if line.changed
    }
    assert [line.after for line in lines.values()][:1] == ["none"]
    right = lines["right of withdrawal"]
    assert right.before == "14 days: EU, GB, IS, LI, NO"
    assert right.after.startswith("30 days: DE, SE; 14 days: AT, BE,")
    assert lines["photo of damaged or wrong goods above"].after == "€50.00"
    assert lines["sealed for hygiene (SKUs)"].after == "EARRING-*"
    assert len(lines) == 4


@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize(
    "change", [{"day_cap_minor": 1}, {"budgets": {}}, {"undo_seconds": 0}, {"version": 9}]
)
def test_the_database_refuses_to_edit_caps(shop: Shop, change: dict[str, Any], published: bool) -> None:
    row = first(CAPS, shop) if published else drafted(CAPS, shop)
    with pytest.raises(DatabaseError, match="never edited"), transaction.atomic():
        CapsVersion.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        CapsVersion.objects.filter(pk=row.pk)._raw_delete("default")


def test_an_old_version_comes_back_as_a_draft_that_somebody_else_publishes(shop: Shop) -> None:
    old = first(LIMITS, shop)
    publish(LIMITS, drafted(LIMITS, shop, auto_up_to_minor=7000))
    back = versions.restore(LIMITS, old.pk, reason="It gave too much.", by=acting(shop, "limit author"))
    assert (back.version, back.restores, back.published_at) == (3, old, None)
    assert in_force(LIMITS, shop).auto_up_to_minor == 7000
    publish(LIMITS, back)
    assert in_force(LIMITS, shop).numbers() == old.numbers()


def test_a_draft_is_not_brought_back(shop: Shop) -> None:
    row = drafted(LIMITS, shop)
    with pytest.raises(Invalid, match="publish it instead"):
        versions.restore(LIMITS, row.pk, reason="Why.", by=acting(shop, "limit author"))


def test_the_difference_names_each_number_in_its_currency() -> None:
    shop = factories.make_shop(base_currency="JPY")
    row = drafted(LIMITS, shop, auto_up_to_minor=4000)
    lines = {line.name: line for line in versions.difference(LIMITS, in_force(LIMITS, shop), row)}
    line = lines["automatic up to"]
    assert (line.before, line.after, line.changed) == ("¥3,000", "¥4,000", True)
    assert [name for name, one in lines.items() if one.changed] == ["automatic up to"]


def test_amounts_of_three_decimals_are_shown_with_three() -> None:
    shop = factories.make_shop(base_currency="KWD")
    row = drafted(CAPS, shop, order_cap_minor=1_500)
    assert CAPS.show(row, "order_cap_minor").endswith("1.500")
    assert "1.500" in CAPS.show(drafted(CAPS, shop, budgets={"rules": 1_500}), "budgets")


def test_where_nothing_holds_the_difference_says_that_a_person_decides(shop: Shop) -> None:
    row = factories.make_limits(shop, "KWD")
    assert {line.before for line in versions.difference(LIMITS, None, row)} == {"a person decides"}


def only_approver(shop: Shop, role: str) -> User:
    """The one who signs large refunds has another hand in it too."""
    user = factories.make_user(roles=["finance approver", role], shops=[shop])
    device_of(user)
    return user


@pytest.mark.parametrize("kind", [LIMITS, CAPS], ids=NOUNS[:2])
def test_a_version_that_leaves_a_tier_with_nobody_needs_an_explicit_yes(kind: Kind[Any], shop: Shop) -> None:
    by = actors.staff(only_approver(shop, "limit publisher"))
    row = drafted(kind, shop)
    with pytest.raises(LeavesNobody):
        versions.publish(kind, row.pk, by=by)
    assert in_force(kind, shop).version == 1
    versions.publish(kind, row.pk, leaves_nobody_ok=True, by=by)
    told = Entry.objects.filter(action=f"{kind.noun}.published").latest("seq")
    assert told.data["leaves_nobody_ok"] is True


def test_a_version_that_leaves_people_for_each_tier_needs_no_such_yes(shop: Shop) -> None:
    only_approver(shop, "viewer")
    row = drafted(LIMITS, shop)
    assert versions.publish(LIMITS, row.pk, by=acting(shop, "limit publisher")).published_at


@pytest.mark.parametrize(
    "change",
    [
        {"order_cap_minor": -1},
        {"undo_seconds": 86_401},
        {"undo_seconds": -1},
        {"large_hours": 0},
        {"renewals": 11},
        {"rate_max_age_hours": 0},
        {"budgets": {"nobody": 5}},
        {"budgets": {"rules": -5}},
        {"budgets": {"rules": 1.5}},
        {"budgets": {"rules": True}},
        {"sizes": {}},
        {"sizes": {**SIZES, "messages_case_day": "many"}},
        {"more": 1},
    ],
)
def test_caps_that_make_no_sense_are_not_written(shop: Shop, change: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        drafted(CAPS, shop, **change)
    assert CapsVersion.objects.filter(shop=shop).count() == 1


def test_caps_in_another_currency_than_the_shops_hold_no_more(shop: Shop) -> None:
    Shop.objects.filter(pk=shop.pk).update(base_currency="CHF")
    assert caps_of(shop.pk).version == 0
    assert set(caps_of(shop.pk).amounts().values()) == {0}


def test_a_new_shop_begins_with_conservative_caps_once() -> None:
    shop = Shop.objects.get(pk=factories.make_shop(base_currency="JPY").pk)
    for _ in range(2):
        with transaction.atomic():
            start_with_defaults(shop.pk, "USD", by=SYSTEM)
    row = CapsVersion.objects.get(shop=shop, currency="USD")
    assert row.numbers() == defaults("USD")
    assert (row.order_cap_minor, row.budgets["rules"]) == (500_000, 50_000)
    assert undo_window(shop.pk) == timedelta(minutes=10)


def test_a_version_tells_all_of_its_numbers_in_the_log(shop: Shop) -> None:
    row = publish(CAPS, drafted(CAPS, shop, renewals=5))
    entry = Entry.objects.get(action="caps.published", subject_id=str(row.pk))
    assert entry.data["renewals"] == 5
    assert entry.actor_kind == "staff"
