"""Which messages wake a person, and which must not."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from cases.triage.judge import judge

ALARMS = [
    ("This is outrageous, I am furious about how you treat me.", "anger"),
    ("I can't believe how rude and pathetic your answer is.", "anger"),
    ("You people are thieves and liars!!", "anger"),
    ("Das ist eine Frechheit, mir reicht es jetzt mit Ihnen.", "anger"),
    ("C'est honteux, vous vous moquez du monde.", "anger"),
    ("Estoy harta de ustedes, es una vergüenza.", "anger"),
    ("最悪です。二度と買いません。", "anger"),
    ("ふざけるな、いい加減にしてください。", "anger"),
    ("I can't stop crying, I don't know how to cope.", "distress"),
    ("My father passed away and this was for him.", "distress"),
    ("Ich bin völlig verzweifelt und weiß nicht mehr weiter.", "distress"),
    ("Je suis désespérée, mon mari est décédé.", "distress"),
    ("Estoy desesperada, mi padre falleció ayer.", "distress"),
    ("父が亡くなり、どうしたらいいかわかりません。", "distress"),
    ("You will hear from my lawyer.", "legal"),
    # A threat in the form of a denial.
    ("I don't want to sue you, but otherwise I will see you in court.", "legal"),
    ("Ich werde rechtliche Schritte einleiten.", "legal"),
    ("Je vais porter plainte contre vous.", "legal"),
    ("Voy a denunciarles ante la oficina del consumidor.", "legal"),
    ("弁護士に相談し、法的措置を取ります。", "legal"),
    ("My card was stolen and somebody ordered with it.", "fraud"),
    ("I don't recognise this charge and did not place any order.", "fraud"),
    ("Meine Karte wurde gestohlen, die Bestellung ist nicht von mir.", "fraud"),
    ("Je n'ai jamais passé cette commande, on a piraté ma carte.", "fraud"),
    ("No reconozco este cargo, alguien usó mi tarjeta.", "fraud"),
    ("身に覚えのない請求があります。", "fraud"),
]

CALM = [
    "Where is my order #1001? It should have been here on Friday.",
    "The mug arrived broken, I'm a bit disappointed. Could you refund it?",
    "I'm not angry, just curious where my parcel is.",
    "It's a little annoying that the tracking says nothing.",
    "Do you have paper in legal size?",
    "Are the court shoes available in size 39?",
    "I need the law book for my first term at law school.",
    "It is a gift for my sister, the lawyer. When does it come?",
    "I'm not going to sue you over a mug.",
    "I hate to bother you, but is there any news?",
    "The towel has a tear in it and the glass is cracked.",
    # Somebody who got another thing was not robbed.
    "You sent me a doormat, I did not order this.",
    "Leider ist die Vase kaputt, ich bin etwas enttäuscht.",
    "Der Notizblock im Anwaltsformat gefällt mir.",
    "Le vase est arrivé cassé, je suis un peu déçue.",
    "Avez-vous un plat pour les avocats mûrs ?",
    "El jarrón llegó roto, ¿me pueden devolver el dinero?",
    "お世話になります。荷物はいつ届きますか。",
    "お皿が割れていました。少し残念ですが、返金をお願いします。",
    "Thank you so much, everything is lovely!!",
    "",
]


@pytest.mark.parametrize(("text", "kind"), ALARMS)
def test_an_alarming_message_is_heard(text: str, kind: str) -> None:
    assert kind in judge(text).flags


@pytest.mark.parametrize("text", CALM)
def test_an_ordinary_message_wakes_nobody(text: str) -> None:
    labels = judge(text)
    assert labels.flags == (), labels.hits


@pytest.mark.parametrize(
    "text", ["\x00", "\ud800 lone", "🤷" * 500, "a" * 200_000, "(" * 5000, "\n" * 5000, "١٢٣ مرحبا"]
)
def test_no_text_makes_triage_fail(text: str) -> None:
    assert "triage.failed" not in judge(text).hits


def test_hits_are_codes_and_never_the_customers_words() -> None:
    labels = judge("I am furious, my lawyer will call.")
    assert labels.hits == ("anger.fury", "legal.lawyer")


def test_a_threat_in_the_tail_of_a_very_long_message_is_heard() -> None:
    assert judge("where is it " * 5000 + " I will see you in court.").flags == ("legal",)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order, please?", "en"),
        ("Wo ist meine Bestellung bitte?", "de"),
        ("Où est ma commande, s'il vous plaît ?", "fr"),
        ("¿Dónde está mi pedido, por favor?", "es"),
        ("荷物はどこですか", "ja"),
        ("返品希望", "ja"),
        ("#1001", ""),
    ],
)
def test_the_language_is_known_by_script_and_common_words(text: str, language: str) -> None:
    assert judge(text).language == language


def test_a_message_is_judged_in_under_a_millisecond() -> None:
    text = ALARMS[0][0] + " The parcel with my order came late and one of the mugs was broken in it. " * 4
    judge(text)
    began = time.perf_counter()
    for _ in range(50):
        judge(text)
    assert (time.perf_counter() - began) / 50 < 0.004  # a busy machine gets four


SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "emotion" / "dev.jsonl"
# Label, domain, kind, least share found. Reddit's anger is hardly a customer's, so its floor says little.
FLOORS = [
    ("angry", "customer", "anger", 0.35),
    ("angry", "general", "anger", 0.22),
    ("distressed", "general", "distress", 0.08),
    ("legal-threat", "customer", "legal", 0.75),
    ("fraud-signal", "customer", "fraud", 0.75),
]


def test_real_messages_are_found_without_false_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    if not SHARED.is_file():
        with capsys.disabled():
            print(f"\nskipped: no labelled messages at {SHARED.parent.name}/{SHARED.name}")  # noqa: T201
        pytest.skip("the labelled messages are not in this checkout's surroundings")
    rows = [json.loads(line) for line in SHARED.read_text(encoding="utf-8").splitlines()]
    total: Counter[tuple[str, str]] = Counter()
    found: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        stratum = (row["label"], row["domain"])
        total[stratum] += 1
        flags = judge(row["text"]).flags
        found.update((*stratum, flag) for flag in (*flags, *(["any"] if flags else [])))
    with capsys.disabled():
        for label, domain, kind, floor in FLOORS:
            share = found[label, domain, kind] / total[label, domain]
            print(f"\n{label} ({domain}): {share:.2f} found, floor {floor}", end="")  # noqa: T201
            assert share >= floor
        alarms = found["neutral", "customer", "any"] / total["neutral", "customer"]
        print(f"\nneutral (customer): {alarms:.3f} false alarms, at most 0.02")  # noqa: T201
    assert alarms <= 0.02
