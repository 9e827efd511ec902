"""Who gets in: only bytes that one of the shop's own secrets signed, and nobody learns why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from audit import sources
from cases.models import InboundEvent, RefusedRequests, Shop
from opsagent.demo.player import signed_headers
from opsagent.demo.script import Step
from tests.flow.world import SECRETS, World, post

pytestmark = pytest.mark.django_db

SOURCES: dict[str, Callable[[World], Step]] = {
    "shopify": lambda world: world.order_step(world.sold(world.customer())),
    "stripe": lambda world: world.charge_step(world.sold(world.customer())),
    "whatsapp": lambda world: world.chat(world.customer(), "Hello"),
    "email": lambda world: world.mail(world.customer(), "Hello"),
}
SIGNATURE = {
    "shopify": "X-Shopify-Hmac-Sha256",
    "stripe": "Stripe-Signature",
    "whatsapp": "X-Hub-Signature-256",
    "email": "Authorization",
}
each_source = pytest.mark.parametrize("source", SOURCES)


def refusals() -> dict[str, int]:
    return {row.reason: row.count for row in RefusedRequests.objects.all()}


@each_source
def test_a_delivery_with_the_right_signature_is_taken(world: World, source: str) -> None:
    assert post(SOURCES[source](world)).status_code == 200
    assert InboundEvent.objects.get().source == source
    assert refusals() == {}


@each_source
def test_a_forged_delivery_is_counted_and_not_stored(world: World, source: str) -> None:
    forged = replace(SOURCES[source](world), signed=False)
    assert [post(forged).status_code for _ in range(3)] == [401, 401, 401]
    assert not InboundEvent.objects.exists()
    assert refusals() == {"signature": 3}


@each_source
def test_an_unsigned_delivery_is_refused(world: World, source: str) -> None:
    step = SOURCES[source](world)
    assert post(step, headers=step.headers).status_code == 401
    assert not InboundEvent.objects.exists()


@each_source
def test_one_changed_byte_breaks_a_signature(world: World, source: str) -> None:
    step = SOURCES[source](world)
    headers = signed_headers(step, SECRETS)
    answer = post(replace(step, body=step.body + b" "), headers=headers)
    # A mail provider signs in with a password; there is no signature over its bytes.
    assert answer.status_code == (200 if source == "email" else 401)


@each_source
def test_a_refusal_tells_nothing(world: World, source: str) -> None:
    answer = post(replace(SOURCES[source](world), signed=False))
    assert answer.content == b""
    assert "WWW-Authenticate" not in answer.headers


@each_source
@pytest.mark.parametrize("value", [None, "", " ", ",", " , "])
def test_a_shop_without_a_secret_lets_nobody_in(
    world: World, source: str, value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = SOURCES[source](world)
    for name in SECRETS:
        monkeypatch.delenv(name)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert post(step).status_code == 401
    assert post(step, secrets=dict.fromkeys(SECRETS, value or "")).status_code == 401
    assert not InboundEvent.objects.exists()


@each_source
def test_the_second_secret_of_a_rotation_still_works(
    world: World, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = SOURCES[source](world)
    for name, value in SECRETS.items():
        new = f"{value.partition(':')[0]}:new" if ":" in value else "new"
        monkeypatch.setenv(name, f"{new}, {value}")
    assert post(step).status_code == 200


@each_source
def test_another_shops_secret_opens_no_door(world: World, source: str) -> None:
    step = SOURCES[source](world)
    others = {
        name: f"postmark:{value}-b" if "MAIL" in name else f"{value}-b" for name, value in SECRETS.items()
    }
    assert post(step, secrets=others).status_code == 401


@each_source
def test_an_unknown_shop_is_not_found(world: World, source: str) -> None:
    step = replace(SOURCES[source](world), shop="elsewhere")
    secrets = {name.replace("NORTH", "ELSEWHERE"): value for name, value in SECRETS.items()}
    assert post(step, secrets=secrets).status_code == 404
    assert not InboundEvent.objects.exists()


@each_source
def test_a_body_that_is_too_large_is_refused_before_it_is_read(world: World, source: str) -> None:
    step = SOURCES[source](world)
    answer = post(step, CONTENT_LENGTH=str(64 * 1024 * 1024))
    assert answer.status_code == 413
    assert refusals() == {"too_large": 1}
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize("length", ["-1", "many", "1e3"])
def test_a_body_of_no_known_length_is_refused(world: World, length: str) -> None:
    assert post(SOURCES["shopify"](world), CONTENT_LENGTH=length).status_code in (400, 401, 413)
    assert not InboundEvent.objects.exists()


@each_source
@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "options"])
def test_only_post_is_answered(shop: Shop, source: str, method: str) -> None:
    path = "/hooks/north/email/postmark/" if source == "email" else f"/hooks/north/{source}/"
    answer = getattr(Client(raise_request_exception=False), method)(path)
    # WhatsApp asks by GET whether the address is ours, and this one doesn't know the token.
    assert answer.status_code == (403 if (source, method) == ("whatsapp", "get") else 405)


def test_an_unknown_mail_provider_is_refused(world: World) -> None:
    step = SOURCES["email"](world)
    headers = {name: value for name, value in signed_headers(step, SECRETS).items() if name != "Content-Type"}
    answer = Client(raise_request_exception=False).post(
        "/hooks/north/email/mailgun/", data=step.body, content_type="application/json", headers=headers
    )
    assert answer.status_code == 401


def test_an_old_stripe_signature_is_refused(world: World) -> None:
    step = SOURCES["stripe"](world)
    headers = signed_headers(step, SECRETS)
    with sources.frozen(sources.now()) as clock:
        clock.advance(world.stage.start - world.stage.ago(1))
        assert post(step, headers=headers).status_code == 401


def ask(**query: str) -> tuple[int, bytes]:
    given = {f"hub.{name}": value for name, value in query.items()}
    answer = Client(raise_request_exception=False).get("/hooks/north/whatsapp/", given)
    return answer.status_code, answer.content


def test_whatsapp_learns_that_the_address_is_ours(shop: Shop) -> None:
    assert ask(mode="subscribe", verify_token="are-you-north", challenge="1158201444") == (200, b"1158201444")


@pytest.mark.parametrize(
    ("mode", "token"),
    [("subscribe", "guess"), ("subscribe", ""), ("ping", "are-you-north"), ("subscribe", "é")],
)
def test_whatsapp_with_another_token_learns_nothing(shop: Shop, mode: str, token: str) -> None:
    assert ask(mode=mode, verify_token=token, challenge="1158201444") == (403, b"")


def test_whatsapp_without_a_token_of_ours_learns_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NORTH_WHATSAPP_VERIFY_TOKEN")
    assert ask(mode="subscribe", verify_token="", challenge="1158201444") == (403, b"")
