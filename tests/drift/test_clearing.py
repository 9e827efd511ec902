"""Staff probe a drift and clear it; nothing is cleared that no probe has passed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pkgutil import iter_modules
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from audit import actors
from audit.actors import Actor
from audit.models import Entry
from cases import vendors
from cases.intake import orders, requeueing
from cases.models import Connection, InboundEvent, Shop
from opsagent.demo.script import Step
from tests import factories as f
from tests.adapters.faking import CORRELATION
from tests.drift.conftest import SignIn
from tests.drift.test_webhooks import risky, without_total
from tests.flow.threads import THREADS, at_once
from tests.flow.turns import fresh
from tests.flow.world import World, deliver, drain, forget_tasks, queued
from tools import adapters
from tools import drift as drifts
from tools.adapters import shopify_webhooks, table
from tools.adapters.operation import Operation
from tools.errors import ContractDrift, Unavailable
from tools.models import Drift, Order
from tools.wire import Kind

Said = Callable[[Any], str]


@pytest.fixture
def admin(db: None, world: World) -> Actor:
    return actors.staff(f.make_user(roles=["admin"]))


def probed_by(monkeypatch: pytest.MonkeyPatch, probe: Callable[..., bool]) -> None:
    """The operation of make_drift, with another reading."""
    one = Operation("stripe", "charges.retrieve", Kind.READ, None, tuple, probe=probe)
    monkeypatch.setattr(table, "OPERATIONS", (one,))


def good(*_args: object) -> bool:
    return True


def press(client: Client, name: str, row: Drift, **form: str) -> Any:
    return client.post(reverse(f"admin:{name}", args=[row.pk]), form, follow=True)


def test_a_drift_is_cleared_after_a_probe_has_passed(
    world: World, sign_in: SignIn, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed_by(monkeypatch, good)
    row, client = f.make_drift(world.shop), sign_in("admin")
    assert "The vendor is being read" in said(press(client, "probe_drift", row))
    assert drain() == ["run_probe"]
    assert fresh(row).probe == "ok"
    assert "Cleared" in said(press(client, "clear_drift", row))
    assert (fresh(row).state, row.cleared_by) == ("cleared", client.user)  # type: ignore[attr-defined]
    told = Entry.objects.filter(stream="shop/north", action__startswith="drift.").order_by("seq")
    assert list(told.values_list("action", flat=True)) == ["drift.probed", "drift.cleared"]


def test_a_drift_without_a_probe_is_not_cleared(world: World, sign_in: SignIn, said: Said) -> None:
    row = f.make_drift(world.shop)
    assert "Run the probe first" in said(press(sign_in("admin"), "clear_drift", row))
    assert fresh(row).state == "open"


def test_a_probe_from_before_the_drift_was_last_seen_clears_nothing(world: World, admin: Actor) -> None:
    now = f.now()
    row = f.make_drift(world.shop, probe="ok", probed_at=now - timedelta(minutes=1), last_seen_at=now)
    with pytest.raises(Invalid, match="Run the probe first"):
        vendors.clear_drift(row.pk, by=admin)


def test_drift_that_the_probe_itself_finds_keeps_it_closed(
    world: World, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drifts_again(*_args: object) -> bool:
        raise ContractDrift("missing", vendor="stripe", operation="charges.retrieve", field_path="lines.2.id")

    probed_by(monkeypatch, drifts_again)
    row = f.make_drift(world.shop)
    vendors.ask_probe(row.pk, by=admin)
    drain()
    assert fresh(row).probe == "drift lines.*.id"
    with pytest.raises(Invalid):
        vendors.clear_drift(row.pk, by=admin)


def test_drift_that_comes_while_the_probe_runs_is_not_cleared_by_it(
    world: World, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = f.make_drift(world.shop)

    def meanwhile(*_args: object) -> bool:
        problem = ContractDrift(
            "missing", vendor="stripe", operation=row.operation, field_path=row.field_path
        )
        drifts.record_drift("north", problem, b"", correlation_id=CORRELATION)
        return True

    probed_by(monkeypatch, meanwhile)
    vendors.ask_probe(row.pk, by=admin)
    drain()
    assert fresh(row).probe == "ok"
    with pytest.raises(Invalid):
        vendors.clear_drift(row.pk, by=admin)


@pytest.mark.parametrize(
    ("probe", "word", "sentence"),
    [
        (lambda *a: False, "nothing_to_read", "There was nothing there to read"),
        (lambda *a: (_ for _ in ()).throw(Unavailable()), "unavailable", "could not be reached"),
        (lambda *a: 1 // 0, "crashed", "failed on our side"),
    ],
)
def test_what_proves_nothing_clears_nothing_and_is_told(
    world: World,
    sign_in: SignIn,
    admin: Actor,
    monkeypatch: pytest.MonkeyPatch,
    probe: Callable[..., bool],
    word: str,
    sentence: str,
) -> None:
    probed_by(monkeypatch, probe)
    row = f.make_drift(world.shop)
    vendors.ask_probe(row.pk, by=admin)
    drain()
    assert fresh(row).probe == word
    page = sign_in("admin").get(reverse("admin:tools_drift_change", args=[row.pk])).content.decode()
    assert sentence in page
    assert f'action="{reverse("admin:clear_drift", args=[row.pk])}"' in page
    with pytest.raises(Invalid):
        vendors.clear_drift(row.pk, by=admin)


def test_the_page_says_that_a_probe_is_under_way(world: World, sign_in: SignIn) -> None:
    row, client = f.make_drift(world.shop), sign_in("admin")
    press(client, "probe_drift", row)
    page = client.get(reverse("admin:tools_drift_change", args=[row.pk])).content.decode()
    assert "has not answered yet" in page
    assert 'data-reload="3"' in page


def test_a_second_press_asks_for_no_second_probe(world: World, sign_in: SignIn, said: Said) -> None:
    row, client = f.make_drift(world.shop), sign_in("admin")
    press(client, "probe_drift", row)
    assert "A probe is under way" in said(press(client, "probe_drift", row))
    assert len(queued()) == 1


def test_who_was_first_is_told_to_who_clears_second(world: World, sign_in: SignIn, said: Said) -> None:
    first = f.make_user(roles=["admin"], first_name="Mara")
    row = f.make_drift(world.shop, state="cleared", cleared_at=f.now(), cleared_by=first)
    assert "Mara cleared this already" in said(press(sign_in("admin"), "clear_drift", row))


@pytest.mark.parametrize(
    "role", ["viewer", "agent", "approver", "finance approver", "limit author", "auditor"]
)
def test_other_roles_neither_probe_nor_clear(world: World, role: str) -> None:
    row, by = f.make_drift(world.shop), actors.staff(f.make_user(roles=[role]))
    for service in (vendors.ask_probe, vendors.clear_drift, vendors.clear_and_requeue):
        with pytest.raises(NotPermitted):
            service(row.pk, by=by)
    with pytest.raises(NotPermitted):
        vendors.ask_check(world.shop.pk, by=by)


def test_an_admin_of_another_shop_clears_nothing_here(world: World) -> None:
    row, south = f.make_drift(world.shop), f.make_shop("south")
    with pytest.raises(NotPermitted):
        vendors.clear_drift(row.pk, by=actors.staff(f.make_user(roles=["admin"], shops=[south])))


def test_a_probe_whose_task_was_lost_is_rung_for_again(world: World, admin: Actor) -> None:
    row = f.make_drift(world.shop)
    vendors.ask_probe(row.pk, by=admin)
    forget_tasks()
    assert vendors.lost_probes() == 0
    Drift.objects.update(probe_asked_at=f.now() - timedelta(minutes=2))
    assert vendors.lost_probes() == 1
    assert queued() == [("run_probe", row.pk)]
    assert vendors.lost_probes() == 0


def test_a_task_that_comes_twice_reads_once(
    world: World, admin: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def ask(*_args: object) -> bool:
        asked.append(1)
        return True

    probed_by(monkeypatch, ask)
    row = f.make_drift(world.shop)
    vendors.ask_probe(row.pk, by=admin)
    assert [vendors.run_probe(row.pk), vendors.run_probe(row.pk)] == ["ok", None]
    assert len(asked) == 1


@pytest.mark.django_db(transaction=True)
def test_of_all_who_clear_at_once_one_does(world: World, admin: Actor) -> None:
    row = f.make_drift(world.shop, probe="ok", probed_at=f.now())

    def one(_number: int) -> str:
        try:
            return vendors.clear_drift(row.pk, by=admin).state
        except AlreadyDecided:
            return "late"

    assert sorted(at_once(one)) == ["cleared"] + ["late"] * (THREADS - 1)
    assert Entry.objects.filter(action="drift.cleared").count() == 1


def unread_by_an_older_release(world: World, number: int) -> Drift:
    """Orders whose form the program learned to read after they had come."""

    def older(topic: str, raw: bytes) -> None:
        raise ContractDrift("missing", vendor="shopify", operation=topic, field_path="total_price_set")

    with pytest.MonkeyPatch.context() as release:
        release.setitem(shopify_webhooks.PARSERS, "orders/create", older)
        for _ in range(number):
            deliver(world.order_step(world.sold(world.customer())))
    return Drift.objects.get()


def in_pairs(monkeypatch: pytest.MonkeyPatch, world: World, number: int) -> Drift:
    """So many unread events, whose probe has passed and which go back two at a time."""
    monkeypatch.setattr(vendors, "EVENTS_AT_ONCE", 2)
    row = unread_by_an_older_release(world, number)
    Drift.objects.update(probe="ok", probed_at=f.now() + timedelta(seconds=1))
    return row


class TestEvents:
    """A webhook can't be read again: its probe is that the present code reads all that lie there."""

    def test_the_probe_names_what_still_can_not_be_read(self, world: World, admin: Actor) -> None:
        deliver(without_total(world))
        row = Drift.objects.get()
        vendors.ask_probe(row.pk, by=admin)
        drain(only=["run_probe"])
        assert fresh(row).probe == "drift total_price_set"

    def test_readable_events_go_back_to_work_when_it_is_cleared(
        self, world: World, sign_in: SignIn, said: Said
    ) -> None:
        row, client = unread_by_an_older_release(world, 3), sign_in("admin")
        press(client, "probe_drift", row)
        drain(only=["run_probe"])
        assert fresh(row).probe == "ok"
        assert "Cleared" in said(press(client, "clear_drift", row, requeue="1"))
        assert list(InboundEvent.objects.values_list("state", flat=True)) == ["absorbed"] * 3
        assert Order.objects.count() == 3

    def test_a_plain_clear_leaves_the_events_where_they_are(self, world: World, sign_in: SignIn) -> None:
        row, client = unread_by_an_older_release(world, 1), sign_in("admin")
        press(client, "probe_drift", row)
        drain(only=["run_probe"])
        press(client, "clear_drift", row)
        assert fresh(row).state == "cleared"
        assert InboundEvent.objects.get().state == "dead"

    def test_a_source_that_can_not_be_read_again_proves_nothing(
        self, world: World, admin: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = unread_by_an_older_release(world, 1)
        monkeypatch.delitem(vendors.READERS, "shopify")
        vendors.ask_probe(row.pk, by=admin)
        drain(only=["run_probe"])
        assert fresh(row).probe == "no_probe"
        with pytest.raises(Invalid):
            vendors.clear_drift(row.pk, by=admin)

    def test_every_source_whose_words_can_change_is_read_again(self) -> None:
        # A mail or a supplier's list is no vendor's contract: it is unreadable, but never drift.
        modules = {module.name for module in iter_modules(adapters.__path__)}
        contracts = {name.removesuffix("_webhooks") for name in modules if name.endswith("_webhooks")}
        assert vendors.READERS.keys() == contracts
        assert requeueing.AGAIN.keys() == contracts | {"email", "feed"} == {*Connection.Source.values, "feed"}

    def test_a_long_list_goes_back_in_batches(
        self, world: World, admin: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = in_pairs(monkeypatch, world, 5)
        vendors.clear_and_requeue(row.pk, by=admin)
        assert InboundEvent.objects.filter(state="dead").count() == 3
        assert drain(only=["requeue_events"]) == ["requeue_events"] * 2
        assert not InboundEvent.objects.filter(state="dead").exists()

    def test_other_topics_stay_where_they_are(self, world: World, admin: Actor) -> None:
        deliver(risky(world))
        deliver(without_total(world))
        row = Drift.objects.get(operation="webhook:orders/create")
        assert [event.topic for event in vendors.dead_letters(row)] == ["orders/create"]

    @pytest.mark.parametrize("source", ["shopify", "stripe", "whatsapp", "whatsapp of old"])
    def test_exactly_the_events_of_the_drift_go_back_whatever_their_source(
        self, world: World, admin: Actor, source: str
    ) -> None:
        step, others = of_source(world, source.partition(" ")[0])
        topic = "" if source == "whatsapp of old" else step.topic
        mine = dead(world.shop, step, topic)
        dead(f.make_shop("south"), step, topic)
        for number, other in enumerate(others):
            f.make_dead_event(
                world.shop, source=step.source, topic=other, external_id=str(number), body=b"{}"
            )
        row = passed(world, step)
        assert [event.pk for event in vendors.dead_letters(row)] == [mine.pk]
        vendors.clear_and_requeue(row.pk, by=admin)
        assert fresh(mine).state in ("absorbed", "case")
        assert InboundEvent.objects.filter(state="dead").count() == len(others) + 1

    def test_what_stays_dead_holds_up_no_other_and_is_tried_once(
        self, world: World, admin: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        row = in_pairs(monkeypatch, world, 7)
        bad = list(InboundEvent.objects.order_by("pk").values_list("pk", flat=True)[:4])
        fails(monkeypatch, bad)
        vendors.clear_and_requeue(row.pk, by=admin)
        drain(only=["requeue_events"])
        left = InboundEvent.objects.filter(state="dead")
        assert sorted(left.values_list("pk", "requeued")) == [(pk, 1) for pk in bad]

    def test_the_page_tells_how_many_are_left(self, world: World, sign_in: SignIn) -> None:
        row, client = unread_by_an_older_release(world, 3), sign_in("admin")
        place = reverse("admin:tools_drift_change", args=[row.pk])
        Drift.objects.update(state="cleared", cleared_at=f.now(), cleared_by=f.make_user())
        page = client.get(place).content.decode()
        assert "3 events of this kind wait unread" in page
        assert 'data-reload="3"' in page
        InboundEvent.objects.update(state="absorbed", dead_reason="")
        assert "wait unread." not in client.get(place).content.decode()


def of_source(world: World, source: str) -> tuple[Step, list[str]]:
    """A readable event, and the topics of other dead letters of its source."""
    made: dict[str, tuple[Step, list[str]]] = {
        "shopify": (world.order_step(world.sold(world.customer())), ["orders/updated", "orders/create2"]),
        "stripe": (world.dispute_step(world.sold(world.customer())), ["refund.created"]),
        "whatsapp": (replace(world.chat(world.customer(), "Where?"), topic="messages"), ["statuses"]),
    }
    return made[source]


def dead(shop: Shop, step: Step, topic: str) -> InboundEvent:
    facts = {"source": step.source, "account": step.account, "external_id": step.external_id}
    return f.make_dead_event(shop, body=step.body, topic=topic, **facts)


def passed(world: World, step: Step) -> Drift:
    """The drift of the event's topic, whose probe has just passed."""
    now = f.now()
    return f.make_drift(
        world.shop,
        vendor=step.source,
        operation=f"webhook:{step.topic}",
        last_seen_at=now - timedelta(hours=1),
        probe="ok",
        probed_at=now,
    )


def fails(monkeypatch: pytest.MonkeyPatch, bad: list[int]) -> None:
    """The handler trips over these events, though they can be read."""
    handled = orders.handle

    def handle(event: InboundEvent, seen: Any) -> Any:
        if event.pk in bad:
            raise ValueError("tripped")
        return handled(event, seen)

    monkeypatch.setattr(orders, "handle", handle)
