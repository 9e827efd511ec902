import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries, Settings

from opsagent import checks
from opsagent.environment import (
    SHOP_VARIABLES,
    VARIABLES,
    local_secret_key,
    make_data_dir,
    passkey_faults,
    passkey_site,
    shop_prefixes,
)

ROOT = Path(__file__).parents[2]
KEY = "k" * 50


def ids(run: Callable[..., Any]) -> list[str]:
    return [message.id for message in run(None)]


@pytest.fixture
def production(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A production that lacks nothing."""
    settings.MODE = "production"
    settings.ALLOWED_HOSTS = ["ops.example.com"]
    settings.DATABASE_URL = "postgres://u:p@db/ops"
    settings.PASSKEY_RP_ID, settings.PASSKEY_ORIGINS = "ops.example.com", ["https://ops.example.com"]
    monkeypatch.setenv("SECRET_KEY", KEY)
    monkeypatch.setenv("OPSAGENT_RATES_URL", "https://rates.example.com/daily.xml")
    return settings


def test_this_environment_has_no_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ids(checks.environment) == []


def test_complete_production_has_no_complaint(production: Settings) -> None:
    assert ids(checks.environment) == []


@pytest.mark.parametrize(
    ("url", "identity"),
    [
        ("", "opsagent.W003"),
        ("http://rates.example.com/a.xml", "opsagent.E015"),
        ("file:///a", "opsagent.E015"),
    ],
)
def test_production_believes_rates_from_a_safe_address_alone(
    production: Settings, monkeypatch: pytest.MonkeyPatch, url: str, identity: str
) -> None:
    monkeypatch.setenv("OPSAGENT_RATES_URL", url)
    assert ids(checks.environment) == [identity]


@pytest.mark.parametrize(
    ("setting", "value", "identity"),
    [
        ("MODE", "staging", "opsagent.E001"),
        ("ALLOWED_HOSTS", [], "opsagent.E003"),
        ("ALLOWED_HOSTS", ["*"], "opsagent.E003"),
        ("DATABASE_URL", "", "opsagent.E004"),
        ("DATABASE_URL", "sqlite:///ops.db", "opsagent.E005"),
        # A file is in the way of the folder.
        ("DATA_DIR", Path(__file__) / "data", "opsagent.E006"),
        ("PLANNER", "oracle", "opsagent.E007"),
        ("HEARTBEAT_SECONDS", 2, "opsagent.E008"),
        ("LOG_LEVEL", "CHATTY", "opsagent.E009"),
        ("LOG_FORMAT", "xml", "opsagent.E009"),
        ("PASSKEY_RP_ID", "", "opsagent.W002"),
        ("PASSKEY_ORIGINS", [], "opsagent.W002"),
        ("PASSKEY_RP_ID", "other.example.com", "opsagent.E014"),
        ("PASSKEY_RP_ID", "s.example.com", "opsagent.E014"),
        ("PASSKEY_ORIGINS", ["http://ops.example.com"], "opsagent.E014"),
        ("PASSKEY_ORIGINS", ["https://ops.example.com/admin"], "opsagent.E014"),
        ("PASSKEY_ORIGINS", ["https://ops.example.com.evil.example"], "opsagent.E014"),
        ("PASSKEY_ORIGINS", ["ops.example.com"], "opsagent.E014"),
    ],
)
def test_each_mistake_has_its_own_id_and_a_hint(
    production: Settings, setting: str, value: object, identity: str
) -> None:
    with override_settings(**{setting: value}):
        messages = checks.environment(None)
    assert [message.id for message in messages] == [identity]
    assert messages[0].hint


@pytest.mark.parametrize("key", ["", "short"])
def test_production_needs_a_long_secret_key(
    production: Settings, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("SECRET_KEY", key)
    assert ids(checks.environment) == ["opsagent.E002"]


def test_misspelt_variable_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPSAGENT_MOOD", "good")
    assert ids(checks.environment) == ["opsagent.W001"]


def test_task_without_a_function_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "task_names", lambda: {"plan": "cases.tasks.no_such_task"})
    assert "opsagent.E010" in ids(checks.function_names)


def test_watch_job_without_a_function_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsagent.watch.WATCH_JOBS", {"cases.nowhere.sweep": 1.0})
    assert ids(checks.function_names) == ["opsagent.E011"]


def test_every_task_and_watch_job_has_its_function() -> None:
    assert ids(checks.function_names) == []


class TestShops:
    def test_prefixes_are_found_by_what_follows_them(self) -> None:
        environment = {"NORTH_STRIPE_API_KEY": "sk", "MY_SHOP_SLACK_WEBHOOK_URL": "https://x", "PATH": "/bin"}
        assert shop_prefixes(environment) == ["MY_SHOP", "NORTH"]

    def test_half_connected_vendor_is_pointed_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NORTH_STRIPE_API_KEY", "sk")
        (message,) = checks.shop_accounts(None)
        assert message.id == "opsagent.W020"
        assert "NORTH_STRIPE_WEBHOOK_SECRETS" in message.msg

    def test_secrets_never_travel_in_the_open_in_production(
        self, production: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NORTH_SLACK_WEBHOOK_URL", "http://hooks.example.com/x")
        assert ids(checks.shop_accounts) == ["opsagent.W021"]

    @pytest.mark.parametrize("url", ["mail.example.com", "smtp://", "smtp://u:p@mail.example.com?tls=0"])
    def test_a_mail_server_that_can_not_be_used_is_pointed_out(
        self, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        monkeypatch.setenv("NORTH_EMAIL_URL", url)
        assert ids(checks.shop_accounts) == ["opsagent.W022"]

    def test_a_mail_server_alone_is_no_half_connected_vendor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NORTH_EMAIL_URL", "smtps://u:p@mail.example.com")
        assert ids(checks.shop_accounts) == []

    def test_what_is_optional_may_be_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("ACCESS_TOKEN", "PHONE_NUMBER_ID", "APP_SECRETS", "VERIFY_TOKEN"):
            monkeypatch.setenv(f"NORTH_WHATSAPP_{name}", "x")
        assert ids(checks.shop_accounts) == []


@pytest.mark.parametrize(
    ("rp_id", "origins", "site_url", "found"),
    [
        ("", [], "https://ops.example.com", ("ops.example.com", ["https://ops.example.com"])),
        ("", [], "http://localhost:8001/", ("localhost", ["http://localhost:8001"])),
        ("", [], "", ("", [])),
        (
            "example.com",
            ["https://a.example.com"],
            "https://ops.example.com",
            ("example.com", ["https://a.example.com"]),
        ),
    ],
)
def test_passkeys_follow_the_sites_own_address(
    rp_id: str, origins: list[str], site_url: str, found: tuple[str, list[str]]
) -> None:
    assert passkey_site(rp_id, origins, site_url) == found
    assert passkey_faults(*found, strict=False) == []


def test_an_address_of_numbers_is_no_name_for_passkeys() -> None:
    assert passkey_faults("127.0.0.1", ["http://127.0.0.1:8000"], strict=False)


class TestVariables:
    def test_every_variable_of_ours_that_the_code_reads_is_in_the_table(self) -> None:
        read = {
            name
            for path in (ROOT / "opsagent").rglob("*.py")
            for name in re.findall(r"\"(OPSAGENT_[A-Z_]+)\"", path.read_text())
        }
        assert read == {row.name for row in VARIABLES if row.name.startswith("OPSAGENT_")}

    def test_readme_lists_every_variable(self) -> None:
        readme = (ROOT / "README.md").read_text()
        shop = [variable.name for group in SHOP_VARIABLES for variable in group.variables]
        assert [name for name in [*(row.name for row in VARIABLES), *shop] if f"`{name}`" not in readme] == []


class TestSecretKey:
    def test_key_is_made_once_and_kept_private(self, tmp_path: Path) -> None:
        key = local_secret_key(tmp_path)
        assert local_secret_key(tmp_path) == key
        assert len(key) >= checks.SHORTEST_KEY
        assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600

    def test_first_start_makes_the_data_folder(self, tmp_path: Path) -> None:
        assert make_data_dir(tmp_path / "a" / "b").is_dir()
        assert (tmp_path / "a" / "b").stat().st_mode & 0o066 == 0


@pytest.mark.django_db
def test_checks_ask_no_database(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        checks.environment(None)
        checks.shop_accounts(None)


def test_the_command_that_readme_names_makes_these_checks(tmp_path: Path) -> None:
    wrong = {**os.environ, "OPSAGENT_PLANNER": "oracle", "OPSAGENT_DATA_DIR": str(tmp_path)}
    command = [sys.executable, str(ROOT / "manage.py"), "check"]
    run = subprocess.run(command, env=wrong, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 1
    assert "opsagent.E007" in run.stderr
