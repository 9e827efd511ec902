"""Looks on while a case is played: what may not be seen even for a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from tools.sandbox.exchange import Request

if TYPE_CHECKING:
    from opsagent.simulation.engine import Play

Finding = tuple[str, str]


class Watch:
    """Collects what was broken."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.findings: list[Finding] = []

    def found(self, invariant: str, row: str) -> None:
        """Something is wrong."""
        if (invariant, row) not in self.findings:
            self.findings.append((invariant, row))

    def sending(self, vendor: str, operation: str, asked: Request) -> None:
        """A request is about to leave."""
        if connection.in_atomic_block:
            self.found("no call is made inside a transaction", f"{vendor} {operation}")

    def taken(self, path: str, body: bytes) -> None:
        """A delivery was answered with 2xx."""
