"""A shop's Slack channel hears of what can't wait: once, soon, and without a word of any customer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from django.db import transaction
from django.test import override_settings

from audit import sources
from audit.actors import SYSTEM
from cases import announcing
from cases.announcing import announce_drift, announce_handoff, watch_announcements
from cases.handoff import hand_off
from cases.models import Case, Handoff
from tests import factories
from tests.flow.threads import at_once
from tests.flow.turns import fresh
from tests.flow.vendors import over
from tests.flow.world import World, deliver, forget_tasks, queued
from tools.models import Drift

pytestmark = pytest.mark.django_db

PRESSING = ["fraud", "dispute", "legal", "distress", "anger"]


class Channel:
    """Slack, as the test wants it; `lines` is what stands in the channel."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.asked = 0
        self.answer: httpx.Response | Exception = httpx.Response(200, content=b"ok")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer.status_code == 200:
            self.lines.append(json.loads(request.content)["text"])
        return self.answer


@pytest.fixture(autouse=True)
def channel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    monkeypatch.setenv("NORTH_SLACK_WEBHOOK_URL", "https://slack.example/services/T0/B0/secret")
    channel = Channel()
    with over(channel):
        yield channel


def handed(world: World, reason: str = "anger") -> Handoff:
    case = factories.make_case(world.shop)
    with transaction.atomic():
        return hand_off(Case.objects.select_for_update().get(pk=case.pk), reason, by=SYSTEM)


@pytest.mark.parametrize("reason", PRESSING)
def test_what_is_promised_within_the_hour_is_announced(world: World, channel: Channel, reason: str) -> None:
    row = handed(world, reason)
    assert ("announce_handoff", row.pk) in queued()
    assert announce_handoff(row.pk)
    (line,) = channel.lines
    assert f"case {row.case_id} waits for a person ({row.get_reason_display()})" in line
    assert f"promised by {row.due_at:%H:%M} UTC" in line


@pytest.mark.parametrize("reason", [each for each in Handoff.Reason.values if each not in PRESSING])
def test_what_can_wait_is_not_announced(world: World, channel: Channel, reason: str) -> None:
    row = handed(world, reason)
    assert (queued(), announce_handoff(row.pk), watch_announcements()) == ([], False, 0)


def test_a_case_that_turns_angry_is_announced_then(world: World, channel: Channel) -> None:
    row = handed(world, "planner")
    handed_again = hand_off(Case.objects.get(pk=row.case_id), "anger", by=SYSTEM)
    assert handed_again.pk == row.pk
    assert announce_handoff(row.pk)


def test_it_is_announced_once(world: World, channel: Channel) -> None:
    row = handed(world)
    assert [announce_handoff(row.pk), announce_handoff(row.pk), watch_announcements()] == [True, False, 0]
    assert len(channel.lines) == 1


def test_no_word_of_the_customer_is_announced(world: World, channel: Channel) -> None:
    who = world.customer()
    deliver(world.mail(who, "I am furious, this is a scandal and I will call my lawyer!"))
    announce_handoff(Handoff.objects.get().pk)
    (line,) = channel.lines
    for secret in (who.email, who.first, who.last, "furious"):
        assert secret.lower() not in line.lower()


@pytest.mark.parametrize(("site", "link"), [("https://ops.example.com", True), ("", False)])
def test_the_line_links_to_the_case(world: World, channel: Channel, site: str, link: bool) -> None:
    row = handed(world)
    with override_settings(SITE_URL=site):
        announce_handoff(row.pk)
    assert (f"https://ops.example.com/admin/cases/case/{row.case_id}/change/" in channel.lines[0]) is link


def test_a_shop_without_a_channel_hears_nothing(
    world: World, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NORTH_SLACK_WEBHOOK_URL")
    row = handed(world)
    assert (queued(), announce_handoff(row.pk), watch_announcements()) == ([], False, 0)
    assert (channel.asked, fresh(row).announce_attempts) == (0, 0)


def test_what_somebody_has_claimed_needs_no_line(world: World, channel: Channel) -> None:
    row = handed(world)
    user = factories.make_user()
    Handoff.objects.filter(pk=row.pk).update(state="claimed", claimed_by=user, claimed_at=factories.now())
    assert not announce_handoff(row.pk)


class TestTroubleAtSlack:
    @pytest.mark.parametrize(
        "answer",
        [
            httpx.ConnectError("away"),
            httpx.Response(429, headers={"Retry-After": "60"}),
            httpx.Response(404, content=b"channel_not_found"),
        ],
    )
    def test_what_was_surely_not_posted_is_posted_later(
        self, world: World, channel: Channel, answer: httpx.Response | Exception
    ) -> None:
        row = handed(world)
        channel.answer = answer
        assert not announce_handoff(row.pk)
        assert (fresh(row).announced_at, row.announce_attempts) == (None, 1)
        with sources.frozen(sources.now()) as clock:
            assert not announce_handoff(row.pk)
            clock.advance(timedelta(minutes=10))
            channel.answer = httpx.Response(200, content=b"ok")
            assert announce_handoff(row.pk)

    @pytest.mark.parametrize("answer", [httpx.ReadTimeout("lost"), httpx.Response(500)])
    def test_what_may_stand_there_is_not_posted_twice(
        self, world: World, channel: Channel, answer: httpx.Response | Exception
    ) -> None:
        row = handed(world)
        channel.answer = answer
        announce_handoff(row.pk)
        channel.answer = httpx.Response(200, content=b"ok")
        with sources.frozen(sources.now() + timedelta(minutes=30)):
            assert (announce_handoff(row.pk), watch_announcements()) == (False, 0)
        assert channel.lines == []

    def test_after_a_few_attempts_it_stays_quiet(self, world: World, channel: Channel) -> None:
        row = handed(world)
        channel.answer = httpx.Response(404, content=b"no_service")
        with sources.frozen(sources.now()) as clock:
            for _ in range(20):
                announce_handoff(row.pk)
                clock.advance(timedelta(minutes=15))
        assert (channel.asked, fresh(row).announce_attempts) == (len(announcing.ATTEMPTS),) * 2

    def test_the_hand_off_stands_whatever_slack_says(self, world: World, channel: Channel) -> None:
        row = handed(world)
        before = (row.state, row.due_at, row.reason)
        channel.answer = httpx.Response(410, content=b"channel_is_archived")
        announce_handoff(row.pk)
        fresh(row)
        assert (row.state, row.due_at, row.reason) == before


class TestForgotten:
    def test_a_lost_task_is_found(self, world: World, channel: Channel) -> None:
        row = handed(world)
        forget_tasks()
        assert watch_announcements() == 1
        assert queued() == [("announce_handoff", row.pk)]

    def test_old_news_is_no_news(self, world: World, channel: Channel) -> None:
        row = handed(world)
        with sources.frozen(sources.now() + timedelta(hours=7)):
            assert (watch_announcements(), announce_handoff(row.pk)) == (0, False)


class TestDrift:
    def test_a_change_of_a_vendor_is_announced_once(self, world: World, channel: Channel) -> None:
        row = factories.make_drift(world.shop)
        assert watch_announcements() == 1
        assert [announce_drift(row.pk), announce_drift(row.pk)] == [True, False]
        (line,) = channel.lines
        assert f"Stripe has changed its answer to {row.operation} ({row.field_path})" in line

    def test_a_changed_event_is_announced_as_one_that_waits_unread(
        self, world: World, channel: Channel
    ) -> None:
        row = factories.make_drift(world.shop, vendor="shopify", operation="webhook:orders/create")
        assert announce_drift(row.pk)
        (line,) = channel.lines
        assert f"Shopify has changed its event orders/create ({row.field_path})" in line
        assert "Events of the kind wait unread until somebody clears it." in line
        assert "is sent" not in line

    def test_slack_is_not_told_by_slack_that_slack_has_changed(self, world: World, channel: Channel) -> None:
        row = factories.make_drift(world.shop, vendor="slack", operation="webhook")
        assert (watch_announcements(), announce_drift(row.pk)) == (0, False)

    def test_a_cleared_one_needs_no_line(self, world: World, channel: Channel) -> None:
        user = factories.make_user()
        row = factories.make_drift(world.shop)
        Drift.objects.filter(pk=row.pk).update(state="cleared", cleared_at=factories.now(), cleared_by=user)
        assert not announce_drift(row.pk)


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_post_one_line(world: World, channel: Channel) -> None:
    row = handed(world)

    def post(_number: int) -> bool:
        with over(channel):
            return announce_handoff(row.pk)

    assert sum(at_once(post)) == len(channel.lines) == 1
