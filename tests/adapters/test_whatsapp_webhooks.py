"""What WhatsApp's deliveries tell in our words, and which changes of theirs stop us."""

import pytest

from tests.adapters import bodies
from tests.adapters.bodies import whatsapp, whatsapp_text, whatsapp_value
from tools.adapters import whatsapp_webhooks
from tools.errors import ContractDrift
from tools.snapshots import MessageSnapshot, MessageStatusSnapshot

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
