"""The limit: a WSGI handler without a framework that stores the body with one durable INSERT."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

from opsagent.launch import die_with_parent

# Else a killed server's workers would stay.
if (server := multiprocessing.parent_process()) and server.pid:
    die_with_parent(server.pid)

URL = os.environ["DATABASE_URL"]
INSERT = "INSERT INTO bare_event (external_id, raw) VALUES (%s, %s)"
_local = threading.local()

with psycopg.connect(URL, autocommit=True) as setting_up:
    setting_up.execute(
        "CREATE TABLE IF NOT EXISTS bare_event (id bigserial PRIMARY KEY, external_id text NOT NULL,"
        " raw bytea NOT NULL, received_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )


def application(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Any POST is one row; anything else is answered without one."""
    if environ["REQUEST_METHOD"] == "POST":
        raw = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        _connection().execute(INSERT, [environ.get("HTTP_X_SHOPIFY_WEBHOOK_ID", ""), raw])
    start_response("200 OK", [("Content-Length", "0")])
    return [b""]


def _connection() -> psycopg.Connection[tuple[object, ...]]:
    found: psycopg.Connection[tuple[object, ...]] | None = getattr(_local, "connection", None)
    if found is None:
        found = _local.connection = psycopg.connect(URL, autocommit=True, prepare_threshold=0)
    return found
