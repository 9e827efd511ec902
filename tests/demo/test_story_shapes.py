"""The bodies against the vendors' own shapes, where the collection of them stands beside the checkout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.demo.test_story import day

SHARED = Path(__file__).resolve().parents[3] / "shared"
SCHEMAS = SHARED / "specs" / "shopify" / "webhooks" / "2026-07"
SAMPLES = SHARED / "data" / "webhooks"
TOPICS = {
    "orders/create",
    "fulfillments/create",
    "fulfillment_events/create",
    "refunds/create",
    "orders/risk_assessment_changed",
    "disputes/create",
    "returns/request",
    "inventory_levels/update",
}

needs_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no vendor schemas at {SCHEMAS}")
needs_samples = pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no vendor samples at {SAMPLES}")


def bodies(source: str, topic: str) -> list[dict[str, Any]]:
    return [
        json.loads(step.body)
        for step in day(4, 1000).steps
        if (step.source, step.topic) == (source, topic) and step.kind not in ("garbage", "forged")
    ]


def loosened(schema: Any) -> Any:
    """The schema without `items: false`, by which its maker noted that the sample's list was empty."""
    if isinstance(schema, dict):
        return {key: loosened(part) for key, part in schema.items() if not (key == "items" and part is False)}
    return [loosened(part) for part in schema] if isinstance(schema, list) else schema


@needs_schemas
@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_shopify_body_fits_the_vendors_schema(topic: str) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((SCHEMAS / f"{topic.replace('/', '__')}.json").read_text())
    validator = jsonschema.Draft202012Validator(loosened(schema))
    found = bodies("shopify", topic)
    assert found
    for body in found:
        wrong = [f"{list(error.path)}: {error.message}"[:200] for error in validator.iter_errors(body)]
        assert not wrong


def test_no_shopify_topic_is_posted_that_the_schemas_do_not_know() -> None:
    topics = {step.topic for step in day(4, 1000).steps if step.source == "shopify"}
    assert topics - {"themes/publish"} == TOPICS


@needs_samples
@pytest.mark.parametrize(
    ("topic", "sample"),
    [
        ("charge.dispute.created", "stripe_object_dispute.json"),
        ("charge.refunded", "stripe_object_charge.json"),
        ("charge.succeeded", "stripe_object_charge.json"),
    ],
)
def test_every_stripe_object_has_only_fields_that_the_vendor_has(topic: str, sample: str) -> None:
    known = json.loads((SAMPLES / sample).read_text())
    found = bodies("stripe", topic)
    assert found
    for event in found:
        assert set(event["data"]["object"]) <= set(known)
        assert event["type"] == topic


@needs_samples
def test_an_early_fraud_warning_has_the_recorded_envelope() -> None:
    recorded = json.loads((SAMPLES / "stripe_event_radar_early_fraud_warning_created.json").read_text())
    for event in bodies("stripe", "radar.early_fraud_warning.created"):
        assert set(event) == set(recorded)
        assert set(event["data"]["object"]) == set(recorded["data"]["object"])


@needs_samples
def test_a_chat_message_has_the_recorded_form() -> None:
    recorded = json.loads((SAMPLES / "whatsapp_message_text.json").read_text())
    known = recorded["entry"][0]["changes"][0]["value"]
    for body in bodies("whatsapp", "messages"):
        value = body["entry"][0]["changes"][0]["value"]
        assert set(value) == set(known)
        assert set(value["messages"][0]) - {"from_user_id", "from"} == set(known["messages"][0]) - {"from"}


@needs_samples
def test_a_mail_has_the_fields_of_postmarks_own_sample() -> None:
    samples = [json.loads(path.read_text()) for path in sorted(SAMPLES.glob("postmark_inbound_*.json"))]
    known = set().union(*samples)
    for body in bodies("email", "inbound"):
        assert set(body) <= known
        assert set(body["FromFull"]) == set(samples[0]["FromFull"])


def test_every_shopify_delivery_carries_its_identity_in_headers() -> None:
    for step in day(4, 1000).steps:
        if step.source == "shopify":
            assert step.headers["X-Shopify-Topic"] == step.topic
            assert step.headers["X-Shopify-Webhook-Id"] == step.external_id
            assert step.headers["X-Shopify-Shop-Domain"] == step.account
            assert step.headers["X-Shopify-API-Version"] == "2026-07"


def paid_with(*names: str) -> list[dict[str, Any]]:
    return [order for order in day(1, 200).orders if set(names) <= {p["gateway"] for p in parts(order)}]


def parts(order: dict[str, Any]) -> list[dict[str, Any]]:
    return order["tenders"] or [{**order, "amount": order["total"]}]


def test_a_day_shows_taxes_by_rate_and_duties_and_discounts() -> None:
    lines = [line for order in day(1, 1000).orders for line in order["lines"]]
    rates = {tax["rate"] for line in lines for tax in line["taxes"]}
    assert {"0.190", "0.070", "0.100", "0.080", "0.060"} <= rates
    assert any(line["duties"] for line in lines)
    assert any(float(line["discount"]) for line in lines)


def test_a_day_shows_cash_and_a_gift_card_beside_a_card() -> None:
    assert paid_with("cash_on_delivery")
    assert [len(parts(order)) for order in paid_with("gift_card")] == [2] * len(paid_with("gift_card"))
    assert paid_with("gift_card")


def test_the_tenders_of_an_order_pay_its_total() -> None:
    for order in day(1, 1000).orders:
        digits = [int(part["amount"].replace(".", "")) for part in parts(order)]
        assert sum(digits) == int(order["total"].replace(".", ""))
        assert min(digits) > 0
