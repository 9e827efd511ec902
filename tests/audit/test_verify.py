"""Verification finds what somebody with the tables' keys changed."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import ProtectedError

from audit import verify as verification
from audit.models import Entry, StreamHead, chained
from audit.verify import Fault, verify
from cases.models import LegalEntity, Shop
from tests.audit.log import guards_off, write

NOT_ITS_HASH = "its text or place is not what its hash was made from"
BROKEN_LINK = "it does not follow the entry before it"


@pytest.fixture
def three() -> list[Entry]:
    return [write(data={"amount_minor": 1900}), write(), write()]


@pytest.mark.django_db
def test_an_untouched_log_holds(three: list[Entry]) -> None:
    write("case/2")
    report = verify()
    assert (report.entries, report.streams, report.faults) == (4, 2, [])


@pytest.mark.django_db
def test_an_empty_log_holds() -> None:
    assert verify().holds


@pytest.mark.django_db
def test_an_edited_text_is_found_at_its_place_and_only_there(three: list[Entry]) -> None:
    with guards_off():
        Entry.objects.filter(seq=1).update(body=three[0].body.replace("1900", "9900"))
    assert verify().faults == [Fault("case/1", 1, NOT_ITS_HASH)]


@pytest.mark.django_db
def test_an_edit_with_its_hash_made_anew_breaks_the_link_to_the_next(three: list[Entry]) -> None:
    body = three[0].body.replace("1900", "9900")
    forged = chained(three[0].prev_hash, "case/1", 1, body)
    with guards_off():
        Entry.objects.filter(seq=1).update(body=body, hash=forged)
    assert verify().faults == [Fault("case/1", 2, BROKEN_LINK)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "column",
    [
        {"action": "case.closed"},
        {"actor_id": "somebody-else"},
        {"actor_kind": "staff"},
        {"subject_id": "0"},
        {"subject_type": "cases.case"},
        {"correlation_id": "00000000-0000-4000-8000-000000000000"},
        {"at": "2020-01-01T00:00:00Z"},
    ],
    ids=lambda column: next(iter(column)),
)
def test_a_column_that_no_longer_says_what_the_text_says_is_found(
    three: list[Entry], column: dict[str, Any]
) -> None:
    with guards_off():
        Entry.objects.filter(seq=2).update(**column)
    assert verify().faults == [Fault("case/1", 2, "its columns do not say what its text says")]


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["", "not json", "[]", "{}", '{"data":{}}'])
def test_a_text_that_is_no_entry_is_a_fault_and_no_crash(body: str) -> None:
    entry = write()
    with guards_off():
        forged = chained(entry.prev_hash, "case/1", 1, body)
        Entry.objects.update(body=body, hash=forged)
        StreamHead.objects.update(hash=forged)
    assert verify().faults == [Fault("case/1", 1, "its columns do not say what its text says")]


@pytest.mark.django_db
def test_a_missing_entry_in_the_middle_is_found(three: list[Entry]) -> None:
    with guards_off():
        Entry.objects.filter(seq=2).delete()
    assert verify().faults == [Fault("case/1", 3, "number 2 should stand here")]


@pytest.mark.django_db
def test_entries_that_changed_places_are_found(three: list[Entry]) -> None:
    with guards_off():
        for old, new in ((2, 99), (3, 2), (99, 3)):
            Entry.objects.filter(seq=old).update(seq=new)
    assert {fault.seq for fault in verify().faults} >= {2, 3}


@pytest.mark.django_db
def test_a_cut_off_end_is_found_by_the_head(three: list[Entry]) -> None:
    with guards_off():
        Entry.objects.filter(seq=3).delete()
    assert verify().faults == [Fault("case/1", None, "the head stands at 3 and the last entry at 2")]


@pytest.mark.django_db
def test_a_forged_head_is_found(three: list[Entry]) -> None:
    with guards_off():
        StreamHead.objects.update(hash="f" * 64)
    assert verify().faults == [Fault("case/1", None, "the head's hash is not the last entry's")]


@pytest.mark.django_db
def test_a_stream_without_its_head_is_found(three: list[Entry]) -> None:
    with guards_off():
        StreamHead.objects.all().delete()
    assert verify().faults == [Fault("case/1", None, "the stream has no head")]


@pytest.mark.django_db
def test_a_head_without_its_stream_is_found(three: list[Entry]) -> None:
    with guards_off():
        Entry.objects.all().delete()
    assert verify().faults == [Fault("case/1", None, "the head counts 3 entries, and none is there")]


@pytest.mark.django_db
def test_one_stream_can_be_checked_alone(three: list[Entry]) -> None:
    write("case/2")
    with guards_off():
        Entry.objects.filter(stream="case/1", seq=1).update(body="{}")
    assert verify("case/2").holds
    assert not verify("case/1").holds


@pytest.mark.django_db(transaction=True)
def test_an_entry_written_while_the_log_is_read_is_no_fault(three: list[Entry]) -> None:
    late: list[threading.Thread] = []

    def work() -> None:
        write()
        connection.close()

    def write_before_heads_are_read(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if 'FROM "audit_streamhead"' in sql and not late:
            late.append(threading.Thread(target=work))
            late[0].start()
            late[0].join(10)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(write_before_heads_are_read):
        report = verify()
    assert (report.entries, report.faults) == (3, [])
    assert verify().entries == 4


@pytest.mark.django_db
def test_a_log_longer_than_one_read_is_checked_in_parts(
    three: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "ROWS_AT_ONCE", 2)
    for number in range(2, 7):
        write(f"case/{number}")
    with guards_off():
        StreamHead.objects.filter(stream__in=["case/2", "case/6"]).update(seq=5)
    report = verify()
    assert (report.entries, report.streams) == (8, 6)
    assert {fault.stream for fault in report.faults} == {"case/2", "case/6"}


@pytest.mark.django_db
def test_the_command_says_that_every_chain_holds(three: list[Entry]) -> None:
    out = StringIO()
    call_command("audit_verify", stdout=out)
    assert out.getvalue() == "3 entries in 1 streams checked.\nEvery chain holds.\n"


@pytest.mark.django_db
def test_the_command_names_the_place_of_a_fault_and_exits_with_one(three: list[Entry]) -> None:
    out = StringIO()
    with guards_off():
        Entry.objects.filter(seq=2).update(body="{}")
    with pytest.raises(SystemExit) as left:
        call_command("audit_verify", "--json", stdout=out)
    assert left.value.code == 1
    assert f"case/1 #2: {NOT_ITS_HASH}" in out.getvalue()
    told = json.loads(out.getvalue().splitlines()[-1])
    assert told == {
        "entries": 3,
        "faults": [{"seq": 2, "stream": "case/1", "why": NOT_ITS_HASH}],
        "streams": 1,
    }


@pytest.mark.django_db
def test_the_command_refuses_a_stream_that_is_not_there() -> None:
    with pytest.raises(CommandError, match="There is no audit stream case/404"):
        call_command("audit_verify", "--stream", "case/404")


@pytest.mark.django_db
def test_an_entry_names_its_shop_and_neither_can_be_moved_or_deleted() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    shop = Shop.objects.create(
        slug="east",
        legal_entity=LegalEntity.objects.create(name="East Ltd"),
        env_prefix="EAST",
        base_currency="USD",
        languages=["en"],
        cutover_at=at,
        created_at=at,
    )
    entry = write("shop/east", "shop.created", shop_id=shop.pk)
    assert json.loads(entry.body)["shop"] == shop.pk
    with pytest.raises(ProtectedError):
        shop.delete()
    with guards_off():
        Entry.objects.update(shop=None)
    assert verify().faults == [Fault("shop/east", 1, "its columns do not say what its text says")]
