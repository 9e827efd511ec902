"""Plays a story against a running opsagent: the sandbox hears it first, then the signed webhook goes out.

The player stands for the vendors: it signs as they do, over real HTTP, and delivers again what wasn't taken.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from cases.intake.feeds import take_feed
from cases.models import Shop
from opsagent.demo.patience import patiently
from opsagent.demo.script import Neutral, Step, Story

# Longer than a killed web server or sandbox takes to come back on a busy machine.
TRIES = 480
PAUSE_SECONDS = 0.25


class NotDelivered(Exception):
    """A delivery was never taken, whatever the player did."""


@dataclass
class Tally:
    """What the door answered. `posted`: signed and answered 2xx; `lost_answers`: tries that may have been taken.

    `never_sent` happened at the vendor, whose webhook was lost on purpose.
    """

    posted: int = 0
    lost_answers: int = 0
    refused: int = 0
    feeds: int = 0
    never_sent: int = 0
    answers: Counter[int] = field(default_factory=Counter)


def signed_headers(step: Step, secrets: dict[str, str]) -> dict[str, str]:
    """The step's headers with the vendor's signature; a forged step is signed with another secret."""
    prefix, wrong = step.shop.upper(), "" if step.signed else "not-the-secret-"
    headers = dict(step.headers)
    if step.source == "shopify":
        secret = wrong + secrets[f"{prefix}_SHOPIFY_WEBHOOK_SECRETS"]
        headers["X-Shopify-Hmac-Sha256"] = base64.b64encode(_hmac(secret, step.body)).decode()
    elif step.source == "stripe":
        stamp = str(int(time.time()))
        mac = _hmac(wrong + secrets[f"{prefix}_STRIPE_WEBHOOK_SECRETS"], stamp.encode() + b"." + step.body)
        headers["Stripe-Signature"] = f"t={stamp},v1={mac.hex()}"
    elif step.source == "whatsapp":
        mac = _hmac(wrong + secrets[f"{prefix}_WHATSAPP_APP_SECRETS"], step.body)
        headers["X-Hub-Signature-256"] = f"sha256={mac.hex()}"
    else:
        pair = wrong + secrets[f"{prefix}_ANYMAIL_WEBHOOK_SECRETS"]
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return headers


def _hmac(secret: str, content: bytes) -> bytes:
    return hmac.new(secret.encode(), content, hashlib.sha256).digest()


def hook_path(step: Step) -> str:
    """Where the step is delivered."""
    source = "email/postmark" if step.source == "email" else step.source
    return f"/hooks/{step.shop}/{source}/"


class Player:
    """Delivers the steps of a story in order. `settled` waits until nothing is under way any more.

    What the story tells of earlier days happens at the vendors now, as far as their lists of changes are concerned.
    Of what is `lost` they know, and no webhook comes.
    """

    def __init__(
        self,
        web: str,
        sandbox: str,
        secrets: dict[str, str],
        settled: Callable[[], object],
        lost: Callable[[Step], bool] = lambda step: False,
    ) -> None:
        self.web = httpx.Client(base_url=web, timeout=20)
        self.sandbox = httpx.Client(base_url=sandbox, timeout=20)
        self.secrets = secrets
        self.settled, self.lost = settled, lost
        self.tally = Tally()
        self._begun: set[str] = set()

    def close(self) -> None:
        """Close both connections."""
        self.web.close()
        self.sandbox.close()

    def play(self, story: Story, played: int, on_step: Callable[[int, Step], None]) -> Tally:
        """Deliver all steps but the first `played`, which an earlier run has delivered."""
        for place, step in enumerate(story.steps, start=1):
            if place > played:
                self._step(step)
            on_step(place, step)
        return self.tally

    def _step(self, step: Step) -> None:
        if step.story_id in self._begun:
            # A day lies between a customer's two messages: the agent has long had its turn.
            self.settled()
        if step.story_id is not None:
            self._begun.add(step.story_id)
        for path, body in step.sandbox:
            self._tell_sandbox(path, body)
        if step.source == "supplier":
            # The same file twice is a duplicate, should the database go away after it was taken.
            patiently(lambda: take_feed(Shop.objects.get(slug=step.shop), step.account, step.body))
            self.tally.feeds += 1
            return
        if self.lost(step):
            self.tally.never_sent += 1
            return
        self._deliver(step)

    def _tell_sandbox(self, path: str, body: Neutral) -> None:
        told = {**body, "at": datetime.now(UTC).isoformat()}
        for _try in range(TRIES):
            try:
                self.sandbox.post(path, json=told).raise_for_status()
                return
            except httpx.TransportError:
                time.sleep(PAUSE_SECONDS)
        raise NotDelivered(f"the sandbox does not answer at {path}")

    def _deliver(self, step: Step) -> None:
        """As vendors do: again, with the same body, until somebody says that it was taken."""
        for _try in range(TRIES):
            try:
                headers = signed_headers(step, self.secrets)
                answer = self.web.post(hook_path(step), content=step.body, headers=headers)
            except httpx.TransportError:
                self.tally.lost_answers += step.signed
                time.sleep(PAUSE_SECONDS)
                continue
            self.tally.answers[answer.status_code] += 1
            if answer.status_code >= 500:
                self.tally.lost_answers += step.signed
                time.sleep(PAUSE_SECONDS)
                continue
            self.tally.posted += step.signed and answer.is_success
            self.tally.refused += answer.status_code == 401
            return
        raise NotDelivered(f"{hook_path(step)} {step.external_id} was never taken")
