"""WhatsApp's statuses: they come late, twice, in any order and before the answer, and a word is never taken back."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from cases.intake import deliveries
from cases.intake.receiving import receive
from cases.intake.statuses import watch_deliveries
from cases.models import Case, Handoff, Message
from cases.tasks import settle
from tests import factories
from tests.flow.threads import at_once
from tests.flow.turns import fresh
from tools.models import ToolCall

pytestmark = pytest.mark.django_db


def message_call(state: str, **fields: Any) -> ToolCall:
    """A message to a customer by WhatsApp, whose call stands here."""
    case = factories.make_case()
    facts = {
        "payment": None,
        "amount_minor": 0,
        "currency": "",
        "vendor": "whatsapp",
        "state": state,
        **fields,
    }
    said = factories.make_message(case, direction="out", state="queued")
    decision = factories.make_decision(case, tool="send_message")
    return factories.make_call(decision, tool="send_message", message=said, **facts)


def body(call: ToolCall, status: str, *, key: str = "", code: int = 0, wamid: str = "") -> bytes:
    told = {
        "id": wamid or f"wamid.{call.pk}",
        "status": status,
        "timestamp": "1790000000",
        "biz_opaque_callback_data": key or str(call.idempotency_key),
    }
    errors = {"errors": [{"code": code, "title": "No"}]} if code else {}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"phone_number_id": "1"},
        "statuses": [{**told, **errors}],
    }
    entry = {"id": "2", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def hears(call: ToolCall, *statuses: str, **more: Any) -> None:
    for status in statuses:
        for delivery in deliveries.whatsapp(body(call, status, **more), "application/json"):
            receive(call.shop, delivery)


def said(call: ToolCall) -> Message:
    assert call.message is not None
    message: Message = fresh(call.message)
    return message


class TestOrder:
    @pytest.mark.parametrize("order", list(itertools.permutations(["sent", "delivered", "read"])))
    def test_whatever_comes_last_the_furthest_word_stands(self, order: tuple[str, ...]) -> None:
        call = message_call("succeeded")
        hears(call, *order, *order)
        assert (said(call).delivery, said(call).state, fresh(call).state) == ("read", "sent", "succeeded")

    @pytest.mark.parametrize("late", ["sent", "failed"])
    def test_nothing_takes_back_that_it_was_delivered(self, late: str) -> None:
        call = message_call("succeeded")
        hears(call, "delivered", late)
        assert (said(call).delivery, fresh(call).state) == ("delivered", "succeeded")
        assert not Handoff.objects.exists()

    def test_a_late_sent_does_not_hide_a_failure(self) -> None:
        call = message_call("succeeded")
        hears(call, "failed", "sent", code=131026)
        assert (said(call).delivery, said(call).delivery_error) == ("failed", "not_on_whatsapp")
        assert fresh(call).state == "failed_later"

    @pytest.mark.parametrize(("status", "delivery"), [("played", "read"), ("deleted", "delivered")])
    def test_what_the_customer_did_with_it_says_that_it_arrived(self, status: str, delivery: str) -> None:
        call = message_call("unknown")
        hears(call, status)
        assert (said(call).delivery, fresh(call).state) == (delivery, "succeeded")


class TestOpenOutcome:
    @pytest.mark.parametrize("state", ["unknown", "pending"])
    @pytest.mark.parametrize(("status", "ended"), [("sent", "succeeded"), ("failed", "failed")])
    def test_a_status_ends_what_nobody_could_read(self, state: str, status: str, ended: str) -> None:
        call = message_call(state)
        hears(call, status)
        assert (fresh(call).state, call.settled_by, call.vendor_ref) == (ended, "webhook", f"wamid.{call.pk}")

    def test_a_failure_names_its_reason_to_the_person(self) -> None:
        call = message_call("unknown")
        hears(call, "failed", code=132001)
        assert fresh(call).error == Handoff.objects.get().detail == "template_not_approved"

    def test_a_status_without_our_key_is_known_by_the_id_that_we_were_given(self) -> None:
        call = message_call("succeeded", vendor_ref="wamid.known")
        hears(call, "read", key="-", wamid="wamid.known")
        assert said(call).delivery == "read"

    def test_somebody_elses_message_changes_nothing(self) -> None:
        call = message_call("unknown")
        hears(call, "failed", key="-")
        hears(call, "failed", key="00000000-0000-4000-8000-0000000000ff")
        assert (fresh(call).state, said(call).delivery) == ("unknown", "")

    def test_a_key_of_another_shop_settles_nothing_here(self) -> None:
        call, elsewhere = message_call("unknown"), factories.make_shop("elsewhere", env_prefix="ELSEWHERE")
        for delivery in deliveries.whatsapp(body(call, "failed"), "application/json"):
            receive(elsewhere, delivery)
        assert fresh(call).state == "unknown"


class TestBeforeTheAnswer:
    """A status may be quicker than the answer to the request that it is about."""

    def test_a_lost_answer_is_settled_by_what_came_before_it(self) -> None:
        call = message_call("sending", lease_until=factories.now() + timedelta(minutes=1))
        hears(call, "delivered")
        assert fresh(call).state == "sending"
        ToolCall.objects.filter(pk=call.pk).update(state="unknown")
        assert settle(call.pk) == "succeeded"
        assert (fresh(call).settled_by, call.vendor_ref) == ("reading", f"wamid.{call.pk}")

    def test_a_failure_before_a_lost_answer_fails_the_call(self) -> None:
        call = message_call("sending", lease_until=factories.now() + timedelta(minutes=1))
        hears(call, "failed", code=131026)
        ToolCall.objects.filter(pk=call.pk).update(state="unknown")
        assert settle(call.pk) == "failed"
        assert Handoff.objects.get().reason == "failed"

    def test_a_failure_before_a_good_answer_is_found(self) -> None:
        call = message_call("sending", lease_until=factories.now() + timedelta(minutes=1))
        hears(call, "failed", code=131026)
        ToolCall.objects.filter(pk=call.pk).update(state="succeeded")
        assert [watch_deliveries(), watch_deliveries()] == [1, 0]
        assert (fresh(call).state, Handoff.objects.get().detail) == ("failed_later", "not_on_whatsapp")

    def test_without_any_word_a_message_stays_open_and_is_not_sent_again(self) -> None:
        call = message_call("unknown")
        assert settle(call.pk) == "unknown"
        assert fresh(call).state == "unknown"


class TestFailedLater:
    def test_a_person_hears_of_it_in_the_same_case(self) -> None:
        call = message_call("succeeded")
        hears(call, "sent", "failed", code=131047)
        row = Handoff.objects.get()
        assert (row.case_id, row.reason, row.detail) == (call.case_id, "failed", "window_closed")
        assert said(call).state == "failed"

    def test_a_case_that_was_closed_is_open_again(self) -> None:
        call = message_call("succeeded")
        now = factories.now()
        Case.objects.filter(pk=call.case_id).update(state="closed", closed_at=now, closed_by="agent")
        hears(call, "failed", code=131026)
        case = Case.objects.get()
        assert (case.state, case.closed_at, case.reopened) == ("handoff", None, 1)

    def test_where_the_customer_has_a_new_case_by_now_that_one_goes_on(self) -> None:
        call = message_call("succeeded")
        Case.objects.filter(pk=call.case_id).update(
            state="closed", closed_at=factories.now(), closed_by="agent"
        )
        old = Case.objects.get()
        new = factories.make_case(order=old.order, conversation=old.conversation)
        hears(call, "failed", code=131026)
        assert Handoff.objects.get().case_id == new.pk
        assert fresh(old).state == "closed"

    def test_told_twice_it_is_one_hand_off(self) -> None:
        call = message_call("succeeded")
        hears(call, "failed", "failed", code=131026)
        watch_deliveries()
        assert Handoff.objects.count() == 1


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_all_statuses_at_once_end_as_one_after_the_other(self) -> None:
        call = message_call("unknown")
        words = ["sent", "delivered", "read", "sent"]

        def tell(number: int) -> None:
            with transaction.atomic():
                hears(call, words[number % len(words)])

        at_once(tell)
        assert (fresh(call).state, said(call).delivery) == ("succeeded", "read")
