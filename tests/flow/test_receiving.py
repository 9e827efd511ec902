"""What becomes of a delivery that was let in: stored once, handled once, committed before the answer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection

from audit.models import Entry
from cases.models import Case, EventConflict, InboundEvent, Message, Person
from opsagent.demo import whatsapp
from tests.flow.breaking import broken
from tests.flow.threads import THREADS, at_once
from tests.flow.world import World, as_bytes, deliver, post, queued
from tools.models import Order

State = InboundEvent.State


@pytest.mark.django_db
class TestOneDelivery:
    def test_an_event_is_kept_as_it_came(self, world: World) -> None:
        step = world.mail(world.customer(), "Where is my parcel?")
        deliver(step)
        event = InboundEvent.objects.get()
        assert bytes(event.raw) == step.body
        assert (event.source, event.account, event.external_id) == ("email", step.account, step.external_id)
        assert (event.state, event.case_id) == (State.CASE, Case.objects.get().pk)

    def test_a_second_delivery_changes_nothing(self, world: World) -> None:
        step = world.mail(world.customer(), "Where is my parcel?")
        deliver(step)
        before = (queued(), Entry.objects.count(), Message.objects.count())
        deliver(step)
        assert (queued(), Entry.objects.count(), Message.objects.count()) == before
        assert InboundEvent.objects.get().duplicates == 1

    def test_another_body_under_a_known_id_is_kept_beside_the_first(self, world: World) -> None:
        step = world.mail(world.customer(), "Where is my parcel?")
        other = world.mail(world.customer(), "I want to sue you, my lawyer writes tomorrow")
        body = json.loads(other.body) | {"MessageID": step.external_id}
        deliver(step)
        for _ in range(2):
            deliver(replace(step, body=as_bytes(body)))
        conflict = EventConflict.objects.get()
        assert json.loads(bytes(conflict.raw)) == body
        assert (Message.objects.count(), Case.objects.count()) == (1, 1)
        assert Entry.objects.filter(action="event.conflict").count() == 1

    def test_the_same_id_of_another_account_is_another_event(self, world: World) -> None:
        step = world.order_step(world.sold(world.customer()))
        deliver(step)
        deliver(replace(step, headers={**step.headers, "X-Shopify-Shop-Domain": "twin.myshopify.example"}))
        assert InboundEvent.objects.count() == 2
        assert Order.objects.count() == 1

    @pytest.mark.parametrize("body", [b"", b"{broken", b"[]", b"null", b'{"id": "text"}', b"\xff\xfe"])
    def test_a_body_that_cannot_be_read_is_a_dead_letter(self, world: World, body: bytes) -> None:
        deliver(replace(world.order_step(world.sold(world.customer())), body=body))
        event = InboundEvent.objects.get()
        assert (event.state, bytes(event.raw), event.case_id) == (State.DEAD, body, None)
        assert event.dead_reason
        assert Entry.objects.filter(action="event.dead").count() == 1

    def test_a_dead_letter_names_the_field_and_nothing_of_its_content(self, world: World) -> None:
        order = world.sold(world.customer())
        deliver(world.order_step(order, updated=world.stage.start, total_price_set={"secret": 1}))
        assert InboundEvent.objects.get().dead_reason == (
            "changed by the vendor: total_price_set.presentment_money"
        )

    def test_a_dead_letter_that_comes_again_is_a_duplicate(self, world: World) -> None:
        step = replace(world.order_step(world.sold(world.customer())), body=b"{broken")
        deliver(step)
        deliver(step)
        assert InboundEvent.objects.get().duplicates == 1

    def test_a_delivery_without_its_identity_is_a_dead_letter(self, world: World) -> None:
        step = world.order_step(world.sold(world.customer()))
        headers = {name: value for name, value in step.headers.items() if name != "X-Shopify-Webhook-Id"}
        deliver(replace(step, headers=headers))
        assert InboundEvent.objects.get().state == State.DEAD

    def test_a_topic_that_we_do_not_read_is_absorbed(self, world: World) -> None:
        step = world.stage.shopify_step("north", "themes/publish", {"id": 1}, world.stage.start, kind="theme")
        deliver(step)
        assert InboundEvent.objects.get().state == State.ABSORBED

    def test_a_message_that_the_database_can_not_hold_is_a_dead_letter(self, world: World) -> None:
        step = world.mail(world.customer(), "Hello")
        body = json.loads(step.body) | {"TextBody": "before\0after"}
        deliver(replace(step, body=as_bytes(body)))
        assert InboundEvent.objects.get().dead_reason.startswith("could not be handled")
        assert not Person.objects.exists()

    def test_a_mail_without_sender_is_a_dead_letter(self, world: World) -> None:
        step = world.mail(world.customer(), "Hello")
        body = json.loads(step.body) | {"From": "", "FromFull": {"Email": "", "Name": ""}}
        deliver(replace(step, body=as_bytes(body)))
        assert InboundEvent.objects.get().state == State.DEAD
        assert not Person.objects.exists()

    def test_no_personal_text_stands_in_the_log(self, world: World) -> None:
        who = world.customer()
        deliver(world.mail(who, "My name is Rumpelstiltskin", subject="Rumpelstiltskin"))
        bodies = " ".join(Entry.objects.values_list("body", flat=True))
        for secret in ("Rumpel", who.email, who.last):
            assert secret not in bodies


@pytest.mark.django_db
class TestWhatsApp:
    def letters(self, world: World, texts: list[str]) -> bytes:
        who = world.customer()
        body = None
        for place, text in enumerate(texts):
            one = whatsapp.message_body(
                "north", f"wamid.{place}", who.full_name, who.phone, "US.1", text, datetime.now(UTC)
            )
            if body is None:
                body = one
            else:
                value = body["entry"][0]["changes"][0]["value"]
                value["messages"] += one["entry"][0]["changes"][0]["value"]["messages"]
        assert body is not None
        return as_bytes(body)

    def test_each_message_of_one_delivery_is_an_event(self, world: World) -> None:
        step = world.chat(world.customer(), "x")
        deliver(replace(step, body=self.letters(world, ["First", "Second", "Third"])))
        assert [row.text for row in Message.objects.order_by("id")] == ["First", "Second", "Third"]
        assert Case.objects.get().events.count() == 3

    def test_messages_that_come_again_in_another_bundle_are_duplicates(self, world: World) -> None:
        step = world.chat(world.customer(), "x")
        body = json.loads(self.letters(world, ["First", "Second"]))
        deliver(replace(step, body=as_bytes(body)))
        body["entry"][0]["changes"][0]["value"]["messages"].pop(0)
        deliver(replace(step, body=as_bytes(body)))
        assert Message.objects.count() == 2

    def test_a_status_is_absorbed(self, world: World) -> None:
        step = world.chat(world.customer(), "x")
        body = json.loads(step.body)
        value = body["entry"][0]["changes"][0]["value"]
        del value["messages"]
        value["statuses"] = [{"id": "wamid.1", "status": "read", "timestamp": "1790000000"}]
        deliver(replace(step, body=as_bytes(body)))
        assert InboundEvent.objects.get().state == State.ABSORBED


@pytest.mark.django_db(transaction=True)
class TestCommitted:
    @pytest.mark.parametrize(
        "table", ["cases_message", "cases_case", "audit_entry", "django_q_ormq", "cases_person"]
    )
    def test_a_failing_database_keeps_nothing_and_asks_for_another_delivery(
        self, world: World, table: str
    ) -> None:
        step = world.mail(world.customer(), "This is unacceptable, I am furious, you liars!")
        with broken(table):
            assert post(step).status_code == 500
        assert not InboundEvent.objects.exists()
        assert not Case.objects.exists()
        assert not Person.objects.exists()
        deliver(step)
        assert Message.objects.filter(direction="in").count() == 1

    def test_an_answer_is_given_after_the_commit(self, world: World) -> None:
        # A constraint that is checked at commit alone: whoever answers before it answers 200.
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE OR REPLACE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE EXCEPTION 'at commit'; END $$"
            )
            cursor.execute(
                "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON cases_inboundevent"
                " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()"
            )
        try:
            assert post(world.mail(world.customer(), "Hello")).status_code == 500
        finally:
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER late ON cases_inboundevent")
        assert not InboundEvent.objects.exists()

    def test_eight_deliveries_at_once_are_one_event(self, world: World) -> None:
        step = world.mail(world.customer(), "Where is my parcel?")
        assert set(at_once(lambda _: post(step).status_code)) == {200}
        assert InboundEvent.objects.get().duplicates == THREADS - 1
        assert (Case.objects.count(), Message.objects.count(), Person.objects.count()) == (1, 1, 1)
        assert len(queued()) == 1
