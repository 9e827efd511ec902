"""What the rules planner proposes, and its gist."""

from __future__ import annotations

from cases.planner.facts import CaseFacts
from cases.planner.protocol import Proposal
from cases.planner.rules import RulesPlanner
from tools.registry import parse


def plan(facts: CaseFacts) -> Proposal:
    """The proposal, which the catalogue must understand and staff must be able to read."""
    proposal = RulesPlanner().propose(facts)
    parse(proposal.tool, dict(proposal.arguments), by_planner=True)
    assert proposal.note
    return proposal


def told(proposal: Proposal) -> tuple[object, ...]:
    """The gist: tool and what it is about."""
    arguments = proposal.arguments
    lines = arguments.get("lines")
    if isinstance(lines, list):
        return (
            proposal.tool,
            arguments["reason"],
            *[(line["line_id"], line["quantity"]) for line in lines if isinstance(line, dict)],
        )
    keys = ("template", "then", "question", "reason")
    return (proposal.tool, *[arguments[key] for key in keys if key in arguments])
