"""Which planner thinks for a shop, as an immutable row that every decision points at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from audit import sources
from cases.models import PlannerConfig, Shop
from cases.planner.protocol import Planner
from cases.planner.rules import RulesPlanner
from tools.registry import catalogue_hash

Kind = PlannerConfig.Kind
_scripts: list[Planner] = []


@contextmanager
def scripted(planner: Planner) -> Iterator[None]:
    """Let this planner think for configurations of kind scripted, in every thread; for tests."""
    _scripts.append(planner)
    try:
        yield
    finally:
        _scripts.pop()


def planner_for(config: PlannerConfig) -> Planner:
    """The planner of this configuration. Raises ValueError for a scripted one, which only tests can make."""
    if config.kind == Kind.SCRIPTED and _scripts:
        return _scripts[-1]
    if config.kind == Kind.LLM:
        from cases.planner.llm import LLMPlanner

        return LLMPlanner.named(config.model)
    if config.kind == Kind.RULES:
        return RulesPlanner()
    raise ValueError(f"No planner can be made of kind {config.kind!r}.")


def current_config(shop: Shop) -> PlannerConfig:
    """The shop's own configuration, else the one that OPSAGENT_PLANNER names, made on first use."""
    if shop.planner is not None:
        return shop.planner
    kind = Kind(getattr(settings, "PLANNER", Kind.RULES))
    planner = planner_for(PlannerConfig(kind=kind))
    config, _created = PlannerConfig.objects.get_or_create(
        kind=kind,
        model=planner.model,
        version=planner.version,
        prompt_hash=planner.prompt_hash,
        catalogue_hash=catalogue_hash(),
        defaults={"created_at": sources.now()},
    )
    return config
