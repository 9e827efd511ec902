"""Staff read one plain sentence of why a refund came to them, whatever code stands behind it."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from approvals.models import Decision
from cases.models import Case, Handoff, Shop
from tests import factories
from tests.authority.rows import decide_refund, order_of, refundable_case
from tools import errors, reasons
from tools.errors import InvalidArgs, ToolError

TOOLS = Path(reasons.__file__).parent
# What no tool calls, or what passes on a code of somebody else's: those of WhatsApp have a test of their own.
NEVER_CALLS = ("sandbox/", "contracts/", "migrations/", "suppliers/")
ERRORS: dict[str, type[ToolError]] = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, ToolError)
}
NOT_A_TOOLS = ("sandbox/", "contracts/", "suppliers/", "adapters/stripe_events.py")
PASSES_ON = {"adapters/whatsapp.py", "adapters/email_errors.py", "wire/errors.py"}


def ended(path: Path) -> Iterator[tuple[str, str | None]]:
    """The codes of each ToolError and of each end of a call in a file, with what bears it; None for a passed on one."""
    module = importlib.import_module(".".join(("tools", *path.relative_to(TOOLS).with_suffix("").parts)))
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", "")
        word = "code" if name in ERRORS else "error" if name == "Ended" else ""
        told = [keyword.value for keyword in node.keywords if word and keyword.arg == word]
        if name in ERRORS and not told:
            yield name, ERRORS[name].default_code
        yield from ((name, meant(value, module)) for value in told)


def meant(value: ast.expr, module: ModuleType) -> str | None:
    """A literal, or a constant of the module; None for what is only known when it runs."""
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.Name):
        found = getattr(module, value.id, None)
    elif isinstance(value, ast.Attribute) and isinstance(value.value, ast.Name):
        found = getattr(getattr(module, value.value.id, None), value.attr, None)
    else:
        found = None
    return found if isinstance(found, str) else None


def test_every_code_that_a_call_can_end_with_has_a_sentence() -> None:
    files = [path for path in TOOLS.rglob("*.py") if path.name != "__init__.py"]
    ours = [path for path in files if not path.relative_to(TOOLS).as_posix().startswith(NEVER_CALLS)]
    codes = {code for path in ours for _name, code in ended(path) if code}
    codes |= {error.default_code for error in ERRORS.values()}
    assert {"credit_note.no_seller", "moved_money", "stored_error", "crashed"} <= codes
    assert {code for code in codes if not reasons.sentence(code)} == set()


@pytest.mark.parametrize("code", ["news", *(f"woken.{wait}" for wait in Case.Wait.values)])
def test_a_case_that_comes_back_to_the_colleague_who_has_it_says_why(code: str) -> None:
    assert reasons.sentence(code)


def test_a_code_of_the_vendors_own_says_where_to_look_and_none_says_nothing() -> None:
    assert "vendor" in reasons.failure("charge_for_pending_refund_disputed")
    assert (reasons.failure(""), reasons.sentence("charge_for_pending_refund_disputed")) == ("", "")


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
