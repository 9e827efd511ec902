"""`python -m tools.sandbox --port 8765 --ledger FILE`: the stand-ins on the loopback, without Django."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from tools.sandbox.server import Sandbox


def serve(port: int, ledger: Path) -> None:
    """Serves until SIGINT or SIGTERM; prints the address once the port is open."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Sandbox(port, ledger=ledger) as sandbox:
        sys.stdout.write(f"Sandbox vendors at {sandbox.base_url}\n")
        sys.stdout.flush()
        while not ended.wait(3600):
            continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", type=Path, required=True)
    options = parser.parse_args()
    serve(options.port, options.ledger)


if __name__ == "__main__":
    main()
