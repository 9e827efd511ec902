"""A customer wrote: whom, about what, in which mood. Everything is written before we answer 2xx."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from audit import sources
from audit.actors import TRIAGE, customer
from cases.connections import is_history
from cases.fraud.screening import screen
from cases.handoff import hand_off, most_pressing, raise_flags, wants_thought
from cases.intake.receiving import Handled
from cases.models import Case, Conversation, Handoff, InboundEvent, Message, Person
from cases.opening import case_for_message
from cases.people import conversation as conversation_with
from cases.people import writer_by_email, writer_by_whatsapp
from cases.telling import tell
from cases.triage.judge import FAILED, Labels, judge
from tools.models import Order

RECENT = timedelta(days=60)
_NUMBER = re.compile(r"(?<![\d.,-])#?\s?(\d{3,10})(?![\d]|[.,]\d)")


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as any channel brings it. `verified`: the channel vouches for the sender.

    `at` is when the channel itself took it, never what the sender wrote; None where the channel doesn't tell.
    `header_id` is an e-mail's own Message-ID.
    """

    channel: str
    sender: str
    name: str
    subject: str
    text: str
    verified: bool
    attachments: int = 0
    wa_id: str = ""
    header_id: str = ""
    at: datetime | None = None


def handle_letter(event: InboundEvent, letter: Letter) -> Handled:
    """Person, conversation, order, case, message, flags, hand-off: in this order, in the caller's transaction.

    One from before the channel was connected is history: its body is kept, and nobody answers it.
    """
    if is_history(event.shop, letter.channel, letter.at):
        return Handled()
    person = _writer(event, letter)
    # A delivery that comes late doesn't open WhatsApp's 24 hours anew.
    wrote_at = min(letter.at or event.received_at, event.received_at)
    talk = conversation_with(person, letter.channel, verified=letter.verified, at=wrote_at)
    order = _meant_order(person, f"{letter.subject}\n{letter.text}", event.received_at)
    case = case_for_message(event.shop, talk, order, event.correlation_id, event.received_at)
    labels = judge(f"{letter.subject}\n{letter.text}")
    message = _keep(event, letter, case, talk, labels)
    tell("message.received", case, by=customer(str(person.pk)), subject=message, flags=list(labels.flags))
    _speak(case, person, labels.language)
    if labels.flags:
        raise_flags(case, labels.flags, source="triage.message", by=TRIAGE)
    # Whoever is on the shop's own list is a person's, whatever they write.
    reason = Handoff.Reason.FRAUD if screen(case, money=False) else calls_for(labels)
    if reason:
        hand_off(case, reason, by=TRIAGE, event=event, called_at=event.received_at)
    else:
        wants_thought(case)
    return Handled(case=case)


def calls_for(labels: Labels) -> str:
    """Why a message calls for a person at once; empty where the agent may think.

    A message that triage tripped over may be anything, so a person reads it.
    """
    if labels.flags:
        return most_pressing(labels.flags)
    return Handoff.Reason.STUCK if FAILED in labels.hits else ""


def _writer(event: InboundEvent, letter: Letter) -> Person:
    if letter.channel == Conversation.Channel.WHATSAPP:
        return writer_by_whatsapp(event.shop, letter.sender, letter.wa_id, letter.name)
    # A forged sender would else choose the words by which we greet the address's owner.
    name = letter.name if letter.verified else ""
    return writer_by_email(event.shop, letter.sender, name)


def _meant_order(person: Person, text: str, at: datetime) -> Order | None:
    """The writer's own order that the text names, or their only recent one.

    Somebody else's order is never theirs by naming it: then there is none, and we ask.
    """
    named: list[str] = _NUMBER.findall(text[:4000])
    own = Order.objects.filter(person=person)
    if named:
        names = [*named, *(f"#{number}" for number in named)]
        found = own.filter(name__in=names).order_by("-placed_at").first()
        if found is not None:
            return found
        if Order.objects.filter(shop_id=person.shop_id, name__in=names).exists():
            return None
    recent = list(own.filter(placed_at__gte=at - RECENT).order_by("-placed_at")[:2])
    return recent[0] if len(recent) == 1 else None


def _keep(event: InboundEvent, letter: Letter, case: Case, talk: Conversation, labels: Labels) -> Message:
    return Message.objects.create(
        shop_id=event.shop_id,
        case=case,
        conversation=talk,
        event=event,
        direction=Message.Direction.IN,
        state=Message.State.RECEIVED,
        header_id=letter.header_id,
        subject=letter.subject[:500],
        text=letter.text,
        language=labels.language,
        attachments=letter.attachments,
        labels={"hits": list(labels.hits), "flags": list(labels.flags)},
        at=sources.now(),
    )


def _speak(case: Case, person: Person, language: str) -> None:
    """We answer in the language that they write, if the shop speaks it."""
    if language and language in case.shop.languages and language != case.language:
        Case.objects.filter(pk=case.pk).update(language=language)
        case.language = language
    if language and not person.language:
        Person.objects.filter(pk=person.pk).update(language=language)
