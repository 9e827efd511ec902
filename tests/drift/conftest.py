"""A connected shop named north, whose processes know nothing yet of its vendors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.test import Client

from cases.models import Shop
from tests import factories as f
from tests.adapters.faking import ENVIRONMENT
from tests.flow.world import SECRETS, World, north
from tools import new_fields, upstreams, wire

SignIn = Callable[..., Client]


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


@pytest.fixture
def shop(db: None) -> Shop:
    return north()


@pytest.fixture
def world(shop: Shop) -> World:
    return World(shop)


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """A client of a new member of staff with these roles, in these shops; all if None."""

    def make(*roles: str, shops: Sequence[Shop] | None = None) -> Client:
        client, user = Client(), f.make_user(roles=roles, shops=shops)
        client.force_login(user)
        client.user = user  # type: ignore[attr-defined]  # so that a test can name who pressed
        return client

    return make


@pytest.fixture
def said() -> Callable[[Any], str]:
    """What the page says at its top, as one text."""

    def read(response: Any) -> str:
        return " ".join(str(message) for message in response.context["messages"])

    return read
