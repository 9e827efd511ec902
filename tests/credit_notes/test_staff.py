"""What staff see and do: the register, a document of their own shops, and the counter-document."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from audit import sources
from audit.actors import staff
from audit.models import Entry
from cases.credit_notes import correct, due
from cases.models import LegalEntity, Shop
from tests import factories as f
from tests.admin.conftest import client_of
from tests.credit_notes.conftest import Issued
from tools.credit_notes.sheet import sheet_of
from tools.models import CreditNote, ToolCall

Open = Callable[..., Any]


@pytest.fixture
def boss(shop: Shop) -> Client:
    return client_of(f.make_user(roles=["finance approver"], username="gus"))


def by(client: Client) -> Any:
    return staff(client.user)  # type: ignore[attr-defined]  # the test's own


def page_of(client: Client, note: CreditNote, name: str = "change") -> Any:
    return client.get(reverse(f"admin:tools_creditnote_{name}", args=[note.pk]))


def failed_later(note: CreditNote) -> None:
    call = ToolCall.objects.get(decision=note.decision_id, tool="issue_refund")
    ToolCall.objects.filter(pk=call.pk).update(state="failed_later")


def test_a_counter_document_takes_all_of_it_back_under_the_next_number(issued: Issued, boss: Client) -> None:
    note = issued()
    made = correct(note.pk, reason="  Wrong\n buyer ", by=by(boss))
    assert (made.number, made.gross_minor, made.tax_minor) == ("CN-000002", -1500, -239)
    assert (made.corrects, made.call, made.buyer_id) == (note, None, note.buyer_id)
    sheet = sheet_of(made)
    assert sheet.title == "Cancellation of a credit note"
    assert ("Reason", "Wrong buyer") in sheet.facts
    assert sheet.totals[-1] == ("Gross", "-€15.00")
    assert any(value.startswith("CN-000001 of ") for _name, value in sheet.facts)


def test_a_document_is_taken_back_once_and_a_counter_document_never(issued: Issued, boss: Client) -> None:
    note = issued()
    made = correct(note.pk, reason="Wrong.", by=by(boss))
    for pk in (note.pk, made.pk):
        with pytest.raises(AlreadyDecided):
            correct(pk, reason="Again.", by=by(boss))
    assert CreditNote.objects.count() == 2


@pytest.mark.parametrize("role", ["viewer", "agent", "approver", "auditor", "admin"])
def test_other_roles_take_nothing_back(issued: Issued, role: str) -> None:
    note = issued()
    with pytest.raises(NotPermitted):
        correct(note.pk, reason="Wrong.", by=staff(f.make_user(roles=[role])))


def test_nobody_takes_back_a_document_of_another_shop(issued: Issued) -> None:
    note = issued()
    with pytest.raises(NotPermitted):
        correct(note.pk, reason="Wrong.", by=staff(f.make_user(roles=["finance approver"], shops=[])))


@pytest.mark.parametrize("reason", ["", " \n", "x" * 301])
def test_a_counter_document_needs_a_reason_that_fits(issued: Issued, boss: Client, reason: str) -> None:
    with pytest.raises(Invalid):
        correct(issued().pk, reason=reason, by=by(boss))


def test_who_took_it_back_stands_in_the_log(issued: Issued, boss: Client) -> None:
    note = issued()
    correct(note.pk, reason="Wrong.", by=by(boss))
    entry = Entry.objects.get(action="credit_note.corrected")
    assert (entry.actor_kind, entry.stream) == ("staff", f"case/{note.decision.case_id}")


def test_a_refund_that_failed_later_makes_a_counter_document_due_and_issues_none(
    issued: Issued, boss: Client
) -> None:
    issued()
    note = issued()
    failed_later(note)
    assert list(due(CreditNote.objects.all())) == [note]
    case = boss.get(reverse("admin:cases_case_change", args=[note.decision.case_id])).content.decode()
    assert f"The counter-document of {note.number} is due" in case
    assert "A counter-document is due" in page_of(boss, note).content.decode()
    assert CreditNote.objects.count() == 2
    boss.post(reverse("admin:correct_credit_note", args=[note.pk]), {"reason": "The refund failed."})
    assert not due(CreditNote.objects.all())
    assert CreditNote.objects.get(corrects=note).gross_minor == -note.gross_minor


def test_the_page_shows_its_button_to_who_may_press_it_and_only_while_it_can(
    issued: Issued, boss: Client
) -> None:
    note = issued()
    action = reverse("admin:correct_credit_note", args=[note.pk])
    agent = client_of(f.make_user(roles=["agent"]))
    assert action in page_of(boss, note).content.decode()
    assert action not in page_of(agent, note).content.decode()
    boss.post(action, {"reason": "Wrong."})
    assert action not in page_of(boss, note).content.decode()


def test_staff_of_the_shop_download_it_and_the_log_knows(issued: Issued) -> None:
    note = issued()
    viewer = client_of(f.make_user(roles=["viewer"]))
    answer = page_of(viewer, note, "pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert note.number in PdfReader(io.BytesIO(answer.content)).pages[0].extract_text()
    html = page_of(viewer, note, "html")
    assert note.number in html.content.decode()
    assert "script-src 'self'" in html["Content-Security-Policy"]
    entries = Entry.objects.filter(action="credit_note.downloaded")
    assert [entry.actor_id for entry in entries] == [str(viewer.user.pk)] * 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["change", "pdf", "html"])
def test_a_document_of_another_shop_is_not_there(issued: Issued, name: str) -> None:
    note = issued()
    stranger = client_of(f.make_user(roles=["finance approver"], shops=[f.make_shop()]))
    assert page_of(stranger, note, name).status_code == 404
    assert not Entry.objects.filter(action="credit_note.downloaded").exists()


@pytest.mark.parametrize("name", ["pdf", "html"])
def test_who_may_not_see_documents_opens_none(issued: Issued, name: str) -> None:
    note = issued()
    assert page_of(client_of(f.make_user("cases.view_case")), note, name).status_code == 403


def test_a_document_is_only_ever_read(issued: Issued, boss: Client) -> None:
    note = issued()
    for name in ("pdf", "html", "change"):
        assert boss.post(reverse(f"admin:tools_creditnote_{name}", args=[note.pk])).status_code == 405


def test_the_register_is_filtered_by_seller_shop_and_month(issued: Issued, shop: Shop, boss: Client) -> None:
    other = f.make_shop(legal_entity=f.make_entity("Sakura K.K.", credit_note_prefix="SL-"))
    boss.user.shops.add(other)  # type: ignore[attr-defined]
    with sources.frozen(datetime(2026, 3, 15, tzinfo=UTC)):
        march = issued().number
    with sources.frozen(datetime(2026, 4, 2, tzinfo=UTC)):
        april, theirs = issued().number, issued(other).number
    url = reverse("admin:tools_creditnote_changelist")

    def listed(**query: str) -> list[str]:
        return sorted(str(row) for row in boss.get(url, query).context["cl"].result_list)

    assert listed() == sorted([march, april, theirs])
    assert listed(month="2026-03") == [march]
    assert listed(month="2026-04") == sorted([april, theirs])
    assert listed(entity__id__exact=str(other.legal_entity_id)) == [theirs]
    assert listed(shop__id__exact=str(shop.pk)) == sorted([march, april])
    assert listed(month="nonsense") == sorted([march, april, theirs])
    assert "March 2026" in boss.get(url).content.decode()


def test_the_register_names_the_documents_that_wait_for_a_person(issued: Issued, boss: Client) -> None:
    note, _other = issued(), issued()
    failed_later(note)
    rows = (
        boss.get(reverse("admin:tools_creditnote_changelist"), {"counter": "due"}).context["cl"].result_list
    )
    assert list(rows) == [note]


def test_a_case_whose_documents_come_from_elsewhere_says_so(shop: Shop, issued: Issued, boss: Client) -> None:
    note = issued()
    url = reverse("admin:cases_case_change", args=[note.decision.case_id])
    assert "Another system issues" not in boss.get(url).content.decode()
    Shop.objects.filter(pk=shop.pk).update(credit_notes="external")
    assert "Another system issues the credit note" in boss.get(url).content.decode()


def test_an_admin_sets_up_who_sells_and_the_log_knows(shop: Shop) -> None:
    admin = client_of(f.make_user(roles=["admin"]))
    entity = shop.legal_entity
    form = {
        "name": entity.name, "address": "Elsewhere 9", "country": "NO", "vat_id": entity.vat_id, "register_line": "",
        "credit_note_prefix": "FF-",
    }  # fmt: skip
    admin.post(reverse("admin:cases_legalentity_change", args=[entity.pk]), form)
    assert LegalEntity.objects.get(pk=entity.pk).address == "Elsewhere 9"
    assert Entry.objects.get().action == "entity.changed"


def test_documents_are_not_switched_on_for_a_seller_who_can_not_stand_on_one(shop: Shop) -> None:
    LegalEntity.objects.update(vat_id="")
    admin = client_of(f.make_user(roles=["admin"]))
    answer = admin.get(reverse("admin:cases_shop_change", args=[shop.pk]))
    form = {
        name: value for name, value in answer.context["adminform"].form.initial.items() if value is not None
    }
    form |= {"languages": "en", "credit_notes": "ours"}
    answer = admin.post(reverse("admin:cases_shop_change", args=[shop.pk]), form)
    assert "needs an address, a country and a VAT" in answer.content.decode()
