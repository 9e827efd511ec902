"""A connected shop named north, whose processes know nothing yet of its vendors."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.faking import ENVIRONMENT
from tests.admin.conftest import SignIn, said, sign_in
from tests.flow.conftest import shop, world
from tests.flow.world import SECRETS
from tools import new_fields, upstreams, wire

__all__ = ["SignIn", "said", "shop", "sign_in", "world"]


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {**ENVIRONMENT, **SECRETS}.items():
        monkeypatch.setenv(name, value)
    new_fields.forget()
    upstreams.forget()
    yield
    new_fields.forget()
    upstreams.forget()
    wire.close()
