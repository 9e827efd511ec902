"""Whose word a letter is: only the provider's own headers vouch for an address."""

from __future__ import annotations

import json
from dataclasses import replace
from email.message import EmailMessage

import pytest

from cases.intake.vouching import vouched_for
from cases.models import Conversation, Message
from opsagent.demo.script import Step
from tests.flow.world import World, as_bytes, deliver

Headers = list[tuple[str, str]]

SPF_PASS = "Pass (sender SPF authorized) identity=mailfrom; client-ip=192.0.2.1; helo=mx; envelope-from={}"
RESULTS = "Authentication-Results"


def letter(*headers: tuple[str, str]) -> EmailMessage:
    mail = EmailMessage()
    for name, value in (*headers, ("From", "Kim <kim@shop.example.com>")):
        mail[name] = value
    return mail


VOUCHED: dict[str, Headers] = {
    "DMARC passed": [(RESULTS, "mx.p.net; dmarc=pass (p=none) header.from=shop.example.com")],
    "the domain's own signature": [(RESULTS, "mx.p.net; spf=none; dkim=pass header.d=shop.example.com")],
    "a signature of the domain above": [(RESULTS, "mx.p.net; dkim=pass header.i=@x header.d=example.com")],
    "one of two signatures": [(RESULTS, "mx; dkim=pass header.d=esp.net; dkim=pass header.d=example.com")],
    "the envelope's sender": [(RESULTS, "mx; spf=pass smtp.mailfrom=bounce@shop.example.com")],
    "the envelope's domain": [(RESULTS, "mx; spf=pass (ip) smtp.mailfrom=Shop.Example.com")],
    "a line that only says SPF": [("Received-SPF", SPF_PASS.format("kim@shop.example.com"))],
    "a quoted envelope": [("Received-SPF", SPF_PASS.format('"kim@shop.example.com"'))],
}
UNPROVEN: dict[str, Headers] = {
    "nothing said": [],
    "a forged line below a failing one": [
        (RESULTS, "mx.p.net; dkim=none; spf=fail smtp.mailfrom=shop.example.com"),
        (RESULTS, "mx.p.net; dmarc=pass header.from=shop.example.com"),
    ],
    "a forged line of results below a failing SPF": [
        ("Received-SPF", SPF_PASS.format("x@evil.net").replace("Pass", "Fail")),
        (RESULTS, "mx.p.net; dkim=pass header.d=shop.example.com"),
    ],
    "a forged SPF line below failing results": [
        (RESULTS, "mx.p.net; spf=softfail smtp.mailfrom=evil.net"),
        ("Received-SPF", SPF_PASS.format("kim@shop.example.com")),
    ],
    "another's signature": [(RESULTS, "mx; dkim=pass header.d=evil.net; spf=pass smtp.mailfrom=x@evil.net")],
    "a look-alike": [(RESULTS, "mx; dkim=pass header.d=myshop.example.com")],
    "a domain below": [(RESULTS, "mx; dkim=pass header.d=user.shop.example.com")],
    "a top-level domain": [(RESULTS, "mx; dkim=pass header.d=com")],
    "DMARC of another From": [(RESULTS, "mx; dmarc=pass header.from=evil.net")],
    "a signature that failed": [(RESULTS, "mx; dkim=fail header.d=shop.example.com; spf=pass")],
    "a pass inside a comment": [(RESULTS, "mx; spf=fail (x; dkim=pass header.d=shop.example.com)")],
    "a pass inside quotes": [
        (RESULTS, 'mx; spf=fail smtp.mailfrom="a; dkim=pass header.d=shop.example.com "@evil.net')
    ],
    "a comment that doesn't end": [(RESULTS, "mx; spf=fail (; dkim=pass header.d=shop.example.com")],
    "SPF of the greeting": [("Received-SPF", "Pass identity=helo; envelope-from=kim@shop.example.com")],
    "SPF of another sender": [("Received-SPF", SPF_PASS.format("x@evil.net"))],
    "SPF of a comment": [
        ("Received-SPF", "Pass (envelope-from=kim@shop.example.com) envelope-from=x@evil.net")
    ],
}


@pytest.mark.parametrize("headers", VOUCHED.values(), ids=VOUCHED)
def test_the_provider_vouches(headers: Headers) -> None:
    assert vouched_for(letter(*headers), "kim@shop.example.com", "postmark")


@pytest.mark.parametrize("headers", UNPROVEN.values(), ids=UNPROVEN)
def test_the_provider_does_not_vouch(headers: Headers) -> None:
    assert not vouched_for(letter(*headers), "kim@shop.example.com", "postmark")


@pytest.mark.parametrize("provider", ["mailjet", "sparkpost", "brevo", "elsewhere"])
def test_a_provider_that_writes_no_results_vouches_for_nobody(provider: str) -> None:
    headers = VOUCHED["DMARC passed"]
    assert not vouched_for(letter(*headers), "kim@shop.example.com", provider)


def changed(step: Step, **fields: object) -> Step:
    """The mail with other fields of its JSON."""
    return replace(step, body=as_bytes({**json.loads(step.body), **fields}))


@pytest.mark.django_db
class TestLetters:
    def test_a_letter_of_the_story_is_vouched_for(self, world: World) -> None:
        deliver(world.mail(world.customer(), "Hello"))
        assert Conversation.objects.get().verified

    def test_a_photo_inside_the_text_counts_as_attached(self, world: World) -> None:
        step = world.mail(world.customer(), "See the photo", photos=2)
        files = json.loads(step.body)["Attachments"]
        files[0]["ContentID"] = "<ii_1>"
        deliver(changed(step, Attachments=files))
        assert Message.objects.get().attachments == 2
