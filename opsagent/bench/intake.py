"""Accepted order webhooks per second, beside a bare handler and the usual stacks on the same web server."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

import psycopg
from psycopg import sql

from opsagent.bench import disk, orders
from opsagent.bench.figures import Series, ratio_of_rates, ratio_of_seconds, to_bare_insert
from opsagent.bench.grounds import Grounds
from opsagent.bench.loading import Load, post, request
from opsagent.bench.serving import OURS, served
from opsagent.supervisor import MANAGE

OF_LIMIT, OVER_PLAIN, OVER_DJSTRIPE, P99_OF_LIMIT = 0.3, 4.0, 8.0, 3.0
KEPT_SECONDS = "600"
WARM_UP = 40
PROBES = 60


@dataclass(frozen=True)
class Size:
    """How much to measure: rounds of so many requests each, over so many connections."""

    rounds: int
    requests: int
    connections: int
    seed: int


@dataclass
class Contender:
    """A web server with its own way to make requests. `needs` names a package that may not be installed."""

    name: str
    application: str
    requests: Callable[[], Iterator[bytes]]
    peer: str = ""
    needs: str = ""
    environment: dict[str, str] = field(default_factory=dict)


class Failed(Exception):
    """A contender didn't do its work, so its numbers would mean nothing."""


def contenders(grounds: Grounds, seed: int) -> list[Contender]:
    """Ours, the limit, and the usual stacks: with Django's default of a connection per request, and with kept ones."""
    endpoint, secret = str(uuid.UUID(int=1)), "whsec_benchmark"
    django = {"DJANGO_SETTINGS_MODULE": "opsagent.bench.peers.settings"}
    plain = {**django, "BENCH_URLS": "opsagent.bench.peers.plain"}
    stripe = {
        **django,
        "BENCH_APPS": "djstripe",
        "BENCH_URLS": "opsagent.bench.peers.djstripe_urls",
        "BENCH_ENDPOINT": endpoint,
        "BENCH_SECRET": secret,
    }
    kept = {"BENCH_CONN_MAX_AGE": KEPT_SECONDS}
    site = "opsagent.bench.peers.site:application"

    def shopify(path: str, seed: int) -> Callable[[], Iterator[bytes]]:
        return lambda: _orders(grounds.shopify_secret, seed, path)

    def events() -> Iterator[bytes]:
        return stripe_events(f"/stripe/webhook/{endpoint}/", secret)

    return [
        Contender("ours", OURS, shopify(orders.PATH, seed)),
        Contender("limit", "opsagent.bench.peers.bare:application", shopify("/hook/", seed), "bare"),
        Contender("plain_drf", site, shopify("/hook/", seed), "plain", "", plain),
        Contender("plain_drf_kept", site, shopify("/hook/", seed + 1), "plain", "", plain | kept),
        Contender("dj_stripe", site, events, "djstripe", "djstripe", stripe),
        Contender("dj_stripe_kept", site, events, "djstripe", "djstripe", stripe | kept),
    ]


def _orders(secret: str, seed: int, path: str) -> Iterator[bytes]:
    for webhook_id, body in orders.bodies(seed):
        yield orders.webhook(webhook_id, body, secret, path)


def stripe_events(path: str, secret: str) -> Iterator[bytes]:
    """Events that dj-stripe stores without asking Stripe for anything: the least that it does."""
    for _number in itertools.count():
        event = {
            "id": f"evt_{uuid.uuid4().hex}",
            "object": "event",
            "api_version": "2026-10-28.endive",
            "created": int(time.time()),
            "type": "balance.available",
            "livemode": False,
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": {"object": {"object": "balance", "available": [{"amount": 0, "currency": "eur"}]}},
        }
        raw, stamp = json.dumps(event).encode(), str(int(time.time()))
        mac = hmac.new(secret.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Stripe-Signature": f"t={stamp},v1={mac}"}
        yield request(path, headers, raw)


def measure(grounds: Grounds, size: Size, say: Callable[[str], None]) -> dict[str, Any]:
    """Round after round, each contender in its turn; the JSON's content."""
    probe = disk.fsync_ms(grounds.folder, PROBES)
    _id, body = next(orders.bodies(size.seed))
    with ExitStack() as stack:
        racing = []
        skipped: dict[str, str] = {}
        for one in contenders(grounds, size.seed):
            if one.needs and find_spec(one.needs) is None:
                skipped[one.name] = f"{one.needs} is not installed (requirements-bench.txt)"
                continue
            say(f"Starting {one.name}.")
            racing.append(_Racer(one, stack.enter_context(_serving(grounds, one))))
        for racer in racing:
            racer.run(WARM_UP, size.connections, warm=True)
        grounds.analyse()
        for number in range(size.rounds):
            say(f"Round {number + 1} of {size.rounds}.")
            for racer in racing:
                racer.run(size.requests, size.connections)
    bare = disk.insert_ms(grounds.url, body, PROBES)
    _prove(grounds, size)
    series = {racer.contender.name: racer.series for racer in racing}
    ratios = _ratios(series) | to_bare_insert(series["ours"], bare)
    return {
        "benchmark": "intake",
        "fsync_ms": [probe, disk.fsync_ms(grounds.folder, PROBES)],
        "bare_insert_ms": bare,
        "rounds": size.rounds,
        "requests": size.requests,
        "connections": size.connections,
        "body_bytes": len(body),
        "contenders": {name: found.as_dict() for name, found in series.items()},
        "skipped": skipped,
        "ratios": ratios,
        "goals": _goals(ratios),
    }


class _Racer:
    """A contender with its running server and what it has shown so far."""

    def __init__(self, contender: Contender, port: int) -> None:
        self.contender, self.port = contender, port
        self.series = Series(contender.name)
        self.source = contender.requests()

    def run(self, requests: int, connections: int, *, warm: bool = False) -> None:
        load = post(self.port, list(itertools.islice(self.source, requests)), connections)
        self._check(load)
        if not warm:
            self.series.rates.append(load.rate)
            self.series.seconds += load.seconds

    def _check(self, load: Load) -> None:
        wrong = {status: n for status, n in load.answers.items() if not 200 <= status < 300}
        if wrong:
            raise Failed(f"{self.contender.name} answered {wrong}.")


def _serving(grounds: Grounds, one: Contender) -> AbstractContextManager[int]:
    log = grounds.folder_of_logs / f"{one.name}.log"
    if not one.peer:
        return served(one.application, grounds.environment, log)
    url, is_new = grounds.database(one.peer)
    environment = {**grounds.environment, **one.environment, "DATABASE_URL": url}
    if is_new and one.peer != "bare":
        _set_up(one, environment)
    return served(one.application, environment, log)


def _set_up(one: Contender, environment: dict[str, str]) -> None:
    program = [sys.executable, "-m", "opsagent.bench.peers.setup", one.peer]
    done = subprocess.run(
        program, env=environment, cwd=MANAGE.parent, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"{one.name} could not be set up: {done.stderr[-600:]}")


def _prove(grounds: Grounds, size: Size) -> None:
    """Nothing was given up: each accepted webhook is an event with its order and its audit entry."""
    wanted = size.rounds * size.requests + WARM_UP
    with psycopg.connect(grounds.url) as database:
        for table in ("cases_inboundevent", "tools_order"):
            counting = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            row = database.execute(counting).fetchone()
            if row is None or row[0] != wanted:
                raise Failed(f"{table} holds {row and row[0]} rows instead of {wanted}.")
        entries = (
            "SELECT count(DISTINCT subject_id) FROM audit_entry WHERE subject_type = 'cases.inboundevent'"
        )
        row = database.execute(entries).fetchone()
        if row is None or row[0] != wanted:
            raise Failed(f"The log tells of {row and row[0]} events instead of {wanted}.")


def _ratios(series: dict[str, Series]) -> dict[str, float]:
    ours, found = series["ours"], {}
    for name, other in series.items():
        if name != "ours":
            found[f"rate_to_{name}"] = ratio_of_rates(ours, other)
    found["p50_to_limit"] = ratio_of_seconds(ours, series["limit"], 0.5)
    found["p99_to_limit"] = ratio_of_seconds(ours, series["limit"], 0.99)
    return found


def _goals(ratios: dict[str, float]) -> dict[str, bool | None]:
    """Each goal as met or not; None where what it compares with is not installed."""
    stripe = ratios.get("rate_to_dj_stripe")
    return {
        f"rate at least {OF_LIMIT} of the limit": ratios["rate_to_limit"] >= OF_LIMIT,
        f"rate at least {OVER_PLAIN:g} times the plain DRF view": ratios["rate_to_plain_drf"] >= OVER_PLAIN,
        f"rate at least {OVER_DJSTRIPE:g} times dj-stripe": None
        if stripe is None
        else stripe >= OVER_DJSTRIPE,
        f"p99 at most {P99_OF_LIMIT:g} times the limit": ratios["p99_to_limit"] <= P99_OF_LIMIT,
    }
