"""A person's own factors: set up by themselves, shown before a change, never the last one taken away."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.errors import CodeRefused, Invalid
from approvals.models import CodeAttempt, Passkey
from approvals.second_factor import own, tries_left
from audit import actors
from audit.models import Entry
from cases.models import User
from tests import factories
from tests.authority.authenticator import kept, passkey_of
from tests.authority.rows import code_of, device_of, wrong_code

pytestmark = pytest.mark.django_db


def confirm(user: User, draft: TOTPDevice, code: str, *, proven: bool = False) -> list[str]:
    return own.confirm_authenticator(user, draft.pk, code, proven=proven, by=actors.staff(user))[1]


def begun(user: User, *, proven: bool = False) -> TOTPDevice:
    """An authenticator that is being set up, in the middle of its time step."""
    draft = own.begin_authenticator(user, proven=proven)
    TOTPDevice.objects.filter(pk=draft.pk).update(t0=device_of(factories.make_user()).t0)
    return TOTPDevice.objects.get(pk=draft.pk)


def test_an_authenticator_counts_once_its_app_has_shown_a_code() -> None:
    user = factories.make_user()
    draft = begun(user)
    assert not own.has_factor(user)
    codes = confirm(user, draft, code_of(draft))
    assert (own.has_factor(user), len(codes), own.factors(user).recovery_codes) == (True, 10, 10)
    assert [entry.action for entry in Entry.objects.order_by("pk")] == [
        "code.accepted",
        "factor.added",
        "factor.recovery_codes_made",
    ]


def test_a_secret_stays_out_of_the_log() -> None:
    user = factories.make_user()
    draft = begun(user)
    codes = confirm(user, draft, code_of(draft))
    told = " ".join(entry.body for entry in Entry.objects.all())
    assert not [secret for secret in (draft.key, *codes) if secret in told]


def test_a_wrong_code_while_setting_up_counts_as_a_try() -> None:
    user = factories.make_user()
    draft = begun(user)
    for left in (4, 3, 2, 1, 0):
        with pytest.raises(CodeRefused):
            confirm(user, draft, wrong_code(draft))
        assert tries_left(user) == left
    with pytest.raises(CodeRefused, match="Too many"):
        confirm(user, draft, code_of(draft))
    assert CodeAttempt.objects.filter(purpose="add", accepted=False).count() == 5


def test_who_knows_the_password_alone_adds_nothing_to_what_is_there() -> None:
    user = factories.make_user()
    draft = begun(user)
    device_of(user)
    with pytest.raises(Invalid, match="already"):
        own.begin_authenticator(user, proven=False)
    with pytest.raises(Invalid, match="already"):
        confirm(user, draft, code_of(draft))
    with pytest.raises(Invalid, match="already"):
        own.add_passkey(user, "{}", challenge=None, name="", proven=False, by=actors.staff(user))


def test_another_persons_draft_is_not_confirmed() -> None:
    user, other = factories.make_user(), factories.make_user()
    draft = begun(other)
    with pytest.raises(Invalid):
        confirm(user, draft, code_of(draft))


def test_a_new_phone_takes_the_place_of_the_old_one() -> None:
    user = factories.make_user()
    old = device_of(user)
    own.new_recovery_codes(user, by=actors.staff(user))
    draft = begun(user, proven=True)
    assert confirm(user, draft, code_of(draft), proven=True) == []
    assert not TOTPDevice.objects.filter(pk=old.pk).exists()
    assert TOTPDevice.objects.get(user=user).tolerance == 0


def test_the_last_factor_stays() -> None:
    user = factories.make_user()
    key, by = passkey_of(user), actors.staff(user)
    with pytest.raises(Invalid, match="last"):
        own.remove_passkey(user, kept(key).pk, by=by)
    device_of(user)
    own.remove_authenticator(user, by=by)
    with pytest.raises(Invalid, match="last"):
        own.remove_passkey(user, kept(key).pk, by=by)
    passkey_of(user)
    own.remove_passkey(user, kept(key).pk, by=by)
    assert own.factors(user).count == 1
    assert Entry.objects.filter(action="factor.removed").count() == 2


def test_nobody_removes_the_passkey_of_somebody_else() -> None:
    user, other = factories.make_user(), factories.make_user()
    device_of(user)
    key = passkey_of(other)
    with pytest.raises(Invalid):
        own.remove_passkey(user, kept(key).pk, by=actors.staff(user))
    assert Passkey.objects.count() == 1


def test_new_recovery_codes_void_the_old_ones() -> None:
    user = factories.make_user()
    device_of(user)
    old = own.new_recovery_codes(user, by=actors.staff(user))
    new = own.new_recovery_codes(user, by=actors.staff(user))
    assert not set(old) & set(new)
    assert own.factors(user).recovery_codes == 10


def test_recovery_codes_are_for_who_has_a_factor() -> None:
    user = factories.make_user()
    with pytest.raises(Invalid):
        own.new_recovery_codes(user, by=actors.staff(user))


def test_the_database_keeps_credentials_apart() -> None:
    key = kept(passkey_of(factories.make_user()))
    other = kept(passkey_of(factories.make_user()))
    with pytest.raises(DatabaseError), transaction.atomic():
        Passkey.objects.filter(pk=other.pk).update(credential_id=key.credential_id)
