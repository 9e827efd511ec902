"""One page for a signature: all that it takes to decide, nothing that decides by being read, and the next one."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from approvals.models import Absence, ApprovalRequest, Delegation, DutyHours, Recusal
from cases.models import Case, Message, Shop
from tests import factories as f
from tests.admin.conftest import SignIn, client_of
from tools.elsewhere import book
from tools.models import LedgerEntry, Order, Payment, ToolCall

PAGE = "admin:approvals_approvalrequest_change"
Said = Callable[[Any], str]


def page(client: Client, row: ApprovalRequest) -> str:
    return client.get(reverse(PAGE, args=[row.pk])).content.decode()


def press(client: Client, name: str, row: ApprovalRequest, **form: str) -> Any:
    return client.post(reverse(f"admin:{name}", args=[row.pk]), form)


def test_the_page_shows_all_that_a_decision_takes(sign_in: SignIn, shop: Shop) -> None:
    row, client = f.make_approval(shop=shop), sign_in("approver")
    text = page(client, row)
    for heading in ("Exact effect", "Why it asks", "Facts", "This customer", "Not taken", "Fingerprint"):
        assert heading in text
    assert "Ask the customer first" in text
    assert "Can decide now:" in text


def plain(text: str) -> str:
    """What stands on a page, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def test_facts_have_their_age_the_customer_a_history_and_the_machine_a_fence(
    sign_in: SignIn, shop: Shop
) -> None:
    order = f.make_order(shop, [("Tent Fjord 2P", 1, 6640)], shipping_minor=0)
    case = f.make_case(order=order, state=Case.State.APPROVAL)
    words = f.make_message(case, "Give her all of it!", direction="machine", author="rules v1")
    row = f.make_approval(
        case, decision=f.make_decision(case, amount_minor=6640, machine_text=words, outcome="one_approver")
    )
    Order.objects.filter(pk=order.pk).update(read_at=f.now() - timedelta(hours=3, minutes=5))
    before = f.make_order(shop, [("Lamp", 1, 9000)], person=order.person, shipping_minor=0)
    f.make_call(
        f.make_decision(f.make_case(order=before, conversation=None), amount_minor=2345), amount_minor=2345
    )
    before.payments.update(refunded_minor=2345, reserved_minor=0, elsewhere_minor=100)
    html = page(sign_in("approver"), row)
    text = plain(html)
    # Orders, what they cost, what went back of it, disputes.
    assert "2 €156.40 €24.45 0" in text
    assert re.search(rf"{before.name} [^€]*€23.45", text)
    assert re.search("Fraud check [a-z ]* Shopify 3 h", text)
    fence = plain(html.partition('class="fence"')[2].partition("</section>")[0])
    assert "Written by the planner rules v1" in fence
    assert fence.count("Give her all of it!") == text.count("Give her all of it!") == 1
    assert re.search(r"Paid €66.40 by stripe", text)
    for option in ("Ask the customer first", "Give nothing", "Decide it by hand", "€0.00"):
        assert option in text


def test_what_changed_since_stands_at_the_top(sign_in: SignIn, shop: Shop) -> None:
    row, client = f.make_approval(shop=shop), sign_in("approver")
    assert "Changed since" not in page(client, row)
    assert row.case.order is not None
    row.case.order.lines.update(total_minor=6000)
    f.make_flag(row.case, kind="fraud")
    f.make_limits(shop)
    f.make_message(row.case, at=f.now() + timedelta(seconds=1))
    text = page(client, row)
    for change in ("another effect today", "A flag was raised", "The limits changed", "The customer wrote"):
        assert change in text


def test_what_others_did_to_the_money_since_stands_there_too(sign_in: SignIn, shop: Shop) -> None:
    row = f.make_approval(shop=shop)
    payment = Payment.objects.get(order=row.case.order_id)
    book(payment, LedgerEntry.Kind.ELSEWHERE, 3000, "re_hand")
    book(payment, LedgerEntry.Kind.DISPUTED, 1200, "dp_1")
    text = plain(page(sign_in("approver"), row))
    assert "€30.00 was refunded by hand." in text
    assert "The customer's bank questions €12.00." in text.replace("&#x27;", "'")


def test_a_request_that_nobody_can_decide_says_why(sign_in: SignIn, shop: Shop) -> None:
    row = f.make_approval(shop=shop)
    text = page(sign_in("agent"), row)
    assert "Nobody can decide this now" in text
    assert "no role that signs this size" in text


def test_after_a_decision_the_next_request_opens(sign_in: SignIn, shop: Shop) -> None:
    first, second = f.make_approval(shop=shop), f.make_approval(shop=shop)
    large = f.make_approval(shop=shop, large=True, expires_at=f.now() + timedelta(minutes=1))
    client = sign_in("approver")
    assert press(client, "approve", first).url == reverse(PAGE, args=[second.pk])
    assert press(client, "reject", second, reason="No.").url == reverse(PAGE, args=[second.pk])
    assert ApprovalRequest.objects.get(pk=large.pk).state == "pending"


def test_requests_that_others_sign_do_not_hide_the_next_one(sign_in: SignIn, shop: Shop) -> None:
    first, client = f.make_approval(shop=shop), sign_in("approver")
    mine = f.make_approval(shop=shop, expires_at=f.now() + timedelta(hours=30))
    for _each in range(20):
        f.make_approval(shop=shop, large=True, expires_at=f.now() + timedelta(hours=1))
    assert press(client, "approve", first).url == reverse(PAGE, args=[mine.pk])


def test_requests_that_the_person_handed_on_do_not_hide_the_next_one(sign_in: SignIn, shop: Shop) -> None:
    first, client = f.make_approval(shop=shop), sign_in("approver")
    me = client.user  # type: ignore[attr-defined]  # set by sign_in
    for _each in range(20):
        row = f.make_approval(shop=shop, expires_at=f.now() + timedelta(hours=1))
        Recusal.objects.create(case=row.case, request=row, user=me, why="asked", at=f.now())
    mine = f.make_approval(shop=shop, expires_at=f.now() + timedelta(hours=30))
    assert press(client, "approve", first).url == reverse(PAGE, args=[mine.pk])


def test_the_list_begins_with_what_waits_as_the_queue_does(sign_in: SignIn, shop: Shop) -> None:
    now, user = f.now(), f.make_user()
    for state in ("voided", "rejected", "expired", "approved"):
        decided_by = user if state in ("rejected", "approved") else None
        f.make_approval(shop=shop, state=state, decided_at=now, reason="No.", decided_by=decided_by)
    late, soon, again = (
        f.make_approval(shop=shop, expires_at=now + timedelta(hours=hours)) for hours in (3, 1, 5)
    )
    old = ApprovalRequest.objects.get(state="expired")
    ApprovalRequest.objects.filter(pk=again.pk).update(renewals=1, renewed_from=old)
    answer = sign_in("approver").get(reverse("admin:approvals_approvalrequest_changelist"))
    rows = list(answer.context["cl"].result_list)
    assert rows[:3] == [again, soon, late]
    assert {row.state for row in rows[3:]} == {"voided", "rejected", "expired", "approved"}


def test_another_amount_is_written_as_people_write_it(sign_in: SignIn, shop: Shop, said: Said) -> None:
    row, client = f.make_approval(shop=shop), sign_in("approver")
    press(client, "edit_amount", row, amount="30,00")
    press(client, "edit_amount", row, amount="30.001")
    assert ApprovalRequest.objects.count() == 1
    press(client, "edit_amount", row, amount="30.00")
    assert "nobody could approve" in page(client, row)
    press(client, "edit_amount", row, amount="30.00", nobody="1")
    new = ApprovalRequest.objects.get(state="pending")
    assert new.amount_minor == 3000
    assert reverse("admin:approve", args=[new.pk]) not in page(client, new)
    assert reverse("admin:approve", args=[new.pk]) in page(sign_in("approver"), new)


def test_a_question_goes_out_and_the_asker_is_out(sign_in: SignIn, shop: Shop) -> None:
    row, client = f.make_approval(shop=shop), sign_in("approver")
    press(client, "ask_customer", row, question="photo")
    assert "nobody could approve" in page(client, row)
    press(client, "ask_customer", row, question="photo", nobody="1")
    assert Message.objects.filter(case=row.case, direction="out").count() == 1
    assert "You asked the customer" in page(client, row)


def test_a_stand_in_finds_the_button(sign_in: SignIn, shop: Shop) -> None:
    row, now = f.make_approval(shop=shop), f.now()
    lender, to = f.make_user(roles=["approver"], shops=[shop]), f.make_user(roles=["agent"], shops=[shop])
    client = client_of(to)
    assert press(client, "approve", row).status_code == 403
    Delegation.objects.create(
        shop=shop, right="approvals.approve_refund", to=to, instead_of=lender, given_by=f.make_user(), given_at=now,
        starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1), reason="Holiday",
    )  # fmt: skip
    assert reverse("admin:approve", args=[row.pk]) in page(client, row)
    press(client, "approve", row)
    assert ApprovalRequest.objects.get().state == "approved"


def test_there_is_no_way_to_approve_several_at_once(sign_in: SignIn, shop: Shop) -> None:
    for model in apps.get_app_config("approvals").get_models():
        registered = admin.site._registry.get(model)
        assert registered is None or not registered.actions
    row, client = f.make_approval(shop=shop), sign_in("approver", "finance approver", "admin")
    url = reverse("admin:approvals_approvalrequest_changelist")
    for action in ("approve", "approve_selected", "delete_selected"):
        client.post(url, {"action": action, "_selected_action": [row.pk], "index": "0"})
    row.refresh_from_db()
    assert row.state == "pending"


def addresses(patterns: list[Any], pk: int, prefix: str = "/") -> list[str]:
    """Every address below these patterns, with this row's number wherever one is asked for."""
    found: list[str] = []
    for pattern in patterns:
        route = prefix + str(pattern.pattern).lstrip("^")
        if isinstance(pattern, URLResolver):
            found += addresses(pattern.url_patterns, pk, route)
        elif isinstance(pattern, URLPattern):
            found.append(route)
    return [
        "".join(str(pk) if part.endswith(">") else part for part in _parts(route)).rstrip("$")
        for route in found
    ]


def _parts(route: str) -> list[str]:
    parts, rest = [], route
    while "<" in rest:
        before, _open, after = rest.partition("<")
        inner, _close, rest = after.partition(">")
        parts += [before, f"<{inner}>"]
    return [*parts, rest]


def decided() -> dict[str, Any]:
    """Every row that says what was decided, sent or written about deciding."""
    rows: dict[str, Any] = {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("approvals").get_models()
        if model._meta.label != "approvals.Challenge"
    }
    return rows | {"calls": list(ToolCall.objects.values()), "messages": Message.objects.count()}


def test_no_address_of_the_admin_decides_by_being_read(sign_in: SignIn, shop: Shop) -> None:
    row = f.make_approval(shop=shop)
    client = sign_in("approver", "finance approver", "admin", "limit publisher")
    client.raise_request_exception = False
    mine = [url for url in addresses(get_resolver().url_patterns, row.pk) if url.startswith("/admin/")]
    ours = [url for url in mine if "logout" not in url and "login" not in url and "(?P" not in url]
    assert sum(f"/{row.pk}/approve" in url or f"/{row.pk}/reject" in url for url in ours) >= 3
    before = decided()
    for url in ours:
        client.head(url, headers={"Sec-Purpose": "prefetch", "User-Agent": "mail-scanner"})
    for name in ("approve", "approve_large", "reject", "edit_amount", "ask_customer", "take_back"):
        url = reverse(f"admin:{name}", args=[row.pk])
        assert (
            client.get(url, {"reason": "x", "amount": "1"}, headers={"Purpose": "prefetch"}).status_code
            == 405
        )
    assert decided() == before


def test_who_can_decide_stands_on_a_page_of_its_own(sign_in: SignIn, shop: Shop) -> None:
    client = sign_in("approver")
    text = client.get(reverse("admin:deciders")).content.decode()
    assert client.user.get_username() in text  # type: ignore[attr-defined]  # set by sign_in
    assert "nobody" in text
    assert "Let them stand in" not in text
    assert "Let them stand in" in sign_in("admin").get(reverse("admin:deciders")).content.decode()


def test_people_write_hours_and_absences_there(sign_in: SignIn, shop: Shop, said: Said) -> None:
    client = sign_in("approver")
    me = client.user.pk  # type: ignore[attr-defined]  # set by sign_in
    url = reverse("admin:write_hours")
    client.post(url, {"user": me, "zone": "Europe/Oslo", "from0": "09:00", "until0": "23:59"})
    assert DutyHours.objects.get().ends_minute == 24 * 60
    day = (f.now() + timedelta(days=1)).date().isoformat()
    form = {"user": me, "starts_at": f"{day}T08:00", "ends_at": f"{day}T18:00"}
    assert "nobody" in said(client.post(reverse("admin:write_absence"), form, follow=True))
    assert not Absence.objects.exists()
    client.post(reverse("admin:write_absence"), {**form, "nobody": "1"})
    assert Absence.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["write_hours", "write_absence", "give_delegation", "end_delegation", "cancel_absence"]
)
def test_what_is_written_there_is_posted(sign_in: SignIn, shop: Shop, name: str) -> None:
    assert sign_in("admin").get(reverse(f"admin:{name}")).status_code == 405


def test_the_last_approver_keeps_the_role_unless_somebody_says_that_it_is_meant(
    sign_in: SignIn, shop: Shop
) -> None:
    last, client = f.make_user(roles=["approver"], shops=[shop]), sign_in("admin")
    url = reverse("admin:cases_user_change", args=[last.pk])
    form = {
        "username": last.username, "time_zone": last.time_zone, "language": last.language, "is_active": "on",
        "is_staff": "on", "groups": [], "shops": [shop.pk],
    }  # fmt: skip
    assert "nobody could approve" in client.post(url, form).content.decode()
    assert last.groups.exists()
    assert client.post(url, {**form, "leaves_nobody_ok": "on"}).status_code == 302
    assert not last.groups.exists()


def test_a_second_approver_makes_the_first_ones_role_free_to_go(sign_in: SignIn, shop: Shop) -> None:
    one, client = f.make_user(roles=["approver"], shops=[shop]), sign_in("admin")
    f.make_user(roles=["approver"], shops=[shop])
    form = {
        "username": one.username, "time_zone": one.time_zone, "language": one.language, "is_active": "on",
        "is_staff": "on", "groups": [], "shops": [shop.pk],
    }  # fmt: skip
    assert client.post(reverse("admin:cases_user_change", args=[one.pk]), form).status_code == 302
