"""A headless Chromium of this machine, whose pages say nothing to the console, and an authenticator inside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.browser.shop_day import ShopDay

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def chromium() -> str:
    """Where it is; skips the test on a machine without one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no Chromium on this machine: none of {', '.join(NAMES)} is in PATH")
    return found


@contextmanager
def a_page() -> Iterator[Page]:
    """A new browser's page. Whatever it complains of, the strict Content-Security-Policy first, fails the test."""
    complaints: list[str] = []
    path = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--disable-gpu", "--disable-quic"])
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        try:
            yield page
        finally:
            browser.close()
    assert not complaints


@dataclass(frozen=True)
class Authenticator:
    """A platform authenticator as in a laptop; `verifies` is whether it recognises who sits there."""

    session: CDPSession
    number: str

    @classmethod
    def built_into(cls, page: Page) -> Authenticator:
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        made = session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        return cls(session, made["authenticatorId"])

    def verifies(self, *, yes: bool) -> None:
        self.session.send("WebAuthn.setUserVerified", {"authenticatorId": self.number, "isUserVerified": yes})


def give_password(page: Page, day: ShopDay, name: str) -> None:
    page.goto(day.admin)
    page.fill("#id_username", name)
    page.fill("#id_password", day.password(name))
    press(page, "Log in")


def press(page: Page, words: str) -> None:
    """Presses the button with these words in its name, and waits for the page that answers."""
    with page.expect_navigation():
        page.get_by_role("button", name=words).click()


def said(page: Page) -> str:
    """What the page tells of what was just done."""
    return " ".join(page.locator(".messagelist li, .errornote, [data-says]").all_inner_texts())
