"""The document is a step of the refund: after its money, before its message, and once whoever dies in between."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pypdf import PdfReader

from approvals.deciding import Wish, resolve
from approvals.limits import engage_switch
from approvals.today import scope_of
from audit.actors import staff
from cases.models import Shop
from cases.tasks import execute, settle, sweep
from tests import factories as f
from tests.adapters.mail_servers import MailServer, mail_server
from tests.flow.conftest import ACCOUNT
from tests.flow.turns import decided
from tests.flow.vendors import Vendors, refused, vendors
from tests.flow.world import SECRETS, World, drain, north, the_case
from tools.catalog import issue_credit_note
from tools.credit_notes.issuing import credited_by_stripe
from tools.credit_notes.step import credit_note_step
from tools.errors import Refused
from tools.models import CreditNote, Order, Payment, ToolCall

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, **ACCOUNT}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def world(db: None) -> World:
    return World(north(credit_notes="ours"))


@pytest.fixture
def fake() -> Iterator[Vendors]:
    with vendors() as fake:
        yield fake


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """The shop writes by e-mail alone."""
    with mail_server() as server:
        monkeypatch.delenv("NORTH_KLAVIYO_API_KEY")
        monkeypatch.setenv("NORTH_EMAIL_URL", server.url)
        yield server


def steps() -> list[tuple[str, str]]:
    return list(ToolCall.objects.order_by("position").values_list("tool", "state"))


def the_order() -> Order:
    return Order.objects.get()


def of_document() -> ToolCall:
    return ToolCall.objects.get(tool="issue_credit_note")


def until_the_document() -> ToolCall:
    """All steps before it are done."""
    call = of_document()
    for step in ToolCall.objects.filter(position__lt=call.position).order_by("position"):
        assert execute(step.pk) == "succeeded"
    return call


def test_a_refunds_document_is_issued_after_the_money_and_before_the_message(
    world: World, fake: Vendors
) -> None:
    refund = decided(world)
    drain()
    assert steps() == [
        (tool, "succeeded") for tool in ("issue_refund", "record_refund", "issue_credit_note", "send_message")
    ]
    note = CreditNote.objects.get()
    assert (note.gross_minor, note.currency) == (refund.amount_minor, refund.currency)
    assert note.buyer is not None
    assert (note.buyer.text or "").startswith(str(the_case().person))
    assert of_document().vendor_ref == note.number
    assert the_case().state == "closed"


def test_a_refund_that_fails_has_no_document(world: World, fake: Vendors) -> None:
    decided(world)
    fake.refund = refused
    drain()
    assert (CreditNote.objects.count(), of_document().state) == (0, "cancelled")


def test_a_refund_on_its_way_has_no_document_yet(world: World, fake: Vendors) -> None:
    decided(world)
    fake.refund = fake.pending
    drain()
    assert (CreditNote.objects.count(), of_document().state) == (0, "reserved")


@pytest.mark.parametrize("whose", ["none", "external"])
def test_a_shop_that_issues_none_here_has_no_such_step(world: World, fake: Vendors, whose: str) -> None:
    Shop.objects.update(credit_notes=whose)
    decided(world)
    drain()
    assert "issue_credit_note" not in dict(steps())
    assert the_case().state == "closed"


def test_what_stripe_turns_out_to_have_credited_has_no_document_of_ours(world: World, fake: Vendors) -> None:
    decided(world)
    call = until_the_document()
    Payment.objects.update(invoice="in_1")
    assert execute(call.pk) == "succeeded"
    assert (CreditNote.objects.count(), of_document().vendor_ref) == (0, "credited by stripe")


def test_a_payment_that_is_known_to_pay_an_invoice_has_no_such_step(world: World) -> None:
    order = f.make_order(world.shop)
    body = f.refund_effect(order, 1500)
    assert credit_note_step(order, body) is not None
    order.payments.update(invoice="in_1")
    assert credit_note_step(order, body) is None


def test_where_stripe_credits_one_of_two_payments_a_person_decides(world: World, fake: Vendors) -> None:
    decided(world)
    call = until_the_document()
    body = json.loads(call.request)
    other = f.make_payment(the_order(), vendor="shopify", external_id="gift")
    body["tenders"].append({**body["tenders"][0], "payment": other.pk})
    Payment.objects.exclude(pk=other.pk).update(invoice="in_1")
    with pytest.raises(Refused) as caught:
        credited_by_stripe(body)
    assert caught.value.code == "credit_note.partly_by_stripe"


def test_whoever_dies_before_the_commit_leaves_no_number_and_after_it_no_second(
    world: World, fake: Vendors
) -> None:
    decided(world)
    call = until_the_document()
    ToolCall.objects.filter(pk=call.pk).update(state="unknown", first_sent_at=f.now(), lease_until=None)
    assert settle(call.pk) == "succeeded"
    first = CreditNote.objects.get()
    ToolCall.objects.filter(pk=call.pk).update(state="unknown", ended_at=None)
    assert settle(call.pk) == "succeeded"
    assert (CreditNote.objects.get().number, of_document().vendor_ref) == (first.number, first.number)


def test_a_sender_that_died_after_it_wrote_is_found_out(world: World, fake: Vendors) -> None:
    decided(world)
    call = until_the_document()
    issue_credit_note.send(ToolCall.objects.select_related("shop", "case").get(pk=call.pk))
    ToolCall.objects.filter(pk=call.pk).update(
        state="sending", first_sent_at=f.now(), lease_until=f.now() - timedelta(hours=1)
    )
    sweep()
    assert of_document().state == "unknown"
    assert settle(call.pk) == "succeeded"
    assert CreditNote.objects.count() == 1


def test_a_person_in_the_case_or_a_flag_does_not_leave_the_document_out(world: World, fake: Vendors) -> None:
    decided(world)
    until_the_document()
    case = the_case()
    case.human_only = True
    case.save(update_fields=["human_only"])
    f.make_flag(case, kind="legal")
    assert execute(of_document().pk) == "succeeded"


def test_a_kill_switch_stops_the_document_too(world: World, fake: Vendors) -> None:
    decided(world)
    until_the_document()
    boss = f.make_user(roles=["agent"])
    engage_switch(scope="tool", key="issue_credit_note", shop_id=None, reason="Wrong prefix.", by=staff(boss))
    execute(of_document().pk)
    assert (of_document().state, CreditNote.objects.count()) == ("cancelled", 0)
    assert the_case().state == "handoff"


def test_the_document_goes_along_with_an_email(world: World, server: MailServer, fake: Vendors) -> None:
    decided(world)
    drain()
    note = CreditNote.objects.get()
    (file,) = [part for part in server.mail.walk() if part.get_content_type() == "application/pdf"]
    content = file.get_payload(decode=True)
    assert file.get_filename() == f"{note.number}.pdf"
    assert isinstance(content, bytes)
    assert note.number in PdfReader(io.BytesIO(content)).pages[0].extract_text()


def test_a_message_about_anything_else_carries_nothing(
    world: World, server: MailServer, fake: Vendors
) -> None:
    Shop.objects.update(credit_notes="none")
    decided(world)
    drain()
    assert [part.get_content_type() for part in server.mail.walk()] == ["text/plain"]


def test_nobody_can_wish_for_a_document_alone(world: World) -> None:
    decision = decided(world).decision
    for by_planner in (True, False):
        wish = Wish("issue_credit_note", {}, decision.planner_id)
        assert resolve(wish, scope_of(decision), by_planner=by_planner)[1] in (
            "tool.unknown",
            "tool.only_a_step",
        )
