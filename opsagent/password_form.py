"""The form that asks for name and password, and no more often than a person errs."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from cases import passwords


class PasswordForm(AdminAuthenticationForm):
    """Django's, which after five wrong passwords looks at none for a while."""

    def clean(self) -> dict[str, Any]:
        name, request = self.cleaned_data.get("username"), self.request
        if request is None or not name or not self.cleaned_data.get("password"):
            return super().clean()
        one = passwords.begin(name, address_of(request))
        if one is None:
            raise ValidationError(
                _(
                    "Too many wrong passwords for this name from where you are. Wait fifteen minutes, then try again;"
                    " if you have forgotten yours, ask a colleague who looks after accounts for a new one."
                ),
                code="too_many",
            )
        cleaned = super().clean()
        # It raises where the password was wrong, so the try stays counted.
        passwords.forgive(one)
        return cleaned


def address_of(request: HttpRequest) -> str:
    """Where the browser is, as far as nobody but our own proxy could say so; of IPv6 the network of one customer."""
    if settings.BEHIND_PROXY:
        # What a client wrote itself stands before what the proxy adds.
        with suppress(ValueError):
            return _place(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip())
    address = str(request.META.get("REMOTE_ADDR", ""))
    with suppress(ValueError):
        return _place(address)
    return address


def _place(said: str) -> str:
    """A home has 2^64 addresses of IPv6 to try from, so they count as one. Raises ValueError."""
    address = ip_address(said)
    if address.version == 4:
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))
