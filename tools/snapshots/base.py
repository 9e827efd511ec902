"""What all snapshots have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Snapshot(BaseModel):
    """Base of all snapshots: a value that is compared, hashed and never changed."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
