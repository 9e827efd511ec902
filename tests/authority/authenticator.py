"""A security key in software: it keeps real keys and signs real WebAuthn answers, right or wrong as a test wants.

https://www.w3.org/TR/webauthn-3/#sctn-authenticator-data
"""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from approvals.models import Passkey, Purpose
from approvals.second_factor import challenges, own, passkeys
from audit import actors
from cases.models import User

PRESENT, VERIFIED, HAS_CREDENTIAL = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """`counts` False is a key like those of phones, whose counter stays 0."""

    site: str = "http://localhost:8000"
    rp_id: str = "localhost"
    verifies: bool = True
    counts: bool = True
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def create(self, options: str, **said: str) -> str:
        """What the browser hands back from `navigator.credentials.create()`."""
        data = self._data(HAS_CREDENTIAL) + bytes(16) + len(self.credential_id).to_bytes(2, "big")
        data += self.credential_id + self._public_key()
        made = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options, **said)
        return self._answer(
            {"clientDataJSON": client, "attestationObject": made}, {"transports": ["internal", "nonsense"]}
        )

    def sign(self, options: str, **said: str) -> str:
        """What it hands back from `navigator.credentials.get()`."""
        self.counter += self.counts
        data, client = self._data(0), self._client("webauthn.get", options, **said)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer({"clientDataJSON": client, "authenticatorData": data, "signature": signature}, {})

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")

    def _public_key(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _client(self, kind: str, options: str, **said: str) -> bytes:
        asked = {
            "type": kind,
            "challenge": json.loads(options)["challenge"],
            "origin": self.site,
            "crossOrigin": False,
        }
        return json.dumps({**asked, **said}).encode()

    def _answer(self, parts: dict[str, bytes], more: dict[str, list[str]]) -> str:
        response = {name: encoded(part) for name, part in parts.items()} | more
        name = encoded(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def passkey_of(user: User, key: Authenticator | None = None, name: str = "Laptop") -> Authenticator:
    """An authenticator that this person has added as a passkey."""
    key = key or Authenticator()
    challenge = challenges.for_person(Purpose.ADD, user)
    answer = key.create(passkeys.ask_new(user, challenge))
    own.add_passkey(user, answer, challenge=challenge.pk, name=name, proven=True, by=actors.staff(user))
    return key


def kept(key: Authenticator) -> Passkey:
    return Passkey.objects.get(credential_id=key.credential_id)
