"""The shop `north` is connected to vendors that no test ever reaches."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from cases.models import Shop
from tests import factories
from tests.adapters.faking import Vendor, connect
from tests.authority.rows import refunded
from tools import wire


@pytest.fixture
def north(monkeypatch: pytest.MonkeyPatch) -> Shop:
    connect(monkeypatch)
    return factories.make_shop("north")


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """What was asked on the wire; every vendor says yes."""
    fake = Vendor(refunded)
    with wire.transport_override(httpx.MockTransport(fake)):
        yield fake
