"""Plain e-mail over a real connection: what stands in the inbox, and what each failure means for it."""

from __future__ import annotations

import inspect
import smtplib
import socket
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import anymail.exceptions
import pytest
from django.db import transaction

from tests.adapters.faking import CORRELATION, KEY, NORTH, call
from tests.adapters.mail_servers import DROP, mail_server
from tools.adapters import email
from tools.adapters import mail_server as servers
from tools.adapters.email import Mail
from tools.adapters.email_errors import PROBLEMS, error_of
from tools.errors import InvalidArgs, NotConfigured, OutcomeUnknown, Refused, ToolError, Unavailable
from tools.models import Circuit
from tools.snapshots import SendResult
from tools.wire import Kind, Reconcile


def letter(**changes: Any) -> Mail:
    facts: dict[str, Any] = {
        "sender_name": "Fjell & Fern",
        "sender_email": "hello@fjell.example",
        "to": "ada@example.com",
        "subject": "Your lamp",
        "text": "Hello Ada,\n\n.it is on its way.\nÅse\n",
    }
    return Mail(**{**facts, **changes})


def send(**changes: Any) -> SendResult:
    return email.send_mail(NORTH, letter(**changes), key=KEY, correlation_id=CORRELATION)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORTH_EMAIL_URL", "smtp://127.0.0.1:1")


def lives_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("NORTH_EMAIL_URL", url)


class TestInbox:
    def test_one_text_reaches_one_person(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with mail_server() as server:
            lives_at(monkeypatch, server.url)
            send()
        assert server.envelopes == [("mail FROM:<hello@fjell.example>", "rcpt TO:<ada@example.com>")]
        assert (server.mail["From"], server.mail["To"]) == (
            "Fjell & Fern <hello@fjell.example>",
            "ada@example.com",
        )
        assert server.mail["Subject"] == "Your lamp"
        assert server.mail.get_content().replace("\r\n", "\n") == letter().text
        assert server.mail.get_content_type() == "text/plain"

    def test_a_second_copy_can_be_told_by_its_id(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with mail_server() as server:
            lives_at(monkeypatch, server.url)
            made = send()
        assert (server.mail["Message-ID"], made.ref) == (f"<{KEY}@fjell.example>", str(KEY))

    def test_an_answer_stands_under_the_letter_that_it_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with mail_server() as server:
            lives_at(monkeypatch, server.url)
            send(answers="<abc@mail.example>")
        assert server.mail["In-Reply-To"] == server.mail["References"] == "<abc@mail.example>"

    @pytest.mark.parametrize(("automatic", "header"), [(True, "auto-generated"), (False, None)])
    def test_a_machine_says_that_it_is_one(
        self, monkeypatch: pytest.MonkeyPatch, automatic: bool, header: str | None
    ) -> None:
        with mail_server() as server:
            lives_at(monkeypatch, server.url)
            send(automatic=automatic)
        assert server.mail["Auto-Submitted"] == header

    def test_a_first_letter_answers_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with mail_server() as server:
            lives_at(monkeypatch, server.url)
            send()
        assert (server.mail["In-Reply-To"], server.mail["References"]) == (None, None)

    def test_a_subject_of_two_lines_adds_no_header(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with mail_server() as server:
            lives_at(monkeypatch, server.url)
            send(subject="Your lamp\nBcc: eve@example.com")
        assert server.mail["Bcc"] is None
        assert server.mail["Subject"] == "Your lamp Bcc: eve@example.com"

    @pytest.mark.parametrize(
        "changes",
        [
            {"to": ""},
            {"to": "ada"},
            {"to": "ada@example.com, eve@example.com"},
            {"to": "Ada <ada@example.com>"},
            {"to": "ada@example.com\nBcc: eve@example.com"},
            {"sender_email": ""},
            {"answers": "<a@b>\r\nBcc: eve@example.com"},
        ],
    )
    def test_what_is_not_exactly_one_address_gets_nothing(
        self, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str]
    ) -> None:
        with mail_server() as server:
            lives_at(monkeypatch, server.url)
            with pytest.raises(InvalidArgs):
                send(**changes)
        assert server.heard == []


# What the server says at which step, and what that means.
ANSWERS: list[tuple[dict[str, str], type[ToolError], str]] = [
    ({"banner": "554 no mail here"}, Refused, "smtp_554"),
    ({"banner": "421 too busy"}, Unavailable, "smtp_421"),
    ({"banner": DROP}, Unavailable, "SMTPServerDisconnected"),
    ({"auth": "535 wrong password"}, Refused, "sign_in_refused"),
    ({"auth": "454 try later"}, Unavailable, "smtp_454"),
    ({"auth": DROP}, Unavailable, "SMTPServerDisconnected"),
    ({"mail": "550 not you"}, Refused, "smtp_550"),
    ({"mail": "451 later"}, Unavailable, "smtp_451"),
    ({"rcpt": "550 nobody here"}, Refused, "recipient_refused"),
    ({"rcpt": "450 greylisted"}, Unavailable, "smtp_450"),
    ({"data": "554 no"}, Refused, "smtp_554"),
    ({"end": "554 spam"}, Refused, "smtp_554"),
    ({"end": "452 full"}, Unavailable, "smtp_452"),
    ({"end": DROP}, OutcomeUnknown, "SMTPServerDisconnected"),
    ({"rcpt": DROP}, OutcomeUnknown, "SMTPServerDisconnected"),
]


@pytest.mark.parametrize(("says", "error", "code"), ANSWERS)
def test_each_word_of_a_server_says_what_became_of_the_mail(
    monkeypatch: pytest.MonkeyPatch, says: dict[str, str], error: type[ToolError], code: str
) -> None:
    with mail_server(**says) as server:
        lives_at(monkeypatch, f"smtp://ada:secret@127.0.0.1:{server.port}")
        with pytest.raises(error) as caught:
            send()
    assert (type(caught.value), caught.value.code) == (error, code)
    assert len(server.mails) == (1 if says.get("end") == DROP else 0)


def test_a_server_that_hangs_up_instead_of_saying_goodbye_has_the_mail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with mail_server(quit=DROP) as server:
        lives_at(monkeypatch, server.url)
        send()
    assert len(server.mails) == 1


def test_nobody_there_is_nothing_sent() -> None:
    with pytest.raises(Unavailable) as caught:
        send()
    assert caught.value.code == "ConnectionRefusedError"
    assert Circuit.objects.get().failures == 1


def test_a_refusal_is_no_illness_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(rcpt="550 nobody here") as server:
        lives_at(monkeypatch, server.url)
        with pytest.raises(Refused):
            send()
    assert not Circuit.objects.filter(failures__gt=0).exists()


def test_no_error_repeats_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(rcpt="550 ada@example.com is unknown") as server:
        lives_at(monkeypatch, server.url)
        with pytest.raises(Refused) as caught:
            send()
    assert "ada@" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_no_mail_leaves_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as server, transaction.atomic():
        lives_at(monkeypatch, server.url)
        with pytest.raises(RuntimeError):
            send()
    assert server.heard == []


def test_the_probe_signs_in_and_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as server:
        lives_at(monkeypatch, f"smtp://ada:secret@127.0.0.1:{server.port}")
        assert email.sign_in(NORTH, correlation_id=CORRELATION)
    assert server.mails == []
    assert any(line.startswith("AUTH") for line in server.heard)


def test_the_probe_tells_a_wrong_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server(auth="535 no") as server:
        lives_at(monkeypatch, f"smtp://ada:secret@127.0.0.1:{server.port}")
        with pytest.raises(Refused):
            email.sign_in(NORTH, correlation_id=CORRELATION)


class TestTree:
    """Every exception that can come has one meaning, before and after the mail was offered."""

    UNSAFE = call(Kind.UNSAFE_WRITE, vendor="email", reconcile=Reconcile.PERSON)
    MADE: ClassVar[dict[type[Exception], Exception]] = {
        smtplib.SMTPSenderRefused: smtplib.SMTPSenderRefused(550, b"no", "a@b.example"),
        smtplib.SMTPRecipientsRefused: smtplib.SMTPRecipientsRefused({"a@b.example": (550, b"no")}),
        smtplib.SMTPAuthenticationError: smtplib.SMTPAuthenticationError(535, b"no"),
    }

    def of_smtp(self) -> list[Exception]:
        classes = [
            one
            for _name, one in inspect.getmembers(smtplib, inspect.isclass)
            if issubclass(one, smtplib.SMTPException)
        ]
        coded = [one for one in classes if issubclass(one, smtplib.SMTPResponseException)]
        plain = [one for one in classes if one not in coded and one not in self.MADE]
        made = [one(code, b"no") for one in coded if one not in self.MADE for code in (-1, 250, 421, 550)]
        return [*self.MADE.values(), *made, *(one("no") for one in plain)]

    def of_network(self) -> list[Exception]:
        return [
            OSError("no"),
            TimeoutError("slow"),
            ConnectionResetError("gone"),
            BrokenPipeError("gone"),
            socket.gaierror(8, "no such name"),
            ssl.SSLError("handshake"),
            ssl.SSLCertVerificationError("whose?"),
        ]

    def test_nothing_offered_is_never_in_doubt(self) -> None:
        for problem in (*self.of_smtp(), *self.of_network()):
            error = error_of(self.UNSAFE, problem, offered=False)
            assert isinstance(error, Unavailable | Refused), problem

    def test_a_broken_connection_after_the_offer_is_in_doubt(self) -> None:
        for problem in (
            *self.of_network(),
            smtplib.SMTPServerDisconnected("gone"),
            smtplib.SMTPException("?"),
        ):
            assert isinstance(error_of(self.UNSAFE, problem, offered=True), OutcomeUnknown), problem

    def test_every_no_of_a_server_is_believed(self) -> None:
        for problem in self.of_smtp():
            if getattr(problem, "smtp_code", 0) in (421, 550):
                error = error_of(self.UNSAFE, problem, offered=True)
                assert isinstance(error, Unavailable | Refused), problem

    def test_every_exception_of_anymail_has_a_meaning(self) -> None:
        for name, one in inspect.getmembers(anymail.exceptions, inspect.isclass):
            if one.__module__ == "anymail.exceptions" and issubclass(one, PROBLEMS) and "Webhook" not in name:
                problem = one("ses") if name == "AnymailImproperlyInstalled" else one("no")
                assert isinstance(error_of(self.UNSAFE, problem, offered=True), ToolError), name


class Provider(BaseHTTPRequestHandler):
    """A provider's API as Postmark speaks it."""

    status, body, seen = 200, b"", 0
    headers_out: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        type(self).seen += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.status == 0:
            return
        self.send_response(self.status)
        for name, value in {"Content-Length": str(len(self.body)), **self.headers_out}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests are quiet."""


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Provider]]:
    handler = type("Postmark", (Provider,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        lives_at(monkeypatch, f"anymail+postmark://?server_token=t&api_url={url}")
        yield handler
        server.shutdown()


TAKEN = b'{"ErrorCode": 0, "Message": "OK", "MessageID": "pm-1", "To": "ada@example.com"}'
REFUSED = b'{"ErrorCode": 300, "Message": "Invalid email: ada@example.com"}'


class TestProvider:
    def test_a_provider_of_anymail_takes_the_mail(self, provider: type[Provider]) -> None:
        provider.body = TAKEN
        assert send().ref == "pm-1"

    @pytest.mark.parametrize(
        ("status", "body", "error"),
        [
            (422, REFUSED, Refused),
            (401, b"{}", Refused),
            (429, b"", Unavailable),
            (500, b"", OutcomeUnknown),
            (200, b"<html>", OutcomeUnknown),
            (0, b"", OutcomeUnknown),
        ],
    )
    def test_each_answer_of_a_provider_has_a_meaning(
        self, provider: type[Provider], status: int, body: bytes, error: type[ToolError]
    ) -> None:
        provider.status, provider.body = status, body
        with pytest.raises(error) as caught:
            send()
        assert provider.seen == 1
        assert "ada@" not in str(caught.value)

    def test_a_provider_that_nobody_reaches_has_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        lives_at(monkeypatch, "anymail+postmark://?server_token=t&api_url=http://127.0.0.1:1/")
        with pytest.raises(Unavailable):
            send()


class TestAddressOfTheServer:
    @pytest.mark.parametrize(
        "url",
        [
            "http://mail.example",
            "smtp://",
            "smtp://mail.example:port",
            "anymail+nobody://?key=1",
            "anymail+postmark://",
            "smtp://user:password@mail.example:587?tls=0",  # a password in the clear
        ],
    )
    def test_what_is_no_mail_server_is_refused_and_repeats_no_password(
        self, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        lives_at(monkeypatch, url)
        with pytest.raises(Refused) as caught:
            send()
        assert caught.value.code == "email_url"
        assert "password" not in str(caught.value)

    @pytest.mark.parametrize(
        ("url", "host", "port", "tls", "ssl_first"),
        [
            ("smtp://u:p%40ss@mail.example", "mail.example", 587, True, False),
            ("smtps://u:p@mail.example", "mail.example", 465, False, True),
            ("smtp://relay.internal:25?tls=0", "relay.internal", 25, False, False),
            ("smtp://localhost:1025", "localhost", 1025, False, False),
        ],
    )
    def test_a_server_is_spoken_to_under_tls_unless_it_is_here_or_we_are_told_not_to(
        self, url: str, host: str, port: int, tls: bool, ssl_first: bool
    ) -> None:
        made: Any = servers.backend(url, operation="message")
        assert (made.host, made.port, made.use_tls, made.use_ssl) == (host, port, tls, ssl_first)
        assert made.timeout == servers.TIMEOUT

    def test_a_password_may_hold_any_letter(self) -> None:
        made: Any = servers.backend("smtp://u:p%40s%2Fs@mail.example", operation="message")
        assert made.password == "p@s/s"

    def test_a_shop_without_a_server_says_which_setting_is_missing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("NORTH_EMAIL_URL")
        with pytest.raises(NotConfigured) as caught:
            send()
        assert caught.value.variable == "NORTH_EMAIL_URL"
