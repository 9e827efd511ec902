"""Where an amount stands among the lines in force: a picture, and the same in words for each line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from approvals.models import Decision, LimitVersion
from tools.types import Money


@dataclass(frozen=True, slots=True)
class Zone:
    """What lies between two lines: who decides there, and up to which amount; above the last line nobody may here.

    `start` and `width` are percentages of the picture, where all zones are equally wide.
    """

    key: str
    name: str
    reach: str
    start: str
    width: str
    here: bool


@dataclass(frozen=True, slots=True)
class Ruler:
    """The amount among all zones, as percentages of the width; zones aren't to scale."""

    together: Money
    amount: Money
    past: Money
    zones: tuple[Zone, ...]
    past_end: str
    this_start: str
    this_width: str
    end: str
    anchor: str

    @property
    def label(self) -> str:
        """What the picture says, for those who don't see it; the list below it names every line."""
        here = next(zone for zone in self.zones if zone.here)
        return _("%(together)s together: %(who)s (%(reach)s). The zones are not to scale.") % {
            "together": self.together,
            "who": here.name,
            "reach": here.reach,
        }


def ruler(decision: Decision) -> Ruler | None:
    """The ruler of a refund that reached the tiers; None for all else."""
    limits = decision.limits
    values: Mapping[str, Any] = next(
        (seen["values"] for seen in decision.values if "together_minor" in seen.get("values", {})), {}
    )
    if limits is None or not values:
        return None
    together, amount = int(values["together_minor"]), int(values["amount_minor"])
    lines = lines_of(limits)
    uppers = [upper for _key, upper in lines]
    start, end = place(together - amount, uppers), place(together, uppers)

    def money(minor: int) -> Money:
        return Money(minor, limits.currency)

    return Ruler(
        money(together),
        money(amount),
        money(together - amount),
        _zones(lines, together, limits.currency),
        f"{start:.2f}%",
        f"{start:.2f}%",
        f"{end - start:.2f}%",
        f"{end:.2f}%",
        "start" if end < 12 else "end" if end > 88 else "middle",
    )


def lines_of(limits: LimitVersion) -> list[tuple[str, int | None]]:
    """The zones that have room, by who decides in them and the line that they end at; the last one ends nowhere."""
    last, two = limits.two_factor_up_to_minor, limits.two_people_above_minor
    found: list[tuple[str, int]] = [
        ("automatic", limits.auto_up_to_minor),
        ("one", limits.one_approver_up_to_minor),
        ("two", last if two is None else two),
        ("people", last),
    ]
    rising, below = [], 0
    for key, upper in found:
        if upper > below:
            rising.append((key, upper))
            below = upper
    return [*rising, ("nobody", None)]


def place(minor: int, uppers: Sequence[int | None]) -> float:
    """Where an amount stands, 0 to 100: equal room for each zone, the last one narrowing towards its end."""
    room, low = 100 / len(uppers), 0
    if minor <= 0:
        return 0.0
    for number, upper in enumerate(uppers):
        if upper is None:
            return 100 - room * low / minor
        if minor <= upper:
            return room * (number + (minor - low) / (upper - low))
        low = upper
    return 100.0


def _zones(lines: Sequence[tuple[str, int | None]], together: int, currency: str) -> tuple[Zone, ...]:
    names = {
        "automatic": _("automatic"),
        "one": _("one approver"),
        "two": _("second factor"),
        "people": _("two people"),
        "nobody": _("nobody here"),
    }
    room, low, found = 100 / len(lines), 0, []
    for number, (key, upper) in enumerate(lines):
        here = together > low and (upper is None or together <= upper)
        words = _("above %(amount)s") if upper is None else _("up to %(amount)s")
        reach = words % {"amount": Money(low if upper is None else upper, currency)}
        # A hair narrower than its room, so that neighbours don't touch.
        found.append(Zone(key, names[key], reach, f"{room * number:.2f}%", f"{room - 0.3:.2f}%", here))
        low = upper or low
    return tuple(found)
