"""A large refund in a real browser, from the queue to the vendor's own ledger: signed by a code, and by a passkey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import Authenticator, a_page, chromium, give_password, press, said
from tests.browser.shop_day import ShopDay, shop_day, until

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(900)]

# What a page that was tampered with would ask the browser for.
ASK_FOR_LESS = """() => {
    const form = document.querySelector("form[data-passkey]");
    const options = JSON.parse(form.dataset.options);
    options.userVerification = "discouraged";
    form.dataset.options = JSON.stringify(options);
}"""


@pytest.fixture
def day() -> Iterator[ShopDay]:
    chromium()
    with shop_day() as running:
        yield running


@pytest.fixture
def page(day: ShopDay) -> Iterator[Page]:
    with a_page() as opened:
        yield opened


def sign_in_with_code(page: Page, day: ShopDay, name: str) -> None:
    give_password(page, day, name)
    page.get_by_label("Six digits from your authenticator app").fill(day.code(name))
    press(page, "Sign in with code")
    assert page.url == day.admin


TWO_PEOPLE = "Two people sign this"


def open_large(page: Page, day: ShopDay, *, people: int = 1) -> None:
    """From the queue to the first request that asks so many people for a second factor."""
    page.goto(day.admin)
    page.get_by_role("link", name="Approval requests").first.click()
    page.wait_for_selector("#result_list tbody tr")
    rows = page.locator("#result_list tbody tr", has_text="Second factor").get_by_role("link")
    for address in [link.get_attribute("href") for link in rows.all()]:
        page.goto(f"{day.admin.removesuffix('/admin/')}{address}")
        page.wait_for_selector(".sticky-panel")
        if (TWO_PEOPLE in page.locator(".sticky-panel").inner_text()) == (people == 2):
            return
    raise AssertionError(f"no request asks {people} for a second factor")


def amount_of(page: Page) -> str:
    return page.locator(".sticky-panel .amount").inner_text()


def paid_once_more(day: ShopDay, before: list[dict[str, Any]]) -> dict[str, Any]:
    """The one refund that the vendor has made since."""
    until(lambda: len(day.refunds()) > len(before), 60)
    known = {row["id"] for row in before}
    (made,) = (row for row in day.refunds() if row["id"] not in known)
    return made


def is_amount(row: dict[str, Any], shown: str) -> bool:
    return str(row["amount_minor"]) == "".join(letter for letter in shown if letter.isdigit())


def test_a_code_signs_one_large_refund_and_the_vendor_pays_it(day: ShopDay, page: Page) -> None:
    sign_in_with_code(page, day, "fay")
    before = day.refunds()
    open_large(page, day)
    amount = amount_of(page)
    page.get_by_label("Six digits from your authenticator app").fill(day.code("fay"))
    press(page, f"Approve {amount} with code")
    assert "Approved with a second factor" in said(page)
    made = paid_once_more(day, before)
    assert is_amount(made, amount)
    assert made["by"] == "api"


def test_a_passkey_signs_one_in_and_one_large_refund_but_never_without_its_holder(
    day: ShopDay, page: Page
) -> None:
    device = Authenticator.built_into(page)
    sign_in_with_code(page, day, "fay")
    page.get_by_role("link", name="My second factor").click()
    page.get_by_label("Its name, for you").fill("Work laptop")
    press(page, "Add a passkey")
    assert "The passkey “Work laptop” is added." in said(page)
    press(page, "Sign out")

    give_password(page, day, "fay")
    # The keyboard is where the better way is.
    expect(page.get_by_role("button", name="Use a passkey")).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url == day.admin

    before = day.refunds()
    open_large(page, day)
    amount = amount_of(page)
    device.verifies(yes=False)
    page.get_by_role("button", name=f"Approve {amount} with passkey").click()
    page.get_by_text("No passkey was used. Nothing was sent.").wait_for()

    page.reload()
    page.evaluate(ASK_FOR_LESS)
    press(page, f"Approve {amount} with passkey")
    assert "That passkey doesn't fit. Nothing was changed." in said(page)
    assert day.refunds() == before

    device.verifies(yes=True)
    press(page, f"Approve {amount} with passkey")
    assert "Approved with a second factor" in said(page)
    assert is_amount(paid_once_more(day, before), amount)


def test_two_people_sign_a_very_large_refund_and_nobody_what_is_above_all(day: ShopDay, page: Page) -> None:
    sign_in_with_code(page, day, "fay")
    before = day.refunds()
    open_large(page, day, people=2)
    address, amount = page.url, amount_of(page)
    page.get_by_label("Six digits from your authenticator app").fill(day.code("fay"))
    press(page, f"Approve {amount} with code")
    assert "It leaves when another person signs too." in said(page)
    page.goto(address)
    panel = page.locator(".sticky-panel")
    assert "1 signature is missing" in panel.inner_text()
    assert "You have signed this already." in panel.inner_text()
    assert page.get_by_role("button", name=f"Approve {amount}").count() == 0
    assert day.refunds() == before
    press(page, "Sign out")

    sign_in_with_code(page, day, "gus")
    page.goto(address)
    page.get_by_label("Six digits from your authenticator app").fill(day.code("gus"))
    press(page, f"Approve {amount} with code")
    assert "Approved with a second factor" in said(page)
    assert is_amount(paid_once_more(day, before), amount)

    # Above the last line nobody is offered an approval.
    page.goto(f"{day.admin}approvals/decision/?q=refund.tier.above")
    page.locator("#result_list tbody tr").get_by_role("link").first.click()
    page.wait_for_selector("h1")
    assert "people act outside the agent" in page.locator("#content").inner_text()
    assert page.get_by_role("button", name="Approve").count() == 0
