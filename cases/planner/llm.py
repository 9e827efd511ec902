"""The planner that asks a language model through litellm, with the rules as a net under it.

facts ─▶ one call ─▶ valid? ─▶ proposal
                       │ no: one repair turn ─▶ valid? ─▶ proposal
                       └ no answer in time, an error, nonsense twice ─▶ the rules planner, with the reason noted
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from pydantic import BaseModel, ValidationError

from cases.planner.facts import CaseFacts
from cases.planner.prompt import conversation, prompt_hash, tools
from cases.planner.protocol import Proposal
from cases.planner.rules import RulesPlanner
from tools import stops
from tools.base import Kind
from tools.registry import TOOLS
from tools.wire import forbid_inside_transaction

log = logging.getLogger(__name__)

MOST_TOKENS = 800
LONGEST_NOTE = 600
# A model that drips its answer can't be interrupted: its thread is left behind, and no more than this many.
MOST_LEFT_BEHIND = 4
_left_behind = threading.BoundedSemaphore(MOST_LEFT_BEHIND)


@dataclass(frozen=True)
class Options:
    """Which model, where, and how long it may take in all, in seconds."""

    model: str
    api_base: str
    api_key: str
    deadline: float


class Unusable(Exception):
    """The model gave no answer that can be used; the text says why, as a code."""


class Invalid(Exception):
    """The answer doesn't fit; the text tells the model what to mend."""


class _Function(BaseModel):
    name: str
    arguments: str


class _Call(BaseModel):
    id: str
    function: _Function


class _Message(BaseModel):
    content: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(BaseModel):
    message: _Message


class _Reply(BaseModel):
    """A chat completion: https://platform.openai.com/docs/api-reference/chat/object"""

    choices: list[_Choice]


def options() -> Options:
    """From OPSAGENT_LLM_MODEL, …_API_BASE, …_API_KEY and …_DEADLINE_SECONDS."""
    return Options(
        model=str(getattr(settings, "LLM_MODEL", "")),
        api_base=str(getattr(settings, "LLM_API_BASE", "")),
        api_key=str(getattr(settings, "LLM_API_KEY", "")),
        deadline=float(getattr(settings, "LLM_DEADLINE_SECONDS", 30)),
    )


class LLMPlanner:
    """Asks the model that the environment names, and the rules where it can't answer."""

    kind = "llm"
    version = "1"

    def __init__(self, chosen: Options | None = None) -> None:
        self.options = chosen or options()
        self.model = self.options.model
        self.prompt_hash = prompt_hash()

    @classmethod
    def named(cls, model: str) -> LLMPlanner:
        """The planner of a stored configuration, whose model goes before the environment's."""
        chosen = options()
        return cls(replace(chosen, model=model) if model else chosen)

    def propose(self, facts: CaseFacts) -> Proposal:
        """One proposal within the deadline. Raises RuntimeError inside a database transaction, and HeldBack."""
        forbid_inside_transaction()
        if facts.flags:
            # Whatever a model would say, a flag that is up means a person.
            return RulesPlanner().propose(facts)
        try:
            return self._ask(facts)
        except Unusable as error:
            return _by_rules(facts, str(error))

    def _ask(self, facts: CaseFacts) -> Proposal:
        # Once in a process's life this takes seconds, which are no fault of the model's.
        _completion()
        ends = time.monotonic() + self.options.deadline
        messages = conversation(facts)
        reply = self._turn(messages, ends)
        try:
            return _proposal(reply, facts)
        except Invalid as error:
            log.info("The model's answer did not fit: %s", error)
            repaired = self._turn([*messages, *_mend(reply, str(error))], ends)
        try:
            return _proposal(repaired, facts)
        except Invalid as error:
            raise Unusable("invalid_twice") from error

    def _turn(self, messages: list[dict[str, Any]], ends: float) -> _Message:
        """One call of the model, given up on when the deadline ends. Raises HeldBack where the planner is stopped."""
        complete = _completion()
        stops.refuse_turn()
        left = ends - time.monotonic()
        if left <= 0:
            raise Unusable("deadline")
        chosen = self.options
        answer = _within(
            left,
            lambda: complete(
                model=chosen.model,
                messages=messages,
                tools=list(tools()),
                tool_choice="required",
                api_base=chosen.api_base or None,
                api_key=chosen.api_key or None,
                max_tokens=MOST_TOKENS,
                temperature=0,
                timeout=left,
                max_retries=0,
            ),
        )
        try:
            return _Reply.model_validate(answer.model_dump()).choices[0].message
        except (ValidationError, IndexError) as error:
            raise Unusable("no_chat_completion") from error


@cache
def _completion() -> Callable[..., Any]:
    """litellm's completion; the import takes seconds and 200 MB, so only who needs it pays."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    os.environ["LITELLM_MODE"] = "PRODUCTION"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import litellm
    litellm.suppress_debug_info = True
    litellm.drop_params = True
    complete: Callable[..., Any] = litellm.completion
    return complete


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """The work's result if it comes in time. litellm's own timeout is per read, so a slow drip escapes it."""
    if not _left_behind.acquire(blocking=False):
        raise Unusable("model_hangs")
    results: SimpleQueue[tuple[Any, Exception | None]] = SimpleQueue()

    def run() -> None:
        try:
            results.put((work(), None))
        except Exception as error:
            results.put((None, error))
        finally:
            _left_behind.release()

    threading.Thread(target=run, name="llm", daemon=True).start()
    try:
        result, error = results.get(timeout=seconds)
    except Empty:
        raise Unusable("deadline") from None
    if error is not None:
        log.warning("The model could not be asked: %s", type(error).__name__)
        raise Unusable(type(error).__name__) from error
    return result


def _proposal(message: _Message, facts: CaseFacts) -> Proposal:
    """The one tool call of an answer, checked against the tool's arguments and the case's own ids."""
    calls = message.tool_calls or []
    if len(calls) != 1:
        raise Invalid(f"Call exactly one tool; you called {len(calls)}.")
    name = calls[0].function.name
    tool = TOOLS.get(name)
    if tool is None or tool.kind is Kind.READ or not tool.for_planner:
        raise Invalid(f"There is no tool {name[:60]!r}. Choose one of the given tools.")
    arguments = _arguments(calls[0].function.arguments)
    note = str(arguments.pop("note", "") or message.content or "")[:LONGEST_NOTE]
    confidence = _share(arguments.pop("confidence", 0.5))
    try:
        tool.arguments.model_validate(arguments)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        raise Invalid(f"The arguments do not fit: {json.dumps(wrong)}") from error
    _own_ids(arguments, facts)
    return Proposal(tool=name, arguments=arguments, note=note, confidence=confidence)


def _arguments(text: str) -> dict[str, Any]:
    try:
        arguments = json.loads(text)
    except ValueError as error:
        raise Invalid("The arguments are not JSON.") from error
    if not isinstance(arguments, dict):
        raise Invalid("The arguments are not a JSON object.")
    return arguments


def _share(value: object) -> float:
    return min(1.0, max(0.0, float(value))) if isinstance(value, int | float) else 0.5


def _own_ids(arguments: dict[str, Any], facts: CaseFacts) -> None:
    """The server checks again; here it is worth a repair turn."""
    if "order_id" not in arguments:
        return
    if facts.order is None or arguments["order_id"] != facts.order.id:
        raise Invalid("order_id is not the order of this case.")
    known = {line.id for line in facts.order.lines}
    foreign = [line["line_id"] for line in arguments.get("lines", []) if line["line_id"] not in known]
    if foreign:
        raise Invalid(f"These line ids are not in the order: {foreign}.")


def _mend(message: _Message, wrong: str) -> list[dict[str, Any]]:
    """The repair turn: what the model said, and what was wrong with it."""
    said = json.dumps(message.model_dump(mode="json"), ensure_ascii=False)[:4000]
    return [
        {"role": "assistant", "content": said},
        {"role": "user", "content": f"That can't be used. {wrong} Answer again with exactly one tool call."},
    ]


def _by_rules(facts: CaseFacts, why: str) -> Proposal:
    proposal = RulesPlanner().propose(facts)
    note = _("The language model gave no usable answer (%(why)s), so the rules planned: %(note)s") % {
        "why": why,
        "note": proposal.note,
    }
    return proposal.model_copy(update={"note": note[:LONGEST_NOTE]})
