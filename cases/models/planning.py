"""Which planner thinks, as rows: every decision points at the one that proposed it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PlannerConfig(models.Model):
    """One immutable configuration of a planner; the hashes tell which words and tools it saw."""

    class Kind(models.TextChoices):
        """Which implementation."""

        RULES = "rules", _("rules, no key needed")
        LLM = "llm", _("language model")
        SCRIPTED = "scripted", _("scripted, for tests")

    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    model = models.CharField(_("model"), max_length=120, blank=True, help_text=_("As litellm names it."))
    version = models.CharField(_("version"), max_length=32)
    prompt_hash = models.CharField(_("SHA-256 of the prompt"), max_length=64, blank=True)
    catalogue_hash = models.CharField(_("SHA-256 of the tool catalogue"), max_length=64)
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("planner configuration")
        verbose_name_plural = _("planner configurations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "model", "version", "prompt_hash", "catalogue_hash"],
                name="planner_config_is_unique",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.version}"
