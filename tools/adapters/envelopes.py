"""What a webhook is identified by, whatever its vendor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Envelope:
    """The identity of one delivery: unique by shop, source, `account` and `external_id`.

    `account` is the vendor's name for the account that sent it, empty where the vendor doesn't say.
    """

    account: str
    external_id: str
    topic: str
