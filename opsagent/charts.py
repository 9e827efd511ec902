"""Small pictures made on the server, as plain numbers for SVG attributes: no script, no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT, EDGE = 84, 24, 3


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`points` for a polyline of 84 × 24, and where its last point stands."""

    points: str
    x: str
    y: str


def sparkline(values: Sequence[float]) -> Sparkline | None:
    """A line from the oldest value to the newest; None where there are fewer than two."""
    if len(values) < 2:
        return None
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = (WIDTH - 2 * EDGE) / (len(values) - 1)
    places = [
        (EDGE + step * index, HEIGHT - EDGE - (value - low) / span * (HEIGHT - 2 * EDGE))
        for index, value in enumerate(values)
    ]
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return Sparkline(points, f"{places[-1][0]:.1f}", f"{places[-1][1]:.1f}")
