"""The sandbox's HTTP server: one port on the loopback for all shops, all vendors and the control API.

/{shop}/{vendor}/... is a vendor's API, /_control/... is ours. Every answer goes out after its commit.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import SHUT_RDWR, socket
from socketserver import TCPServer
from typing import Any
from urllib.parse import unquote

from tools.sandbox import control, faults, klaviyo, shopify, slack, stripe, whatsapp
from tools.sandbox.exchange import Answer, Request, Vendor
from tools.sandbox.store import Store

HOST = "127.0.0.1"
MOST_BODY_BYTES = 1_048_576
VENDORS: dict[str, Vendor] = {
    "shopify": shopify.VENDOR,
    "stripe": stripe.VENDOR,
    "klaviyo": klaviyo.VENDOR,
    "whatsapp": whatsapp.VENDOR,
    "slack": slack.VENDOR,
}
logger = logging.getLogger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """The running stand-ins; `base_url` is known after start(), port 0 picks a free one.

    State and ledger live in the file `ledger` and survive a stop, a restart and a kill -9. `clock` gives the
    aware moment at which a request is answered.
    """

    def __init__(self, port: int = 0, *, ledger: Path, clock: Callable[[], datetime] = _utc_now) -> None:
        self.port, self.ledger, self.clock = port, ledger, clock
        self.stopping = threading.Event()
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def start(self) -> "Sandbox":
        """Opens the ledger and the port, and serves from a thread of its own."""
        self.stopping.clear()
        self.store = Store(self.ledger)
        try:
            self._server = _Server((HOST, self.port), self)
        except OSError:
            self.store.close()
            raise
        self.port = self._server.server_address[1]
        arguments = {"poll_interval": 0.02}
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs=arguments, name="sandbox", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Ends the server, hangs up on open connections and closes the ledger."""
        self.stopping.set()
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up()
            self._server.server_close()
            self.store.close()
            self._server = None

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def respond(self, request: Request) -> Answer:
        """The answer to one request; raises faults.SilenceError when there is to be none."""
        if request.path.startswith(f"{control.PREFIX}/"):
            with self.store.transaction() as db:
                return control.answer(request, db)
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
                fault = faults.take(db, name, request.shop, operation)
            instead = faults.before(fault, name, self.stopping)
            if instead is not None:
                return instead
            with self.store.transaction() as db:
                made = vendor.answer(replace(request, fault=fault), db)
        return faults.after(fault, name, made)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._open: set[socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for this host's name, which can take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._open_lock:
            connections = list(self._open)
        for connection in connections:
            _end(connection)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "opsagent-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = 120.0
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def serve(self) -> None:
        body = self._body()
        if body is None:
            return
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        sandbox = self.server.sandbox
        request = Request(self.command, path, query, headers, body, sandbox.clock())
        try:
            self._send(sandbox.respond(request))
        except faults.SilenceError as silence:
            sandbox.stopping.wait(silence.seconds)
            self.close_connection = True
            _end(self.connection)
        except Exception:
            logger.exception("the sandbox failed at %s %s", self.command, path)
            self._send(Answer.json(500, {"error": "the sandbox itself failed; its log says why"}))

    do_GET = do_POST = do_DELETE = do_PUT = do_PATCH = serve  # noqa: N815 - http.server asks for these names

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self._send(Answer.json(411, {"error": "send a Content-Length"}))
            return None
        if int(length) > MOST_BODY_BYTES:
            self.close_connection = True
            self._send(Answer.json(413, {"error": f"more than {MOST_BODY_BYTES} bytes"}))
            return None
        return self.rfile.read(int(length))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)


def _end(connection: socket) -> None:
    try:
        connection.shutdown(SHUT_RDWR)
    except OSError:
        logger.debug("the other side hung up first")
