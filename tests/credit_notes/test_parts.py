"""A refund of several tenders of which one didn't arrive: the documents say what was really given back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from audit.actors import SYSTEM, staff
from audit.models import Entry
from cases.credit_notes import correct, due, issue, keep_buyer, stopped
from cases.models import Case, Shop
from tests import factories as f
from tests.admin.conftest import client_of
from tests.credit_notes.conftest import VAT, refund_body
from tools.credit_notes import issuing
from tools.credit_notes.part import given_by
from tools.credit_notes.sheet import sheet_of
from tools.models import CreditNote, Payment, ToolCall

CARD, GIFT = 1000, 500


def mixed(case: Case) -> dict[str, Any]:
    """15.00 with 19 % in it: 10.00 back to a card, 5.00 to a gift card."""
    assert case.order is not None
    body = refund_body(case)
    card = body["tenders"][0]
    gift = f.make_payment(case.order, vendor="shopify", gateway="gift_card", external_id=f"gift{case.pk}")
    other = {**card, "payment": gift.pk, "vendor": "shopify", "gateway": "gift_card", "amount_minor": GIFT}
    return {**body, "tenders": [{**card, "amount_minor": CARD}, other]}


def steps(case: Case, card: str, gift: str, document: str = "reserved") -> ToolCall:
    """The document's step, after two refunds that have come to these states."""
    body = mixed(case)
    decision = f.make_decision(case, amount_minor=1500, effect=body)
    for place, state in enumerate((card, gift)):
        tender = body["tenders"][place]
        f.make_call(
            decision,
            amount_minor=tender["amount_minor"],
            payment=Payment.objects.get(pk=tender["payment"]),
            vendor=tender["vendor"],
            position=place,
            state=state,
        )
    return f.make_call(
        decision,
        amount_minor=0,
        currency="",
        tool="issue_credit_note",
        vendor="ours",
        payment=None,
        position=2,
        state=document,
        request=json.dumps(body),
    )


def of(case: Case) -> list[tuple[int, int]]:
    """Gross and tax of the case's documents, as they were issued."""
    rows = CreditNote.objects.filter(decision__case=case).order_by("sequence")
    return list(rows.values_list("gross_minor", "tax_minor"))


@pytest.fixture
def boss(shop: Shop) -> Client:
    return client_of(f.make_user(roles=["finance approver"], username="gus"))


def by(client: Client) -> Any:
    return staff(client.user)  # type: ignore[attr-defined]  # the test's own


def failed_later(case: Case, amount: int) -> None:
    ToolCall.objects.filter(case=case, amount_minor=amount).update(state="failed_later")


def issued_whole(case: Case) -> CreditNote:
    call = steps(case, "succeeded", "succeeded", "succeeded")
    keep_buyer(call, case)
    return issuing.issue(ToolCall.objects.get(pk=call.pk), by=SYSTEM)


class TestFailedLater:
    def test_what_arrived_is_documented_anew_after_the_whole_was_taken_back(
        self, case: Case, boss: Client
    ) -> None:
        note = issued_whole(case)
        failed_later(case, GIFT)
        assert list(due(CreditNote.objects.all())) == [note]
        correct(note.pk, reason="The gift card was gone.", by=by(boss))
        assert of(case) == [(1500, 239), (-1500, -239), (1000, 159)]
        anew = CreditNote.objects.get(replaces=note)
        assert (anew.number, anew.call, anew.buyer_id) == ("CN-000003", None, note.buyer_id)
        assert not due(CreditNote.objects.all())
        assert list(Entry.objects.filter(action__startswith="credit_note.").values_list("action", flat=True)) == [
            "credit_note.issued", "credit_note.corrected", "credit_note.issued",
        ]  # fmt: skip

    def test_both_shares_together_are_the_refund_in_each_rate(self, case: Case) -> None:
        body, taxes = mixed(case), []
        for amount in (CARD, GIFT):
            payments = [t["payment"] for t in body["tenders"] if t["amount_minor"] == amount]
            (line,) = given_by(body, payments)["lines"]
            taxes.append((line["amount_minor"], line["taxes"]))
        assert taxes == [
            (1000, [{**VAT, "amount_minor": 159}]),
            (500, [{**VAT, "amount_minor": 80}]),
        ]

    def test_the_new_document_says_part_of_the_amount_and_which_one_it_replaces(
        self, case: Case, boss: Client
    ) -> None:
        note = issued_whole(case)
        failed_later(case, CARD)
        correct(note.pk, reason="The card was closed.", by=by(boss))
        sheet = sheet_of(CreditNote.objects.get(replaces=note))
        assert sheet.rows[0][0] == "Tent Fjord 2P, part of the amount"
        assert sheet.totals[-1] == ("Gross", "€5.00")
        assert any(name == "Replaces" and value.startswith("CN-000001 of ") for name, value in sheet.facts)
        page = boss.get(reverse("admin:tools_creditnote_change", args=[note.pk])).content.decode()
        assert "CN-000003" in page

    def test_a_refund_of_which_nothing_arrived_has_the_counter_document_alone(
        self, case: Case, boss: Client
    ) -> None:
        note = issued_whole(case)
        for amount in (CARD, GIFT):
            failed_later(case, amount)
        correct(note.pk, reason="Neither arrived.", by=by(boss))
        assert of(case) == [(1500, 239), (-1500, -239)]

    def test_the_second_tender_that_fails_makes_the_new_document_due_too(
        self, case: Case, boss: Client
    ) -> None:
        note = issued_whole(case)
        failed_later(case, GIFT)
        correct(note.pk, reason="The gift card was gone.", by=by(boss))
        failed_later(case, CARD)
        anew = CreditNote.objects.get(replaces=note)
        assert list(due(CreditNote.objects.all())) == [anew]
        correct(anew.pk, reason="The card was closed.", by=by(boss))
        assert sum(gross for gross, _tax in of(case)) == 0
        assert not due(CreditNote.objects.all())

    def test_a_document_that_is_wrong_for_another_reason_is_only_taken_back(
        self, case: Case, boss: Client
    ) -> None:
        correct(issued_whole(case).pk, reason="Wrong seller.", by=by(boss))
        assert len(of(case)) == 2

    def test_a_document_that_stands_is_replaced_by_none(self, case: Case) -> None:
        note = issued_whole(case)
        failed_later(case, GIFT)
        with pytest.raises(DatabaseError, match="taken back before"), transaction.atomic():
            issuing.replace(note, by=SYSTEM)


class TestStopped:
    """The step that issues was cancelled or refused: a person issues, once, about what has gone back."""

    @pytest.mark.parametrize("state", ["cancelled", "failed"])
    def test_the_document_is_about_the_part_that_went_back(
        self, case: Case, boss: Client, state: str
    ) -> None:
        call = steps(case, "succeeded", "failed", state)
        note = issue(call.pk, by=by(boss))
        assert (of(case), note.call_id) == ([(1000, 159)], call.pk)
        assert note.buyer is not None
        entry = Entry.objects.get(action="credit_note.issued")
        assert (entry.actor_kind, entry.actor_id) == ("staff", by(boss).id)

    def test_it_is_issued_once(self, case: Case, boss: Client) -> None:
        call = steps(case, "succeeded", "failed", "cancelled")
        issue(call.pk, by=by(boss))
        with pytest.raises(AlreadyDecided):
            issue(call.pk, by=by(boss))
        assert CreditNote.objects.count() == 1
        assert stopped(ToolCall.objects.all()) == []

    @pytest.mark.parametrize("role", ["viewer", "agent", "approver", "auditor", "admin"])
    def test_other_roles_issue_none(self, case: Case, role: str) -> None:
        call = steps(case, "succeeded", "failed", "cancelled")
        with pytest.raises(NotPermitted):
            issue(call.pk, by=staff(f.make_user(roles=[role])))

    def test_nobody_issues_one_for_another_shop(self, case: Case) -> None:
        call = steps(case, "succeeded", "failed", "cancelled")
        with pytest.raises(NotPermitted):
            issue(call.pk, by=staff(f.make_user(roles=["finance approver"], shops=[])))

    @pytest.mark.parametrize(
        ("card", "gift", "document"),
        [
            ("failed", "cancelled", "cancelled"),  # nothing went back
            ("succeeded", "pending", "cancelled"),  # more may still go back
            ("succeeded", "unknown", "failed"),
            ("succeeded", "succeeded", "reserved"),  # its turn comes by itself
            ("succeeded", "succeeded", "unknown"),
        ],
    )
    def test_none_is_issued_while_it_is_not_for_a_person(
        self, case: Case, boss: Client, card: str, gift: str, document: str
    ) -> None:
        call = steps(case, card, gift, document)
        with pytest.raises(Invalid):
            issue(call.pk, by=by(boss))
        assert CreditNote.objects.count() == 0

    def test_a_step_that_has_done_its_work_is_not_done_again(self, case: Case, boss: Client) -> None:
        call = steps(case, "succeeded", "succeeded", "succeeded")
        with pytest.raises(AlreadyDecided):
            issue(call.pk, by=by(boss))

    def test_what_stripe_has_credited_is_not_credited_again(self, case: Case, boss: Client) -> None:
        call = steps(case, "succeeded", "failed", "cancelled")
        Payment.objects.filter(order=case.order).update(invoice="in_1")
        with pytest.raises(Invalid, match="Stripe has issued"):
            issue(call.pk, by=by(boss))

    def test_a_seller_who_can_not_stand_on_a_document_is_named_as_the_reason(
        self, case: Case, boss: Client
    ) -> None:
        call = steps(case, "succeeded", "failed", "failed")
        type(case.shop.legal_entity).objects.update(vat_id="")
        with pytest.raises(Invalid, match="legal entity"):
            issue(call.pk, by=by(boss))

    def test_the_case_shows_the_button_to_who_may_press_it_and_only_while_it_can(
        self, case: Case, boss: Client
    ) -> None:
        call = steps(case, "succeeded", "failed", "cancelled")
        url, action = (
            reverse("admin:cases_case_change", args=[case.pk]),
            reverse("admin:issue_credit_note", args=[call.pk]),
        )
        agent = client_of(f.make_user(roles=["agent"]))
        assert "A refund has no credit note" in agent.get(url).content.decode()
        assert action not in agent.get(url).content.decode()
        assert agent.post(action).status_code == 403
        assert action in boss.get(url).content.decode()
        boss.post(action)
        assert of(case) == [(1000, 159)]
        html = boss.get(url).content.decode()
        assert action not in html
        assert f"A person has issued it as {CreditNote.objects.get().number}" in html
        assert "There is no credit note of this step" not in html


def test_a_refund_of_which_a_part_was_taken_back_before_its_document_documents_the_rest(case: Case) -> None:
    call = steps(case, "failed_later", "succeeded")
    issuing.issue(call, by=SYSTEM)
    assert of(case) == [(500, 80)]
    assert json.loads(call.request)["amount_minor"] == 1500
