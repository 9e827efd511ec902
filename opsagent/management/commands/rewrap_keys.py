"""Wraps the keys of personal text under the present SECRET_KEY, so that an old one can be dropped."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cases import personal


class Command(BaseCommand):
    help = (
        "After SECRET_KEY has changed, with the old one in SECRET_KEY_FALLBACKS: wraps every key of personal text under"
        " the new one. Then the old one can be dropped; before that, what was kept under it would be lost."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = personal.rewrap()
        except personal.Unreadable as error:
            raise CommandError(
                f"{error} Put the SECRET_KEY it was made under into SECRET_KEY_FALLBACKS."
            ) from error
        self.stdout.write(f"Wrapped {count} keys anew. SECRET_KEY alone opens all of them.")
