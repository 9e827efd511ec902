"""Those who will receive the day can read it: our own adapters, the mail library, the sandbox's control API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from anymail.webhooks.postmark import PostmarkInboundWebhookView
from django.test import RequestFactory

from opsagent.demo.script import Step
from tests.demo.test_story import day
from tools.adapters import shopify_webhooks, stripe_webhooks, whatsapp_webhooks
from tools.sandbox.server import Sandbox

UNREAD = ("garbage", "unknown_topic", "supplier_feed")


def steps(source: str) -> list[Step]:
    return [step for step in day(4, 1000).steps if step.source == source and step.kind not in UNREAD]


def test_every_shopify_delivery_is_read_without_drift() -> None:
    for step in steps("shopify"):
        envelope = shopify_webhooks.envelope(step.headers)
        assert (envelope.account, envelope.external_id) == (step.account, step.external_id)
        assert shopify_webhooks.parse(step.topic, step.body) is not None


def test_every_stripe_event_is_read_without_drift() -> None:
    for step in steps("stripe"):
        envelope = stripe_webhooks.envelope(step.body)
        assert (envelope.account, envelope.external_id) == (step.account, step.external_id)
        assert stripe_webhooks.parse(step.body) is not None


def test_every_chat_is_read_without_drift() -> None:
    for step in steps("whatsapp"):
        envelope = whatsapp_webhooks.envelope(step.body)
        assert (envelope.account, envelope.external_id) == (step.account, step.external_id)
        assert len(whatsapp_webhooks.parse(step.body)) == 1


def test_every_mail_is_read_by_the_mail_library() -> None:
    view = PostmarkInboundWebhookView(webhook_secret=["user:word"])
    for step in steps("email"):
        request = RequestFactory().post("/", data=step.body, content_type="application/json")
        (event,) = view.parse_events(request)
        sent = json.loads(step.body)
        assert event.event_id == step.external_id
        assert event.message.envelope_recipient == step.account
        assert event.message.from_email.addr_spec == sent["FromFull"]["Email"]
        assert len(event.message.attachments) == len(sent["Attachments"])


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    running = Sandbox(port=0, ledger=tmp_path / "ledger.sqlite3")
    running.start()
    yield running
    running.stop()


def test_the_sandbox_follows_every_effect_of_a_day(sandbox: Sandbox) -> None:
    for step in day().steps:
        for path, effect in step.sandbox:
            request = Request(sandbox.base_url + path, json.dumps(effect).encode(), method="POST")  # noqa: S310
            with urlopen(request, timeout=10) as answer:  # noqa: S310
                assert answer.status == 200
