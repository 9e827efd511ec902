"""What triage found, as the reason to call a person."""

from __future__ import annotations

import pytest

from cases.intake.messages import calls_for
from cases.triage.judge import FAILED, Labels


@pytest.mark.parametrize(
    ("flags", "hits", "reason"),
    [
        ((), (), ""),
        ((), ("anger.mild",), ""),
        (("anger",), (), "anger"),
        (("anger", "legal"), (), "legal"),
        (("distress", "fraud"), (), "fraud"),
        # A message that could not be judged may be anything.
        ((), (FAILED,), "stuck"),
    ],
)
def test_the_most_pressing_reason_calls(flags: tuple[str, ...], hits: tuple[str, ...], reason: str) -> None:
    assert calls_for(Labels("en", {}, hits, flags)) == reason
