"""The web server under the supervisor, and what every answer carries."""

import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from opsagent import processes
from opsagent.supervisor import Supervisor, web_spec


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def web(
    port: int, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Supervisor]:
    monkeypatch.setenv("DATABASE_URL", database_url)
    spec = web_spec(port, lambda: answers(port))
    with Supervisor([spec], run_dir=tmp_path, logs=tmp_path) as supervisor:
        assert supervisor.wait_ready(40), (tmp_path / "web.log").read_text()
        yield supervisor
    connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_killed_web_server_keeps_no_port_and_comes_back(web: Supervisor, port: int) -> None:
    main = psutil.Process(web.pids()["web"])
    workers = main.children()
    assert workers
    main.kill()
    assert processes.wait_until(lambda: not any(worker.is_running() for worker in workers), 5)
    assert processes.wait_until(lambda: answers(port), 30)


@pytest.mark.django_db
class TestAnswers:
    def test_no_inline_script_or_style_is_allowed(self, client: Client) -> None:
        policy = client.get("/admin/login/").headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert {"default-src 'self'", "script-src 'self'", "style-src 'self'"} <= set(policy.split("; "))
        assert {"frame-ancestors 'none'", "form-action 'self'"} <= set(policy.split("; "))

    def test_no_page_may_be_framed_or_told_to_others(self, client: Client) -> None:
        headers = client.get("/admin/login/").headers
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"

    def test_front_door_leads_to_the_desk(self, client: Client) -> None:
        assert client.get("/").headers["Location"] == "/admin/"


def test_neither_the_queue_nor_one_time_codes_are_in_the_admin() -> None:
    from opsagent.admin_site import site

    registered = {model._meta.app_label for model in site._registry}
    assert registered.isdisjoint({"django_q", "otp_totp", "otp_static"})


def test_queue_gives_up_nothing_and_repeats_nothing() -> None:
    queue = settings.Q_CLUSTER
    for name, own in [("default", {}), *queue["ALT_CLUSTERS"].items()]:
        merged = {**queue, **own}
        assert merged["retry"] == 10 * merged["timeout"], name
        assert merged["bulk"] <= 20
        assert merged["queue_limit"] <= 20
        assert merged["ack_failures"]
        assert merged["max_attempts"] == 1
