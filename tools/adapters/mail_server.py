"""Where a shop's plain e-mail goes: one address from the environment, as a Django e-mail backend.

smtp://user:password@host:587            STARTTLS first; ?tls=0 for a relay of one's own that asks no password
smtps://user:password@host:465           TLS from the first byte
anymail+postmark://?server_token=…       a provider of https://anymail.dev/en/stable/esps/, its settings as a query
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend

from tools.errors import Refused

VENDOR = "email"
# Seconds for each exchange with the server, connecting included.
TIMEOUT = 10
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PROVIDER = re.compile(r"^anymail\+([a-z0-9-]{2,32})$", re.ASCII)
PORTS = {"smtp": 587, "smtps": 465}


def backend(url: str, *, operation: str) -> BaseEmailBackend:
    """The backend that the address names; nothing is connected yet. Raises Refused for one that can't be used."""
    try:
        parts = urlsplit(url)
        if parts.scheme in PORTS:
            return _smtp(parts)
        return _provider(parts)
    except Exception:
        # Whatever anymail or Django have against it may repeat a password.
        raise _unusable(operation) from None


def _unusable(operation: str) -> Refused:
    return Refused("EMAIL_URL can't be used", vendor=VENDOR, operation=operation, code="email_url")


def _encrypts(parts: SplitResult) -> bool:
    """STARTTLS is the rule, but on the loopback."""
    wish = dict(parse_qsl(parts.query)).get("tls", "0" if parts.hostname in LOOPBACK else "1")
    return wish != "0"


def _smtp(parts: SplitResult) -> BaseEmailBackend:
    if not parts.hostname:
        raise ValueError("no host")
    in_the_clear = parts.scheme == "smtp" and not _encrypts(parts) and parts.hostname not in LOOPBACK
    if in_the_clear and parts.password:
        raise ValueError("a password in the clear")
    connection: BaseEmailBackend = get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        use_tls=parts.scheme == "smtp" and _encrypts(parts),
        use_ssl=parts.scheme == "smtps",
        timeout=TIMEOUT,
    )
    return connection


def _provider(parts: SplitResult) -> BaseEmailBackend:
    found = PROVIDER.match(parts.scheme)
    if found is None:
        raise ValueError("no such scheme")
    path = f"anymail.backends.{found[1].replace('-', '_')}.EmailBackend"
    settings: dict[str, Any] = dict(parse_qsl(parts.query, strict_parsing=True))
    connection: BaseEmailBackend = get_connection(path, **settings)
    return connection
