"""A witness that knew our code would repeat our mistakes."""

import ast
import sys
from pathlib import Path

import tools.sandbox

ALLOWED = {*sys.stdlib_module_names, "graphql"}


def test_the_sandbox_imports_nothing_of_ours() -> None:
    files = sorted(Path(tools.sandbox.__file__).parent.glob("*.py"))
    assert len(files) > 10
    strangers = {f"{path.name}: {name}" for path in files for name in imported(path) if not allowed(name)}
    assert strangers == set()


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(f"{'.' * node.level}{node.module or ''}")
    return names


def allowed(name: str) -> bool:
    return (
        name.split(".", maxsplit=1)[0] in ALLOWED
        or name == "tools.sandbox"
        or name.startswith("tools.sandbox.")
    )
