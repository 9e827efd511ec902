"""What can be written to the log, and what is refused."""

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from audit import sources
from audit.actions import ACTIONS
from audit.actors import AGENT, SYSTEM, customer
from audit.models import Entry, StreamHead
from audit.services import record
from tests.audit.log import write

NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_which_thing_and_when() -> None:
    with sources.frozen(NOON):
        entry = Entry.objects.get(pk=write("case/7", "case.closed", by=AGENT).pk)
    assert (entry.stream, entry.seq, entry.action) == ("case/7", 1, "case.closed")
    assert (entry.actor_kind, entry.actor_id) == ("agent", "agent")
    assert (entry.subject_type, entry.subject_id) == ("auth.group", str(Group.objects.get(name="agents").pk))
    assert entry.at == NOON
    assert entry.sentence == "The case was closed."


@pytest.mark.django_db
def test_the_body_is_canonical_json_of_everything_that_the_entry_says() -> None:
    with sources.frozen(NOON.astimezone(timezone(timedelta(hours=9)))), sources.seeded(1):
        entry = write(data={"z": 1, "a": ["ø", None, True], "m": {"tier": "small"}})
    assert entry.body == (
        '{"action":"case.opened","actor":{"id":"system","kind":"system"},'
        '"at":"2026-07-01T12:00:00.000000+00:00",'
        f'"correlation_id":"{entry.correlation_id}",'
        '"data":{"a":["ø",null,true],"m":{"tier":"small"},"z":1},"shop":null,'
        f'"subject":{{"id":"{entry.subject_id}","type":"auth.group"}}}}'
    )
    assert entry.data == {"a": ["ø", None, True], "m": {"tier": "small"}, "z": 1}


@pytest.mark.django_db
def test_an_entry_without_data_holds_an_empty_object() -> None:
    assert json.loads(write().body)["data"] == {}


@pytest.mark.django_db
def test_an_unregistered_action_is_refused() -> None:
    with pytest.raises(LookupError, match="is not in audit"):
        write(action="case.vanished")
    assert not Entry.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "unfit",
    [
        1.5,  # amounts are whole minor units
        Decimal("19.00"),
        NOON,
        uuid.UUID(int=1),  # the caller says str(), so that the log's form is the caller's choice
        b"raw",
        {"set"},
        {1: "a number as key"},
        [["deep", {"deeper": 0.1}]],
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_data_other_than_plain_json_is_refused(unfit: Any) -> None:
    with pytest.raises(ValueError, match=r"audit data is made of|keys of audit data"):
        write(data={"value": unfit})


@pytest.mark.django_db
@pytest.mark.parametrize(
    "personal",
    [
        "ada@example.com",
        {"from": "ada@example.com"},
        {"ada@example.com": 1},  # a key tells as much as a value
        ["ok", ["ada@example.com"]],
        "x" * 201,
    ],
    ids=["address", "nested", "key", "in a list", "long text"],
)
def test_what_looks_like_personal_text_is_refused_with_its_place(personal: Any) -> None:
    with pytest.raises(ValueError, match=r"data\.detail.* may be personal text"):
        write(data={"detail": personal})


@pytest.mark.django_db
def test_a_code_of_two_hundred_characters_is_not_taken_for_personal_text() -> None:
    assert write(data={"code": "x" * 200}).seq == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "stream", ["", "case/", "case/1/2", "person/ada", "case/ada@example.com", "staff/1", "Case/1", "case/1\n"]
)
def test_a_stream_is_a_case_an_order_a_shop_or_staff(stream: str) -> None:
    with pytest.raises(ValueError, match="An audit stream is"):
        write(stream)


@pytest.mark.django_db
@pytest.mark.parametrize("stream", ["case/17", "order/5001001", "shop/north", "staff"])
def test_every_kind_of_stream_begins_at_one(stream: str) -> None:
    assert write(stream).seq == 1


@pytest.mark.django_db
def test_the_subject_must_be_a_stored_row() -> None:
    with transaction.atomic(), pytest.raises(ValueError, match="stored row"):
        record(
            "case.opened",
            by=SYSTEM,
            stream="case/1",
            subject=Group(name="not saved"),
            shop_id=None,
            correlation_id=uuid.UUID(int=1),
        )


def record_bare() -> Entry:
    return record(
        "case.opened",
        by=customer(uuid.UUID(int=2)),
        stream="case/1",
        subject=Group.objects.create(name="agents"),
        shop_id=None,
        correlation_id=uuid.UUID(int=1),
    )


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of the change"):
        record_bare()
    assert not Entry.objects.exists()


@pytest.mark.django_db
def test_the_transaction_of_the_test_itself_does_not_count() -> None:
    with pytest.raises(RuntimeError, match="in the transaction of the change"):
        record_bare()


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_entry_and_no_gap() -> None:
    write()
    with transaction.atomic():
        write()
        write("case/2")
        transaction.set_rollback(True)
    assert write().seq == 2
    assert list(Entry.objects.order_by("seq").values_list("stream", "seq")) == [("case/1", 1), ("case/1", 2)]
    assert not StreamHead.objects.filter(stream="case/2").exists()


@pytest.mark.django_db
def test_an_entry_costs_one_insert_and_one_look_at_the_clock(django_assert_num_queries: Any) -> None:
    subject = Group.objects.create(name="agents")
    with transaction.atomic(), django_assert_num_queries(2):
        entry = record(
            "case.opened",
            by=SYSTEM,
            stream="case/1",
            subject=subject,
            shop_id=None,
            correlation_id=uuid.UUID(int=1),
        )
        # The database's values came back with the same INSERT.
        assert entry.seq == 1
        assert len(entry.hash) == 64


def test_every_action_has_a_sentence_and_the_table_is_sorted() -> None:
    assert list(ACTIONS) == sorted(ACTIONS)
    for action, sentence in ACTIONS.items():
        assert action.count(".") == 1
        assert len(action) <= 60
        assert str(sentence).endswith("."), action
