"""A document as PDF, its letters embedded, so that it reads the same everywhere and for as long as it is kept.

The fonts come with the package weblate-fonts (SIL Open Font Licence); none is part of this repository, and none of
the machine's is asked for. Source Sans 3 has the letters of the languages written in Latin, Greek and Cyrillic;
what it lacks is taken, character by character, from Kurinto Sans JP (kana and the kanji of JIS X 0213), KR, SC and TC,
and from Kurinto Sans (Hebrew, Arabic, Thai, Devanagari and others; letters that join are set side by side). A
character that none of them has, such as an emoji, is printed as □; the HTML page shows it as it is.

Equal documents give equal bytes: the time in the file is the document's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from tools.credit_notes.sheet import Sheet

FONTS = Path(str(files("weblate_fonts"))) / "static" / "weblate_fonts"
MAIN = "source-sans/ttf/SourceSans3-Regular.ttf"
BOLD = "source-sans/ttf/SourceSans3-Bold.ttf"
# In this order: Japanese forms first, since one code stands for Japanese, Chinese and Korean forms of a character.
OTHERS = ("JP", "", "KR", "SC", "TC")
MISSING = "□"
MARGIN_MM, LINE_MM, SIZE, SMALL, LARGE = 20, 5.2, 10, 8.5, 17
GREY = (110, 110, 110)
NUMBERS = ("RIGHT",) * 4


def pdf_of(sheet: Sheet, issued_at: datetime) -> bytes:
    """The document on A4 pages, its heads repeated on each."""
    page = _Page(sheet, issued_at)
    page.head(sheet)
    page.table(sheet.heads, sheet.rows, (44, 8, 16, 14, 18), ("LEFT", *NUMBERS))
    page.totals(sheet.totals)
    page.caption(sheet.rates_title)
    page.table(sheet.rate_heads, sheet.rates, (46, 18, 18, 18), ("LEFT", *NUMBERS[1:]))
    return bytes(page.pdf.output())


def printable(text: str) -> str:
    """The text with what can't be printed replaced: □ for a character that no font has, a space for a control one."""
    return "".join(_printable(char) for char in unicodedata.normalize("NFC", text))


def _printable(char: str) -> str:
    if char.isspace() or unicodedata.category(char) in ("Cc", "Cf"):
        # No-break spaces stand inside amounts and keep them together.
        return char if char in "\xa0\u202f" else " "
    return char if any(ord(char) in letters(font) for font in _all_fonts()) else MISSING


def _all_fonts() -> tuple[str, ...]:
    return (MAIN, *(_other(name) for name in OTHERS))


def _other(name: str) -> str:
    return f"kurinto/ttf/KurintoSans{name}-Rg.ttf"


@cache
def letters(font: str) -> frozenset[int]:
    """The characters that a font has, by code."""
    with TTFont(FONTS / font, lazy=True) as opened:
        return frozenset(opened.getBestCmap())


def _needed(text: Iterable[str]) -> list[str]:
    """The further fonts that have what the main one lacks, since each takes a while to load."""
    left = {ord(char) for char in set("".join(text))} - letters(MAIN)
    found = []
    for name in OTHERS:
        if left & letters(_other(name)):
            found.append(name)
            left -= letters(_other(name))
    return found


class _Page:
    """The paper: fonts and the few things that are put on it."""

    def __init__(self, sheet: Sheet, issued_at: datetime) -> None:
        self.pdf = FPDF(format="A4")
        self.pdf.set_creation_date(issued_at)
        self.pdf.set_title(printable(f"{sheet.title} {sheet.number}"))
        self.pdf.set_lang(sheet.language)
        self.pdf.set_margin(MARGIN_MM)
        self.pdf.add_font("main", fname=FONTS / MAIN)
        self.pdf.add_font("main", "B", fname=FONTS / BOLD)
        others = _needed(printable(text) for text in _texts(sheet))
        for name in others:
            self.pdf.add_font(f"other{name}", fname=FONTS / _other(name))
        self.pdf.set_fallback_fonts([f"other{name}" for name in others], exact_match=False)
        self.pdf.add_page()
        self.font()

    def font(self, size: float = SIZE, *, bold: bool = False) -> None:
        self.pdf.set_font("main", "B" if bold else "", size)

    def line(self, text: str, size: float = SIZE, *, bold: bool = False) -> None:
        self.font(size, bold=bold)
        height = LINE_MM * size / SIZE
        self.pdf.multi_cell(0, height, printable(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def caption(self, text: str) -> None:
        self.pdf.ln(LINE_MM)
        self.pdf.set_text_color(*GREY)
        self.line(text, SMALL)
        self.pdf.set_text_color(0)

    def head(self, sheet: Sheet) -> None:
        for place, text in enumerate(sheet.seller):
            self.line(text, SMALL, bold=place == 0)
        self.pdf.ln(LINE_MM * 2)
        self.caption(sheet.buyer_head)
        for text in sheet.buyer:
            self.line(text)
        self.pdf.ln(LINE_MM * 2)
        self.line(sheet.title, LARGE, bold=True)
        self.pdf.ln(LINE_MM / 2)
        for name, value in sheet.facts:
            self.line(f"{name}: {value}")
        self.pdf.ln(LINE_MM)

    def table(
        self,
        heads: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: tuple[int, ...],
        align: tuple[str, ...],
    ) -> None:
        self.font(SMALL)
        with self.pdf.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=widths,
            text_align=align,
            line_height=LINE_MM,
            padding=0.8,
            headings_style=FontFace(emphasis="BOLD"),
        ) as table:
            for cells in (heads, *rows):
                row = table.row()
                for cell in cells:
                    row.cell(printable(cell))

    def totals(self, totals: Sequence[tuple[str, str]]) -> None:
        self.pdf.ln(LINE_MM / 2)
        for place, (name, value) in enumerate(totals):
            self.font(SIZE, bold=place == len(totals) - 1)
            text = printable(f"{name}: {value}")
            self.pdf.cell(0, LINE_MM * 1.2, text, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _texts(sheet: Sheet) -> Iterable[str]:
    yield from (sheet.title, sheet.number, sheet.buyer_head, sheet.rates_title, MISSING)
    yield from (*sheet.seller, *sheet.buyer, *sheet.heads, *sheet.rate_heads)
    for pair in (*sheet.facts, *sheet.totals, *sheet.rows, *sheet.rates):
        yield from pair
