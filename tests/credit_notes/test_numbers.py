"""Numbers of a legal entity have no gap and no double, whoever dies and whoever is quick."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit import sources
from audit.actors import SYSTEM
from audit.models import Entry
from cases.models import Case, LegalEntity, Shop
from tests import factories as f
from tests.credit_notes.conftest import Issued, document_call, refund_body
from tools.credit_notes.issuing import counter, issue
from tools.errors import Refused
from tools.models import CreditNote, CreditNoteCounter, ToolCall


def sequences(entity: LegalEntity) -> list[int]:
    rows = CreditNote.objects.filter(entity=entity).order_by("sequence")
    return list(rows.values_list("sequence", flat=True))


def test_documents_of_one_seller_count_through_all_its_shops(issued: Issued, shop: Shop) -> None:
    other = f.make_shop(credit_notes="ours", legal_entity=shop.legal_entity)
    assert [issued().number, issued(other).number, issued().number] == ["CN-000001", "CN-000002", "CN-000003"]


def test_another_seller_counts_from_one_with_its_own_prefix(issued: Issued) -> None:
    issued()
    theirs = f.make_shop(legal_entity=f.make_entity("Sakura K.K.", credit_note_prefix="SL/"))
    assert issued(theirs).number == "SL/000001"


def test_a_call_has_one_document_however_often_it_is_sent(case: Case) -> None:
    call = document_call(case)
    assert {issue(call, by=SYSTEM).number for _ in range(3)} == {"CN-000001"}
    assert CreditNoteCounter.objects.get().last == 1


def test_a_rollback_gives_the_number_back(case: Case, issued: Issued) -> None:
    call = document_call(case)
    with transaction.atomic():
        assert issue(call, by=SYSTEM).number == "CN-000001"
        transaction.set_rollback(True)
    assert issued().number == "CN-000001"


def test_a_seller_who_can_not_stand_on_a_document_uses_no_number(case: Case) -> None:
    LegalEntity.objects.update(vat_id="")
    with pytest.raises(Refused) as caught:
        issue(document_call(Case.objects.get()), by=SYSTEM)
    assert caught.value.code == "credit_note.no_seller"
    assert not CreditNoteCounter.objects.exists()


def test_a_refund_whose_lines_do_not_add_up_uses_no_number(case: Case) -> None:
    with pytest.raises(Refused) as caught:
        issue(document_call(case, refund_body(case, amount_minor=1501)), by=SYSTEM)
    assert caught.value.code == "credit_note.does_not_add_up"
    assert sequences(case.shop.legal_entity) == []


def test_the_date_is_that_of_the_shops_own_day(case: Case) -> None:
    with sources.frozen(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)):
        assert issue(document_call(case), by=SYSTEM).issued_on.isoformat() == "2027-01-01"


def test_the_issue_stands_in_the_log_with_it(case: Case) -> None:
    issue(document_call(case), by=SYSTEM)
    entry = Entry.objects.get(action="credit_note.issued")
    assert (entry.stream, entry.actor_kind) == (f"case/{case.pk}", "system")


@pytest.mark.parametrize(
    "change", ["UPDATE tools_creditnote SET gross_minor = 1", "DELETE FROM tools_creditnote"]
)
def test_a_document_is_never_changed_or_deleted(issued: Issued, change: str) -> None:
    issued()
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        connection.cursor().execute(change)


@pytest.mark.parametrize("sequence", [1, 3, 9])
def test_the_database_takes_the_next_number_and_no_other(issued: Issued, sequence: int) -> None:
    note = issued()
    call = document_call(f.make_case(order=f.make_order(note.shop)))
    fields = {name: getattr(note, name) for name in COLUMNS} | {
        "call": call,
        "sequence": sequence,
        "number": "X",
    }
    with pytest.raises(DatabaseError, match="next number"), transaction.atomic():
        CreditNote.objects.create(**fields)


def test_a_counter_is_never_set_back(issued: Issued) -> None:
    issued()
    with pytest.raises(DatabaseError, match="goes up by one"), transaction.atomic():
        CreditNoteCounter.objects.update(last=0)


def test_a_document_takes_back_exactly_what_another_said(issued: Issued) -> None:
    note = issued()
    fields = {name: getattr(note, name) for name in COLUMNS} | {"sequence": 2, "number": "CN-000002"}
    with pytest.raises(DatabaseError, match="takes back exactly"), transaction.atomic():
        CreditNote.objects.create(
            **{**fields, "corrects": note, "gross_minor": -1, "net_minor": -1, "tax_minor": 0}
        )


def test_the_database_wants_sums_that_add_up(issued: Issued) -> None:
    note = issued()
    call = document_call(f.make_case(order=f.make_order(note.shop)))
    fields = {name: getattr(note, name) for name in COLUMNS} | {
        "call": call,
        "sequence": 2,
        "number": "CN-000002",
    }
    with pytest.raises(IntegrityError, match="credit_note_adds_up"), transaction.atomic():
        CreditNote.objects.create(**{**fields, "tax_minor": note.tax_minor + 1})


COLUMNS = (
    "shop", "entity", "order", "decision", "issued_at", "issued_on", "language", "currency", "net_minor", "tax_minor",
    "gross_minor", "content", "sha256",
)  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_threads_that_issue_fail_and_correct_at_once_leave_neither_gap_nor_double() -> None:
    shop = f.make_shop(credit_notes="ours")
    calls = [document_call(f.make_case(order=f.make_order(shop))) for _ in range(24)]

    def work(number: int) -> None:
        try:
            with transaction.atomic():
                note = issue(calls[number % len(calls)], by=SYSTEM)
                if number % 4 == 3:
                    raise RuntimeError("killed before its commit")
            if number % 5 == 0 and not CreditNote.objects.filter(corrects=note).exists():
                counter(CreditNote.objects.get(pk=note.pk), words="Wrong.", by=SYSTEM)
        except RuntimeError:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [*range(24), *range(24)]))
    made = sequences(shop.legal_entity)
    assert made == list(range(1, len(made) + 1))
    assert CreditNoteCounter.objects.get().last == len(made)
    assert CreditNote.objects.filter(call__isnull=False).count() == 18
    assert ToolCall.objects.filter(credit_note__isnull=False).count() == 18
