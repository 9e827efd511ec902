from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from cases.models import Shop, User
from tests import factories as f
from tests.signing import signed_in

SignIn = Callable[..., Client]


@pytest.fixture
def shop(db: None) -> Shop:
    return f.make_shop("north", name="Fjell & Fern")


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """A client of a new member of staff with these roles (and permissions), in these shops; all if None."""

    def make(*roles: str, shops: Sequence[Shop] | None = None, permissions: Sequence[str] = ()) -> Client:
        return client_of(f.make_user(*permissions, roles=roles, shops=shops))

    return make


def client_of(user: User) -> Client:
    client = signed_in(user)
    client.user = user  # type: ignore[attr-defined]  # so that a test can name who pressed
    return client


@pytest.fixture
def agent(sign_in: SignIn, shop: Shop) -> Client:
    return sign_in("agent")


@pytest.fixture
def viewer(sign_in: SignIn, shop: Shop) -> Client:
    return sign_in("viewer")


@pytest.fixture
def said() -> Callable[[Any], str]:
    """What the next page says at its top, as one text."""

    def read(response: Any) -> str:
        return " ".join(str(message) for message in response.context["messages"])

    return read
