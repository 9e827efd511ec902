"""The sandbox's HTTP server: one port on the loopback for all shops, all vendors and the control API.

/{shop}/{vendor}/... is a vendor's API, /_control/... is ours. Every answer goes out after its commit.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

from tools.sandbox import control, ecb, faults, klaviyo, shopify, slack, stripe, things, whatsapp
from tools.sandbox.courier import Courier
from tools.sandbox.doors import HOST, Door
from tools.sandbox.exchange import Answer, Request, Vendor, iso, unix
from tools.sandbox.store import Store

AHEAD = "seconds_ahead"
LAST_WORD_SECONDS = 0.05
VENDORS: dict[str, Vendor] = {
    "shopify": shopify.VENDOR,
    "stripe": stripe.VENDOR,
    "klaviyo": klaviyo.VENDOR,
    "whatsapp": whatsapp.VENDOR,
    "slack": slack.VENDOR,
    "ecb": ecb.VENDOR,
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """The running stand-ins; `base_url` is known after start(), port 0 picks a free one.

    State and ledger live in the file `ledger` and survive a stop, a restart and a kill -9. `clock` gives an aware
    moment; the control API can move the sandbox ahead of it, and `now()` is what requests and webhooks go by.
    """

    def __init__(self, port: int = 0, *, ledger: Path, clock: Callable[[], datetime] = _utc_now) -> None:
        self.port, self.ledger, self.clock = port, ledger, clock
        self.stopping = threading.Event()
        self._ahead = timedelta()
        self._door: Door | None = None
        self._closing = threading.Lock()
        self._reopening: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def now(self) -> datetime:
        return self.clock() + self._ahead

    def start(self) -> "Sandbox":
        """Opens the ledger and the port, serves and sends webhooks, each from a thread of its own."""
        self.stopping.clear()
        self.store = Store(self.ledger)
        with self.store.transaction() as db:
            self._ahead = timedelta(seconds=float(things.setting(db, AHEAD, "0")))
        try:
            self._open()
        except OSError:
            self.store.close()
            raise
        self.courier = Courier(self.store, lambda: self.now().timestamp())
        self.courier.start()
        return self

    def stop(self) -> None:
        """Ends the server, hangs up on open connections, ends the courier and closes the ledger."""
        self.stopping.set()
        with self._closing:
            door, self._door = self._door, None
        if door is not None:
            door.stop_listening()
            door.hang_up()
        if self._reopening is not None:
            self._reopening.join()
            self._reopening = None
        self.courier.stop()
        self.store.close()

    def refuse(self, seconds: float) -> None:
        """Closes the port for that long: from now on whoever connects is refused, and open connections end."""
        with self._closing:
            door, self._door = self._door, None
        if door is None:
            return
        door.stop_listening()
        self._reopening = threading.Thread(
            target=self._reopen, args=(door, seconds), name="sandbox-reopening", daemon=True
        )
        self._reopening.start()

    def _reopen(self, door: Door, seconds: float) -> None:
        # Whoever asked for this is still to hear that it is done.
        self.stopping.wait(LAST_WORD_SECONDS)
        door.hang_up()
        self.stopping.wait(max(0.0, seconds - LAST_WORD_SECONDS))
        with self._closing:
            if not self.stopping.is_set():
                self._open()

    def _open(self) -> None:
        self._door = Door(self.port, self._exchange)
        self.port = self._door.port

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        plain, _, query = path.partition("?")
        return self.respond(Request(method, plain, query, headers, body, self.now()))

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def respond(self, request: Request) -> Answer:
        """The answer to one request; raises faults.SilenceError when there is to be none."""
        if request.path.startswith(f"{control.PREFIX}/"):
            return self._control(request)
        shop, _, rest = request.path.lstrip("/").partition("/")
        name, slash, path = rest.partition("/")
        vendor = VENDORS.get(name)
        if vendor is None:
            known = ", ".join(VENDORS)
            return Answer.json(
                404, {"error": f"no vendor at {request.path}; use /{{shop}}/{{vendor}}/..., {known}"}
            )
        return self._perform(name, vendor, replace(request, shop=unquote(shop), path=slash + path))

    def _perform(self, name: str, vendor: Vendor, request: Request) -> Answer:
        operation = vendor.operation(request)
        with self.store.working_on(name, request.shop, vendor.key(request)) as free:
            if not free:
                return vendor.busy(request)
            with self.store.transaction() as db:
                fault = faults.take(db, name, request.shop, operation, request.when.now)
            instead = faults.before(fault, name, self.stopping)
            if instead is not None:
                return instead
            with self.store.transaction() as db:
                made = vendor.answer(replace(request, fault=fault), db)
            self.courier.call()
        return faults.after(fault, name, made)

    def _control(self, request: Request) -> Answer:
        """Three requests are about the server itself; all others are the control module's."""
        where = (request.method, request.path.removeprefix(control.PREFIX).strip("/"))
        try:
            if where == ("POST", "deliver"):
                return self._deliver(request)
            if where == ("POST", "clock"):
                return self._move_on(request)
            if where == ("POST", "faults") and request.json().get("kind") == faults.REFUSED:
                self.refuse(float(request.json().get("seconds", 5)))
                return Answer.json(200, {"ok": True})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return Answer.json(400, {"error": f"{type(error).__name__}: {error}"})
        with self.store.transaction() as db:
            made = control.answer(request, db)
        self.courier.call()
        return made

    def _deliver(self, request: Request) -> Answer:
        wish = request.json() if request.body else {}
        until = unix(wish["until"]) if wish.get("until") else self.now().timestamp()
        return Answer.json(200, self.courier.deliver(until))

    def _move_on(self, request: Request) -> Answer:
        seconds = float(request.json()["advance"])
        if seconds < 0:
            raise ValueError("advance must not be negative: webhooks and keys would come from the future")
        self._ahead += timedelta(seconds=seconds)
        with self.store.transaction() as db:
            things.set_setting(db, AHEAD, self._ahead.total_seconds())
        self.courier.call()
        return Answer.json(200, {"now": iso(self.now())})
