"""Whose words leave by WhatsApp, in which form, and to whom: 24 hours, approved templates, and ids without a number."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from approvals.errors import Invalid
from audit import sources
from audit.actors import staff
from cases import services
from cases.intake import deliveries
from cases.intake.receiving import receive
from cases.models import Case, Conversation, Handoff, Message, Person
from cases.tasks import execute
from cases.vendor_templates import read_templates, watch_templates
from opsagent.demo import whatsapp as bodies
from tests import factories
from tests.flow.turns import planner, says, scripted_shop
from tests.flow.vendors import Vendors
from tests.flow.world import World, as_bytes, deliver, drain, forget_tasks, queued, the_case
from tools import vendor_templates
from tools.models import ToolCall, VendorTemplate
from tools.snapshots import TemplateSnapshot

pytestmark = pytest.mark.django_db

HOURS = timedelta(hours=1)
USER_ID = "US.13491208655302741918"


@pytest.fixture
def chat(world: World) -> Case:
    """A customer has just asked something by WhatsApp, and nobody has thought about it yet."""
    scripted_shop(world)
    deliver(world.chat(world.customer(), "Can I talk to somebody?"))
    forget_tasks()
    return the_case()


def colleague() -> Any:
    return staff(factories.make_user(roles=["agent"]))


def reply(case: Case, text: str = "Of course.\nWhat about?") -> Message:
    made = services.reply(case.pk, text=text, by=colleague())
    drain(only=["execute"])
    return made


def sent(fake: Vendors) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(fake.writes("graph.example")[-1].content)
    return body


def listed(*rows: tuple[str, str], name: str = vendor_templates.TEMPLATE) -> tuple[TemplateSnapshot, ...]:
    return tuple(TemplateSnapshot(name=name, language=language, status=status) for language, status in rows)


def known(case: Case, *rows: tuple[str, str], at: datetime | None = None) -> None:
    vendor_templates.keep(case.shop_id, listed(*rows), at=at or sources.now())


class TestWindow:
    def test_inside_24_hours_a_persons_words_go_as_they_are(self, chat: Case, fake: Vendors) -> None:
        reply(chat)
        assert sent(fake)["text"] == {"body": "Of course.\nWhat about?", "preview_url": False}

    def test_after_24_hours_they_go_inside_the_approved_template(self, chat: Case, fake: Vendors) -> None:
        with sources.frozen(sources.now()) as clock:
            clock.advance(25 * HOURS)
            reply(chat)
        assert sent(fake)["template"]["name"] == "opsagent_message"
        (part,) = sent(fake)["template"]["components"]
        assert part["parameters"][0]["text"] == "Of course. What about?"

    def test_the_last_minutes_are_not_trusted(self, chat: Case, fake: Vendors) -> None:
        with sources.frozen(sources.now()) as clock:
            clock.advance(24 * HOURS - timedelta(minutes=2))
            reply(chat)
        assert sent(fake)["type"] == "template"

    def test_a_reply_that_waited_too_long_in_the_queue_is_no_free_text(
        self, chat: Case, fake: Vendors
    ) -> None:
        with sources.frozen(sources.now()) as clock:
            services.reply(chat.pk, text="Of course.", by=colleague())
            clock.advance(25 * HOURS)
            drain(only=["execute"])
        assert sent(fake)["type"] == "template"

    def test_the_agent_never_writes_freely(self, world: World, fake: Vendors) -> None:
        scripted_shop(world)
        who = world.customer()
        _order, row = world.known(who)
        deliver(world.chat(who, f"Where is {row.name}?"))
        with planner(says()):
            drain()
        assert {json.loads(request.content)["type"] for request in fake.writes("graph.example")} == {
            "template"
        }

    def test_a_delivery_that_comes_late_opens_no_window(self, chat: Case, fake: Vendors) -> None:
        talk = chat.conversation
        assert talk is not None
        before = talk.last_inbound_at
        who = talk.person
        body = bodies.message_body(
            "north", "wamid.late", who.name, None, who.whatsapp_id, "Hello?", sources.now() - 30 * HOURS
        )
        for delivery in deliveries.whatsapp(as_bytes(body), "application/json"):
            receive(chat.shop, delivery)
        talk.refresh_from_db()
        assert talk.last_inbound_at == before


class TestRefusedBeforehand:
    def test_words_that_no_template_takes_are_refused_on_the_page(self, chat: Case) -> None:
        with sources.frozen(sources.now()) as clock:
            clock.advance(25 * HOURS)
            known(chat, ("en", "PAUSED"))
            with pytest.raises(Invalid) as caught:
                reply(chat)
        assert "not approved" in caught.value.sentence
        assert not Message.objects.filter(direction="out", template=None).exists()

    def test_inside_the_window_nobody_needs_a_template(self, chat: Case, fake: Vendors) -> None:
        known(chat, ("en", "REJECTED"))
        reply(chat)
        assert sent(fake)["type"] == "text"

    @pytest.mark.parametrize(("hours", "longest"), [(0, 4096), (25, 900)])
    def test_a_text_that_whatsapp_would_not_take_is_refused(
        self, chat: Case, hours: int, longest: int
    ) -> None:
        with sources.frozen(sources.now()) as clock:
            clock.advance(hours * HOURS)
            with pytest.raises(Invalid):
                reply(chat, "x" * (longest + 1))

    def test_an_e_mail_has_no_window(self, world: World, fake: Vendors) -> None:
        deliver(world.mail(world.customer(), "Hello?"))
        forget_tasks()
        reply(the_case(), "x" * 4900)
        event = json.loads(fake.writes("klaviyo.example")[-1].content)
        assert event["data"]["attributes"]["properties"]["text"] == "x" * 4900


class TestTemplates:
    def call(self, chat: Case, language: str) -> ToolCall:
        said = factories.make_message(chat, direction="out", state="queued", language=language)
        return factories.make_call(
            factories.make_decision(chat, tool="send_message"),
            tool="send_message",
            vendor="whatsapp",
            message=said,
            payment=None,
            amount_minor=0,
            currency="",
            request=json.dumps({"case": chat.pk, "template": "order_in_transit", "sku": ""}),
            not_before=factories.now(),
        )

    def sends(self, chat: Case, language: str = "en") -> ToolCall:
        call = self.call(chat, language)
        execute(call.pk)
        call.refresh_from_db()
        return call

    @pytest.mark.parametrize(
        "status", ["PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL", "SOMETHING_NEW"]
    )
    def test_what_is_not_approved_is_not_sent(self, chat: Case, fake: Vendors, status: str) -> None:
        known(chat, ("en", status))
        call = self.sends(chat)
        assert (call.state, call.error) == ("failed", "template_not_approved")
        assert fake.writes("graph.example") == []
        assert Handoff.objects.get().detail == "template_not_approved"

    @pytest.mark.parametrize(
        ("rows", "language", "code"),
        [
            ([("en", "APPROVED"), ("en_US", "APPROVED")], "en", "en"),
            ([("en_GB", "APPROVED"), ("en_US", "APPROVED")], "en", "en_GB"),
            ([("en_GB", "PAUSED"), ("en_US", "APPROVED")], "en", "en_US"),
            ([("de", "APPROVED"), ("en", "APPROVED")], "de", "de"),
            ([("pt_BR", "APPROVED")], "pt-BR", "pt_BR"),
        ],
    )
    def test_the_language_is_one_that_is_approved(
        self, chat: Case, fake: Vendors, rows: list[tuple[str, str]], language: str, code: str
    ) -> None:
        known(chat, *rows)
        self.sends(chat, language)
        assert sent(fake)["template"]["language"]["code"] == code

    def test_another_languages_approval_is_none(self, chat: Case, fake: Vendors) -> None:
        known(chat, ("en", "APPROVED"))
        assert self.sends(chat, "de").error == "template_not_approved"

    def test_another_templates_approval_is_none(self, chat: Case) -> None:
        vendor_templates.keep(chat.shop_id, listed(("en", "APPROVED"), name="autumn_sale"), at=sources.now())
        assert self.sends(chat).error == "template_not_approved"

    def test_a_list_that_was_never_read_leaves_it_to_whatsapp(self, chat: Case, fake: Vendors) -> None:
        fake.chat = lambda request: httpx.Response(400, json={"error": {"code": 132015}})
        call = self.sends(chat)
        assert (call.state, call.error) == ("failed", "template_not_approved")
        assert len(fake.writes("graph.example")) == 1

    def test_a_list_that_is_old_leaves_it_to_whatsapp(self, chat: Case, fake: Vendors) -> None:
        known(chat, ("en", "PAUSED"), at=sources.now() - 2 * HOURS)
        assert self.sends(chat).state == "succeeded"

    def test_a_template_that_is_gone_from_the_list_is_not_sent(self, chat: Case) -> None:
        known(chat, ("en", "APPROVED"), ("de", "APPROVED"))
        known(chat, ("de", "APPROVED"))
        assert VendorTemplate.objects.get(language="en").status == "GONE"
        assert self.sends(chat).error == "template_not_approved"

    def test_an_empty_list_is_a_list(self, chat: Case) -> None:
        known(chat, ("en", "APPROVED"))
        known(chat)
        assert self.sends(chat).error == "template_not_approved"


class TestReading:
    @pytest.fixture(autouse=True)
    def account(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NORTH_WHATSAPP_BUSINESS_ACCOUNT_ID", "77")

    def answer(self, status: str) -> httpx.Response:
        row = {"name": "opsagent_message", "language": "en", "status": status, "category": "UTILITY"}
        return httpx.Response(200, json={"data": [row], "paging": {"cursors": {"after": "x"}}})

    def test_a_state_is_read_again_and_again(self, world: World, fake: Vendors) -> None:
        fake.chat = lambda request: self.answer("PENDING")
        assert read_templates(world.shop.pk) == 1
        fake.chat = lambda request: self.answer("APPROVED")
        assert [read_templates(world.shop.pk), read_templates(world.shop.pk)] == [1, 0]
        assert VendorTemplate.objects.get().status == "APPROVED"

    def test_a_list_that_can_not_be_read_changes_nothing(self, world: World, fake: Vendors) -> None:
        fake.chat = lambda request: self.answer("APPROVED")
        read_templates(world.shop.pk)
        fake.chat = lambda request: httpx.Response(500)
        assert read_templates(world.shop.pk) is None
        assert VendorTemplate.objects.get().status == "APPROVED"

    def test_only_shops_that_named_their_account_are_read(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        factories.make_shop("sakura", env_prefix="SAKURA")
        assert watch_templates() == 1
        assert queued() == [("read_templates", world.shop.pk)]
        monkeypatch.delenv("NORTH_WHATSAPP_BUSINESS_ACCOUNT_ID")
        assert watch_templates() == 0


class TestWithoutNumber:
    """A customer may hide the number: the user id is all there is, and it goes into its own field."""

    def writes(self, world: World, phone: str | None, user_id: str, message_id: str = "wamid.in") -> None:
        body = bodies.message_body("north", message_id, "Ada", phone, user_id, "Hello?", sources.now())
        for delivery in deliveries.whatsapp(as_bytes(body), "application/json"):
            receive(world.shop, delivery)
        forget_tasks()

    def test_they_are_heard_and_answered(self, world: World, fake: Vendors) -> None:
        self.writes(world, None, USER_ID)
        person = Person.objects.get(whatsapp_id=USER_ID)
        assert (person.phone, person.name) == ("", "Ada")
        reply(the_case())
        assert sent(fake)["recipient"] == USER_ID
        assert "to" not in sent(fake)

    def test_whoever_hides_the_number_later_is_the_same_person(self, world: World) -> None:
        self.writes(world, "15551234567", USER_ID)
        self.writes(world, None, USER_ID, "wamid.2")
        assert Person.objects.count() == 1
        assert Conversation.objects.count() == 1

    def test_whoever_was_known_by_number_alone_is_found_by_user_id(self, world: World) -> None:
        person = factories.make_person(world.shop, phone="15551234567", whatsapp_id="15551234567")
        self.writes(world, "15551234567", USER_ID)
        self.writes(world, None, USER_ID, "wamid.2")
        person.refresh_from_db()
        assert person.whatsapp_id == USER_ID
        assert Conversation.objects.get().person_id == person.pk

    def test_the_next_owner_of_a_number_is_somebody_else(self, world: World) -> None:
        before = factories.make_person(world.shop, phone="15551234567", whatsapp_id="US.1")
        self.writes(world, "15551234567", USER_ID)
        assert Conversation.objects.get().person_id != before.pk
