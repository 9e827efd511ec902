"""Whether a mail's provider vouches for the address in From: only what the provider itself wrote counts.

Providers put their results above the headers that came with the mail, so the topmost one is theirs, and whatever
stands below it may have been written by the sender (RFC 8601, 1.6 and 5).
"""

from __future__ import annotations

import re
from email.message import EmailMessage

RESULTS, SPF = "authentication-results", "received-spf"

# What each provider is documented to write. Where it writes none, all such headers come from the sender, and no
# letter counts as verified. Postmark: https://postmarkapp.com/developer/webhooks/inbound-webhook
WRITES: dict[str, tuple[str, ...]] = {
    "postmark": (RESULTS, SPF),
    "mailjet": (),
    "sparkpost": (),
    "brevo": (),
}

_PLAIN_QUOTES = re.compile(r'"([\w.+=-]+@[\w.-]+)"')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")


def vouched_for(mail: EmailMessage, address: str, provider: str) -> bool:
    """Whether `provider` says that a mail from `address` (as From names it) comes from that domain."""
    domain = _domain(address)
    written = WRITES.get(provider, ())
    top = next(((name.lower(), str(value)) for name, value in mail.items() if name.lower() in written), None)
    if top is None or not domain:
        return False
    name, value = top
    plain = _plain(value)
    if plain is None:
        return False
    return _results_vouch(plain, domain) if name == RESULTS else _spf_vouches(plain, domain)


def _results_vouch(value: str, domain: str) -> bool:
    """DMARC passed, or a passed signature or envelope belongs to the From domain (RFC 8601)."""
    _server, *results = value.split(";")
    return any(_result_vouches(result.split(), domain) for result in results)


def _result_vouches(words: list[str], domain: str) -> bool:
    if not words:
        return False
    said = _pairs(words[1:])
    match words[0]:
        case "dmarc=pass":
            return said.get("header.from", domain) == domain
        case "dkim=pass":
            return _aligned(said.get("header.d", ""), domain)
        case "spf=pass":
            return _aligned(_domain(said.get("smtp.mailfrom", "")), domain)
    return False


def _spf_vouches(value: str, domain: str) -> bool:
    """A pass of the envelope's sender, who belongs to the From domain (RFC 7208, 9.1)."""
    result, *words = value.replace(";", " ").split() or [""]
    said = _pairs(words)
    by_sender = said.get("identity", "mailfrom") == "mailfrom"
    return result == "pass" and by_sender and _aligned(_domain(said.get("envelope-from", "")), domain)


def _plain(value: str) -> str | None:
    """The value without comments and quoted words, which senders can fill; None where they don't close."""
    value = _QUOTED.sub("_", _PLAIN_QUOTES.sub(r"\1", value))
    while (shorter := _COMMENT.sub(" ", value)) != value:
        value = shorter
    return None if re.search(r'["()]', value) else value.lower()


def _pairs(words: list[str]) -> dict[str, str]:
    return {key: value for key, equals, value in (word.partition("=") for word in words) if equals}


def _domain(address: str) -> str:
    return address.strip().lower().strip("<>").rpartition("@")[2].rstrip(".")


def _aligned(signer: str, domain: str) -> bool:
    """The signer is the domain or one above it; a whole top-level domain signs for nobody."""
    return "." in signer and (domain == signer or domain.endswith(f".{signer}"))
