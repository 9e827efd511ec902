"""Browsers that somebody has signed in with, second factor included, without a page being asked."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.test import Client
from django_otp import DEVICE_ID_SESSION_KEY
from django_otp.plugins.otp_totp.models import TOTPDevice

from cases.models import User
from opsagent.signing_in import SHOWN_AT
from tests.authority.rows import device_of
from tests.factories import now


def sign_in(client: Client, user: User) -> Client:
    """Signs in as the pages would: password and authenticator, shown a moment ago."""
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return with_session(client, user, device or device_of(user))


def with_session(client: Client, user: User, device: TOTPDevice | None) -> Client:
    """A session of this person that has shown this device, or nothing but the password."""
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    if device is not None:
        session[DEVICE_ID_SESSION_KEY] = device.persistent_id
        session[SHOWN_AT] = now().timestamp()
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def signed_in(user: User) -> Client:
    """A new browser of this person."""
    return sign_in(Client(), user)
