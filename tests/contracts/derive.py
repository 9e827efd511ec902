"""Derives the committed contracts from the vendors' published packages.

    python -m tests.contracts.derive --shopify-mcp FILE_OR_FOLDER --stripe-wheel FILE

The files: the npm package @shopify/dev-mcp 1.16.0 (ISC) and the PyPI package stripe 16.1.0 (MIT), as downloaded.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.contracts import shopify_contract, stripe_contract
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


def from_shopify(source: Path) -> dict[Path, str]:
    """What the npm package gives: the pruned schema of each version."""
    found = shopify_contract.introspections(source).items()
    return {HERE / f"shopify_{version}.graphql": shopify_contract.sdl(version, one) for version, one in found}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shopify-mcp", type=Path)
    parser.add_argument("--stripe-wheel", type=Path)
    chosen = parser.parse_args()
    files: dict[Path, str] = {}
    if chosen.shopify_mcp:
        files |= from_shopify(chosen.shopify_mcp)
    if chosen.stripe_wheel:
        files |= from_stripe(chosen.stripe_wheel)
    for path, text in files.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
