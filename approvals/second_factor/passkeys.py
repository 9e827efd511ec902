"""Passkeys (WebAuthn level 3): a credential of this site alone signs our challenge, after its holder was verified.

https://www.w3.org/TR/webauthn-3/ - checked by the library webauthn, which is imported where it is needed, since only
the web processes need it. RP id and origins are settings.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings

from approvals.models import Challenge, Passkey
from approvals.second_factor.challenges import LASTS, message
from audit import sources

if TYPE_CHECKING:
    from cases.models import User

# An answer is a few hundred bytes, a registration a few thousand with the largest attestation.
LONGEST = 20_000
MILLISECONDS = int(LASTS.total_seconds() * 1000)


def offered() -> bool:
    """Whether this site can use passkeys at all: it knows its own name."""
    return bool(settings.PASSKEY_RP_ID and settings.PASSKEY_ORIGINS)


def ask(user: User, challenge: Challenge) -> str:
    """Options for `navigator.credentials.get()` as JSON: any passkey of this person, with user verification."""
    import webauthn
    from webauthn.helpers.structs import UserVerificationRequirement

    options = webauthn.generate_authentication_options(
        rp_id=settings.PASSKEY_RP_ID,
        challenge=message(challenge),
        timeout=MILLISECONDS,
        allow_credentials=_descriptors(user),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def ask_new(user: User, challenge: Challenge) -> str:
    """Options for `navigator.credentials.create()` as JSON: a passkey that this person has not got yet."""
    import webauthn
    from webauthn.helpers.structs import (
        AuthenticatorSelectionCriteria,
        ResidentKeyRequirement,
        UserVerificationRequirement,
    )

    options = webauthn.generate_registration_options(
        rp_id=settings.PASSKEY_RP_ID,
        rp_name=settings.OTP_TOTP_ISSUER,
        user_id=user.pk.to_bytes(8, "big"),
        user_name=user.get_username(),
        user_display_name=user.get_full_name() or user.get_username(),
        challenge=message(challenge),
        timeout=MILLISECONDS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(user),
    )
    return webauthn.options_to_json(options)


def _descriptors(user: User) -> list[Any]:
    from webauthn.helpers.structs import AuthenticatorTransport, PublicKeyCredentialDescriptor

    return [
        PublicKeyCredentialDescriptor(
            id=bytes(key.credential_id),
            transports=[way for way in AuthenticatorTransport if way.value in key.transports],
        )
        for key in Passkey.objects.filter(user=user)
    ]


def matches(user: User, answer: str, challenge: Challenge) -> Passkey | None:
    """The person's own passkey that signed this challenge for this site with its holder verified; else None.

    Its row is locked: a counter that did not grow is a copy of the key, or an answer that was seen before.
    """
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    said = _read(answer)
    key = Passkey.objects.select_for_update().filter(user=user, credential_id=_credential_id(said)).first()
    if key is None:
        return None
    try:
        verified = webauthn.verify_authentication_response(
            credential=said,
            expected_challenge=message(challenge),
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.PASSKEY_ORIGINS,
            credential_public_key=bytes(key.public_key),
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        return None
    key.sign_count, key.last_used_at = verified.new_sign_count, sources.now()
    key.save(update_fields=["sign_count", "last_used_at"])
    return key


def read_new(answer: str, challenge: Challenge) -> Passkey | None:
    """The passkey that answered this challenge, not saved; None where the answer doesn't hold."""
    import webauthn
    from webauthn.helpers.exceptions import WebAuthnException

    said = _read(answer)
    try:
        made = webauthn.verify_registration_response(
            credential=said,
            expected_challenge=message(challenge),
            expected_rp_id=settings.PASSKEY_RP_ID,
            expected_origin=settings.PASSKEY_ORIGINS,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        return None
    return Passkey(
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        transports=_transports(said),
        created_at=sources.now(),
    )


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST:
        return {}
    try:
        said = json.loads(answer)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _credential_id(said: dict[str, Any]) -> bytes:
    from webauthn.helpers import base64url_to_bytes

    try:
        return base64url_to_bytes(str(said.get("rawId", "")))
    except ValueError:
        return b""


def _transports(said: dict[str, Any]) -> list[str]:
    from webauthn.helpers.structs import AuthenticatorTransport

    response = said.get("response")
    named = response.get("transports") if isinstance(response, dict) else None
    return [way.value for way in AuthenticatorTransport if isinstance(named, list) and way.value in named]
