"""System checks with stable ids: E for what must not start, W for what is left out."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

from opsagent.environment import (
    MODES,
    PRODUCTION,
    SHOP_VARIABLES,
    URLS,
    VARIABLES,
    passkey_faults,
    shop_prefixes,
)
from opsagent.logs import LOG_FORMATS, LOG_LEVELS
from tools.adapters import ecb
from tools.adapters.mail_server import backend
from tools.base import Kind, Leaves, Tool
from tools.errors import Refused

PLANNERS = ("rules", "llm", "scripted")
SHORTEST_KEY = 50
SHORTEST_SILENCE = 5
SHORTEST_ROUND = 30
TASKS_TABLE = "cases.tasks_table"

Check = Callable[..., list[CheckMessage]]


@register
def environment(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    return [
        *_mode(),
        *_database(),
        *_places(),
        *_choices(),
        *_passkeys(),
        *_rates(),
        *_unknown_names(os.environ),
    ]


@register
def function_names(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    from opsagent.watch import WATCH_JOBS

    return [*_unresolved(task_names(), "E010"), *_unresolved({job: job for job in WATCH_JOBS}, "E011")]


@register
def tools_that_give(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    from tools.registry import TOOLS

    return undeclared(TOOLS)


@register
def shop_accounts(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warnings, because one shop's mistake must not keep the others from starting."""
    return [
        message
        for prefix in shop_prefixes(os.environ)
        for message in (
            *_half_connected(prefix, os.environ),
            *_addresses(prefix, os.environ),
            *_mail_server(prefix, os.environ),
        )
    ]


def undeclared(tools: Mapping[str, Tool]) -> list[CheckMessage]:
    """A tool that moves money and names nothing that leaves the shop, or the other way round."""
    return [
        Error(
            f"The tool {name} is of kind {tool.kind} and says that it leaves the shop with {tool.leaves}.",
            hint="What moves money or has a value is of kind money, and says in `leaves` what goes.",
            id="opsagent.E013",
        )
        for name, tool in tools.items()
        if (tool.kind is Kind.MONEY) == (tool.leaves is Leaves.NOTHING)
    ]


def task_names() -> dict[str, str]:
    """The literal table of tasks, or an empty one."""
    if find_spec(TASKS_TABLE) is None:
        return {}
    table: dict[str, str] = import_string(f"{TASKS_TABLE}.TASKS")
    return table


def _mode() -> Iterator[CheckMessage]:
    if settings.MODE not in MODES:
        yield Error(
            f"OPSAGENT_MODE is {settings.MODE!r}.",
            hint=f"Set it to one of: {', '.join(MODES)}.",
            id="opsagent.E001",
        )
    if settings.MODE == PRODUCTION and len(os.environ.get("SECRET_KEY", "")) < SHORTEST_KEY:
        yield Error(
            "SECRET_KEY is missing or shorter than 50 characters.",
            hint='Make one: python -c "import secrets; print(secrets.token_urlsafe(64))"',
            id="opsagent.E002",
        )
    if settings.MODE == PRODUCTION and (not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS):
        yield Error(
            "ALLOWED_HOSTS names no host, or all of them.",
            hint="Set it to the host names that staff and vendors use, separated by commas.",
            id="opsagent.E003",
        )


def _database() -> Iterator[CheckMessage]:
    if settings.MODE == PRODUCTION and not settings.DATABASE_URL:
        yield Error(
            "DATABASE_URL is missing.",
            hint="Set it to a PostgreSQL that you back up, as postgres://user:password@host:5432/name.",
            id="opsagent.E004",
        )
    if settings.DATABASE_URL and not settings.DATABASE_URL.startswith(("postgres://", "postgresql://")):
        yield Error(
            "DATABASE_URL does not name a PostgreSQL.",
            hint="It must begin with postgres:// - no other database is supported.",
            id="opsagent.E005",
        )


def _places() -> Iterator[CheckMessage]:
    place = settings.DATA_DIR
    while not place.exists():
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK)):
        yield Error(
            f"The data folder {settings.DATA_DIR} can't be written.",
            hint="Set OPSAGENT_DATA_DIR to a folder of yours, or change the owner of this one.",
            id="opsagent.E006",
        )


def _choices() -> Iterator[CheckMessage]:
    for name, value, allowed, identity in (
        ("OPSAGENT_PLANNER", settings.PLANNER, PLANNERS, "E007"),
        ("OPSAGENT_LOG_LEVEL", settings.LOG_LEVEL, LOG_LEVELS, "E009"),
        ("OPSAGENT_LOG_FORMAT", settings.LOG_FORMAT, LOG_FORMATS, "E009"),
    ):
        if value not in allowed:
            hint = f"Set it to one of: {', '.join(allowed)}."
            yield Error(f"{name} is {value!r}.", hint=hint, id=f"opsagent.{identity}")
    if settings.HEARTBEAT_SECONDS < SHORTEST_SILENCE:
        yield Error(
            f"OPSAGENT_HEARTBEAT_SECONDS is {settings.HEARTBEAT_SECONDS}.",
            hint="A sign of life comes every two seconds: set it to 5 or more.",
            id="opsagent.E008",
        )
    if settings.RECONCILE_SECONDS < SHORTEST_ROUND:
        yield Error(
            f"OPSAGENT_RECONCILE_SECONDS is {settings.RECONCILE_SECONDS}.",
            hint="Each reading costs calls that the vendors count: set it to 30 or more.",
            id="opsagent.E012",
        )


def _passkeys() -> Iterator[CheckMessage]:
    rp_id, origins = settings.PASSKEY_RP_ID, settings.PASSKEY_ORIGINS
    strict = settings.MODE == PRODUCTION
    if not rp_id or not origins:
        if strict:
            hint = "Set OPSAGENT_SITE_URL, or PASSKEY_RP_ID and PASSKEY_ORIGINS: codes can be talked out of people."
            yield Warning(
                "Passkeys are off: this site doesn't know its own name.", hint=hint, id="opsagent.W002"
            )
        return
    for fault in passkey_faults(rp_id, origins, strict=strict):
        hint = "Browsers refuse such a passkey. Set the host that staff see and its address with https://."
        yield Error(fault, hint=hint, id="opsagent.E014")


def _rates() -> Iterator[CheckMessage]:
    url = ecb.rates_url()
    if settings.MODE == PRODUCTION and not url:
        yield Warning(
            "OPSAGENT_RATES_URL is missing, so no exchange rates are read.",
            hint="Set it to the central bank's file, or import rates of your own with manage.py rates import."
            " Until then a refund whose sums are of two currencies goes to a person.",
            id="opsagent.W003",
        )
    if url and not url.startswith("https://" if settings.MODE == PRODUCTION else ("https://", "http://")):
        yield Error(
            "OPSAGENT_RATES_URL is no address to believe rates from.",
            hint="It must begin with https://",
            id="opsagent.E015",
        )


def _unknown_names(environment: Mapping[str, str]) -> Iterator[CheckMessage]:
    known = {variable.name for variable in VARIABLES}
    for name in sorted(environment):
        if name.startswith("OPSAGENT_") and name not in known:
            hint = "It has no effect. README lists the variables that have."
            yield Warning(f"The variable {name} is not known.", hint=hint, id="opsagent.W001")


def _unresolved(names: Mapping[str, str], identity: str) -> Iterator[CheckMessage]:
    for name, path in names.items():
        try:
            found = import_string(path)
        except ImportError:
            found = None
        if not callable(found):
            hint = "Correct the name in the table, or write the function."
            yield Error(f"{name} names {path}, which is no function.", hint=hint, id=f"opsagent.{identity}")


def _half_connected(prefix: str, environment: Mapping[str, str]) -> Iterator[CheckMessage]:
    for group in SHOP_VARIABLES:
        if not any(environment.get(f"{prefix}_{variable.name}") for variable in group.variables):
            continue
        for variable in group.needed:
            if not environment.get(f"{prefix}_{variable.name}"):
                yield Warning(
                    f"{group.vendor} is half connected: {prefix}_{variable.name} is missing.",
                    hint=f"{variable.meaning} Without it: {variable.missing}",
                    id="opsagent.W020",
                )


def _addresses(prefix: str, environment: Mapping[str, str]) -> Iterator[CheckMessage]:
    schemes = ("https://",) if settings.MODE == PRODUCTION else ("https://", "http://")
    for name in URLS:
        value = environment.get(f"{prefix}_{name}", "")
        if value and not value.startswith(schemes):
            hint = f"It must begin with {' or '.join(schemes)}"
            yield Warning(f"{prefix}_{name} is no address to send secrets to.", hint=hint, id="opsagent.W021")


def _mail_server(prefix: str, environment: Mapping[str, str]) -> Iterator[CheckMessage]:
    url = environment.get(f"{prefix}_EMAIL_URL", "")
    if not url:
        return
    try:
        backend(url, operation="check")
    except Refused:
        hint = (
            "Write it as smtp://user:password@host:587, smtps://user:password@host:465 or"
            " anymail+postmark://?server_token=…; a password never travels without TLS."
        )
        yield Warning(
            f"{prefix}_EMAIL_URL names no mail server that can be used.", hint=hint, id="opsagent.W022"
        )
