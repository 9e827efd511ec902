"""The database itself refuses to change what was written, and keeps the order under load."""

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction

from audit.models import BEGINNING, Entry, StreamHead, chained
from audit.verify import verify
from tests.audit.log import append_only, write

THREADS = 8
EACH = 50


def sql(statement: str) -> Callable[[Entry], None]:
    def run(entry: Entry) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return run


ATTEMPTS: dict[str, Callable[[Entry], object]] = {
    "save": lambda entry: entry.save(),
    "delete": lambda entry: entry.delete(),
    "update": lambda entry: Entry.objects.update(action="case.closed"),
    "bulk update": lambda entry: Entry.objects.bulk_update([entry], ["body"]),
    "delete all": lambda entry: Entry.objects.all().delete(),
    "sql update": sql("UPDATE audit_entry SET body = body"),
    "sql delete": sql("DELETE FROM audit_entry"),
    "sql upsert": sql(
        "INSERT INTO audit_entry SELECT * FROM audit_entry ON CONFLICT (id) DO UPDATE SET action = 'x'"
    ),
    "head update": lambda entry: StreamHead.objects.update(seq=9),
    "head delete": lambda entry: StreamHead.objects.all().delete(),
    "head insert": lambda entry: StreamHead.objects.create(stream="case/2", seq=1, hash=BEGINNING),
}


@pytest.mark.django_db
@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_what_was_written_can_not_be_changed(attempt: Callable[[Entry], object]) -> None:
    entry = write()
    with pytest.raises(IntegrityError, match="The audit log is append-only"), transaction.atomic():
        attempt(entry)
    assert Entry.objects.get().body == entry.body
    assert verify().holds


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["audit_entry", "audit_streamhead"])
def test_outside_of_tests_the_log_can_not_be_truncated(table: str) -> None:
    write()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(append_only.NEVER_TRUNCATED)
        with pytest.raises(IntegrityError, match="TRUNCATE"), transaction.atomic():
            cursor.execute(f"TRUNCATE {table}")
    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_each_entry_carries_the_hash_of_the_one_before_it() -> None:
    first, second, other = write(), write(), write("case/2")
    assert first.prev_hash == other.prev_hash == BEGINNING
    assert second.prev_hash == first.hash == chained(BEGINNING, "case/1", 1, first.body)
    assert second.hash == chained(first.hash, "case/1", 2, second.body)
    assert StreamHead.objects.get(stream="case/1").hash == second.hash


@pytest.mark.django_db
def test_a_writer_can_not_choose_place_or_hash() -> None:
    entry = write()
    forged = Entry.objects.get(pk=entry.pk)
    forged.pk, forged.seq, forged.prev_hash, forged.hash = None, 77, "a" * 64, "b" * 64
    forged.save(force_insert=True)
    forged.refresh_from_db()
    assert (forged.seq, forged.prev_hash) == (2, entry.hash)
    assert verify().holds


@pytest.mark.django_db
def test_an_entry_with_an_unknown_kind_of_actor_is_refused_by_the_database() -> None:
    entry = write()
    entry.pk, entry.actor_kind = None, "ghost"
    with pytest.raises(IntegrityError, match="audit_entry_names_a_known_kind_of_actor"), transaction.atomic():
        entry.save(force_insert=True)


@pytest.mark.django_db(transaction=True)
def test_eight_writers_in_one_stream_all_succeed_without_a_gap() -> None:
    Group.objects.create(name="agents")
    failures: list[BaseException] = []
    start = threading.Barrier(THREADS)

    def work() -> None:
        try:
            start.wait()
            for _ in range(EACH):
                write("shop/north")
        except BaseException as failure:
            failures.append(failure)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    places = list(Entry.objects.order_by("seq").values_list("seq", flat=True))
    assert places == list(range(1, THREADS * EACH + 1))
    assert verify().holds


@pytest.mark.django_db(transaction=True)
def test_a_second_writer_waits_for_the_first_and_follows_it() -> None:
    Group.objects.create(name="agents")
    written: list[Entry] = []

    def work() -> None:
        written.append(write())
        connection.close()

    second = threading.Thread(target=work)
    with transaction.atomic():
        first = write()
        second.start()
        second.join(0.3)
        assert second.is_alive()
    second.join(10)
    assert written[0].prev_hash == first.hash
