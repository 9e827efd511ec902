"""Carries queued webhooks to their targets from a thread of its own, on the sandbox's clock."""

import http.client
import logging
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from tools.sandbox import outbox, signing
from tools.sandbox.exchange import Doc, iso_of
from tools.sandbox.store import Store

TIMEOUT_SECONDS = 5.0
LONGEST_REST = 0.5
logger = logging.getLogger(__name__)


class Courier:
    """`now` gives seconds since 1970 on the sandbox's clock; start() begins, stop() ends after the try in hand."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store, now
        self._called, self._ended = threading.Event(), threading.Event()
        self._carrying = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="sandbox-courier", daemon=True)

    def start(self) -> None:
        with self._store.transaction() as db:
            outbox.recover(db)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._called.set()
        self._thread.join()

    def call(self) -> None:
        """Something may have been queued."""
        self._called.set()

    def deliver(self, until: float) -> Doc:
        """Tries everything that is due until then at once, retries included, as if the time had passed."""
        counts = {"tries": 0, "delivered": 0}
        while not self._ended.is_set():
            tried = self._round(until, hurried=True)
            if not tried:
                break
            counts["tries"] += len(tried)
            counts["delivered"] += sum(200 <= (attempt["status"] or 0) < 300 for attempt in tried)
        return counts

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                if self._round(self._now()):
                    continue
                rest = self._rest()
            except Exception:
                logger.exception("the courier stumbled; it goes on")
                rest = LONGEST_REST
            self._called.wait(rest)
            self._called.clear()

    def _rest(self) -> float | None:
        with self._store.transaction() as db:
            due = outbox.next_due(db)
        return None if due is None else min(LONGEST_REST, max(0.0, due - self._now()))

    def _round(self, until: float, *, hurried: bool = False) -> list[Doc]:
        with self._carrying:
            with self._store.transaction() as db:
                batch = outbox.claim(db, until)
            tried = []
            for delivery in batch:
                if self._ended.is_set():
                    break
                at = max(self._now(), delivery["due"]) if hurried else self._now()
                tried.append(self._try(delivery, at))
            return tried

    def _try(self, delivery: Doc, at: float) -> Doc:
        status, problem = _send(delivery, at)
        attempt: Doc = {"at": iso_of(at), "tried": at, "status": status, "error": problem}
        with self._store.transaction() as db:
            outbox.settle(db, delivery, attempt)
        return attempt


def _send(delivery: Doc, at: float) -> tuple[int | None, str | None]:
    """Status of the answer, or what kept it from coming."""
    target, url = delivery["target_doc"], urlsplit(str(delivery["target_doc"]["url"]))
    headers = signing.headers(target["vendor"], target, delivery, at)
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", path, delivery["body"], {"Content-Type": "application/json", **headers})
        return connection.getresponse().status, None
    except (OSError, http.client.HTTPException) as error:
        return None, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
