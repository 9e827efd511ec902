"""Each line of the log about a call, a case or a reading leads to all others about it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsagent.settings import BASE_DIR

LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# About the process, a whole shop or a row that is known by its id alone: there is nothing that they belong to yet.
WITHOUT = {
    ("cases/fraud/pending.py", "fraud.pending_failed"),
    ("cases/invariants/runs.py", "invariants.checked"),
    ("cases/invariants/runs.py", "invariants.compared"),
    ("tools/budgets.py", "rate_budget_not_believed"),
    (
        "cases/intake/receiving.py",
        "webhook.dead",
    ),  # rolled back: its event gets an id when it is stored as dead
    ("cases/intake/receiving.py", "webhook.refused"),
    ("cases/intake/requeueing.py", "event.requeue_failed"),
    ("cases/intake/statuses.py", "delivery.not_taken_back"),
    ("cases/planner/llm.py", "The model's answer did not fit: %s"),
    ("cases/planner/llm.py", "The model could not be asked: %s"),
    ("cases/planner/rules.py", "The rules planner failed on case %d"),
    ("cases/rates.py", "rates.not_read"),
    ("cases/tasks.py", "sweep.failed"),
    ("cases/triage/judge.py", "Triage could not read a message of %d characters"),
    ("cases/vendors.py", "vendors.checked"),
    ("cases/watching.py", "watching.failed"),
}


def lines(path: Path) -> Iterator[tuple[str, bool]]:
    """Each line that a file may log: its event, and whether it carries a correlation id."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    facts = {each.name: each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if call.func.attr in LEVELS and ast.unparse(call.func.value) in ("log", "logger"):
            yield ast.unparse(call.args[0]).strip("'\""), any(_carries(word, facts) for word in call.keywords)


def _carries(word: ast.keyword, facts: dict[str, ast.FunctionDef]) -> bool:
    """Whether it is the id, or the spread of a function of the same file that tells it."""
    if word.arg is not None:
        return word.arg == "correlation_id"
    named = facts.get(ast.unparse(word.value.func)) if isinstance(word.value, ast.Call) else None
    return named is not None and "'correlation_id'" in ast.unparse(named)


FILES = [
    path
    for layer in ("tools", "cases")
    for path in sorted((BASE_DIR / layer).rglob("*.py"))
    if "sandbox" not in path.parts
]


def test_every_line_of_the_log_carries_its_correlation_id() -> None:
    found = {
        (path.relative_to(BASE_DIR).as_posix(), event)
        for path in FILES
        for event, good in lines(path)
        if not good
    }
    assert found == WITHOUT


@pytest.mark.parametrize(
    ("source", "carries"),
    [
        ("log.info('x', code=1, correlation_id=str(one))", True),
        ("log.exception('x', code=1)", False),
        ("log.info('x', **_facts(row))\ndef _facts(row): return {'correlation_id': row.id}", True),
        ("log.info('x', **_facts(row))\ndef _facts(row): return {'row': row.id}", False),
        ("log.info('x', **facts)", False),
    ],
)
def test_how_a_line_is_read(tmp_path: Path, source: str, carries: bool) -> None:
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    assert list(lines(path)) == [("x", carries)]
