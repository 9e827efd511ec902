"""Logs on standard error, as JSON or for a console, without personal text."""

import re
import sys
from typing import Any

import structlog

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
LOG_FORMATS = ("json", "console")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
# What PostgreSQL adds to an error holds the row's values, over several lines; it ends where the text's own order goes
# on. https://www.postgresql.org/docs/current/protocol-error-fields.html
DETAIL = re.compile(
    r"(?<=\n)(?:DETAIL|CONTEXT):.*?(?=\nHINT:|\n\n(?:The above|During handling)|\n?\Z)", re.DOTALL
)
BAD_SYNTAX = re.compile(r'(invalid input (?:syntax|value) for [^"\n]*(?:"\w+")?[^"\n]*: )".*"')
# A value may itself contain what follows it, so the last such words of the line end it.
INPUT = re.compile(r"(?<=input_value=).*(?=, input_type=)")


def without_personal_text(text: str) -> str:
    """The text of an error without addresses, values of rows and values that a model refused."""
    text = DETAIL.sub("[values]", text)
    text = BAD_SYNTAX.sub(r"\1[value]", text)
    return EMAIL.sub("[address]", INPUT.sub("[value]", text))


def hide_in_result(task: dict[str, Any], **_signal: Any) -> None:
    """A task that failed is stored with its traceback, which is a log as well."""
    if not task.get("success", True) and isinstance(task.get("result"), str):
        task["result"] = without_personal_text(task["result"])


def hide_personal_text(
    _logger: Any, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """The last net under messages of libraries and databases."""
    return {
        key: without_personal_text(value) if isinstance(value, str) else value for key, value in event.items()
    }


def logging_config(level: str, form: str) -> dict[str, Any]:
    """Returns Django's LOGGING and configures structlog; `form` is json or console."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        # Rich tracebacks print local variables, which hold customers' words.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    hide_personal_text,
                    renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own console handler would print each request a second time.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.request": {"level": "ERROR"},
            "django-q": {"level": "WARNING"},
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
            # It lists the letters that a document needs, its buyer's name among them.
            "fontTools": {"level": "WARNING"},
        },
    }
