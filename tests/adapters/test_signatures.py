"""Who is let in: the owner of one of the secrets, and nobody else."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from tests.adapters.faking import NORTH
from tools.adapters import shopify_webhooks, stripe_webhooks, whatsapp_webhooks

RAW = b'{"id": 1}'
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))


def mac(secret: str, content: bytes = RAW) -> bytes:
    return hmac.new(secret.encode(), content, hashlib.sha256).digest()


def shopify(secret: str, content: bytes = RAW) -> dict[str, str]:
    return {"x-shopify-hmac-sha256": base64.b64encode(mac(secret, content)).decode()}


def whatsapp(secret: str, content: bytes = RAW) -> dict[str, str]:
    return {"X-HUB-SIGNATURE-256": f"sha256={mac(secret, content).hex()}"}


def stripe(secret: str, stamp: str = STAMP, content: bytes = RAW) -> dict[str, str]:
    return {"Stripe-Signature": f"t={stamp},v1={mac(secret, stamp.encode() + b'.' + content).hex()},v0=old"}


SECRETS = ("new", "old")
# (headers, secrets, let in)
SHOPIFY = [
    (shopify("new"), SECRETS, True),
    (shopify("old"), SECRETS, True),  # a secret that is being replaced
    (shopify("other"), SECRETS, False),
    (shopify("new", RAW + b" "), SECRETS, False),  # another body
    (shopify("new"), (), False),  # no secret: nobody
    (shopify(""), (), False),
    ({}, SECRETS, False),
    ({"X-Shopify-Hmac-Sha256": ""}, SECRETS, False),
    ({"X-Shopify-Hmac-Sha256": "grüß"}, SECRETS, False),
]
WHATSAPP = [
    (whatsapp("new"), SECRETS, True),
    (whatsapp("old"), SECRETS, True),
    (whatsapp("other"), SECRETS, False),
    (whatsapp("new", b"{}"), SECRETS, False),
    (whatsapp("new"), (), False),
    ({"X-Hub-Signature-256": mac("new").hex()}, SECRETS, False),  # without its scheme
    ({"X-Hub-Signature-256": f"sha1={mac('new').hex()}"}, SECRETS, False),
    ({}, SECRETS, False),
]
STRIPE = [
    (stripe("new"), SECRETS, True),
    (stripe("old"), SECRETS, True),
    (stripe("other"), SECRETS, False),
    (stripe("new", content=b"{}"), SECRETS, False),
    (stripe("new"), (), False),
    (
        {"Stripe-Signature": stripe("new")["Stripe-Signature"].replace(STAMP, STAMP[:-1] + "1")},
        SECRETS,
        False,
    ),
    ({"Stripe-Signature": f"t={STAMP}"}, SECRETS, False),
    ({"Stripe-Signature": stripe("new")["Stripe-Signature"].replace("v1=", "v0=")}, SECRETS, False),
    (
        {"Stripe-Signature": f"t={STAMP},v1=00," + stripe("new")["Stripe-Signature"].split(",")[1]},
        SECRETS,
        True,
    ),
    ({"Stripe-Signature": "t=²,v1=00"}, SECRETS, False),
    ({"Stripe-Signature": "t=" + "9" * 400 + ",v1=00"}, SECRETS, False),
    ({}, SECRETS, False),
]


@pytest.mark.parametrize(("headers", "secrets", "let_in"), SHOPIFY)
def test_shopify_signs_the_raw_body(headers: dict[str, str], secrets: tuple[str, ...], let_in: bool) -> None:
    assert shopify_webhooks.verify_signature(RAW, headers, secrets) is let_in


@pytest.mark.parametrize(("headers", "secrets", "let_in"), WHATSAPP)
def test_meta_signs_the_raw_body(headers: dict[str, str], secrets: tuple[str, ...], let_in: bool) -> None:
    assert whatsapp_webhooks.verify_signature(RAW, headers, secrets) is let_in


@pytest.mark.parametrize(("headers", "secrets", "let_in"), STRIPE)
def test_stripe_signs_time_and_raw_body(
    headers: dict[str, str], secrets: tuple[str, ...], let_in: bool
) -> None:
    assert stripe_webhooks.verify_signature(RAW, headers, secrets, now=NOW) is let_in


@pytest.mark.parametrize(
    ("minutes", "let_in"), [(0, True), (5, True), (-5, True), (5.02, False), (-5.02, False)]
)
def test_an_old_signature_of_stripe_is_refused(minutes: float, let_in: bool) -> None:
    now = NOW + timedelta(minutes=minutes)
    assert stripe_webhooks.verify_signature(RAW, stripe("new"), SECRETS, now=now) is let_in


@pytest.mark.parametrize(
    ("mode", "token", "answer"),
    [("subscribe", "are-you-north", "42"), ("subscribe", "no", ""), ("unsubscribe", "are-you-north", "")],
)
def test_meta_is_answered_only_with_the_shops_own_token(mode: str, token: str, answer: str) -> None:
    query = {"hub.mode": mode, "hub.verify_token": token, "hub.challenge": "42"}
    assert whatsapp_webhooks.challenge(query, NORTH) == answer
