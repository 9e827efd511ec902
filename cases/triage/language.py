"""Which language a message is in, by its script and its commonest words."""

from __future__ import annotations

import re

from cases.triage.words import Text

_KANA = re.compile(r"[\u3041-\u30ff]")
_HAN = re.compile(r"[\u4e00-\u9fff]")

_COMMON: dict[str, frozenset[str]] = {
    "en": frozenset(
        "the and is are was i my you your it this that have has not to of for in on with please would could when where"
        " what how hi hello hey thanks thank order still from but been received got can will".split()
    ),
    "de": frozenset(
        "der die das und ist sind war ich mein meine meinen meiner sie ihr ihre es dies diese haben habe hat nicht zu"
        " von fur auf mit bitte wann wo was wie hallo guten tag danke bestellung noch aber ein eine einen im den dem"
        " kein keine wurde bei sehr mfg grusse paket moin wir uns mochte kann sich".split()
    ),
    "fr": frozenset(
        "le la les et est sont je mon ma mes vous votre vos il elle ce cette ai as a ont pas de des du pour en sur avec"
        " merci quand ou que quoi comment bonjour bonsoir salut commande encore mais un une au aux j l d n c qu suis"
        " colis recu svp cordialement dans toujours nous voudrais veux".split()
    ),
    "es": frozenset(
        "el la los las y es son yo mi mis usted su sus lo este esta esto he ha han no de del para en con por favor"
        " cuando donde que como hola buenas buenos dias gracias pedido todavia pero un una al me se ya saludos paquete"
        " recibido muy aun estoy quiero quisiera puedo necesito mucho".split()
    ),
}

_LETTERS = {
    "de": re.compile(r"[äöüßÄÖÜ]"),
    "fr": re.compile(r"[àâçèêëîïôùûœÀÇÈÊ]|\b[cdjlnmst]'|\bqu'"),
    "es": re.compile(r"[ñ¿¡áíóúÁÍÓÚ]"),
}
COMMON = frozenset[str]().union(*_COMMON.values())
"""The commonest words of all languages: they say nothing about a topic."""


def language(text: Text) -> str:
    """`en`, `de`, `fr`, `es` or `ja`; empty where the words don't say."""
    if _KANA.search(text.raw):
        return "ja"
    if _HAN.search(text.raw) and not re.search(r"[A-Za-z]{3}", text.raw):
        return "ja"
    words = text.words[:200]
    scores = {code: sum(word in common for word in words) for code, common in _COMMON.items()}
    for code, letters in _LETTERS.items():
        scores[code] += bool(letters.search(text.raw))
    best, second = sorted(scores.values(), reverse=True)[:2]
    if best == 0 or best == second:
        return ""
    return max(scores, key=lambda code: scores[code])
