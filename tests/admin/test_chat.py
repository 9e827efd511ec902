"""What staff see before they answer by WhatsApp, and why a message did not arrive."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from audit import sources
from cases.models import Case, Conversation, Handoff, Shop
from tests import factories as f
from tools.adapters.whatsapp_wire import NAMES
from tools.reasons import REASONS, sentence


def chat(shop: Shop, *, hours: float) -> Case:
    """A customer wrote by WhatsApp this long ago."""
    person = f.make_person(shop, whatsapp_id="4915112345678")
    talk = Conversation.objects.create(
        shop=shop,
        person=person,
        channel="whatsapp",
        verified=True,
        last_inbound_at=sources.now() - timedelta(hours=hours),
    )
    return f.make_case(shop, person=person, conversation=talk)


def page(client: Client, case: Case) -> str:
    return client.get(reverse("admin:cases_case_change", args=[case.pk])).content.decode()


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (1, "WhatsApp takes your words as they are until"),
        (25, "more than 24 hours ago: your words go on one line"),
    ],
)
def test_the_reply_form_says_in_which_form_words_leave(
    agent: Client, shop: Shop, hours: float, words: str
) -> None:
    assert words in page(agent, chat(shop, hours=hours))


def test_the_form_of_an_e_mail_says_nothing_of_whatsapp(agent: Client, shop: Shop) -> None:
    assert "WhatsApp" not in page(agent, f.make_case(shop))


def test_a_message_that_did_not_arrive_says_so_and_what_to_do_next(agent: Client, shop: Shop) -> None:
    case = chat(shop, hours=1)
    Case.objects.filter(pk=case.pk).update(state=Case.State.HANDOFF)
    f.make_handoff(case, reason=Handoff.Reason.FAILED, detail="not_on_whatsapp")
    f.make_message(case, direction="out", state="failed", delivery="failed", delivery_error="not_on_whatsapp")
    seen = page(agent, case)
    assert "not delivered" in seen
    assert "reach this customer. Write by e-mail or call." in seen


def test_every_code_that_whatsapp_gives_a_name_has_a_sentence() -> None:
    assert set(NAMES.values()) <= set(REASONS)
    assert sentence("some_other_code") == ""
