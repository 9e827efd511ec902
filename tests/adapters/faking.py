"""What the tests of the adapters share: an account in the environment, a fake wire and a call to send over it."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from tools.adapters.accounts import Account
from tools.wire import Call, Kind, Reconcile

NORTH = Account("north", "NORTH")
CORRELATION = UUID("00000000-0000-4000-8000-00000000c0de")
KEY = UUID("00000000-0000-4000-8000-000000000001")
ENVIRONMENT = {
    "NORTH_SHOPIFY_ADMIN_URL": "https://north.example/",
    "NORTH_SHOPIFY_ACCESS_TOKEN": "shpat_north",
    "NORTH_STRIPE_API_BASE": "https://stripe.example",
    "NORTH_STRIPE_API_KEY": "sk_test_north",
    "NORTH_KLAVIYO_API_BASE": "https://klaviyo.example",
    "NORTH_KLAVIYO_API_KEY": "pk_north",
    "NORTH_WHATSAPP_API_BASE": "https://graph.example",
    "NORTH_WHATSAPP_ACCESS_TOKEN": "EAA_north",
    "NORTH_WHATSAPP_PHONE_NUMBER_ID": "1065",
    "NORTH_WHATSAPP_VERIFY_TOKEN": "are-you-north",
    "NORTH_SLACK_WEBHOOK_URL": "https://slack.example/services/T0/B0/secret",
}


def connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives north an account with every vendor."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


class Vendor:
    """A vendor that gives its answers in turn, the last one for ever, and keeps what it was asked."""

    def __init__(
        self, *answers: httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]
    ) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else answer(request)

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self)

    def json(self, place: int = -1) -> Any:
        return json.loads(self.asked[place].content)


def call(kind: Kind = Kind.READ, **changes: Any) -> Call:
    """A call to a vendor that doesn't exist."""
    facts: dict[str, Any] = {
        "vendor": "acme",
        "operation": "thing",
        "shop": "north",
        "kind": kind,
        "method": "POST",
        "url": "https://acme.example/v1/thing?secret=1",
        "correlation_id": CORRELATION,
        "content": b"{}",
        "reconcile": Reconcile.PERSON if kind is Kind.UNSAFE_WRITE else None,
    }
    return Call(**{**facts, **changes})
