"""Fraud-suspect goes to a person whatever numbers somebody writes: limits, caps, terms, settings or environment."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

from approvals import facts as facts_of
from approvals import policy, recheck
from approvals import services as authority
from approvals.bounds import CAPS, UNITS, Limits
from approvals.caps import undo_window
from approvals.deciding import Wish, decide
from approvals.models import RiskFlag
from audit.actors import AGENT
from cases.composing import composer
from cases.fraud import listed, pending, screening, suspecting, velocity
from cases.handoff import scope_of, situation
from cases.models import Case
from opsagent.environment import VARIABLES
from tests import factories
from tests.authority.judged import FULL, WHOLE
from tests.authority.rows import refundable_case
from tools.models import Order

HUGE = 2**40
FEARED = [kind for kind in RiskFlag.Kind.values if kind not in policy.PERSON_FIRST]
ALL_FEARED = [{"flags": (kind,)} for kind in (*RiskFlag.Kind.values, "a_kind_of_tomorrow")] + [
    {"risk_level": "high"}
]


def extremes() -> Iterator[Limits]:
    """Each number of the limits at nothing and at more than there is, alone and all at once."""
    for number in (0, 100, HUGE):
        whole: dict[str, Any] = {
            "auto_up_to_minor": number, "one_approver_up_to_minor": number, "goodwill_percent": number,
            "two_factor_up_to_minor": number, "two_people_above_minor": number, "unsure_below_percent": number,
            "caps": dict.fromkeys(CAPS, number), "budget_minor": number, "sizes": dict.fromkeys(UNITS, number),
        }  # fmt: skip
        assert whole.keys() == {one.name for one in fields(Limits)}
        yield Limits(**whole)
        for name, value in whole.items():
            yield replace(FULL, **{name: value})
            if name in ("two_factor_up_to_minor", "two_people_above_minor", "budget_minor"):
                nothing: dict[str, Any] = {name: None}
                yield replace(FULL, **nothing)


@pytest.mark.parametrize("feared", ALL_FEARED)
@pytest.mark.parametrize("confidence", [None, 0, 100])
def test_no_number_of_any_version_takes_the_person_away(
    feared: dict[str, Any], confidence: int | None
) -> None:
    for amount in (1, WHOLE.amount_minor, HUGE):
        seen = replace(WHOLE, **feared, confidence_percent=confidence, amount_minor=amount)
        for limits in (None, *extremes()):
            verdict = policy.judge(seen, limits)
            assert (verdict.outcome, verdict.rule) in (("human", "risk.fraud"), ("human", "risk.emotion"))


def test_every_kind_that_is_no_emotion_counts_as_fraud() -> None:
    for kind in (*FEARED, "a_kind_of_tomorrow"):
        assert policy.judge(replace(WHOLE, flags=(kind,)), FULL).rule == "risk.fraud"
    assert set(policy.PERSON_FIRST) == {"legal", "distress", "anger"}


@pytest.mark.parametrize(
    "module",
    [policy, facts_of, recheck, listed, pending, screening, suspecting, velocity],
    ids=lambda one: one.__name__,
)
def test_what_looks_for_fraud_reads_no_setting_and_no_environment(module: Any) -> None:
    tree = ast.parse(Path(module.__file__).read_text())
    names = {
        *(
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        ),
        *(node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)),
    }
    assert not names & {"os", "environ", "getenv", "settings", "django.conf", "opsagent.environment"}


def suspect() -> Case:
    """A case that would be refunded by itself, were it not for a flag; under versions that allow everything."""
    case = refundable_case()
    factories.make_limits(
        case.shop,
        auto_up_to_minor=HUGE,
        one_approver_up_to_minor=HUGE + 1,
        two_factor_up_to_minor=HUGE + 2,
        goodwill_percent=100,
        unsure_below_percent=0,
    )
    factories.make_caps(case.shop, undo_seconds=0, risk_pending_hours=24 * 14)
    return case


def outcome_of(case: Case) -> tuple[str, str]:
    with transaction.atomic():
        made = decide(
            Wish("issue_refund", factories.refund_wish(case.order), factories.planner_config().pk),  # type: ignore[arg-type]  # made with one
            scope=scope_of(case),
            situation=replace(situation(case, by=AGENT, planner="rules"), confidence_percent=100),
            undo=undo_window(case.shop_id),
            compose=composer(case),
            by=AGENT,
        )
        transaction.set_rollback(True)
    return made.decision.outcome, made.decision.rule


@pytest.mark.django_db
def test_the_most_generous_versions_let_the_same_case_run_without_a_flag() -> None:
    assert outcome_of(suspect()) == ("allow_after_undo", "refund.tier.automatic")


@pytest.mark.django_db
@pytest.mark.parametrize("how", [*RiskFlag.Kind.values, "high", "on the customer"])
def test_the_most_generous_versions_leave_a_suspect_to_a_person(how: str) -> None:
    case = suspect()
    if how == "high":
        Order.objects.update(risk_level="high")
    elif how == "on the customer":
        authority.raise_flag(
            "fraud", shop_id=case.shop_id, source="x", by=AGENT, person_id=str(case.person_id)
        )
    else:
        factories.make_flag(case, kind=how)
    emotion = how in policy.PERSON_FIRST
    assert outcome_of(case) == ("human", "risk.emotion" if emotion else "risk.fraud")


@pytest.mark.django_db
def test_no_setting_and_no_variable_takes_the_person_away(monkeypatch: pytest.MonkeyPatch) -> None:
    case = suspect()
    factories.make_flag(case, kind="fraud")
    for variable in VARIABLES:
        # Where the database and its keys are is another matter.
        if variable.name not in ("DATABASE_URL", "OPSAGENT_DATA_DIR"):
            monkeypatch.setenv(variable.name, "0")
    assert outcome_of(case) == ("human", "risk.fraud")
    for value in (False, 0, "", "off", HUGE):
        with override_settings(**dict.fromkeys(own_settings(), value)):
            assert outcome_of(case) == ("human", "risk.fraud"), value


def own_settings() -> list[str]:
    """Switches, numbers and words that settings.py defines; not what Django itself is built of."""
    import opsagent.settings as ours

    built_of = {
        "SECRET_KEY",
        "ROOT_URLCONF",
        "AUTH_USER_MODEL",
        "DEFAULT_AUTO_FIELD",
        "TIME_ZONE",
        "LANGUAGE_CODE",
        "USE_TZ",
    }
    plain = [
        name
        for name in dir(ours)
        if name.isupper() and isinstance(getattr(ours, name), bool | int | float | str)
    ]
    return [name for name in plain if name not in built_of and hasattr(settings, name)]
