import json
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from django.db.backends.postgresql import base
from django.db.utils import OperationalError


class NoDatabaseError(OperationalError, CommandError):
    """No database answers; a management command prints this as one sentence instead of a traceback."""


class DatabaseWrapper(base.DatabaseWrapper):
    """Looks the socket up late, because the server may start, or move, after the settings were read."""

    def get_connection_params(self) -> dict[str, Any]:
        params = super().get_connection_params()
        place = settings.POSTGRES_PLACE
        if not place.exists():
            raise NoDatabaseError(
                "No database is running. Run `python manage.py demo` or `python manage.py db start`, "
                "or set DATABASE_URL."
            )
        said: dict[str, str] = json.loads(place.read_text())
        return {**params, "host": said["socket_dir"]}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError as error:
            raise NoDatabaseError(
                "The embedded database does not answer. Run `python manage.py db status` to see why, "
                f"or `python manage.py db start`. ({error})"
            ) from error
