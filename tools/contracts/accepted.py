"""Differences from a contract that we chose, each with its reason: the check doesn't tell of them.

The key is (vendor, what the difference is called, whose it is): for a reply the model's field, for a request the
operation and the parameter. A test fails where an entry excuses nothing.
"""

from __future__ import annotations

ACCEPTED: dict[tuple[str, str, str], str] = {}
