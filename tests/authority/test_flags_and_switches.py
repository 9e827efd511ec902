"""Flags come up by anything and down by people alone; a switch stops exactly what it names."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from approvals import services as authority
from approvals.errors import AlreadyDecided, Invalid, NotPermitted
from approvals.facts import flags_up
from approvals.limits import KEYS, engage_switch, release_switch
from approvals.models import KillSwitch, RiskFlag
from approvals.services import lower_flag, reverse
from audit.actors import AGENT, SYSTEM, TRIAGE, Actor, vendor
from audit.models import Entry
from cases.handoff import raise_flags
from cases.models import Shop
from tests import factories
from tests.authority.rows import acting, decide_refund, order_of, refundable_case, signer
from tools.adapters.table import OPERATIONS
from tools.registry import TOOLS
from tools.wire import Kind

pytestmark = pytest.mark.django_db


def test_every_vendor_that_may_reach_a_customer_or_their_money_can_be_stopped() -> None:
    written_to = {one.vendor for one in OPERATIONS if one.kind is not Kind.READ}
    assert KEYS[KillSwitch.Scope.VENDOR] == written_to - {"slack"}
    assert KEYS[KillSwitch.Scope.VENDOR] >= {name for tool in TOOLS.values() for name in tool.sends_by}


@pytest.mark.parametrize("by", [AGENT, TRIAGE, SYSTEM, vendor("stripe")])
def test_anything_raises_a_flag_and_nothing_but_people_lowers_it(by: Actor) -> None:
    case = factories.make_case()
    flag = authority.raise_flag("fraud", shop_id=case.shop_id, source="x", by=by, case_id=case.pk)
    assert flag is not None
    with pytest.raises(NotPermitted):
        lower_flag(flag.pk, reason="Looks fine", by=by)
    flag.refresh_from_db()
    assert flag.lowered_at is None


def test_the_same_flag_is_raised_once_and_again_after_it_was_lowered() -> None:
    case = factories.make_case()
    first = authority.raise_flag("anger", shop_id=case.shop_id, source="x", by=TRIAGE, case_id=case.pk)
    again = authority.raise_flag("anger", shop_id=case.shop_id, source="y", by=TRIAGE, case_id=case.pk)
    assert (first is not None, again) == (True, None)
    assert first is not None
    lower_flag(first.pk, reason="A joke between friends", by=acting(case.shop, "agent"))
    assert authority.raise_flag("anger", shop_id=case.shop_id, source="y", by=TRIAGE, case_id=case.pk)


@pytest.mark.parametrize("knows_order", [True, False])
def test_a_flag_on_a_person_counts_in_each_case_of_theirs_and_in_nobody_elses(knows_order: bool) -> None:
    case, other = factories.make_case(), factories.make_case()
    authority.raise_flag("fraud", shop_id=case.shop_id, source="x", by=TRIAGE, person_id=str(case.person_id))
    assert flags_up(case.pk, case.order if knows_order else None) == {"fraud"}
    assert flags_up(other.pk, other.order if knows_order else None) == set()


def test_a_case_of_nobody_known_carries_nobodys_flags() -> None:
    case = factories.make_case(person=None, conversation=None)
    factories.make_flag(factories.make_case())
    assert flags_up(case.pk, None) == set()


def test_fraud_hangs_on_the_order_too_and_anger_on_its_case_alone() -> None:
    case = factories.make_case()
    with transaction.atomic():
        raise_flags(case, ("fraud", "anger"), source="triage.message", by=TRIAGE)
    hangs = {flag.kind: flag.order_id for flag in RiskFlag.objects.all()}
    assert hangs == {"fraud": case.order_id, "anger": None}


def test_a_lowered_flag_lets_the_refund_go_on() -> None:
    case = refundable_case()
    flag = factories.make_flag(case, kind="anger")
    assert decide_refund(case).decision.rule == "risk.emotion"
    lower_flag(flag.pk, reason="Said sorry on the phone", by=acting(case.shop, "agent"))
    assert decide_refund(case).decision.rule == "refund.tier.automatic"
    assert Entry.objects.filter(action="risk.lowered", subject_id=str(flag.pk)).count() == 1


def test_lowering_says_why_and_happens_once() -> None:
    case = factories.make_case()
    flag, by = factories.make_flag(case), acting(case.shop, "agent")
    with pytest.raises(Invalid):
        lower_flag(flag.pk, reason=" ", by=by)
    lower_flag(flag.pk, reason="Settled", by=by)
    with pytest.raises(AlreadyDecided):
        lower_flag(flag.pk, reason="Settled", by=by)


@pytest.mark.parametrize("role", ["viewer", "auditor", "limit author", "admin"])
def test_no_other_role_lowers_a_flag(role: str) -> None:
    case = factories.make_case()
    flag = factories.make_flag(case)
    with pytest.raises(NotPermitted):
        lower_flag(flag.pk, reason="Settled", by=acting(case.shop, role))


def test_a_colleague_of_another_shop_lowers_no_flag() -> None:
    flag = factories.make_flag(factories.make_case())
    with pytest.raises(NotPermitted):
        lower_flag(flag.pk, reason="Settled", by=acting(factories.make_shop(), "agent"))


def test_the_database_keeps_flags_and_their_reasons() -> None:
    flag = factories.make_flag(factories.make_case())
    rows = RiskFlag.objects.filter(pk=flag.pk)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        rows._raw_delete(rows.db)
    with pytest.raises(IntegrityError, match="lowered_flag_says_who_and_why"), transaction.atomic():
        rows.update(lowered_at=factories.now())


def engage(
    shop: Shop, scope: str, key: str, which: int | None, reason: str = "Doubled refunds"
) -> KillSwitch:
    return engage_switch(scope=scope, key=key, shop_id=which, reason=reason, by=acting(shop, "agent"))


@pytest.mark.parametrize(
    ("scope", "key", "with_shop"),
    [
        ("everything", "", False),
        ("shop", "", True),
        ("tool", "issue_refund", False),
        ("tool", "issue_refund", True),
        ("vendor", "stripe", False),
        ("planner", "rules", True),
    ],
)
def test_a_switch_stops_what_it_names(scope: str, key: str, with_shop: bool) -> None:
    shop = factories.make_shop()
    row = engage(shop, scope, key, shop.pk if with_shop else None)
    stopped = decide_refund(refundable_case(shop=shop)).decision
    assert (stopped.rule, stopped.outcome) == ("switch.engaged", "deny")
    release_switch(row.pk, by=acting(shop, "finance approver"))
    assert decide_refund(refundable_case(shop=shop)).decision.rule == "refund.tier.automatic"
    with pytest.raises(AlreadyDecided):
        release_switch(row.pk, by=acting(shop, "finance approver"))


@pytest.mark.parametrize(
    ("scope", "key", "with_shop"),
    [
        ("everything", "stripe", False),  # everything has no name
        ("everything", "", True),  # one shop isn't everything
        ("shop", "", False),
        ("shop", "north", True),
        ("tool", "", False),
        ("vendor", "", True),
    ],
)
def test_a_switch_that_names_nothing_or_too_much_is_refused(scope: str, key: str, with_shop: bool) -> None:
    shop = factories.make_shop()
    with pytest.raises(Invalid):
        engage(shop, scope, key, shop.pk if with_shop else None)
    assert KillSwitch.objects.count() == 0


def test_a_switch_says_why() -> None:
    with pytest.raises(Invalid):
        engage(factories.make_shop(), "everything", "", None, reason="")


def test_a_switch_of_one_shop_leaves_the_others_alone() -> None:
    mine, other = factories.make_shop(), factories.make_shop()
    engage(mine, "shop", "", mine.pk)
    engage(mine, "tool", "issue_refund", mine.pk)
    assert decide_refund(refundable_case(shop=other)).decision.rule == "refund.tier.automatic"
    with pytest.raises(NotPermitted):
        engage(mine, "shop", "", other.pk)


@pytest.mark.parametrize("role", ["viewer", "auditor", "limit publisher", "admin"])
def test_no_other_role_touches_a_switch(role: str) -> None:
    shop = factories.make_shop()
    by = acting(shop, role)
    with pytest.raises(NotPermitted):
        engage_switch(scope="everything", key="", shop_id=None, reason="Because", by=by)
    row = factories.make_switch(signer(shop, "agent"))
    with pytest.raises(NotPermitted):
        release_switch(row.pk, by=by)


def test_an_automated_decision_is_reversed_once_and_says_why() -> None:
    made = decide_refund(refundable_case())
    by = acting(made.decision.shop, "agent")
    with pytest.raises(Invalid):
        reverse(made.decision.pk, reason="", by=by)
    reverse(made.decision.pk, reason="The tent was fine", by=by)
    with pytest.raises(AlreadyDecided):
        reverse(made.decision.pk, reason="The tent was fine", by=by)
    with pytest.raises(NotPermitted):
        reverse(made.decision.pk, reason="So", by=acting(made.decision.shop, "viewer"))


def test_a_decision_of_a_colleague_is_not_reversed() -> None:
    decision = factories.make_decision(by_kind="staff", by_id="7")
    with pytest.raises(Invalid):
        reverse(decision.pk, reason="Wrong", by=acting(decision.shop, "agent"))


def test_a_refund_of_goods_of_another_case_is_denied() -> None:
    case, other = refundable_case(), refundable_case()
    made = decide_refund(case, order_id=order_of(other).pk)
    assert (made.decision.outcome, made.decision.rule, made.calls) == ("deny", "action.resolved", ())
