"""Stripe's official sample objects, as its mock serves them: every reading understands them, and writes believe them.

They stand outside the repository, in ../shared/specs; without them these tests are skipped.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH
from tests.adapters.stripe_faking import listed
from tests.contracts.answers import SPECS
from tools import wire
from tools.adapters import stripe, stripe_disputes, stripe_events, stripe_invoices

SAMPLES = SPECS / "stripe" / "fixtures3_2026-08-21.trimmed.json"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_file(), reason="Stripe's sample objects are not in ../shared/specs"
)
SINCE = datetime(2009, 1, 1, tzinfo=UTC)
PATHS = {
    "refunds": "refund",
    "charges": "charge",
    "payment_intents": "payment_intent",
    "credit_notes": "credit_note",
    "disputes": "dispute",
    "events": "event",
    "early_fraud_warnings": "radar.early_fraud_warning",
}


class Mock:
    """Answers as stripe-mock does: the sample with the asked id, and with the scalar parameters of a write."""

    def __init__(self) -> None:
        self.samples: dict[str, dict[str, Any]] = json.loads(SAMPLES.read_text())["resources"]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        steps = request.url.path.removeprefix("/v1/").removeprefix("radar/").split("/")
        thing = dict(self.samples[PATHS[steps[0]]])
        if request.method == "POST":
            for name, value in parse_qsl(request.content.decode()):
                if name in thing and isinstance(thing[name], int | str):
                    thing[name] = type(thing[name])(value)
            return httpx.Response(200, json=thing)
        if len(steps) > 1:
            return httpx.Response(200, json={**thing, "id": steps[1]})
        return httpx.Response(200, json=listed(thing))


@pytest.fixture(autouse=True)
def mocked() -> Iterator[None]:
    with wire.transport_override(httpx.MockTransport(Mock())):
        yield


READINGS: dict[str, Callable[[], object]] = {
    "charge": lambda: stripe.read_charge(NORTH, "ch_7", correlation_id=CORRELATION).external_id == "ch_7",
    "intent": lambda: stripe.read_payment_intent(NORTH, "pi_7", correlation_id=CORRELATION).status,
    "refunds": lambda: stripe.list_refunds(NORTH, "ch_1", correlation_id=CORRELATION),
    "recent": lambda: stripe.list_recent_refunds(NORTH, since=SINCE, correlation_id=CORRELATION).items,
    "dispute": lambda: stripe_disputes.read_dispute(NORTH, "dp_7", correlation_id=CORRELATION).status,
    "disputes": lambda: stripe_disputes.list_disputes(NORTH, since=SINCE, correlation_id=CORRELATION).items,
    "of a charge": lambda: stripe_disputes.disputes_of(NORTH, "ch_1", correlation_id=CORRELATION),
    "warnings": lambda: (
        stripe_disputes.list_fraud_warnings(NORTH, since=SINCE, correlation_id=CORRELATION).items
    ),
    "events": lambda: (
        stripe_events.list_events(NORTH, types=["x"], since=SINCE, correlation_id=CORRELATION).events
    ),
    "notes": lambda: stripe_invoices.NOTES.page(NORTH, {"invoice": "in_1"}, correlation_id=CORRELATION).items,
}


@pytest.mark.parametrize("name", sorted(READINGS))
def test_the_official_sample_is_understood(name: str) -> None:
    assert READINGS[name]()


def test_a_refund_by_the_official_mock_is_believed() -> None:
    made = stripe.refund(NORTH, "ch_1", 1200, "USD", key=KEY, case_id="5", correlation_id=CORRELATION)
    assert (made.amount_minor, made.status) == (1200, "succeeded")


def test_a_refund_that_nobody_keeps_is_not_found() -> None:
    assert stripe.find_refund(NORTH, "ch_1", key=KEY, correlation_id=CORRELATION) is None
