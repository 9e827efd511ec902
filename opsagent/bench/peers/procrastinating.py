"""procrastinate's application: the same task, on its own tables. Run as a module it is the worker."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from opsagent.bench import marking

# A package that may not be installed, so nothing is known of its types.
_package = import_module("procrastinate")
App, PsycopgConnector = _package.App, _package.PsycopgConnector
SyncPsycopgConnector = _package.SyncPsycopgConnector

URL = os.environ["DATABASE_URL"]
_is_worker = __name__ == "__main__"
app = App(connector=PsycopgConnector(conninfo=URL) if _is_worker else SyncPsycopgConnector(conninfo=URL))


async def mark(number: int) -> None:
    """As all the others do."""
    marking.mark(number)


app.task(name="mark")(mark)


def main(what: str) -> None:
    """`setup` makes the tables; `work` runs until it is ended."""
    if what == "setup":
        with App(connector=SyncPsycopgConnector(conninfo=URL)).open() as opened:
            opened.schema_manager.apply_schema()
        return
    app.run_worker(concurrency=1)


if __name__ == "__main__":
    main(sys.argv[1])
