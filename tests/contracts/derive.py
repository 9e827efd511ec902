"""Derives the committed contracts from the vendors' published packages.

    python -m tests.contracts.derive --shopify-mcp FILE_OR_FOLDER --stripe-wheel FILE

The files: the npm package @shopify/dev-mcp 1.16.0 (ISC) and the PyPI package stripe 16.1.0 (MIT), as downloaded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.contracts import stripe_contract
from tests.contracts.stripe_sdk import Package

HERE = Path(__file__).parent
KNOWN = HERE.parents[1] / "tools" / "adapters" / "stripe_known.py"


def from_stripe(wheel: Path) -> dict[Path, str]:
    """What the wheel gives: the OpenAPI subset and the table of known fields."""
    package = Package(wheel)
    return {
        HERE / f"stripe_{package.api_version}.json": stripe_contract.openapi(package),
        KNOWN: stripe_contract.known_fields(package),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shopify-mcp", type=Path)
    parser.add_argument("--stripe-wheel", type=Path)
    chosen = parser.parse_args()
    files: dict[Path, str] = {}
    if chosen.stripe_wheel:
        files |= from_stripe(chosen.stripe_wheel)
    for path, text in files.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
