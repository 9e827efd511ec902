"""The short way to a webhook's door: what comes plainly from a vendor, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import override_settings

from opsagent.doors import Doors


def site(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("418 the whole way", [])
    return [b""]


def status(**changes: str) -> str:
    """Which status a POST to an unknown shop's door gets."""
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/hooks/nowhere/shopify/",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        **changes,
    }
    said: list[str] = []
    answer = Doors(site)(environ, lambda status, headers, *rest: said.append(status))  # type: ignore[arg-type]
    assert b"".join(answer) == b""
    return said[0]


@pytest.mark.django_db
def test_a_vendors_post_is_answered_at_the_door() -> None:
    assert status() == "404 Not Found"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"REQUEST_METHOD": "GET"},
        {"REQUEST_METHOD": "OPTIONS"},
        {"PATH_INFO": "/admin/"},
        {"PATH_INFO": "/hooks/nowhere/elsewhere/"},
        {"HTTP_HOST": "evil.example.com"},
    ],
    ids=str,
)
def test_anything_else_goes_the_whole_way(changes: dict[str, str]) -> None:
    assert status(**changes) == "418 the whole way"


@pytest.mark.django_db
@override_settings(SECURE_SSL_REDIRECT=True)
def test_where_tls_is_wanted_nothing_is_taken_without() -> None:
    assert status() == "418 the whole way"
    assert status(**{"wsgi.url_scheme": "https"}) == "404 Not Found"
