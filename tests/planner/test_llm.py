"""The planner that asks a model, against a stand-in over real HTTP."""

from __future__ import annotations

import re
import time
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from cases.planner.llm import LLMPlanner, Options
from cases.planner.protocol import Proposal
from tests import factories
from tests.planner.cast import case
from tests.planner.model_server import Answer, ModelServer, model_server
from tools import stops
from tools.errors import HeldBack

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("default")]

REFUND: dict[str, Any] = {
    "name": "issue_refund",
    "arguments": {
        "order_id": 5,
        "lines": [{"line_id": 11, "quantity": 1}],
        "reason": "damaged",
        "note": "The mug broke on its way.",
        "confidence": 0.8,
    },
}
BROKEN = "The mug from my order arrived broken."


def ask(*answers: Answer, deadline: float = 20, **fields: Any) -> tuple[Proposal, ModelServer]:
    """What the planner proposes when the model answers like this."""
    with model_server(*answers) as server:
        chosen = Options("openai/stand-in", server.base, "no-key", deadline)
        return LLMPlanner(chosen).propose(case(BROKEN, **fields)), server


def changed(**arguments: Any) -> dict[str, Any]:
    return {**REFUND, "arguments": {**REFUND["arguments"], **arguments}}


def test_a_fitting_answer_becomes_the_proposal() -> None:
    proposal, server = ask(REFUND)
    assert proposal.tool == "issue_refund"
    assert proposal.arguments["lines"] == [{"line_id": 11, "quantity": 1}]
    assert (proposal.note, proposal.confidence) == ("The mug broke on its way.", 0.8)
    assert len(server.requests) == 1


def test_invalid_arguments_get_one_turn_to_be_mended() -> None:
    proposal, server = ask(changed(reason="because"), REFUND)
    assert proposal.arguments["reason"] == "damaged"
    assert "reason" in server.requests[1]["messages"][-1]["content"]


def test_ids_of_another_case_are_never_taken() -> None:
    proposal, server = ask(changed(order_id=6), changed(lines=[{"line_id": 99, "quantity": 1}]))
    assert len(server.requests) == 2
    assert "invalid_twice" in proposal.note
    assert proposal.arguments["order_id"] == 5


@pytest.mark.parametrize(("stopped_after", "asked"), [(0, 0), (1, 1)])
def test_a_planner_that_is_stopped_asks_no_model(stopped_after: int, asked: int) -> None:
    """Asked for before each call of the model, also before the one that mends its answer."""
    looks, known = count(), list(stops._asked)
    stops.ask(lambda shop, vendor, work: factories.now() if next(looks) >= stopped_after else None)
    try:
        with model_server(changed(reason="because"), REFUND) as server, stops.thinking("north", "llm"):
            planner = LLMPlanner(Options("openai/stand-in", server.base, "no-key", 20))
            with pytest.raises(HeldBack) as caught:
                planner.propose(case(BROKEN))
    finally:
        stops.ask(known[0])
    assert (caught.value.code, len(server.requests)) == ("switch.engaged", asked)


@pytest.mark.parametrize(
    "answer",
    [
        "I would refund the mug.",
        {"name": "issue_refund", "arguments": "{broken"},
        {"name": "issue_refund", "arguments": "[]"},
        {"name": "send_money", "arguments": {}},
        # Reading tools are no actions.
        {"name": "lookup_customer", "arguments": {}},
        # Free text is a person's.
        {"name": "reply", "arguments": {"text": "Hello"}},
    ],
)
def test_nonsense_twice_leaves_the_plan_to_the_rules(answer: Answer) -> None:
    proposal, server = ask(answer, answer)
    assert len(server.requests) == 2
    assert proposal.tool == "issue_refund"
    assert "the rules planned" in proposal.note


def test_a_model_that_drips_is_given_up_on_when_the_deadline_ends() -> None:
    ask(REFUND)
    began = time.monotonic()
    proposal, _server = ask("drip", deadline=1.5)
    assert time.monotonic() - began < 5
    assert "deadline" in proposal.note


@pytest.mark.parametrize("status", [500, 429, 401])
def test_a_model_that_fails_is_asked_once_and_the_rules_plan(status: int) -> None:
    proposal, server = ask(status)
    assert len(server.requests) == 1
    assert "the rules planned" in proposal.note


def test_text_from_outside_stands_behind_a_mark_that_it_can_not_know() -> None:
    _proposal, server = ask(REFUND)
    told = server.requests[0]["messages"][1]["content"]
    mark = next(line for line in told.splitlines() if line.startswith("=="))
    assert told.split(mark)[2].strip() == BROKEN
    _proposal, again = ask(REFUND)
    assert mark not in again.requests[0]["messages"][1]["content"]


def test_the_model_is_offered_the_tools_that_a_planner_may_choose() -> None:
    _proposal, server = ask(REFUND)
    names = {tool["function"]["name"] for tool in server.requests[0]["tools"]}
    assert {"issue_refund", "send_message", "escalate", "close_case"} <= names
    assert not names & {"lookup_order", "lookup_customer", "lookup_stock", "acknowledge", "reply"}


def test_a_flag_that_is_up_needs_no_model() -> None:
    proposal, server = ask(flags=("anger",))
    assert server.requests == []
    assert proposal.arguments == {"reason": "anger"}


@pytest.mark.parametrize("name", ["suppress_debug_info", "drop_params"])
def test_what_we_set_in_litellm_is_a_setting_of_its_own(name: str) -> None:
    spec = find_spec("litellm")
    assert spec
    assert spec.origin
    assert re.search(rf"^{name}\b.*=", Path(spec.origin).read_text(), re.MULTILINE)


@pytest.mark.django_db(transaction=True)
def test_no_model_is_asked_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        ask(REFUND)
