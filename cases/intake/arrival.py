"""When a mail's provider took it, by the provider's own word: the Date header is whatever its sender wrote.

A forged old date must not make history of a letter that somebody has to read now. So only the provider's own stamp
counts, which it puts above all that came with the mail (RFC 5321, 4.4); where it writes none, a mail arrives when
we hear of it.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

# Under which domain each provider's own servers stamp a mail; empty where they are not known to stamp.
STAMPS: dict[str, str] = {
    "postmark": "inbound.postmarkapp.com",
    "mailjet": "",
    "sparkpost": "",
    "brevo": "",
}
ABOVE = ("received", "received-spf", "authentication-results")


def arrived_at(mail: EmailMessage, provider: str) -> datetime | None:
    """The aware moment at which the provider's server took the mail; None where it doesn't tell."""
    domain = STAMPS.get(provider, "")
    top = next(((name.lower(), str(value)) for name, value in mail.items() if name.lower() in ABOVE), None)
    if not domain or top is None or top[0] != "received":
        return None
    words, _semicolon, stamp = top[1].rpartition(";")
    if not re.match(rf"by [\w-]+\.{re.escape(domain)}[\s(]", words.lstrip()):
        return None
    try:
        moment = parsedate_to_datetime(stamp.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else None
