"""The environment variables that opsagent reads: one table for settings, system checks and README."""

import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

DEMO, TEST, PRODUCTION = "demo", "test", "production"
MODES = (DEMO, TEST, PRODUCTION)


@dataclass(frozen=True)
class Variable:
    """One row of the table; `missing` says what happens when the variable is not set."""

    name: str
    meaning: str
    default: str
    missing: str


VARIABLES: tuple[Variable, ...] = (
    Variable("OPSAGENT_MODE", "How strict to be: demo, test or production.", DEMO, "Runs as a demo."),
    Variable(
        "OPSAGENT_DATA_DIR",
        "Folder for the embedded database, keys and heartbeats.",
        ".data in the checkout",
        "Uses .data in the checkout.",
    ),
    Variable(
        "DATABASE_URL",
        "PostgreSQL to use, as postgres://user:password@host:5432/name.",
        "",
        "Uses the embedded PostgreSQL; production refuses to start (opsagent.E004).",
    ),
    Variable(
        "SECRET_KEY",
        "Signs sessions and queued tasks: 50 or more random characters.",
        "",
        "Makes one in the data folder; production refuses to start (opsagent.E002).",
    ),
    Variable(
        "SECRET_KEY_FALLBACKS",
        "Older keys that still open sessions, separated by commas.",
        "",
        "Only SECRET_KEY opens sessions.",
    ),
    Variable(
        "ALLOWED_HOSTS",
        "Host names that the web server answers to, separated by commas.",
        "localhost,127.0.0.1,[::1]",
        "Answers on the loopback alone; production refuses to start (opsagent.E003).",
    ),
    Variable(
        "CSRF_TRUSTED_ORIGINS",
        "Further origins that may post forms, as https://ops.example.com.",
        "",
        "Only the site itself may.",
    ),
    Variable(
        "OPSAGENT_BEHIND_PROXY",
        "true if a reverse proxy of yours ends TLS and sets X-Forwarded-Proto.",
        "false",
        "The header is ignored, so that no client can forge it.",
    ),
    Variable(
        "OPSAGENT_STATIC_DIR",
        "Folder where collectstatic puts the files that production serves.",
        "static in the data folder",
        "Uses static in the data folder.",
    ),
    Variable(
        "OPSAGENT_LOG_LEVEL",
        "Least severe message that is logged: DEBUG, INFO, WARNING or ERROR.",
        "INFO",
        "Logs from INFO upwards.",
    ),
    Variable(
        "OPSAGENT_LOG_FORMAT",
        "json or console.",
        "json in production, else console",
        "Follows the mode.",
    ),
    Variable(
        "OPSAGENT_HEARTBEAT_SECONDS",
        "Age of a heartbeat in seconds at which a worker group is restarted.",
        "12",
        "Restarts after 12 seconds of silence.",
    ),
    Variable(
        "OPSAGENT_PLANNER",
        "Planner that proposes actions: rules, or llm.",
        "rules",
        "Uses the rules planner, which needs no key.",
    ),
)


def local_secret_key(data_dir: Path) -> str:
    """Reads, or makes on the first call, the key that demo mode keeps in the data folder (mode 0600)."""
    place = data_dir / "secret_key"
    if not place.exists():
        make_data_dir(data_dir)
        handle, draft = tempfile.mkstemp(dir=data_dir, prefix="secret_key.")
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64))
        # A link fails where the name is taken, so two first starts agree on one key.
        try:
            os.link(draft, place)
        except FileExistsError:
            return place.read_text()
        finally:
            Path(draft).unlink()
    return place.read_text()


def make_data_dir(data_dir: Path) -> Path:
    """Creates the data folder, listable by its owner alone; as root it can be passed through.

    The embedded server of root runs under another user, who must reach its own folder inside.
    """
    if not data_dir.exists():
        is_root = hasattr(os, "geteuid") and os.geteuid() == 0
        data_dir.mkdir(mode=0o711 if is_root else 0o700, parents=True, exist_ok=True)
    return data_dir
