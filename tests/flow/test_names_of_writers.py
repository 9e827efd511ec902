"""A name that a letter brings is kept only where the sender was vouched for: we greet people by it."""

from __future__ import annotations

import pytest

from cases.models import Conversation, Person
from tests.flow.test_who_wrote import changed
from tests.flow.world import World, deliver

pytestmark = pytest.mark.django_db


def test_an_unproven_letter_gives_nobody_a_name(world: World) -> None:
    step = world.mail(world.customer(), "Hello")
    deliver(changed(step, Headers=[]))
    assert not Conversation.objects.get().verified
    assert Person.objects.get().name == ""


def test_a_later_letter_that_is_vouched_for_gives_the_name(world: World) -> None:
    who = world.customer()
    deliver(changed(world.mail(who, "Hello"), Headers=[], MessageID="unproven"))
    deliver(world.mail(who, "Hello again"))
    assert Person.objects.get().name == who.full_name


def test_an_unproven_letter_renames_nobody(world: World) -> None:
    who = world.customer()
    world.known(who)
    known = Person.objects.get().name
    step = world.mail(who, "Hello")
    full = {"Name": "You won, see evil.net", "Email": who.email, "MailboxHash": ""}
    deliver(changed(step, Headers=[], FromFull=full))
    assert Person.objects.get().name == known != ""
