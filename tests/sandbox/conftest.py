"""A sandbox per test, on a port and with a ledger of its own; what it answers is held against the contracts."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.sandbox import contracts
from tests.sandbox.listening import Listener
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
    answers: list[httpx.Response] = []
    hooks = {"response": [answers.append]}
    with httpx.Client(base_url=sandbox.base_url, timeout=10, verify=plain_http, event_hooks=hooks) as client:
        caller = Caller(client)
        caller.control("shops", KEYS)
        caller.control("orders", order())
        yield caller
    if not caller.faulted:
        for answer in answers:
            contracts.check(answer)


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listening:
        yield listening
