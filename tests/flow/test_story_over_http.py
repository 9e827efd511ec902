"""The whole way: webhooks over HTTP, the real queue's rows, a refund at the stand-in, and the story in the admin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from approvals.models import Decision
from audit import sources
from audit.models import Entry
from audit.verify import verify
from cases.invariants import violations
from cases.models import Cursor, Message, Shop, User
from cases.tasks import sweep
from opsagent.demo import accounts
from opsagent.demo.player import Player
from opsagent.demo.script import Neutral, Step, Story
from opsagent.demo.story import story
from opsagent.demo.summary import books_equal
from tests import factories
from tests.authority.rows import code_of, device_of
from tests.flow.world import SECRETS, World, drain, forget_tasks, north, queued, the_case
from tests.reconciling.turns import LATER, late, read_all
from tests.signing import signed_in
from tools.models import Order, ToolCall
from tools.sandbox.server import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

TEXT = (
    "Hello, my order {name} came today and the {item} is broken, there is a big crack in it. Photos attached."
)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The vendors over real HTTP, connected as the demo connects them."""
    with Sandbox(port=0, ledger=tmp_path / "ledger.sqlite") as running:
        variables = {**accounts.environment(tmp_path, running.base_url), **SECRETS}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        for shop in accounts.for_sandbox(variables):
            httpx.post(f"{running.base_url}/_control/shops", json=shop).raise_for_status()
        yield running


@pytest.fixture
def web(live_server: LiveServer) -> str:
    return str(live_server.url)


def play(
    web: str, sandbox: Sandbox, steps: list[Step], lost: Callable[[Step], bool] = lambda step: False
) -> None:
    """What the vendors do, one delivery after the other, over HTTP; of what is `lost` no webhook comes."""
    player = Player(web, sandbox.base_url, SECRETS, drain, lost)
    try:
        player.play(Story(0, steps[0].simulated_at, [], steps), 0, lambda place, step: None)
    finally:
        player.close()
    assert set(player.tally.answers) == (set() if all(map(lost, steps)) else {200})
    assert player.tally.never_sent == sum(map(lost, steps))


def damaged_item(world: World, size: str = "small") -> tuple[Neutral, list[Step]]:
    """A delivered order whose only item came broken, and the customer's mail with photos."""
    who = world.customer()
    item = world.item(size)
    order = world.sold(who, item=item)
    text = TEXT.format(name=order["name"], item=item.name("en").said)
    letter = world.mail(who, text, subject="Arrived broken", photos=2)
    return order, [world.order_step(order), world.charge_step(order), *world.parcel_steps(order), letter]


def refunds(sandbox: Sandbox) -> list[tuple[str, int, str]]:
    rows = httpx.get(f"{sandbox.base_url}/_control/ledger").json()["refunds"]
    return [(row["charge"], row["amount_minor"], row["currency"].upper()) for row in rows]


def sent(sandbox: Sandbox) -> list[str]:
    rows = httpx.get(f"{sandbox.base_url}/_control/ledger").json()["messages"]
    return [row["properties"]["template"] for row in rows]


def admin(*roles: str) -> Client:
    """A browser that somebody with these roles has signed in with, by the login page itself."""
    user = factories.make_user(roles=roles, shops=list(Shop.objects.all()), username="reader")
    browser = Client()
    answer = browser.post("/admin/login/", {"username": user.username, "password": factories.PASSWORD})
    assert answer.status_code == 302, answer.content
    assert User.objects.get(pk=browser.session["_auth_user_id"]) == user
    device = device_of(user)
    assert browser.post("/admin/sign-in/factor/", {"code": code_of(device)}).status_code == 302
    return browser


def page(browser: Client, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200, address
    return str(answer.content.decode())


def test_a_broken_item_is_refunded_and_the_case_page_tells_it_all(web: str, sandbox: Sandbox) -> None:
    world = World(north())
    order, steps = damaged_item(world)
    play(web, sandbox, steps)
    assert queued() == [("advance", the_case().pk)]
    drain()

    case, call = the_case(), ToolCall.objects.get(amount_minor__gt=0)
    assert (case.state, call.state) == ("closed", "succeeded")
    price = int(order["lines"][0]["unit_price"].replace(".", ""))
    tax = int(order["lines"][0]["tax"].replace(".", ""))
    assert refunds(sandbox) == [(order["charge"]["id"], price + tax, "USD")]
    assert sent(sandbox) == ["refund_done"]

    html = page(admin("viewer"), f"/admin/cases/case/{case.pk}/change/")
    decision = Decision.objects.get()
    assert (decision.rule, decision.entitled_by) == ("refund.tier.automatic", "terms.damaged")
    assert "there is a big crack in it" in html
    assert "Arrived broken" in html
    assert decision.rule in html
    assert f"{call.amount_minor // 100}.{call.amount_minor % 100:02}" in html
    answer = Message.objects.get(direction="out")
    assert answer.text.splitlines()[0] in html
    assert order["name"] in html
    assert call.vendor_ref in html
    for action in ("call.succeeded", "decision.made"):
        assert Entry.objects.filter(stream=f"case/{case.pk}", action=action).exists()


def test_the_story_holds_together_afterwards(web: str, sandbox: Sandbox) -> None:
    world = World(north())
    _order, steps = damaged_item(world)
    play(web, sandbox, steps)
    drain()
    assert violations() == []
    assert not verify().faults
    assert books_equal(sandbox.base_url)
    # From the webhook to the vendor's call it is one correlation id.
    event = the_case().events.get()
    assert {call.correlation_id for call in ToolCall.objects.all()} == {event.correlation_id}
    assert Decision.objects.get().correlation_id == event.correlation_id


def test_the_story_is_read_by_those_alone_who_may(web: str, sandbox: Sandbox) -> None:
    world = World(north())
    play(web, sandbox, damaged_item(world)[1])
    drain()
    address = f"/admin/cases/case/{the_case().pk}/change/"
    assert Client().get(address).status_code == 302
    stranger = factories.make_user(roles=["viewer"], shops=[factories.make_shop()], username="stranger")
    answer = signed_in(stranger).get(address)
    assert answer.status_code in (302, 403, 404)
    assert b"big crack" not in answer.content


@pytest.mark.parametrize(("size", "tier"), [("mid", "one_approver"), ("large", "two_factor")])
def test_a_dearer_item_waits_and_nothing_leaves(web: str, sandbox: Sandbox, size: str, tier: str) -> None:
    world = World(north())
    play(web, sandbox, damaged_item(world, size)[1])
    drain()
    assert (the_case().state, the_case().approvals.get().tier) == ("approval", tier)
    assert refunds(sandbox) == []
    assert sent(sandbox) == []


@pytest.mark.parametrize("kind", ["dropped_after", "stored_500"])
def test_a_lost_answer_pays_once_all_the_same(web: str, sandbox: Sandbox, kind: str) -> None:
    world = World(north())
    _order, steps = damaged_item(world)
    play(web, sandbox, steps)
    fault = {"vendor": "stripe", "operation": "*", "kind": kind, "times": 4, "executes": True}
    httpx.post(f"{sandbox.base_url}/_control/faults", json=fault).raise_for_status()
    for _ in range(6):
        drain()
        ToolCall.objects.exclude(lease_until=None).update(lease_until=factories.now())
        sweep()
    assert len(refunds(sandbox)) == 1
    assert ToolCall.objects.get(amount_minor__gt=0).state == "succeeded"
    assert the_case().state == "closed"
    assert Order.objects.get().lines.get().refunded_quantity == 1
    assert books_equal(sandbox.base_url)


def test_a_second_day_of_the_same_deliveries_changes_nothing(web: str, sandbox: Sandbox) -> None:
    world = World(north())
    _order, steps = damaged_item(world)
    play(web, sandbox, steps)
    drain()
    before = (refunds(sandbox), sent(sandbox), Entry.objects.count())
    play(web, sandbox, list(reversed(steps)))
    drain()
    assert (refunds(sandbox), sent(sandbox), Entry.objects.count()) == before


def test_webhooks_that_never_came_are_found_late_and_all_goes_as_if_they_had(
    web: str, sandbox: Sandbox
) -> None:
    world = World(north())
    order, [*told, letter] = damaged_item(world)
    play(web, sandbox, told, lost=lambda step: True)
    assert not Order.objects.exists()
    with sources.frozen(factories.now() + LATER):
        read_all()
    assert {event.source for event in late()} == {"shopify", "stripe"}
    forget_tasks()

    play(web, sandbox, [letter])
    drain()
    assert (the_case().state, ToolCall.objects.get(amount_minor__gt=0).state) == ("closed", "succeeded")
    assert [charge for charge, _minor, _currency in refunds(sandbox)] == [order["charge"]["id"]]
    assert books_equal(sandbox.base_url)
    assert violations() == []


def test_a_day_that_was_told_is_read_back_without_a_find(web: str, sandbox: Sandbox) -> None:
    north()
    day = story(7, 30, datetime.now(UTC)).steps
    vendors = ("shopify", "stripe")
    play(
        web,
        sandbox,
        [step for step in day if step.shop == "north" and step.source in vendors and step.signed],
    )
    drain()
    with sources.frozen(factories.now() + LATER):
        read_all()
    assert sum(Cursor.objects.values_list("seen", flat=True)) > 3
    assert late() == []
