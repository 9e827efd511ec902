"""A shop's vendor accounts come from the environment under its prefix."""

import pytest

from tests.adapters.faking import NORTH
from tools.adapters.accounts import Account
from tools.errors import NotConfigured


def test_an_address_is_read_without_its_last_slash() -> None:
    assert NORTH.shopify_admin_url == "https://north.example"


def test_secrets_are_a_list_with_the_newest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTH_SHOPIFY_WEBHOOK_SECRETS", "new, old,,")
    assert NORTH.shopify_webhook_secrets == ("new", "old")


def test_no_secret_is_an_empty_list_that_lets_nobody_in() -> None:
    assert Account("south", "SOUTH").stripe_webhook_secrets == ()


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTH_STRIPE_API_KEY", " ")
    with pytest.raises(NotConfigured) as caught:
        _ = NORTH.stripe_api_key
    assert caught.value.variable == "NORTH_STRIPE_API_KEY"


def test_a_shop_is_never_answered_from_anothers_variables() -> None:
    with pytest.raises(NotConfigured):
        _ = Account("south", "SOUTH").shopify_access_token


def test_the_real_vendors_are_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NORTH_STRIPE_API_BASE")
    assert NORTH.stripe_api_base == "https://api.stripe.com"
