"""Klaviyo's event API: an accepted event triggers the flow that sends the message.

https://developers.klaviyo.com/en/reference/create_event (revision 2026-07-15)
"""

import re
from hmac import compare_digest
from sqlite3 import Connection

from tools.sandbox import store
from tools.sandbox.exchange import Answer, Doc, Request, Vendor, iso, token

JSON_API = "application/vnd.api+json"
REVISION = re.compile(r"^\d{4}-\d{2}-\d{2}(\.\w+)?$")
MOST_METRIC_CHARACTERS = 128


class RefusedError(Exception):
    """An error that Klaviyo answers with a JSON:API error object."""

    def __init__(self, status: int, code: str, title: str, detail: str, pointer: str = "/data") -> None:
        super().__init__(detail)
        self.status = status
        self.error = {"code": code, "title": title, "detail": detail, "source": {"pointer": pointer}}


def operation(request: Request) -> str:
    if request.method == "POST" and request.path.rstrip("/") == "/api/events":
        return "events.create"
    return "unknown"


def answer(request: Request, db: Connection) -> Answer:
    try:
        _authenticate(request, db)
        if operation(request) == "unknown":
            raise RefusedError(404, "not_found", "Not found.", f"The path {request.path} could not be found.")
        _accept(request, db)
    except RefusedError as refusal:
        error = {"id": token(request.now, request.body, length=32), "status": refusal.status, **refusal.error}
        return Answer.json(refusal.status, {"errors": [error]}, kind=JSON_API)
    return Answer(202)


def _authenticate(request: Request, db: Connection) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    known = str((store.credentials(db, request.shop) or {}).get("klaviyo_key") or "")
    if scheme != "Klaviyo-API-Key" or not given:
        detail = "Missing or invalid authorization scheme. Please use Klaviyo-API-Key."
        raise RefusedError(401, "not_authenticated", "Authentication credentials were not provided.", detail)
    if not known or not compare_digest(known, given):
        raise RefusedError(
            401, "authentication_failed", "Incorrect authentication credentials.", "Invalid API key."
        )
    if not REVISION.match(request.headers.get("revision", "")):
        detail = "A revision header is required, in the format YYYY-MM-DD."
        raise RefusedError(400, "invalid", "Invalid input.", detail, "revision")


def _accept(request: Request, db: Connection) -> None:
    """Keeps an event once per profile, metric and unique_id; one without unique_id is always new."""
    attributes = _attributes(request)
    metric = _at(attributes, "metric", "name")
    profile = _profile(attributes)
    if len(metric) >= MOST_METRIC_CHARACTERS:
        raise RefusedError(
            400, "invalid", "Invalid input.", "Metric name is too long.", "/data/attributes/metric"
        )
    to = profile.get("email") or profile.get("phone_number") or profile.get("external_id")
    if not to:
        detail = "At least one profile identifier is required."
        raise RefusedError(400, "invalid", "Invalid input.", detail, "/data/attributes/profile")
    unique = attributes.get("unique_id")
    name = token(to, metric, unique or store.count_messages(db))
    message = {
        "unique_id": unique,
        "to": to,
        "metric": metric,
        "properties": attributes.get("properties"),
        "created_at": iso(request.now),
    }
    store.add_message(db, "klaviyo", request.shop, name, message)


def _attributes(request: Request) -> Doc:
    try:
        data = request.json()["data"]
        attributes = data["attributes"]
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(400, "invalid", "Invalid input.", "The payload is not a valid event.") from error
    if data.get("type") != "event" or not isinstance(attributes, dict):
        raise RefusedError(400, "invalid", "Invalid input.", "'type' must be 'event'.", "/data/type")
    if not isinstance(attributes.get("properties"), dict):
        detail = "'properties' is a required field and must be an object."
        raise RefusedError(400, "required", "Invalid input.", detail, "/data/attributes/properties")
    return attributes


def _profile(attributes: Doc) -> Doc:
    try:
        profile = attributes["profile"]["data"]["attributes"]
    except (KeyError, TypeError) as error:
        pointer = "/data/attributes/profile"
        raise RefusedError(
            400, "required", "Invalid input.", "'profile' is a required field.", pointer
        ) from error
    return dict(profile)


def _at(attributes: Doc, part: str, name: str) -> str:
    try:
        value = attributes[part]["data"]["attributes"][name]
    except (KeyError, TypeError) as error:
        detail, pointer = f"'{part}' is a required field.", f"/data/attributes/{part}"
        raise RefusedError(400, "required", "Invalid input.", detail, pointer) from error
    return str(value)


VENDOR = Vendor(operation, answer)
