import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import structlog
from django.conf import settings

from opsagent.logs import logging_config


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    config = logging_config("INFO", "json")
    config["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(config)
    yield stream
    logging.config.dictConfig(settings.LOGGING)
    logging_config(settings.LOG_LEVEL, settings.LOG_FORMAT)


def lines(output: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_each_line_is_json_with_time_level_and_name(output: io.StringIO) -> None:
    logging.getLogger("cases").warning("parcel_lost")
    (line,) = lines(output)
    assert line["event"] == "parcel_lost"
    assert (line["level"], line["logger"]) == ("warning", "cases")
    assert line["timestamp"].endswith("Z")


def test_addresses_are_masked_wherever_they_come_from(output: io.StringIO) -> None:
    logging.getLogger("django.db").error("duplicate key (email)=(%s)", "ana.lopez@example.org")
    structlog.get_logger("cases").info("mail", to="ana.lopez@example.org")
    assert "ana.lopez" not in output.getvalue()
    assert output.getvalue().count("[address]") == 2


def test_traceback_shows_no_local_variables(output: io.StringIO) -> None:
    words = "my grandmother's ring"
    try:
        int(words[:0])
    except ValueError:
        logging.getLogger("cases").exception("failed")
    assert "grandmother" not in output.getvalue()
    assert "ValueError" in lines(output)[0]["exception"]


def test_details_below_the_level_are_left_out(output: io.StringIO) -> None:
    logging.getLogger("cases").debug("noise")
    assert output.getvalue() == ""
