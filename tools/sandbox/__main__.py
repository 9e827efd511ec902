"""`python -m tools.sandbox --port 8765 --ledger FILE`: the stand-ins on the loopback, without Django."""

import argparse
import json
import os
import signal
import sys
import threading
from pathlib import Path

from tools.sandbox import control
from tools.sandbox.server import VENDORS, Sandbox

ABOUT = f"""
Vendors answer at http://127.0.0.1:PORT/SHOP/VENDOR, where VENDOR is one of {", ".join(VENDORS)}. Register a shop
with its keys first, then point SHOPIFY_ADMIN_URL, STRIPE_API_BASE, KLAVIYO_API_BASE, WHATSAPP_API_BASE and
SLACK_WEBHOOK_URL at it.

{control.__doc__}"""


def serve(port: int, ledger: Path, *, as_json: bool = False) -> None:
    """Serves until SIGINT or SIGTERM; prints the address once the port is open, with `as_json` those of all vendors."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with Sandbox(port, ledger=ledger) as sandbox:
        sys.stdout.write(f"{_told(sandbox.base_url, as_json=as_json)}\n")
        sys.stdout.flush()
        while not ended.wait(3600):
            continue


def _told(base: str, *, as_json: bool) -> str:
    if not as_json:
        return f"Sandbox vendors at {base}"
    vendors = {name: f"{base}/{{shop}}/{name}" for name in VENDORS}
    return json.dumps({"base": base, "control": f"{base}{control.PREFIX}", "vendors": vendors})


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, epilog=ABOUT, formatter_class=formatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--json", action="store_true", help="prints all addresses as JSON")
    options = parser.parse_args()
    if os.environ.get("OPSAGENT_MODE") == "production":
        parser.error("the sandbox does not run when OPSAGENT_MODE is production")
    serve(options.port, options.ledger, as_json=options.json)


if __name__ == "__main__":
    main()
