import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import structlog
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django_q.signals import post_execute_in_worker
from pydantic import BaseModel, ValidationError

import opsagent.broker  # noqa: F401  # connects what happens at a task's end
from opsagent.logs import logging_config, without_personal_text


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


def test_values_of_a_row_stay_out_of_an_errors_text(output: io.StringIO, db: None) -> None:
    columns = "id, shop_id, external_id, name, email, phone, whatsapp_id, language, created_at"
    values = "gen_random_uuid(), NULL, '', %s, '', '4799887766', '', '', now()"
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            name = "Marguerite\n\nde la Tour"
            cursor.execute(f"INSERT INTO cases_person ({columns}) VALUES ({values})", [name])  # noqa: S608  # constants
    except IntegrityError as error:
        logging.getLogger("cases").exception("not_stored")
        structlog.get_logger("cases").error("not_stored", error=str(error))
    text = output.getvalue()
    assert text.count("null value in column") >= 3
    assert [word for word in ("Marguerite", "Tour", "4799887766") if word in text] == []
    # Which line failed is still told.
    assert "test_logs.py" in lines(output)[0]["exception"]


def test_a_value_that_the_database_could_not_read_is_hidden() -> None:
    said = 'invalid input syntax for type integer: "Marguerite "de" la Tour"\nLINE 1: SELECT'
    assert without_personal_text(said) == "invalid input syntax for type integer: [value]\nLINE 1: SELECT"


def test_values_that_a_model_refused_are_hidden(output: io.StringIO) -> None:
    class Parcel(BaseModel):
        weight: int
        sizes: dict[str, int]

    said = {"weight": "Marguerite, input_type=x", "sizes": {"a": "47 99 88"}}
    try:
        Parcel.model_validate(said)
    except ValidationError:
        logging.getLogger("cases").exception("not_read")
    text = lines(output)[0]["exception"]
    assert text.count("input_value=[value], input_type=str") == 2
    assert "Marguerite" not in text
    assert "47 99 88" not in text
    assert "sizes.a" in text


def test_a_failed_task_keeps_its_traceback_without_values() -> None:
    task = {"success": False, "result": "boom : Traceback\nDETAIL:  Key (email)=(Marguerite) exists.\n"}
    post_execute_in_worker.send(sender="django_q", func=None, task=task)
    assert task["result"] == "boom : Traceback\n[values]\n"
