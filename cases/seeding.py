"""Rows that every installation has: roles, and the message templates that the repository ships."""

from __future__ import annotations

from collections.abc import Sequence

from django.apps import AppConfig
from django.db import transaction

from audit import sources
from cases.message_templates import SeedText, seed_texts
from cases.models import Template
from cases.roles import make_roles


def seed(configs: Sequence[AppConfig]) -> None:
    """Idempotent: a role is corrected, a text that staff have changed stays theirs."""
    make_roles(configs)
    with transaction.atomic():
        known = {(row.key, row.language): row for row in Template.objects.filter(active=True)}
        for text in seed_texts():
            _seed_text(text, known.get((text.key, text.language)))


def _seed_text(text: SeedText, row: Template | None) -> None:
    """A shipped text becomes version 1; what is there already stays, since staff may have changed it."""
    if row is not None:
        return
    Template.objects.create(
        key=text.key,
        language=text.language,
        version=1,
        subject=text.subject,
        body=text.body,
        order_data=text.order_data,
        created_at=sources.now(),
    )
