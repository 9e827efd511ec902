"""A sandbox per test, on a port and with a ledger of its own."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.sandbox.world import KEYS, Caller, order
from tools.sandbox.server import Sandbox


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(ledger=tmp_path / "ledger.sqlite3") as running:
        yield running


@pytest.fixture(scope="session")
def plain_http() -> ssl.SSLContext:
    """No certificate is ever looked at; making the client's default context per test costs 30 ms each."""
    return ssl.create_default_context()


@pytest.fixture
def caller(sandbox: Sandbox, plain_http: ssl.SSLContext) -> Iterator[Caller]:
    with httpx.Client(base_url=sandbox.base_url, timeout=10, verify=plain_http) as client:
        caller = Caller(client)
        caller.control("shops", KEYS)
        caller.control("orders", order())
        yield caller
