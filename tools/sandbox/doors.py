"""The sandbox's port: HTTP over sockets that can be slow, silent, reset or closed."""

import logging
import struct
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, SO_LINGER, SOL_SOCKET, socket
from socketserver import TCPServer
from typing import Any

from tools.sandbox import faults
from tools.sandbox.exchange import Answer

HOST = "127.0.0.1"
MOST_BODY_BYTES = 1_048_576
Exchange = Callable[[str, str, Mapping[str, str], bytes], Answer]
logger = logging.getLogger(__name__)


class Door:
    """An open port on the loopback; `exchange` answers a request by method, path, headers (lower case) and body."""

    def __init__(self, port: int, exchange: Exchange) -> None:
        self._server = _Server((HOST, port), exchange)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, name="sandbox", daemon=True
        )
        self._thread.start()

    def stop_listening(self) -> None:
        """Closes the port; connections that are open stay so until hang_up()."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def hang_up(self) -> None:
        self._server.closing.set()
        self._server.hang_up()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], exchange: Exchange) -> None:
        self.exchange = exchange
        self.closing = threading.Event()
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
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            self._send(self.server.exchange(self.command, self.path, headers, body))
        except faults.SilenceError as silence:
            self.server.closing.wait(silence.seconds)
            self.close_connection = True
            if silence.reset:
                # Lingering for no time makes the kernel send RST in place of FIN when the socket is closed.
                self.connection.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
            else:
                _end(self.connection)
        except Exception:
            logger.exception("the sandbox failed at %s %s", self.command, self.path)
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
        if answer.drip:
            self._drip(answer)
        else:
            self.wfile.write(answer.body)

    def _drip(self, answer: Answer) -> None:
        for place in range(len(answer.body)):
            if self.server.closing.wait(answer.drip):
                return
            try:
                self.wfile.write(answer.body[place : place + 1])
                self.wfile.flush()
            except OSError:
                logger.debug("the other side has lost its patience")
                self.close_connection = True
                return


def _end(connection: socket) -> None:
    try:
        connection.shutdown(SHUT_RDWR)
    except OSError:
        logger.debug("the other side hung up first")
