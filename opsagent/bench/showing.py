"""A benchmark's result for people."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

COLUMNS = {"per_second": "per second", "p50_ms": "p50 ms", "p99_ms": "p99 ms"}


def show(result: dict[str, Any], console: Console) -> None:
    """Contenders, ratios and goals as tables."""
    before, after = result["fsync_ms"]
    console.print(
        f"The disk took {before} ms (before) and {after} ms (after) for an fsync, and {result['bare_insert_ms']} ms"
        " for a bare durable INSERT."
    )
    table = Table(title=f"bench {result['benchmark']}", title_justify="left")
    table.add_column("contender")
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for name, told in result["contenders"].items():
        table.add_row(name, *(str(told.get(key, "")) for key in COLUMNS))
    console.print(table)
    for name, reason in result["skipped"].items():
        console.print(f"Without {name}: {reason}.")
    for name, ratio in result["ratios"].items():
        console.print(f"{name}: {ratio}")
    for goal, met in result["goals"].items():
        console.print(f"{'not measured' if met is None else 'met' if met else 'NOT met'}: {goal}")
