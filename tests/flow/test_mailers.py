"""Which vendor carries a shop's e-mail: decided with the effect, and never two for one message."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from approvals.limits import engage_switch
from audit.actors import staff
from cases import services
from cases.models import Handoff, Message
from cases.tasks import execute, settle
from tests import factories
from tests.adapters.mail_servers import DROP, MailServer, mail_server
from tests.flow.turns import fresh, planner, says, scripted_shop, states
from tests.flow.vendors import Vendors
from tests.flow.world import World, deliver, drain, forget_tasks, the_case
from tools.models import ToolCall

pytestmark = pytest.mark.django_db

HEADER_ID = "<CAF-1@mail.example>"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """The shop has a mail server and no Klaviyo."""
    with mail_server() as server:
        monkeypatch.delenv("NORTH_KLAVIYO_API_KEY")
        monkeypatch.setenv("NORTH_EMAIL_URL", server.url)
        yield server


def asked_for(world: World) -> None:
    """A customer has asked for their order."""
    scripted_shop(world)
    who = world.customer()
    _order, row = world.known(who)
    deliver(world.mail(who, f"Where is {row.name}?"))


def decided(world: World) -> ToolCall:
    """An answer that is decided and not sent yet."""
    asked_for(world)
    with planner(says()):
        drain(only=["advance"])
    return ToolCall.objects.get()


def test_a_shop_with_a_mail_server_alone_writes_by_it(
    world: World, server: MailServer, fake: Vendors
) -> None:
    call = decided(world)
    assert call.vendor == call.decision.effect["vendor"] == "email"
    drain()
    assert (states(), the_case().state, fake.asked) == (["succeeded"], "closed", [])
    assert (
        server.mail["Message-ID"] == f"<{call.idempotency_key}@{world.shop.sender_email.partition('@')[2]}>"
    )
    assert server.mail["From"] == f"{world.shop.sender_name} <{world.shop.sender_email}>"
    assert server.mail["Auto-Submitted"] == "auto-generated"


def test_a_shop_with_both_writes_by_klaviyo_alone(
    world: World, fake: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server() as server:
        monkeypatch.setenv("NORTH_EMAIL_URL", server.url)
        call = decided(world)
        drain()
    assert (call.vendor, len(fake.writes("klaviyo.example")), server.heard) == ("klaviyo", 1, [])


def test_a_message_never_changes_its_vendor_on_the_way(
    world: World, fake: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server() as server:
        call = decided(world)
        monkeypatch.delenv("NORTH_KLAVIYO_API_KEY")
        monkeypatch.setenv("NORTH_EMAIL_URL", server.url)
        execute(call.pk)
    assert (fresh(call).state, call.error, server.heard) == ("failed", "not_configured", [])
    assert Handoff.objects.get().reason == "failed"


def test_a_persons_words_are_not_called_automatic(world: World, server: MailServer) -> None:
    deliver(world.mail(world.customer(), "Hello?"))
    forget_tasks()
    Message.objects.filter(direction="in").update(header_id=HEADER_ID)
    by = staff(factories.make_user(roles=["agent"]))
    services.reply(the_case().pk, text="Hello!", by=by)
    drain(only=["execute"])
    mail = server.mails[-1]
    assert (mail["Auto-Submitted"], mail["In-Reply-To"]) == (None, HEADER_ID)
    assert mail.get_content().strip() == "Hello!"


def test_the_customers_own_message_id_is_kept_for_the_answer(world: World) -> None:
    deliver(world.mail(world.customer(), "Hello?"))
    assert Message.objects.get(direction="in").header_id.startswith("<")


def test_a_mail_whose_answer_was_lost_is_not_sent_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mail_server(end=DROP) as server:
        monkeypatch.delenv("NORTH_KLAVIYO_API_KEY")
        monkeypatch.setenv("NORTH_EMAIL_URL", server.url)
        call = decided(world)
        execute(call.pk)
        assert fresh(call).state == "unknown"
        server.says.clear()
        assert [settle(call.pk), settle(call.pk)] == ["unknown", "unknown"]
    assert len(server.mails) == 1


def test_a_busy_server_gets_the_same_mail_later(world: World, server: MailServer) -> None:
    server.says["rcpt"] = "450 greylisted"
    call = decided(world)
    execute(call.pk)
    assert (fresh(call).state, call.error) == ("reserved", "smtp_450")
    server.says.clear()
    ToolCall.objects.filter(pk=call.pk).update(not_before=factories.now())
    execute(call.pk)
    assert (fresh(call).state, len(server.mails)) == ("succeeded", 1)


def test_an_address_that_is_refused_comes_to_a_person(world: World, server: MailServer) -> None:
    server.says["rcpt"] = "550 nobody here"
    call = decided(world)
    execute(call.pk)
    assert (fresh(call).state, Handoff.objects.get().detail) == ("failed", "recipient_refused")


def test_a_switch_for_mail_stops_mail(world: World, server: MailServer) -> None:
    call = decided(world)
    by = staff(factories.make_user(roles=["agent"], shops=[world.shop]))
    engage_switch(scope="vendor", key="email", shop_id=world.shop.pk, reason="Spam complaints.", by=by)
    execute(call.pk)
    assert (fresh(call).state, server.heard) == ("cancelled", [])
