"""A lost factor: two others take it away, the person signs no money for a day, and everybody concerned is told."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.errors import AlreadyDecided, Invalid, NotPermitted, Refusal
from approvals.models import FactorReset, ResetNews, ResetNotice
from approvals.rights import has_right, money_rights_rest_until, rights_of
from approvals.second_factor import RecoveryCode, own, prove_sign_in, resetting
from approvals.services import why_not
from audit import actors, sources
from audit.models import Entry
from cases.models import Shop, User
from cases.roles import ROLES
from cases.services import decide_approval
from cases.staff import confirm_reset
from tests import factories
from tests.authority.authenticator import passkey_of
from tests.authority.rows import device_of, failures, signer, together

db = pytest.mark.django_db
committed = pytest.mark.django_db(transaction=True)
DAY = timedelta(hours=24)


@pytest.fixture
def shop(db: None) -> Shop:
    return factories.make_shop("north")


def colleagues(shop: Shop) -> tuple[User, User, User]:
    """Who lost it, who asks and who confirms."""
    return signer(shop, "finance approver"), signer(shop, "admin"), signer(shop, "limit publisher")


def ask(lost: User, by: User) -> FactorReset:
    return resetting.ask(lost.pk, reason="Their phone fell into the fjord.", by=actors.staff(by))


def done(lost: User, asker: User, second: User) -> FactorReset:
    return confirm_reset(ask(lost, asker).pk, by=actors.staff(second))


def test_two_others_take_every_factor_away(shop: Shop) -> None:
    lost, asker, second = colleagues(shop)
    device_of(lost), passkey_of(lost)
    own.new_recovery_codes(lost, by=actors.staff(lost))
    other = device_of(asker)
    row = done(lost, asker, second)
    assert (row.state, row.asked_by, row.ended_by) == ("done", asker, second)
    assert (own.factors(lost).count, own.factors(lost).recovery_codes) == (0, 0)
    assert TOTPDevice.objects.get() == other
    told = Entry.objects.filter(subject_type="approvals.factorreset").order_by("pk")
    assert [(one.action, one.actor_id) for one in told] == [
        ("factor.reset_asked", str(asker.pk)),
        ("factor.reset_confirmed", str(second.pk)),
    ]


def test_asking_alone_takes_nothing_away(shop: Shop) -> None:
    lost, asker, _second = colleagues(shop)
    device_of(lost)
    ask(lost, asker)
    assert own.has_factor(lost)
    assert money_rights_rest_until(lost) is None


def test_it_takes_two_others(shop: Shop) -> None:
    lost, asker, _second = colleagues(shop)
    device_of(lost)
    with pytest.raises(NotPermitted):
        ask(lost, lost)
    row = ask(lost, asker)
    for who in (asker, lost):
        with pytest.raises(NotPermitted, match="two"):
            confirm_reset(row.pk, by=actors.staff(who))
    assert own.has_factor(lost)


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"admin", "finance approver", "limit publisher"}))
def test_a_role_without_the_right_neither_asks_nor_confirms(shop: Shop, role: str) -> None:
    lost, asker, _second = colleagues(shop)
    stranger = signer(shop, role)
    with pytest.raises(NotPermitted):
        ask(lost, stranger)
    with pytest.raises(NotPermitted):
        confirm_reset(ask(lost, asker).pk, by=actors.staff(stranger))


def test_a_superuser_without_a_role_resets_nobody(shop: Shop) -> None:
    lost, asker, _second = colleagues(shop)
    root = factories.make_user(is_superuser=True)
    with pytest.raises(NotPermitted):
        ask(lost, root)
    with pytest.raises(NotPermitted):
        confirm_reset(ask(lost, asker).pk, by=actors.staff(root))


def test_who_asked_must_still_have_the_right_when_it_is_confirmed(shop: Shop) -> None:
    lost, asker, second = colleagues(shop)
    row = ask(lost, asker)
    asker.groups.clear()
    with pytest.raises(NotPermitted):
        confirm_reset(row.pk, by=actors.staff(second))


def test_people_of_other_shops_are_not_asked_about(shop: Shop) -> None:
    lost, _asker, _second = colleagues(shop)
    with pytest.raises(NotPermitted, match="own shops"):
        ask(lost, signer(factories.make_shop("south"), "admin"))


def test_nothing_is_asked_without_saying_why_nor_twice(shop: Shop) -> None:
    lost, asker, second = colleagues(shop)
    with pytest.raises(Invalid):
        resetting.ask(lost.pk, reason="  ", by=actors.staff(asker))
    ask(lost, asker)
    with pytest.raises(AlreadyDecided):
        ask(lost, second)


def test_who_lost_nothing_withdraws_it(shop: Shop) -> None:
    lost, asker, second = colleagues(shop)
    row = ask(lost, asker)
    with pytest.raises(NotPermitted):
        resetting.withdraw(row.pk, by=actors.staff(signer(shop, "approver")))
    resetting.withdraw(row.pk, by=actors.staff(lost))
    with pytest.raises(AlreadyDecided):
        confirm_reset(row.pk, by=actors.staff(second))
    assert FactorReset.objects.get().state == "withdrawn"


def test_what_nobody_confirmed_for_a_day_has_to_be_asked_again(shop: Shop) -> None:
    lost, asker, second = colleagues(shop)
    with sources.frozen(sources.now()) as clock:
        old = ask(lost, asker)
        clock.advance(DAY)
        with pytest.raises(AlreadyDecided):
            confirm_reset(old.pk, by=actors.staff(second))
        new = ask(lost, second)
        confirm_reset(new.pk, by=actors.staff(asker))
    old.refresh_from_db()
    assert old.state == "withdrawn"


RESTS = {
    "approver": {"approvals.approve_refund"},
    "finance approver": {
        "approvals.approve_refund",
        "approvals.approve_large_refund",
        "tools.issue_creditnote",
        "tools.correct_creditnote",
    },
    "limit author": {
        "approvals.add_limitversion",
        "approvals.add_capsversion",
        "approvals.add_termsversion",
        "approvals.add_limitexception",
    },
    "limit publisher": {
        "approvals.publish_limitversion",
        "approvals.publish_capsversion",
        "approvals.publish_termsversion",
        "approvals.approve_limitexception",
    },
    "admin": {"approvals.add_delegation"},
    "agent": set(),
    "viewer": set(),
    "auditor": set(),
}


@pytest.mark.parametrize("role", ROLES)
def test_no_right_about_money_for_a_day_afterwards(shop: Shop, role: str) -> None:
    lost, asker, second = signer(shop, role), signer(shop, "admin"), signer(shop, "admin")
    before = rights_of(lost)
    with sources.frozen(sources.now()) as clock:
        done(lost, asker, second)
        assert before - rights_of(lost) == RESTS[role]
        assert money_rights_rest_until(lost) == sources.now() + DAY
        clock.advance(DAY - timedelta(seconds=1))
        assert before - rights_of(lost) == RESTS[role]
        clock.advance(timedelta(seconds=1))
        assert rights_of(lost) == before
        assert money_rights_rest_until(lost) is None


@pytest.mark.parametrize("right", ["publish_termsversion", "add_termsversion"])
def test_who_has_a_hand_on_the_terms_alone_is_told_too(shop: Shop, right: str) -> None:
    lost, asker, second = colleagues(shop)
    role = Group.objects.create(name="terms")
    role.permissions.add(Permission.objects.get(codename=right))
    user = signer(shop, "terms")
    row = done(lost, asker, second)
    assert ResetNotice.objects.filter(reset=row, user=user).exists()


def test_who_was_reset_is_told_why_they_sign_nothing(shop: Shop) -> None:
    request = factories.make_approval(shop=shop)
    lost = signer(shop, "approver")
    assert why_not(request, lost) == ""
    done(lost, signer(shop, "admin"), signer(shop, "admin"))
    assert "lost second factor" in why_not(request, lost)
    with pytest.raises(NotPermitted, match="lost second factor"):
        decide_approval(request.pk, approve=True, proof=None, reason="", by=actors.staff(lost))
    request.refresh_from_db()
    assert request.state == "pending"


def test_who_got_in_by_a_recovery_code_signs_no_money_for_a_day(shop: Shop) -> None:
    user = signer(shop, "approver")
    device_of(user)
    code = own.new_recovery_codes(user, by=actors.staff(user))[0]
    assert has_right(user, "approvals.approve_refund")
    prove_sign_in(user, RecoveryCode(code), by=actors.staff(user))
    assert not has_right(user, "approvals.approve_refund")
    assert has_right(user, "cases.change_case")


def test_a_wrong_recovery_code_takes_no_right_away(shop: Shop) -> None:
    user = signer(shop, "approver")
    with pytest.raises(Refusal):
        prove_sign_in(user, RecoveryCode("aaaa-aaaa-aaaa-aaaa"), by=actors.staff(user))
    assert has_right(user, "approvals.approve_refund")


def test_everybody_with_a_money_role_and_every_shop_of_the_person_is_told(shop: Shop) -> None:
    south = factories.make_shop("south")
    lost, asker, second = colleagues(shop)
    lost.shops.add(south)
    approver, author = signer(south, "approver"), signer(shop, "limit author")
    signer(shop, "viewer"), factories.make_user(roles=["approver"], is_active=False)
    row = done(lost, asker, second)
    told = set(ResetNotice.objects.filter(reset=row).values_list("user", flat=True))
    assert told == {lost.pk, second.pk, approver.pk, author.pk}
    assert set(ResetNews.objects.values_list("shop__slug", flat=True)) == {"north", "south"}


def test_a_notice_is_read_by_its_own_person(shop: Shop) -> None:
    lost, asker, second = colleagues(shop)
    done(lost, asker, second)
    notice = ResetNotice.objects.get(user=second)
    resetting.seen(notice.pk, by=actors.staff(lost))
    assert ResetNotice.objects.filter(seen_at__isnull=False).count() == 0
    resetting.seen(notice.pk, by=actors.staff(second))
    assert ResetNotice.objects.get(seen_at__isnull=False) == notice


@pytest.mark.parametrize("ended_by", ["lost", "asker"])
def test_the_database_wants_two_others_too(shop: Shop, ended_by: str) -> None:
    lost, asker, _second = colleagues(shop)
    row = ask(lost, asker)
    who = lost if ended_by == "lost" else asker
    with pytest.raises(DatabaseError, match="reset_takes_two_others"), transaction.atomic():
        FactorReset.objects.filter(pk=row.pk).update(state="done", ended_by=who, ended_at=sources.now())


@committed
def test_eight_who_confirm_at_once_reset_once() -> None:
    shop = factories.make_shop()
    lost, asker, _second = colleagues(shop)
    row = ask(lost, asker)
    confirmers = [signer(shop, "admin") for _ in range(8)]
    ended = together(*[partial(confirm_reset, row.pk, by=actors.staff(who)) for who in confirmers])
    assert failures(ended) == ["AlreadyDecided"] * 7
    assert Entry.objects.filter(action="factor.reset_confirmed").count() == 1
