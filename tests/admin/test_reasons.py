"""Staff read one plain sentence of why a refund came to them, whatever code stands behind it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from approvals.models import Decision
from cases.models import Case, Handoff, Shop
from tests import factories
from tests.authority.rows import decide_refund, order_of, refundable_case
from tools import reasons
from tools.errors import InvalidArgs

TOOLS = Path(reasons.__file__).parent
# What no tool calls, or what passes on a code of somebody else's: those of WhatsApp have a test of their own.
NOT_A_TOOLS = ("sandbox/", "contracts/", "suppliers/", "adapters/stripe_events.py")
PASSES_ON = {"adapters/whatsapp.py", "adapters/email_errors.py", "wire/errors.py"}


def raised(path: Path) -> Iterator[str | None]:
    """The codes of each InvalidArgs in a file; None for one that isn't written there."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != InvalidArgs.__name__:
            continue
        told = [word.value for word in node.keywords if word.arg == "code"]
        if not told:
            yield InvalidArgs.default_code
        for value in told:
            yield value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def test_every_code_that_a_tool_can_refuse_with_has_a_sentence() -> None:
    found: dict[str, set[str | None]] = {}
    for path in TOOLS.rglob("*.py"):
        name = path.relative_to(TOOLS).as_posix()
        if not name.startswith(NOT_A_TOOLS):
            found[name] = set(raised(path))
    literal = {code for codes in found.values() for code in codes if code}
    assert {name for name, codes in found.items() if None in codes} == PASSES_ON
    assert {"refund.unknown_gateway", "refund.not_split", "tool.arguments"} <= literal
    assert {code for code in literal if not reasons.sentence(code)} == set()


@pytest.fixture
def case(shop: Shop) -> Case:
    """The agent wanted to refund what was paid in a way that nobody knows, and a person has the case."""
    case = refundable_case(shop=shop)
    order_of(case).payments.update(vendor="manual", gateway="barter")
    decision = decide_refund(case).decision
    assert (decision.rule, decision.problem) == ("action.resolved", "refund.unknown_gateway")
    factories.make_handoff(case, reason=Handoff.Reason.DENIED, detail=decision.problem, decision=decision)
    return case


def test_a_refund_that_could_not_be_made_out_says_why_in_words_wherever_staff_look(
    agent: Client, case: Case
) -> None:
    words = escape("paid in a way that we don't know how to give back")
    pages = {
        "case": reverse("admin:cases_case_change", args=[case.pk]),
        "decision": reverse("admin:approvals_decision_change", args=[Decision.objects.get().pk]),
        "hand-offs": reverse("admin:cases_handoff_changelist"),
    }
    silent = {name for name, url in pages.items() if words not in agent.get(url).content.decode()}
    assert silent == set()
