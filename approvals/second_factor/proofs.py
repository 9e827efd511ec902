"""What a person can show: a code from their app, what their passkey signed, or a recovery code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code; `challenge` is the id of the one that the page was made with, none for signing in."""

    text: str
    challenge: int | None = None


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """What `navigator.credentials.get()` gave for a challenge: WebAuthn's AuthenticationResponseJSON."""

    json: str
    challenge: int | None


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """One of the codes that were shown once; it signs in, and is no proof for an approval."""

    text: str


Proof = Code | PasskeyAnswer
