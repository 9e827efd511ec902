"""The command and the nightly run: what they tell, what they keep, and how often they ask."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command, load_command_class
from django.core.management.base import CommandError

from audit import sources
from cases.invariants import INVARIANTS
from cases.invariants.base import Scope
from cases.invariants.chain import OVERLAP
from cases.invariants.runs import MOST_ATTEMPTS, check_invariants, watch_invariants
from cases.invariants.vendors import read_vendors
from cases.models import InvariantRun, Shop
from tests.flow.vendors import Vendors
from tests.flow.world import World, drain, forget_tasks, queued
from tests.invariants.planting import Day, loosened, run
from tools.models import Circuit

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 9, 14, 12, 0, tzinfo=UTC)


@pytest.fixture
def day(world: World, fake: Vendors) -> Day:
    played = Day(world)
    played.play()
    return played


def told(*args: str) -> tuple[int, list[str]]:
    """The command's exit status and lines."""
    out, status = StringIO(), 0
    try:
        call_command("invariants", *args, stdout=out, no_color=True)
    except SystemExit as ended:
        status = int(str(ended.code))
    return status, out.getvalue().splitlines()


def line(*args: str) -> tuple[int, dict[str, Any]]:
    status, lines = told(*args, "--json")
    parsed: dict[str, Any] = json.loads(lines[-1])
    return status, parsed


class TestCommand:
    def test_books_that_hold_end_in_zero(self, day: Day) -> None:
        status, parsed = line()
        assert (status, parsed["ok"], parsed["violations"]) == (0, True, [])
        assert list(parsed["checks"]) == sorted(INVARIANTS)
        assert parsed["audit"]["whole_chain"] is True

    def test_what_is_wrong_is_named_and_ends_in_one(self, day: Day) -> None:
        run("UPDATE cases_message SET state = 'queued' WHERE id = %s", day.message.pk)
        status, parsed = line()
        assert status == 1
        assert [(row["row"], row["case"]) for row in parsed["violations"]] == [
            (f"message {day.message.pk}", day.case.pk)
        ]
        _status, lines = told()
        words = "\n".join(lines)
        assert f"- message {day.message.pk}, case {day.case.pk}" in words
        assert "A message waits to be sent, and nothing will send it." in words
        assert "Open the case and write to the customer yourself." in words
        assert lines[-1].startswith("1 violations, ")

    def test_one_case_or_shop_is_asked_about_and_not_kept(self, day: Day) -> None:
        run("UPDATE cases_message SET state = 'queued' WHERE id = %s", day.message.pk)
        assert line("--case", str(day.case.pk))[0] == 1
        assert line("--shop", "north")[0] == 1
        assert line("--case", str(day.handoff.case_id))[0] == 0
        assert not InvariantRun.objects.exists()

    @pytest.mark.parametrize("args", [("--case", "0"), ("--shop", "elsewhere")])
    def test_what_is_not_there_is_said(self, day: Day, args: tuple[str, str]) -> None:
        with pytest.raises(CommandError, match="no such") as refused:
            call_command("invariants", *args)
        assert refused.value.returncode == 2

    def test_help_says_what_each_status_means_and_what_is_not_looked_at_whole(self) -> None:
        words = " ".join(
            load_command_class("opsagent", "invariants").create_parser("", "").format_help().split()
        )
        for sentence in (
            "0 all holds",
            "1 an invariant is broken",
            "2 the question was wrong",
            "3 nothing broken",
        ):
            assert sentence in words
        assert "--full follows all of it" in words

    def test_a_stranger_finds_each_row_that_is_named(self, day: Day) -> None:
        run("UPDATE cases_message SET state = 'queued' WHERE id = %s", day.message.pk)
        run("UPDATE tools_payment SET elsewhere_minor = captured_minor WHERE id = %s", day.payment.pk)
        line_id = day.line.pk
        run("UPDATE tools_orderline SET refunded_quantity = 0 WHERE id = %s", line_id)
        entry = day.entry("call.succeeded")
        loosened("audit_entry")
        run("UPDATE audit_entry SET body = body || ' ' WHERE id = %s", entry.pk)
        places = {(row["model"], row["id"], row["link"]) for row in line()[1]["violations"]}
        payment, log = (
            f"/admin/tools/payment/{day.payment.pk}/change/",
            f"/admin/audit/entry/{entry.pk}/change/",
        )
        assert places == {
            ("cases.message", str(day.message.pk), ""),
            ("tools.payment", str(day.payment.pk), payment),
            ("tools.orderline", str(line_id), ""),
            ("audit.entry", str(entry.pk), log),
        }

    def test_it_says_where_only_recent_rows_were_looked_at(self, day: Day) -> None:
        assert line()[1]["only_recent_rows_of"] == []
        assert line()[1]["only_recent_rows_of"] == ["the audit chain holds"]
        assert line("--full")[1]["only_recent_rows_of"] == []

    def test_a_run_of_everything_is_kept(self, day: Day) -> None:
        run("UPDATE cases_message SET state = 'queued' WHERE id = %s", day.message.pk)
        told()
        kept = InvariantRun.objects.get()
        assert (kept.broken, kept.found[0]["row"]) == (1, f"message {day.message.pk}")
        assert (kept.checked, kept.full, kept.chain_held, kept.night) == (len(INVARIANTS), True, True, None)


class TestChain:
    def test_the_next_run_goes_on_where_the_chain_held(self, day: Day) -> None:
        told()
        status, parsed = line()
        assert (status, parsed["audit"]["whole_chain"]) == (0, False)
        assert parsed["audit"]["after"] == InvariantRun.objects.earliest("pk").entries_until
        assert "--full follows all of it" in "\n".join(told()[1])
        assert line("--full")[1]["audit"]["whole_chain"] is True

    def test_an_old_edit_is_found_by_a_full_run_alone(self, day: Day) -> None:
        loosened("audit_entry")
        last = day.entry("case.closed").pk
        run("UPDATE audit_entry SET id = id + %s WHERE id = (SELECT max(id) FROM audit_entry)", 2 * OVERLAP)
        assert told()[0] == 0
        run("UPDATE audit_entry SET body = body || ' ' WHERE action = 'decision.made' AND id < %s", last)
        assert [told()[0], told("--full")[0]] == [0, 1]

    def test_a_broken_chain_is_no_place_to_go_on_from(self, day: Day) -> None:
        loosened("audit_entry")
        run("UPDATE audit_entry SET body = body || ' ' WHERE action = 'call.succeeded'")
        assert [told()[0] for _ in range(2)] == [1, 1]
        assert not InvariantRun.objects.filter(chain_held=True).exists()
        assert line()[1]["audit"]["whole_chain"] is True


class TestNight:
    @pytest.fixture(autouse=True)
    def old_shop(self, shop: Shop) -> None:
        Shop.objects.update(created_at=NOON - timedelta(days=3))

    def test_the_night_asks_once(self, db: None) -> None:
        with sources.frozen(NOON) as clock:
            assert [watch_invariants() for _ in range(3)] == [1, 0, 0]
            assert [name for name, _row in queued()] == ["check_invariants"]
            clock.advance(timedelta(hours=10))
            assert watch_invariants() == 1  # lost in the queue since
            clock.advance(timedelta(hours=6))
            assert watch_invariants() == 1  # the next night
        assert InvariantRun.objects.values("night").distinct().count() == 2

    def test_a_shop_of_today_waits_for_its_first_night(self, db: None) -> None:
        Shop.objects.update(created_at=NOON - timedelta(hours=1))
        with sources.frozen(NOON):
            assert watch_invariants() == 0
        assert not InvariantRun.objects.exists()

    def test_a_run_keeps_when_how_long_and_what(self, day: Day) -> None:
        Shop.objects.update(created_at=NOON - timedelta(days=3))
        run("UPDATE cases_message SET state = 'queued' WHERE id = %s", day.message.pk)
        watch_invariants()
        assert "check_invariants" in drain()
        kept = InvariantRun.objects.get()
        assert (kept.broken, kept.attempts, kept.error) == (1, 1, "")
        assert kept.ended_at is not None
        assert kept.began_at is not None
        assert kept.full

    def test_each_night_follows_the_whole_chain(self, day: Day) -> None:
        with sources.frozen(NOON) as clock:
            for _night in range(2):
                watch_invariants()
                drain(only=["check_invariants"])
                clock.advance(timedelta(days=1))
        assert list(InvariantRun.objects.values_list("full", "chain_held")) == [(True, True)] * 2

    def test_a_log_that_is_too_long_for_one_task_is_followed_from_where_it_held(self, day: Day) -> None:
        told()
        with sources.frozen(NOON):
            watch_invariants()
            InvariantRun.objects.filter(night__isnull=False).update(attempts=MOST_ATTEMPTS - 1)
            drain(only=["check_invariants"])
        kept = InvariantRun.objects.get(night__isnull=False)
        assert (kept.full, kept.chain_held, kept.error) == (False, True, "")

    def test_two_workers_do_it_once(self, db: None) -> None:
        watch_invariants()
        row = InvariantRun.objects.get()
        assert [check_invariants(row.pk) for _ in range(2)] == [0, None]

    def test_a_run_whose_worker_dies_is_tried_again_and_given_up_at_last(self, db: None) -> None:
        with sources.frozen(NOON) as clock:
            watch_invariants()
            for _ in range(MOST_ATTEMPTS):
                forget_tasks()
                row = InvariantRun.objects.get()
                InvariantRun.objects.update(began_at=clock.at, attempts=row.attempts + 1)
                clock.advance(timedelta(minutes=6))
                watch_invariants()
        row = InvariantRun.objects.get()
        assert (row.error, row.failed, row.attempts) == ("not_ended_in_time", True, MOST_ATTEMPTS)
        assert queued() == []


class TestVendors:
    def test_equal_ledgers_are_equal(self, day: Day) -> None:
        reading = read_vendors(Scope(), most=10)
        assert (reading.compared, reading.violations, reading.unread) == (1, [], {})
        status, parsed = line("--vendors")
        assert (status, parsed["vendors"]["compared"]) == (0, 1)

    def test_a_refund_that_we_dont_know_is_named(self, day: Day, fake: Vendors) -> None:
        fake.refunds.append({**fake.refunds[0], "id": "re_99", "amount": 100, "metadata": {}})
        status, parsed = line("--vendors")
        assert status == 1
        found = parsed["violations"][0]
        assert (found["invariant"], found["row"]) == (
            "the ledger is the vendor's",
            f"payment {day.payment.pk}",
        )
        assert found["case"] == day.case.pk

    def test_a_refund_that_the_vendor_doesnt_know_is_named(self, day: Day, fake: Vendors) -> None:
        fake.refunds.clear()
        assert [row.row for row in read_vendors(Scope(), most=10).violations] == [f"payment {day.payment.pk}"]

    def test_a_refund_that_failed_there_counts_for_nothing(self, day: Day, fake: Vendors) -> None:
        fake.refunds.append({**fake.refunds[0], "id": "re_99", "status": "failed", "metadata": {}})
        assert read_vendors(Scope(), most=10).violations == []

    def test_one_that_is_on_its_way_may_be_there_or_not(self, day: Day, fake: Vendors) -> None:
        run("UPDATE tools_toolcall SET state = 'pending' WHERE id = %s", day.call.pk)
        run("UPDATE tools_payment SET reserved_minor = refunded_minor, refunded_minor = 0")
        assert read_vendors(Scope(), most=10).violations == []
        fake.refunds.clear()
        assert read_vendors(Scope(), most=10).violations == []

    def test_what_cant_be_read_is_told(self, day: Day, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NORTH_STRIPE_API_KEY")
        status, parsed = line("--vendors")
        assert (status, parsed["vendors"]["unread"]) == (3, {"north stripe: not_configured": 1})
        assert "Not read: 1 payments, north stripe: not_configured" in "\n".join(told("--vendors")[1])

    def test_a_payment_beyond_the_number_is_told(self, day: Day) -> None:
        reading = read_vendors(Scope(), most=0)
        assert (reading.compared, reading.left_out, reading.unread) == (0, 1, {})
        assert "Left out: 1 payments" in "\n".join(told("--vendors", "--payments", "0")[1])

    def test_a_vendor_that_has_to_be_spared_is_waited_for(self, day: Day) -> None:
        rests_until = sources.now() + timedelta(seconds=30)
        facts = {"open_until": rests_until, "changed_at": sources.now(), "failures": 5}
        Circuit.objects.update_or_create(shop=day.world.shop, vendor="stripe", work="read", defaults=facts)
        waits: list[float] = []

        def wait(seconds: float) -> None:
            waits.append(seconds)
            Circuit.objects.all().delete()

        assert read_vendors(Scope(), most=10, wait=wait).compared == 1
        assert len(waits) == 1

    def test_a_vendor_that_rests_too_long_is_told_as_not_read(self, day: Day) -> None:
        rests_until = sources.now() + timedelta(hours=1)
        facts = {"open_until": rests_until, "changed_at": sources.now(), "failures": 5}
        Circuit.objects.update_or_create(shop=day.world.shop, vendor="stripe", work="read", defaults=facts)
        reading = read_vendors(Scope(), most=10, wait=lambda seconds: None)
        assert (reading.compared, reading.unread) == (0, {"north stripe: circuit_open": 1})
