"""Reserved calls sent per second against the sandbox, beside a bare POST between two durable commits."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg

from cases.intake import mail
from cases.intake.receiving import receive
from cases.models import Shop
from cases.tasks import execute
from opsagent import processes
from opsagent.bench import disk
from opsagent.bench.figures import Series, ratio_of_rates, ratio_of_seconds, to_bare_insert
from opsagent.bench.grounds import Grounds
from opsagent.bench.intake import Failed
from opsagent.bench.orders import SHOP
from opsagent.demo import accounts, postmark
from opsagent.demo.stage import Stage
from opsagent.supervisor import MANAGE, sandbox_spec
from tools.models import ToolCall

PROBES = 60
START_SECONDS = 60.0
# A letter that a person must answer within a minute is acknowledged at once: one reserved call for each.
ANGRY = "This is unacceptable, I am furious, you liars!"
STEPS = (
    "INSERT INTO bare_call (number, state) VALUES (%s, 'sending')",
    "UPDATE bare_call SET state = 'succeeded' WHERE number = %s",
)


@dataclass(frozen=True)
class Size:
    """Rounds of so many calls each."""

    rounds: int
    calls: int
    seed: int


def measure(grounds: Grounds, size: Size, port: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Round after round, ours and the bare way in turn; the JSON's content."""
    probe = disk.fsync_ms(grounds.folder, PROBES)
    ours, bare = Series("ours"), Series("bare")
    with _sandbox(grounds, port) as sandbox, psycopg.connect(grounds.url, autocommit=True) as database:
        database.prepare_threshold = 0
        database.execute("CREATE TABLE bare_call (number bigint PRIMARY KEY, state text NOT NULL)")
        say("Reserving calls.")
        calls = _reserved(size)
        rounds = [calls[start : start + size.calls] for start in range(0, len(calls), size.calls)]
        with httpx.Client(base_url=sandbox, timeout=20) as client:
            for number, chosen in enumerate(rounds):
                say(f"Round {number + 1} of {size.rounds}.")
                _timed(ours, [lambda pk=pk: _ours(pk) for pk in chosen])  # type: ignore[misc]
                _timed(bare, [lambda pk=pk: _bare(database, client, grounds, pk) for pk in chosen])  # type: ignore[misc]
    insert = disk.insert_ms(grounds.url, b"x" * 200, PROBES)
    return {
        "benchmark": "execute",
        "fsync_ms": [probe, disk.fsync_ms(grounds.folder, PROBES)],
        "bare_insert_ms": insert,
        "rounds": size.rounds,
        "calls": size.calls,
        "contenders": {one.name: one.as_dict() for one in (ours, bare)},
        "skipped": {},
        "ratios": {
            "rate_to_bare": ratio_of_rates(ours, bare),
            "p50_to_bare": ratio_of_seconds(ours, bare, 0.5),
            "p99_to_bare": ratio_of_seconds(ours, bare, 0.99),
            **to_bare_insert(ours, insert),
        },
        "goals": {},
    }


def _timed(series: Series, works: list[Callable[[], None]]) -> None:
    began = time.perf_counter()
    for work in works:
        before = time.perf_counter()
        work()
        series.seconds.append(time.perf_counter() - before)
    series.rates.append(len(works) / (time.perf_counter() - began))


def _ours(call_id: int) -> None:
    state = execute(call_id)
    if state != ToolCall.State.SUCCEEDED:
        raise Failed(f"A call ended as {state}.")


def _bare(
    database: psycopg.Connection[tuple[Any, ...]], client: httpx.Client, grounds: Grounds, number: int
) -> None:
    """The least that a sender does: a durable word before and after."""
    database.execute(STEPS[0], [number])
    key = grounds.secrets[f"{SHOP.upper()}_KLAVIYO_API_KEY"]
    headers = {
        "Authorization": f"Klaviyo-API-Key {key}",
        "revision": "2026-07-15",
        "Content-Type": "application/vnd.api+json",
    }
    attributes = {
        "metric": {"data": {"type": "metric", "attributes": {"name": "Bare"}}},
        "profile": {"data": {"type": "profile", "attributes": {"email": f"bare-{number}@example.com"}}},
        "properties": {},
        "unique_id": str(number),
    }
    content = json.dumps({"data": {"type": "event", "attributes": attributes}}).encode()
    answer = client.post(f"/{SHOP}/klaviyo/api/events", headers=headers, content=content)
    if answer.status_code >= 300:
        raise Failed(f"The sandbox answered {answer.status_code} to the bare call.")
    database.execute(STEPS[1], [number])


def _reserved(size: Size) -> list[int]:
    """As many calls as are sent, reserved by the intake itself."""
    shop = Shop.objects.get(slug=SHOP)
    # Repeatable on purpose.
    stage = Stage(random.Random(size.seed), datetime.now(UTC), roomy=False)  # noqa: S311
    for _ in range(size.rounds * size.calls):
        who = stage.cast.newcomer(SHOP, "en")
        letter = postmark.Letter(name=who.full_name, address=who.email, subject="My order", text=ANGRY)
        step = stage.writes(SHOP, letter, stage.start, story_id=None)
        for delivery in mail.again("inbound/postmark", step.body, "application/json"):
            receive(shop, delivery)
    reserved = ToolCall.objects.filter(state=ToolCall.State.RESERVED).order_by("pk")
    found = list(reserved.values_list("pk", flat=True))
    if len(found) != size.rounds * size.calls:
        raise Failed(f"{len(found)} calls were reserved instead of {size.rounds * size.calls}.")
    return found


@contextmanager
def _sandbox(grounds: Grounds, port: int) -> Iterator[str]:
    """The vendors' stand-ins in a process of their own, told of the shops."""
    base = f"http://127.0.0.1:{port}"
    ledger = grounds.folder_of_logs / "bench-sandbox.sqlite"
    for old in ledger.parent.glob(f"{ledger.name}*"):
        old.unlink()
    with (grounds.folder_of_logs / "sandbox.log").open("ab") as output:
        spec = sandbox_spec(port, ledger)
        process = processes.spawn(spec.program, env=grounds.environment, cwd=MANAGE.parent, output=output)
    try:
        if not processes.wait_until(lambda: _answers(base), START_SECONDS):
            raise Failed("The sandbox did not start.")
        for path, body in accounts.told_sandbox(grounds.secrets, base):
            httpx.post(f"{base}{path}", json=body, timeout=10).raise_for_status()
        yield base
    finally:
        processes.end_group(process, signal.SIGTERM, 10)


def _answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/_control/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
