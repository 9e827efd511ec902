"""What every planner is: case facts in, one proposal out, no writes."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from cases.planner.facts import CaseFacts


class Proposal(BaseModel):
    """One action that a planner wishes for; the server validates `arguments`, then policy judges.

    `note` tells staff why in a sentence or two; `confidence` runs from 0 to 1 and is shown, never obeyed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str
    arguments: dict[str, JsonValue] = {}
    note: str = Field(default="", max_length=600)
    confidence: Annotated[float, Field(ge=0, le=1)] = 1.0


class Planner(Protocol):
    """Reads a case and picks one action from the catalogue.

    `version`, `model` and `prompt_hash` name what thought, for the decision's record; the latter two are empty
    where no language model is asked.
    """

    @property
    def kind(self) -> str:
        """rules, llm or scripted."""

    @property
    def version(self) -> str:
        """Of the implementation; it changes whenever the same facts may lead to another proposal."""

    @property
    def model(self) -> str:
        """The language model as litellm names it."""

    @property
    def prompt_hash(self) -> str:
        """SHA-256 of the prompt's text, hex."""

    def propose(self, facts: CaseFacts) -> Proposal:
        """One next action; never raises for any text that a customer may write."""
