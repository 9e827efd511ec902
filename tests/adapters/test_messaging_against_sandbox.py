"""The messaging adapters against the stand-ins over real HTTP: what we ask is understood as the vendors would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.faking import CORRELATION, KEY, NORTH
from tests.adapters.stand_ins import stand_ins
from tests.sandbox.world import Caller
from tools.adapters import klaviyo, slack, whatsapp, whatsapp_reading
from tools.adapters.operation import Known
from tools.adapters.table import OPERATIONS
from tools.errors import Refused
from tools.models import Drift, NewField

NUMBER, USER_ID = "4915112345678", "DE.13491208655302741918"


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    with stand_ins(tmp_path, monkeypatch) as caller:
        yield caller


def messages(control: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = control.ledger()["messages"]
    return found


def event() -> None:
    klaviyo.send_event(
        NORTH,
        "Opsagent message",
        unique_id=KEY,
        email="ada@example.com",
        properties={"text": "Hello"},
        correlation_id=CORRELATION,
    )


def template(to: str = NUMBER) -> str:
    return whatsapp.send_template(
        NORTH, to, "opsagent_message", "en", ["Hello"], callback_data=str(KEY), correlation_id=CORRELATION
    ).ref


def words(to: str = NUMBER) -> str:
    return whatsapp.send_text(NORTH, to, "Hello", callback_data=str(KEY), correlation_id=CORRELATION).ref


def test_an_event_that_comes_twice_counts_once(control: Caller) -> None:
    event()
    event()
    assert [row["unique_id"] for row in messages(control)] == [str(KEY)]


def test_a_profile_is_made_once_and_can_be_erased(control: Caller) -> None:
    made = {
        klaviyo.upsert_profile(NORTH, email="ada@example.com", first_name=name, correlation_id=CORRELATION)
        for name in ("Ada", "Ada L.")
    }
    assert len(made) == 1
    klaviyo.request_deletion(NORTH, email="ada@example.com", correlation_id=CORRELATION)


@pytest.mark.parametrize("to", [NUMBER, USER_ID])
def test_a_template_reaches_a_number_and_a_user_id(control: Caller, to: str) -> None:
    assert template(to).startswith("wamid.")
    assert [(row["to"], row["unique_id"]) for row in messages(control)] == [(to, str(KEY))]


@pytest.mark.parametrize(("to", "key"), [(NUMBER, "from"), (USER_ID, "user_id")])
def test_free_text_leaves_inside_24_hours_alone(control: Caller, to: str, key: str) -> None:
    with pytest.raises(Refused) as caught:
        words(to)
    assert caught.value.code == "window_closed"
    control.control("inbound", {"shop": "north", key: to, "text": "Hello?"})
    assert words(to).startswith("wamid.")


@pytest.mark.parametrize("status", ["PENDING", "PAUSED", "DISABLED"])
def test_a_template_that_is_not_approved_is_told_beforehand_and_by_the_answer(
    control: Caller, status: str
) -> None:
    control.control(
        "templates", {"shop": "north", "name": "opsagent_message", "language": "en", "status": status}
    )
    (row,) = whatsapp_reading.list_templates(NORTH, correlation_id=CORRELATION)
    assert (row.name, row.status) == ("opsagent_message", status)
    with pytest.raises(Refused) as caught:
        template()
    assert caught.value.code == "template_not_approved"


def test_a_long_list_of_templates_is_read_to_its_end(control: Caller) -> None:
    for number in range(105):
        control.control("templates", {"shop": "north", "name": f"t{number:03}", "language": "en"})
    assert len(whatsapp_reading.list_templates(NORTH, correlation_id=CORRELATION)) == 105


def test_an_announcement_stands_in_the_channel(control: Caller) -> None:
    slack.announce(NORTH, "A hand-off waits", correlation_id=CORRELATION)
    assert [row["vendor"] for row in messages(control)] == ["slack"]


@pytest.mark.parametrize(
    "name", [one.name for one in OPERATIONS if one.vendor in ("klaviyo", "whatsapp") and one.probe]
)
def test_every_probe_passes_and_meets_nothing_new(control: Caller, name: str) -> None:
    control.control("templates", {"shop": "north", "name": "opsagent_message", "language": "en"})
    (found,) = [one for one in OPERATIONS if one.name == name and one.vendor in ("klaviyo", "whatsapp")]
    assert found.probe is not None
    assert found.probe(NORTH, Known(), CORRELATION)
    assert (Drift.objects.count(), list(NewField.objects.values_list("field_path", flat=True))) == (0, [])
