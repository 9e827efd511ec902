"""Puts a customer's message together: greeting, what it is about, closing, signature, a slip of the fingers."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from opsagent.demo.goods import Item
from opsagent.demo.people import Person
from opsagent.demo.texts import LANGUAGES
from opsagent.demo.texts.phrases import Phrases

SUBJECTS = {
    "wismo": "parcel",
    "wismo_annoyed": "parcel",
    "not_packed": "parcel",
    "delivered_not_here": "parcel",
    "lost": "parcel",
    "legal_words": "parcel",
    "damaged": "damaged",
    "damaged_some": "damaged",
    "damaged_vague": "damaged",
    "missing": "missing",
    "missing_early": "refund",
    "wrong_item": "wrong",
    "return_wish": "return",
    "return_late": "return",
    "already_refunded": "refund",
    "cancel": "change",
    "address": "change",
    "stolen_card": "card",
    "angry": "upset",
    "angry_more": "upset",
    "distress": "parcel",
    "legal": "upset",
    "thanks": "thanks",
    "stock": "stock",
    "product": "product",
}


CURT = ("angry", "angry_more", "legal", "distress", "thanks", "stolen_card")
# Asides that hold nothing but the number, so that they go where it goes.
_ASIDE = re.compile(
    r"(?<=[.!?]) (Order|Bestellung|Commande|Pedido)\{num\}(?:\.(?= |$)|$)"
    r"|,? \((order|Bestellung|commande|pedido)\{num\}\)"
    r"|, (order|Bestellung|commande|pedido)\{num\}(?=[.,?!]|$)"
    r"|(?<=[。、])注文\{num\}(です)?(。|$)|^注文\{num\}です。"
)
_SENTENCE = re.compile(r"(?<=[.!?] )[a-z](?=[a-z]* (?:order|Bestellung|commande|pedido)\b)")
# Without a number an order is somebody's: order #1042 becomes my order, del pedido 1042 becomes de mi pedido.
_OWN: dict[str, tuple[tuple[str, str], ...]] = {
    "en": (
        (r"(?<!my )(?<!My )(?<!\ban )\border\{num\}", "my order"),
        (r"(?<!My )\bOrder\{num\}", "My order"),
    ),
    "de": (
        (r"\b(zu|bei|mit|in|aus|von|wegen|Sache|der) Bestellung\{num\}", r"\1 meiner Bestellung"),
        (r"(?<!meine )(?<!meiner )\bBestellung\{num\}", "meine Bestellung"),
    ),
    "fr": (
        (r"\b(la commande|[Cc]ommande)\{num\}", "ma commande"),
        (r"\b([Mm]a) ma\b", r"\1"),
        (r"\bLa ma\b", "Ma"),
    ),
    "es": (
        (r"\b[Dd]el pedido\{num\}", "de mi pedido"),
        (r"\b[Ee]l pedido\{num\}", "mi pedido"),
        (r"(?<!mi )(?<!Mi )\b[Pp]edido\{num\}", "mi pedido"),
    ),
    "ja": (),
}


@dataclass(frozen=True)
class About:
    """What a message is about; `number` None leaves the order's number out."""

    topic: str
    item: Item | None = None
    number: str | None = None
    broken: int = 0
    bought: int = 0


def number_style(rng: random.Random, order_name: str, phrases: Phrases) -> str:
    """One of the ways in which people append an order's number to the word for order."""
    return rng.choice(phrases.numbers).format(order_name.lstrip("#"))


def subject(rng: random.Random, language: str, topic: str, number: str | None) -> str:
    """A subject line, sometimes with the order's number in it."""
    line = rng.choice(LANGUAGES[language].subjects[SUBJECTS[topic]])
    return f"{line} {number}" if number and rng.random() < 0.3 else line


def body(rng: random.Random, who: Person, about: About) -> str:
    """The sentence or two that the message is there for."""
    phrases = LANGUAGES[who.language]
    template = rng.choice(phrases.letters[about.topic])
    if not about.number:
        template = _numberless(template, who.language)
    said = about.item.name(who.language).said if about.item else ""
    plural = about.item.name(who.language).plural if about.item else ""
    stuff = about.item.stuff if about.item else "hard"
    figures = who.language == "ja" or rng.random() < 0.5
    return template.format(
        num=number_style(rng, about.number, phrases) if about.number else "",
        item=said,
        Item=said[:1].upper() + said[1:],
        item_acc="den " + said[4:] if who.language == "de" and said.startswith("der ") else said,
        harm=rng.choice(phrases.harm[stuff]),
        k=about.broken if figures or not about.broken else phrases.again[about.broken - 1],
        n=about.bought if figures or not about.bought else phrases.again[about.bought - 1],
        items=plural,
    )


def _numberless(text: str, language: str) -> str:
    """The wording for somebody who doesn't tell the order's number."""
    text = _ASIDE.sub("", text)
    for pattern, own in _OWN[language]:
        text = re.sub(pattern, own, text)
    return _SENTENCE.sub(lambda found: found[0].upper(), text)


def mail(rng: random.Random, who: Person, text: str, *, curt: bool = False) -> str:
    """The text as a mail: mostly with a greeting and a name under it; `curt` leaves the small talk out."""
    phrases = LANGUAGES[who.language]
    opening = "" if curt else _slip(rng, rng.choice(phrases.opening), who.language)
    hello = rng.choice(phrases.hello) if rng.random() < 0.85 and not _greets(text) else ""
    parts = [hello, " ".join(part for part in (opening, _capital(text)) if part)]
    closing = "" if curt else _slip(rng, rng.choice(phrases.closing), who.language)
    name = rng.choice((who.full_name, who.full_name, who.first, "")) if rng.random() < 0.85 else ""
    parts += ["\n".join(part for part in (closing, name) if part), rng.choice(phrases.device)]
    return "\n\n".join(part for part in parts if part) + "\n"


def chat(rng: random.Random, who: Person, text: str) -> str:
    """The text as it is typed on a telephone."""
    phrases = LANGUAGES[who.language]
    if rng.random() < 0.35 and not _greets(text):
        text = f"{rng.choice(phrases.hello)} {text}"
    elif rng.random() < 0.3 and not text.isupper():
        text = text[:1].lower() + text[1:]
    if rng.random() < 0.3 and text.endswith("."):
        text = text[:-1]
    return text


def _greets(text: str) -> bool:
    return text.lower().startswith(("hi ", "hi,", "hey"))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _slip(rng: random.Random, text: str, language: str) -> str:
    """Swaps two letters inside one longer word, now and then."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if len(word) > 5 and word.isalpha()]
    if language == "ja" or not long or rng.random() > 0.2:
        return text
    place = rng.choice(long)
    word, at = words[place], rng.randrange(1, len(words[place]) - 2)
    words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
