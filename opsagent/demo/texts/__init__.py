"""What customers write, one table per language."""

from __future__ import annotations

from opsagent.demo.texts.english import ENGLISH
from opsagent.demo.texts.french import FRENCH
from opsagent.demo.texts.german import GERMAN
from opsagent.demo.texts.japanese import JAPANESE
from opsagent.demo.texts.phrases import Phrases
from opsagent.demo.texts.spanish import SPANISH

LANGUAGES: dict[str, Phrases] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH, "ja": JAPANESE}
