"""One-time codes of an authenticator app (RFC 6238), and setting one up."""

from __future__ import annotations

from base64 import b32encode
from typing import TYPE_CHECKING

from django_otp.plugins.otp_totp.models import TOTPDevice

if TYPE_CHECKING:
    from cases.models import User

NAME = "phone"


def matches(user: User, text: str) -> TOTPDevice | None:
    """The person's authenticator that shows this code now; its row is locked and takes the code once."""
    devices = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=True)
    return next((device for device in devices if shows(device, text)), None)


def shows(device: TOTPDevice, text: str) -> bool:
    """Whether the locked device shows this code in this time step, and no code of it or of a later one was taken."""
    code = text.replace(" ", "")
    if not (code.isascii() and code.isdigit() and len(code) == device.digits):
        return False
    # One time step, not three: the default tolerance accepts the neighbours too. Tries are counted per person by us.
    device.tolerance = 0
    device.throttle_reset(commit=False)
    return bool(device.verify_token(code))


def draft(user: User) -> TOTPDevice:
    """A new secret that proves nothing yet: the person has to show that their app has it."""
    TOTPDevice.objects.filter(user=user, confirmed=False).delete()
    return TOTPDevice.objects.create(user=user, name=NAME, tolerance=0, confirmed=False)


def secret(device: TOTPDevice) -> str:
    """For typing in by hand: base32, in groups of four."""
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))
