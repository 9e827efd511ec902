"""Opening a shop and letting people in from the command line: complete, repeatable, and told in the audit log."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django_otp.plugins.otp_totp.models import TOTPDevice

from approvals.models import LimitVersion, TermsVersion
from audit.models import Entry
from cases.models import Connection, Shop, User

pytestmark = pytest.mark.django_db

FACTS = {
    "name": "Acme",
    "legal-entity": "Acme GmbH",
    "currency": "EUR",
    "time-zone": "Europe/Berlin",
    "languages": "de",
    "sender-email": "help@acme.example",
}


def opened(slug: str = "acme", **changes: str) -> str:
    facts = {**FACTS, **{name.replace("_", "-"): value for name, value in changes.items()}}
    words = [word for name, value in facts.items() for word in (f"--{name}", value)]
    screen = io.StringIO()
    call_command("open_shop", slug, *words, stdout=screen)
    return screen.getvalue()


def hired(*words: str) -> str:
    screen = io.StringIO()
    call_command("add_staff", *words, stdout=screen)
    return screen.getvalue()


def told(action: str) -> list[Entry]:
    return list(Entry.objects.filter(action=action))


def test_a_shop_opens_with_limits_terms_and_an_entry() -> None:
    opened(connected_since="2026-01-31")
    shop = Shop.objects.get()
    assert (shop.env_prefix, shop.sender_name, shop.cutover_at.isoformat()) == (
        "ACME",
        "Acme",
        "2026-01-31T00:00:00+00:00",
    )
    assert LimitVersion.objects.filter(shop=shop, currency="EUR").exists()
    assert TermsVersion.objects.filter(shop=shop).exists()
    [entry] = told("shop.created")
    assert (entry.stream, entry.actor_kind, entry.shop_id) == ("shop/acme", "system", shop.pk)


def test_opening_a_shop_again_changes_nothing() -> None:
    opened()
    entries = Entry.objects.count()
    assert "already" in opened(name="Another")
    assert Shop.objects.get().name == "Acme"
    assert Entry.objects.count() == entries


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "EURO"},
        {"time_zone": "Berlin"},
        {"env_prefix": "acme shop"},
        {"sender_email": "nobody"},
        {"slug": "acme/shop"},
        {"connected_since": "yesterday"},
    ],
    ids=str,
)
def test_a_shop_with_a_mistake_is_not_opened(changes: dict[str, str]) -> None:
    with pytest.raises(CommandError):
        opened(**changes)
    assert not Shop.objects.exists()
    assert not Entry.objects.exists()


def test_a_prefix_belongs_to_one_shop() -> None:
    opened()
    with pytest.raises(CommandError):
        opened("other", env_prefix="ACME")


def test_a_new_colleague_can_sign_in_and_is_told() -> None:
    opened()
    password = hired("ada", "--role", "agent", "--shop", "acme").split()[-1]
    user = User.objects.get()
    assert user.check_password(password)
    assert (user.is_staff, user.is_superuser, user.shops.get().slug) == (True, False, "acme")
    assert [entry.data for entry in told("staff.created")] == [{"shops": ["acme"]}]
    assert [entry.data for entry in told("role.changed")] == [{"added": ["agent"], "removed": []}]
    assert not TOTPDevice.objects.exists()


def test_who_signs_large_refunds_gets_one_authenticator() -> None:
    opened()
    for _ in range(2):
        screen = hired("fay", "--role", "finance approver", "--shop", "acme")
    assert "stays as it is" in screen
    assert TOTPDevice.objects.get().tolerance == 0
    assert len(told("staff.authenticator_given")) == 1
    assert TOTPDevice.objects.get().key not in Entry.objects.last().body  # type: ignore[union-attr]  # there is one


def test_adding_somebody_again_keeps_password_and_roles() -> None:
    opened()
    opened("south", name="South")
    hired("ada", "--role", "agent", "--shop", "acme")
    before = User.objects.get().password
    hired("ada", "--shop", "acme", "--shop", "south")
    user = User.objects.get()
    assert user.password == before
    assert user.groups.get().name == "agent"
    assert [entry.data for entry in told("staff.changed")] == [{"shops": {"added": ["south"], "removed": []}}]


def test_nobody_is_added_to_a_shop_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="There is no acme"):
        hired("ada", "--role", "agent", "--shop", "acme")
    assert not User.objects.exists()


def test_each_source_is_connected_from_its_own_day() -> None:
    opened(connected_since="2026-01-31", source_since="stripe=2026-02-28")
    days = {row.source: row.cutover_at.date().isoformat() for row in Connection.objects.all()}
    assert days == dict.fromkeys(Connection.Source.values, "2026-01-31") | {"stripe": "2026-02-28"}
    assert len(told("shop.connected")) == len(Connection.Source.values)
    with pytest.raises(CommandError, match="fax is no source"):
        opened("other", env_prefix="OTHER", source_since="fax=2026-02-28")
