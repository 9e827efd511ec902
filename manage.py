#!/usr/bin/env python
"""Entrance to every command of the project."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsagent.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed for this Python. "
            "Run .venv/bin/python manage.py after installing requirements.txt."
        ) from error
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
