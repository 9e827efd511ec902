"""A stand-in for an OpenAI-compatible model, over real HTTP on the loopback."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = dict[str, Any] | int | str


class ModelServer:
    """Answers from a list: a tool call (dict with name and arguments), an HTTP status, or "drip"."""

    def __init__(self, answers: list[Answer]) -> None:
        self.left = list(answers)
        self.requests: list[dict[str, Any]] = []
        self.stopped = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                outer.requests.append(json.loads(self.rfile.read(length)))
                outer.reply(self, outer.left.pop(0))

            def log_message(self, format: str, *args: Any) -> None:
                return

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True

    @property
    def base(self) -> str:
        """Where a client finds the model."""
        return f"http://127.0.0.1:{self.http.server_port}/v1"

    def reply(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        """One answer on the wire."""
        if isinstance(answer, int):
            handler.send_response(answer)
            handler.end_headers()
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        if answer == "drip":
            self._drip(handler)
            return
        body = json.dumps(completion(answer)).encode()
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _drip(self, handler: BaseHTTPRequestHandler) -> None:
        """A space every fifth of a second: each single read is in time, the whole never ends."""
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not self.stopped.is_set():
            try:
                handler.wfile.write(b" ")
                handler.wfile.flush()
            except OSError:
                return
            time.sleep(0.2)


def completion(answer: Answer) -> dict[str, Any]:
    """A chat completion with a tool call, or with mere text."""
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if isinstance(answer, dict):
        arguments = answer["arguments"]
        text = arguments if isinstance(arguments, str) else json.dumps(arguments)
        function = {"name": answer["name"], "arguments": text}
        message["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    else:
        message["content"] = answer
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "stand-in",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


@contextmanager
def model_server(*answers: Answer) -> Iterator[ModelServer]:
    """A running stand-in that gives these answers in order."""
    server = ModelServer(list(answers))
    thread = threading.Thread(target=server.http.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.http.shutdown()
        server.http.server_close()
        thread.join()
