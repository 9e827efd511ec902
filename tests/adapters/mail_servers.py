"""A real mail server on the loopback that says no, or hangs up, wherever a test wants it to."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

DROP = "drop"
SAYS = {
    "banner": "220 here",
    "ehlo": "250 here",
    "auth": "235 welcome",
    "mail": "250 sender ok",
    "rcpt": "250 recipient ok",
    "data": "354 go on",
    "end": "250 queued",
    "quit": "221 bye",
}


@dataclass
class MailServer:
    """What it was given, and what it says at each step: `DROP` closes the connection there."""

    port: int = 0
    says: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    envelopes: list[tuple[str, str]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    @property
    def mail(self) -> EmailMessage:
        (one,) = self.mails
        return one


class _Talk(socketserver.StreamRequestHandler):
    desk: MailServer
    sender = recipient = ""

    def handle(self) -> None:
        if not self._say("banner"):
            return
        for line in self.rfile:
            words = line.decode("ascii").strip()
            self.desk.heard.append(words)
            step = words.split(" ")[0].lower()
            if not self._step(step if step in SAYS else "ehlo", words):
                return

    def _step(self, step: str, words: str) -> bool:
        if step == "mail":
            self.sender = words
        if step == "rcpt":
            self.recipient = words
        if step == "ehlo":
            self.wfile.write(b"250-here\r\n250-AUTH PLAIN\r\n")
        if not self._say(step):
            return False
        return self._content() if step == "data" and self._code("data") == "354" else step != "quit"

    def _content(self) -> bool:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b"."))
        # The server has it from here on, whatever it answers.
        if self._code("end").startswith("250") or self.desk.says.get("end") == DROP:
            self.desk.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
            self.desk.envelopes.append((self.sender, self.recipient))
        return self._say("end")

    def _code(self, step: str) -> str:
        return self.desk.says.get(step, SAYS[step])[:3]

    def _say(self, step: str) -> bool:
        said = self.desk.says.get(step, SAYS[step])
        if said == DROP:
            return False
        self.wfile.write(said.encode() + b"\r\n")
        return True


@contextmanager
def mail_server(**says: str) -> Iterator[MailServer]:
    """A server that answers as every server does, but for the steps in `says`."""
    desk = MailServer(says=says)
    handler = type("Talk", (_Talk,), {"desk": desk})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        desk.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield desk
        finally:
            server.shutdown()
            thread.join(5)
