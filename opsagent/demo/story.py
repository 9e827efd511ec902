"""A seeded day of two shops: which plots are cast, and in which order their deliveries go out.

`python -m opsagent.demo.story --seed 1 --events 200` prints it as a table.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from opsagent.demo.goods import SOLD_OUT
from opsagent.demo.plots import FIRST, NOISE, PLOTS, noise
from opsagent.demo.script import Expectation, Scene, Step, Story
from opsagent.demo.shops import SHOPS
from opsagent.demo.stage import Stage

__all__ = ["Expectation", "Step", "Story", "story"]

# From this many events on, parcels are told scan by scan and the day has room for ordinary orders.
ROOMY = 1000
# The cases of a roomy day: about one scene in two, so that most events are nobody's case.
CASE_SHARE = 0.55
# A short day has seen every alarm once, so only calm plots fill it up to a natural mixture.
CALM_SHARE = 0.92
# With room for so many more deliveries after that, alarms come again at their own rate.
SECOND_ALARMS = 100
CALM = (
    "where_is_it",
    "damaged_small",
    "missing_small",
    "not_packed_yet",
    "back_in_stock",
    "unknown_sender",
    "missing_but_on_its_way",
    "return_in_time",
    "thanks",
)
# All five languages are heard in alarm, and the calm that keeps the balance takes few deliveries.
FEW_MORE = ("angry", "legal_threat", *("back_in_stock", "not_packed_yet") * 10, "unknown_sender")
# Three times each alarm, so that all languages are heard, and a dispute at each shop.
MORE_ALARMS = ("disputed_payment", *("angry", "legal_threat", "distressed") * 2)


def story(seed: int, events: int, start: datetime) -> Story:
    """The day that ends at `start` (aware): exactly `events` deliveries under a right signature.

    Forged deliveries and supplier feeds come on top. Raises ValueError below ten events.
    """
    if events < 10:
        raise ValueError("a day has at least ten events")
    stage = Stage(random.Random(seed), start.astimezone(UTC), roomy=events >= ROOMY)
    again = max(2, events // 70)
    scenes = _cast(stage, events - again)
    steps = _interleave(stage, scenes, again)
    expectations = {s.story_id: s.expectation for s in scenes if s.story_id and s.expectation}
    return Story(seed=seed, start=stage.start, orders=stage.orders, steps=steps, expectations=expectations)


def _cast(stage: Stage, room: int) -> list[Scene]:
    """Scenes that fill the room to the last delivery."""
    scenes: list[Scene] = []
    turns: Counter[str] = Counter()

    def play(name: str) -> bool:
        nonlocal room
        plot = NOISE[name] if name in NOISE else PLOTS[name][0]
        before = len(stage.orders)
        scene = plot(stage, f"{name}-{turns[name] + 1}", turns[name])
        if len(scene.steps) > room:
            del stage.orders[before:]
            return False
        turns[name] += 1
        room -= len(scene.steps)
        scenes.append(scene)
        return True

    once = [*FIRST, *(name for name in (*NOISE, *PLOTS) if name not in FIRST)]
    for name in (*once, *(MORE_ALARMS if stage.roomy else FEW_MORE)):
        play(name)
    table = PLOTS if room > SECOND_ALARMS else {name: PLOTS[name] for name in CALM}
    names, weights = list(table), [weight for _, weight in table.values()]
    while room:
        wanted_share = CASE_SHARE if stage.roomy else CALM_SHARE
        if stage.rng.random() < wanted_share and play(stage.rng.choices(names, weights)[0]):
            continue
        if stage.rng.random() < 0.06 and play("stock_moved"):
            continue
        room -= _fill(stage, scenes, room)
    return scenes


def _fill(stage: Stage, scenes: list[Scene], room: int) -> int:
    before = len(stage.orders)
    scene = noise.ordinary(stage, "", 0, whole=stage.roomy or stage.rng.random() < 0.4)
    if len(scene.steps) > room or stage.rng.random() < 0.2:
        del stage.orders[before:]
        scene = noise.just_bought(stage, "", 0)
    scenes.append(scene)
    return len(scene.steps)


def _interleave(stage: Stage, scenes: list[Scene], again: int) -> list[Step]:
    """All deliveries on one line: each scene in its own order, duplicates after what they repeat."""
    rng = stage.rng
    placed: list[tuple[float, Step]] = []
    for scene in scenes:
        moments = sorted(rng.random() for _ in scene.steps)
        placed += zip(moments, scene.steps, strict=True)
    usual = [
        (at, step)
        for at, step in placed
        if step.kind in ("order", "fulfilment", "scan", "message", "payment")
    ]
    messages = [pair for pair in usual if pair[1].kind == "message"]
    twice = rng.sample(messages, min(len(messages), again // 2))
    twice += rng.sample([pair for pair in usual if pair[1].kind != "message"], again - len(twice))
    for at, step in twice:
        copy = replace(step, kind="duplicate", sandbox=[], duplicate_of=step.external_id)
        placed.append((at + (1 - at) * rng.random() * rng.random(), copy))
    placed += [(rng.random(), noise.forged(stage, turn)) for turn in range(max(3, len(placed) // 60))]
    placed.sort(key=lambda pair: pair[0])
    steps = [step for _, step in placed]
    early, late = _feeds(stage)
    return [*early, *steps[: len(steps) // 2], *late, *steps[len(steps) // 2 :]]


def _feeds(stage: Stage) -> tuple[list[Step], list[Step]]:
    """Two feeds a shop: the later one moves stock, and no date that a customer may have been told."""
    early, late = [], []
    for shop in SHOPS:
        back = {
            sku: f"{stage.start + timedelta(days=stage.rng.randrange(8, 45)):%Y-%m-%d}"
            for sku in SOLD_OUT[shop]
        }
        early.append(noise.feed(stage, shop, back, 11))
        late.append(noise.feed(stage, shop, back, 4))
    return early, late


def _table(told: Story) -> str:
    lanes = Counter(expectation.lane for expectation in told.expectations.values())
    lines = [
        f"{len(told.steps)} steps, {len(told.orders)} orders, {len(told.expectations)} cases, {dict(lanes)}"
    ]
    for step in told.steps:
        mark = "" if step.signed else "  (unsigned)"
        lines.append(f"{step.shop:7}{step.source:9}{step.topic:34}{step.kind:14}{step.story_id or ''}{mark}")
    lines += [f"{key:28}{e.lane:11}{e.order_name or '-':8}{e.why}" for key, e in told.expectations.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Print a seeded day.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=200)
    chosen = parser.parse_args()
    sys.stdout.write(_table(story(chosen.seed, chosen.events, datetime(2026, 9, 14, 16, tzinfo=UTC))) + "\n")
