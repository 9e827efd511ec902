"""The form of a language's table of phrases."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """Everything a customer may say in one language.

    `numbers` are ways to append an order's number, `again` the words for 1, 2, 3 … in place of figures.
    Letters take {num}, {item}, {Item}, {item_acc}, {harm}, {k}, {n} and {items}.
    """

    hello: tuple[str, ...]
    opening: tuple[str, ...]
    closing: tuple[str, ...]
    device: tuple[str, ...]
    numbers: tuple[str, ...]
    again: tuple[str, ...]
    harm: dict[str, tuple[str, ...]]
    subjects: dict[str, tuple[str, ...]]
    letters: dict[str, tuple[str, ...]]
