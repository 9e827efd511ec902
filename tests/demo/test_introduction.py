"""Nobody asks the demo's sandbox anything before it knows its shops, and nothing of an earlier demo is left in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from opsagent.demo import accounts
from opsagent.demo.house import Vendors
from tests.sandbox.world import order
from tools.sandbox.server import Sandbox

WEB = "http://127.0.0.1:9"


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(ledger=tmp_path / "ledger.sqlite3") as running:
        yield running


@pytest.fixture
def variables(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    return accounts.environment(tmp_path, sandbox.base_url)


def sent(sandbox: Sandbox) -> list[dict[str, Any]]:
    """The webhooks that a new order makes."""
    httpx.post(f"{sandbox.base_url}/_control/orders", json=order()).raise_for_status()
    return list(httpx.get(f"{sandbox.base_url}/_control/deliveries").json()["deliveries"])


def test_a_sandbox_that_answers_is_ready_once_it_knows_its_shops(
    sandbox: Sandbox, variables: dict[str, str]
) -> None:
    vendors = Vendors(sandbox.base_url, accounts.told_sandbox(variables, WEB))
    url, key = f"{variables['NORTH_STRIPE_API_BASE']}/v1/refunds", variables["NORTH_STRIPE_API_KEY"]
    assert httpx.get(url, auth=(key, "")).status_code == 401
    assert vendors.ready()
    assert httpx.get(url, auth=(key, "")).status_code == 200
    assert {one["url"] for one in sent(sandbox)} == {f"{WEB}/hooks/north/stripe/"}


def test_a_port_of_an_earlier_demo_hears_nothing_more(sandbox: Sandbox, variables: dict[str, str]) -> None:
    for web in ("http://127.0.0.1:7", WEB):
        assert Vendors(sandbox.base_url, accounts.told_sandbox(variables, web)).ready()
    assert {one["url"] for one in sent(sandbox)} == {f"{WEB}/hooks/north/stripe/"}


def test_a_sandbox_that_came_back_is_not_told_again(sandbox: Sandbox, variables: dict[str, str]) -> None:
    vendors = Vendors(sandbox.base_url, accounts.told_sandbox(variables, WEB))
    assert vendors.ready()
    httpx.delete(f"{sandbox.base_url}/_control/webhooks").raise_for_status()
    sandbox.stop()
    assert not vendors.ready()
    sandbox.start()
    assert vendors.ready()
    assert sent(sandbox) == []


def test_a_sandbox_that_takes_no_shop_is_not_ready(sandbox: Sandbox) -> None:
    vendors = Vendors(sandbox.base_url, [("/_control/shops", {})])
    assert not vendors.ready()
    vendors.told = []
    assert vendors.ready()
