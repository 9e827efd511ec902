"""What the events of Stripe and WhatsApp tell in our words, and which changes of theirs stop us."""

from typing import Any

import pytest

from tests.adapters import bodies
from tests.adapters.bodies import stripe_event, whatsapp, whatsapp_text, whatsapp_value
from tools.adapters import stripe_webhooks, whatsapp_webhooks
from tools.errors import ContractDrift
from tools.snapshots import (
    ChargeSnapshot,
    DisputeSnapshot,
    FraudWarningSnapshot,
    MessageSnapshot,
    MessageStatusSnapshot,
    RefundSnapshot,
)


def test_an_event_is_known_by_its_own_id() -> None:
    found = stripe_webhooks.envelope(stripe_event("refund.created", {}))
    assert (found.account, found.external_id, found.topic) == ("", "evt_1", "refund.created")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("succeeded", "succeeded"), ("pending", "pending"), (None, "pending"), ("canceled", "failed")],
)
def test_a_refund_tells_how_far_it_is(status: str | None, outcome: str) -> None:
    seen = stripe_webhooks.parse(stripe_event("refund.updated", bodies.stripe_refund(status=status)))
    assert isinstance(seen, RefundSnapshot)
    assert (seen.parts[0].status, seen.parts[0].payment_external_id) == (outcome, "ch_1")


def test_a_refund_of_ours_carries_its_key() -> None:
    seen = stripe_webhooks.parse(stripe_event("refund.created", bodies.stripe_refund()))
    assert isinstance(seen, RefundSnapshot)
    assert seen.call_key.endswith("-000000000001")


def test_a_dispute_has_a_deadline_and_a_charge() -> None:
    seen = stripe_webhooks.parse(stripe_event("charge.dispute.created", bodies.stripe_dispute()))
    assert isinstance(seen, DisputeSnapshot)
    assert (seen.charge, seen.currency) == ("ch_1", "EUR")
    assert seen.evidence_due_at is not None


def test_a_charge_names_order_and_card() -> None:
    seen = stripe_webhooks.parse(stripe_event("charge.refunded", bodies.stripe_charge(amount_refunded=100)))
    assert isinstance(seen, ChargeSnapshot)
    assert (seen.order_external_id, seen.instrument, seen.refunded_minor) == ("5001001", "fp_1", 100)


def test_an_early_warning_names_the_charge() -> None:
    warning = {
        "object": "radar.early_fraud_warning",
        "id": "issfr_1",
        "charge": "ch_1",
        "fraud_type": "misc",
        "actionable": True,
    }
    seen = stripe_webhooks.parse(stripe_event("radar.early_fraud_warning.created", warning))
    assert seen == FraudWarningSnapshot(
        external_id="issfr_1", charge="ch_1", fraud_type="misc", actionable=True
    )


@pytest.mark.parametrize(
    ("topic", "thing", "path"),
    [
        ("refund.created", bodies.stripe_refund(status="halfway"), "data.object.status"),
        ("refund.created", bodies.stripe_refund(amount="1276"), "data.object.amount"),
        ("charge.dispute.updated", bodies.stripe_dispute(status="appealed"), "data.object.status"),
        ("charge.succeeded", bodies.stripe_charge(amount_captured=None), "data.object.amount_captured"),
        ("charge.succeeded", bodies.stripe_refund(), "data.object.object"),
    ],
)
def test_a_changed_field_of_stripe_is_named(topic: str, thing: dict[str, Any], path: str) -> None:
    with pytest.raises(ContractDrift) as caught:
        stripe_webhooks.parse(stripe_event(topic, thing))
    assert caught.value.field_path == path


def test_an_event_that_we_do_not_read_is_absorbed() -> None:
    assert stripe_webhooks.parse(stripe_event("customer.created", {"object": "customer"})) is None


CONTACT = {"profile": {"name": "Ada"}, "wa_id": "4915112345678"}


def test_one_delivery_may_carry_messages_and_statuses_together() -> None:
    status = {"id": "wamid.9", "status": "read", "timestamp": "1793700001", "biz_opaque_callback_data": "k"}
    body = whatsapp(
        whatsapp_value(contacts=[CONTACT], messages=[whatsapp_text(), whatsapp_text(id="wamid.2")]),
        whatsapp_value(statuses=[status]),
    )
    first, second, told = whatsapp_webhooks.parse(body)
    assert isinstance(first, MessageSnapshot)
    assert isinstance(second, MessageSnapshot)
    assert isinstance(told, MessageStatusSnapshot)
    assert (first.text, second.external_id, told.callback_data) == ("Where is my lamp?", "wamid.2", "k")


def test_a_sender_may_hide_the_phone_number() -> None:
    hidden = {"profile": {"name": "Ada"}, "user_id": "DE.123"}
    message = {name: value for name, value in whatsapp_text(from_user_id="DE.123").items() if name != "from"}
    (seen,) = whatsapp_webhooks.parse(whatsapp(whatsapp_value(contacts=[hidden], messages=[message])))
    assert isinstance(seen, MessageSnapshot)
    assert (seen.sender, seen.wa_id, seen.name) == ("DE.123", "", "Ada")


def test_a_message_from_nobody_is_drift() -> None:
    message = {name: value for name, value in whatsapp_text().items() if name != "from"}
    with pytest.raises(ContractDrift) as caught:
        whatsapp_webhooks.parse(whatsapp(whatsapp_value(messages=[message])))
    assert caught.value.field_path == "messages.from"


def test_two_senders_in_one_delivery_are_told_apart() -> None:
    other = {"profile": {"name": "Bo"}, "wa_id": "4712345678"}
    value = whatsapp_value(contacts=[CONTACT, other], messages=[whatsapp_text(**{"from": "4712345678"})])
    (seen,) = whatsapp_webhooks.parse(whatsapp(value))
    assert isinstance(seen, MessageSnapshot)
    assert seen.name == "Bo"


def test_a_picture_keeps_its_caption_and_its_place() -> None:
    image = {"id": "m1", "caption": "It is broken"}
    message = {**whatsapp_text(type="image", image=image), "text": None}
    (seen,) = whatsapp_webhooks.parse(whatsapp(whatsapp_value(contacts=[CONTACT], messages=[message])))
    assert isinstance(seen, MessageSnapshot)
    assert (seen.text, seen.media_id, seen.kind) == ("It is broken", "m1", "image")


def test_a_field_of_the_account_that_we_do_not_read_is_absorbed() -> None:
    entry = {"id": "1", "changes": [{"field": "account_update", "value": {"event": "X"}}]}
    body = bodies.raw({"object": "whatsapp_business_account", "entry": [entry]})
    assert whatsapp_webhooks.parse(body) == ()


def test_a_changed_message_is_drift_and_not_passed_over() -> None:
    with pytest.raises(ContractDrift):
        whatsapp_webhooks.parse(whatsapp({"metadata": {}}))


def test_a_delivery_is_named_by_what_it_carries() -> None:
    one = whatsapp_webhooks.envelope(whatsapp(whatsapp_value(messages=[whatsapp_text()])))
    two = whatsapp_webhooks.envelope(
        whatsapp(whatsapp_value(messages=[whatsapp_text(), whatsapp_text(id="b")]))
    )
    assert (one.account, one.external_id, one.topic) == ("1065", "wamid.1", "messages")
    assert two.external_id.startswith("batch:")
