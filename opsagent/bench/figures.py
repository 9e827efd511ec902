"""What a benchmark's numbers are made of: percentiles, medians, ratios of the same round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all values do not exceed; 0 without any."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


@dataclass
class Series:
    """One contender: a rate per round (per second), and what single ones took (seconds)."""

    name: str
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return median(self.rates) if self.rates else 0.0

    def as_dict(self) -> dict[str, float]:
        told = {"per_second": round(self.rate, 1)} if self.rates else {}
        if self.seconds:
            told["p50_ms"] = round(percentile(self.seconds, 0.5) * 1000, 3)
            told["p99_ms"] = round(percentile(self.seconds, 0.99) * 1000, 3)
        return told


def ratio_of_rates(ours: Series, other: Series) -> float:
    """The median over the rounds of our rate to the other's in the same round, since the machine changes between."""
    pairs = zip(ours.rates, other.rates, strict=True)
    return round(median(mine / theirs for mine, theirs in pairs), 3)


def ratio_of_seconds(ours: Series, other: Series, share: float) -> float:
    """Our percentile to the other's, over all rounds."""
    return round(percentile(ours.seconds, share) / percentile(other.seconds, share), 3)


def to_bare_insert(ours: Series, insert_ms: float) -> dict[str, float]:
    """Ours beside a committed INSERT of the same run: how long one takes, and our part of the rate of inserts."""
    bare = insert_ms / 1000
    return {
        "p50_to_bare_insert": round(percentile(ours.seconds, 0.5) / bare, 3),
        "rate_to_bare_insert": round(ours.rate * bare, 3),
    }


def missed(goals: Mapping[str, bool | None]) -> list[str]:
    """The goals that this run did not show, in words; without what it compares with, a goal was not shown either."""
    return [goal if met is not None else f"not measured: {goal}" for goal, met in goals.items() if not met]
