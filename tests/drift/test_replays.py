"""Changes that vendors have really made, played again: what stops, who hears of it, and the sentence that they read.

What an upgrade would break before it is made is told by contract_check, and proven in tests/contracts.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.test import Client
from django.urls import reverse

from cases.models import Case, Handoff, InboundEvent, Message
from opsagent.demo import shopify_events
from opsagent.demo.script import Step
from tests import factories as f
from tests.adapters.faking import CORRELATION, KEY, NORTH
from tests.adapters.stand_ins import LAMP_BACK
from tests.adapters.test_shopify_reads import dispute as read_dispute
from tests.drift.altering import Altered
from tests.drift.conftest import SignIn
from tests.drift.test_checking import control, probe
from tests.flow.turns import decided, fresh
from tests.flow.vendors import vendors
from tests.flow.world import World, as_bytes, deliver, drain
from tests.sandbox.world import Caller, order
from tools import wire
from tools.adapters import shopify
from tools.drift import drifting
from tools.errors import ContractDrift, Refused
from tools.models import Dispute, Drift, ToolCall

__all__ = ["control"]


def on_the_page(client: Client) -> str:
    """What staff read about the only drift."""
    row = Drift.objects.get()
    page = client.get(reverse("admin:tools_drift_change", args=[row.pk])).content.decode()
    return " ".join(page.replace("&#x27;", "'").split())


def on_the_desk(client: Client) -> str:
    return " ".join(client.get(reverse("admin:index")).content.decode().replace("&#x27;", "'").split())


@pytest.fixture
def staff(sign_in: SignIn, world: World) -> Client:
    return sign_in("agent")


def dispute(world: World, **changes: Any) -> Step:
    """disputes/create of a payment that Shopify itself took."""
    sold, at = world.sold(world.customer()), world.stage.start
    facts = {
        "id": "701",
        "amount": sold["total"],
        "reason": "fraudulent",
        "status": "needs_response",
        "evidence_due_by": (at + timedelta(days=9)).isoformat(),
    }
    body = {**shopify_events.dispute_body(sold, facts, at), **changes}
    return world.stage.hook(sold, "disputes/create", body, at, kind="dispute")


class TestDatesOfDisputes:
    """Date became DateTime: Shopify's evidence_due_by had no time of day once."""

    def test_the_event_is_kept_and_somebody_looks_within_the_hour(self, world: World, staff: Client) -> None:
        deliver(dispute(world, evidence_due_by="2026-12-02"))
        row = Handoff.objects.select_related("event", "case").get()
        assert (row.reason, row.due_at - row.received_at) == ("drift", timedelta(hours=1))
        assert row.case.title == "A vendor's answer has changed: shopify disputes/create"
        assert "The field evidence_due_by has another type than before." in on_the_page(staff)
        assert "Events of this kind are kept and wait unread. Nothing was guessed from them." in on_the_page(
            staff
        )
        assert "Shopify has changed: disputes/create" in on_the_desk(staff)

    def test_a_date_with_its_time_is_read(self, world: World) -> None:
        deliver(dispute(world))
        assert InboundEvent.objects.get().state != "dead"
        assert not Drift.objects.exists()

    def test_the_reading_of_a_dispute_stops_as_well(self, world: World, staff: Client) -> None:
        with pytest.raises(ContractDrift):
            read_dispute(evidenceDueBy="2026-12-02")
        row = Drift.objects.get()
        assert (row.operation, row.field_path) == ("dispute", "data.dispute.evidenceDueBy")
        assert "The field data.dispute.evidenceDueBy has another type than before." in on_the_page(staff)


class TestANewDisputeStatus:
    def test_an_unknown_status_is_named_and_decides_nothing(self, world: World, staff: Client) -> None:
        deliver(dispute(world, status="escalated_to_network"))
        page = on_the_page(staff)
        assert "The field status has a value that we don't know." in page
        assert "escalated_to_network" in page
        assert not Dispute.objects.exists()
        assert Handoff.objects.get().event == InboundEvent.objects.get()

    def test_stripes_too(self, world: World, staff: Client) -> None:
        step = world.dispute_step(world.sold(world.customer()))
        body = json.loads(step.body)
        body["data"]["object"]["status"] = "escalated_to_network"
        deliver(replace(step, body=as_bytes(body)))
        assert "The field data.object.status has a value that we don't know." in on_the_page(staff)
        assert "Stripe has changed: charge.dispute.created" in on_the_desk(staff)


class TestARemovedChargeField:
    """amount_captured is what a refund is measured by: without it nothing is given back."""

    def test_the_check_names_it_and_refunds_by_stripe_stop(
        self, control: Caller, world: World, staff: Client
    ) -> None:
        with wire.transport_override(Altered("/v1/charges", "amount_captured")):
            found = probe("stripe", "charges.retrieve", world.shop)
        assert (found.result, found.field_path) == ("drift", "amount_captured")
        page = on_the_page(staff)
        assert "The field amount_captured is missing." in page
        assert "writing that needs this answer is stopped for the shop, and its cases are with people" in page

    def test_a_refund_that_waits_is_not_sent(self, world: World, staff: Client) -> None:
        call = decided(world)
        f.make_drift(world.shop, operation="charges.retrieve")
        with vendors() as fake:
            drain(only=["execute"])
        assert (fake.writes(), fresh(call).state) == ([], "cancelled")
        assert "Waits for a person: a vendor's answer has changed" in case_page(staff, call)


def case_page(client: Client, call: ToolCall) -> str:
    page = client.get(reverse("admin:cases_case_change", args=[call.case_id])).content.decode()
    return " ".join(page.replace("&#x27;", "'").split())


class TestVersionFallForward:
    """A version that is no longer served is answered as a newer one, with 200."""

    def test_it_is_told_and_refunds_by_shopify_stop(
        self, control: Caller, world: World, staff: Client
    ) -> None:
        with wire.transport_override(Altered("graphql", headers={"X-Shopify-API-Version": "2026-10"})):
            probe("shopify", "order", world.shop)
        assert "Another version of the API answered than the one we asked for." in on_the_page(staff)
        assert "2026-10" in on_the_page(staff)
        assert drifting(world.shop.pk, [("issue_refund", "shopify")])


class TestIdempotencyBecomesMandatory:
    """Since 2026-04 refundCreate is refused at run time without @idempotent; contract_check names the document."""

    def test_a_document_without_it_gives_nothing_back(self, control: Caller, world: World) -> None:
        control.control("orders", order(gateway="shopify_payments", charge=None))
        with wire.transport_override(Forgetful()), pytest.raises(Refused) as refused:
            shopify.refund(NORTH, LAMP_BACK, key=KEY, correlation_id=CORRELATION)
        assert refused.value.code == "BAD_REQUEST"
        assert control.ledger()["refunds"] == []


class Forgetful(httpx.BaseTransport):
    """Sends our documents as they were before the directive."""

    def __init__(self) -> None:
        self.inner = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = json.loads(request.read())
        content["query"] = (
            content["query"].replace("@idempotent(key: $key)", "").replace(", $key: String!", "")
        )
        headers = httpx.Headers(request.headers)
        headers.pop("Content-Length")
        answer = self.inner.handle_request(
            httpx.Request(request.method, request.url, headers=headers, json=content)
        )
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())


class TestAMessageWithoutANumber:
    """WhatsApp may tell a business-scoped user id alone: nobody's message is lost for that."""

    def test_it_is_read_and_belongs_to_who_wrote(self, world: World) -> None:
        step = world.chat(world.customer(), "Where is my parcel?")
        body = json.loads(step.body)
        value = body["entry"][0]["changes"][0]["value"]
        value["contacts"][0].pop("wa_id", None)
        value["messages"][0].pop("from", None)
        value["messages"][0]["from_user_id"] = value["contacts"][0]["user_id"]
        deliver(replace(step, body=as_bytes(body)))
        assert Message.objects.get().text == "Where is my parcel?"
        assert Case.objects.get().subject == "message"
        assert not Drift.objects.exists()

    def test_one_that_names_nobody_at_all_comes_to_a_person_within_a_minute(
        self, world: World, staff: Client
    ) -> None:
        step = world.chat(world.customer(), "I can't go on")
        body = json.loads(step.body)
        value = body["entry"][0]["changes"][0]["value"]
        value["contacts"] = []
        value["messages"][0].pop("from", None)
        value["messages"][0].pop("from_user_id", None)
        deliver(replace(step, body=as_bytes(body)))
        row = Handoff.objects.get()
        assert row.due_at - row.received_at == timedelta(minutes=1)
        assert "messages.from" in on_the_page(staff)
