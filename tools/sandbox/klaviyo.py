"""Klaviyo's API: an accepted event triggers the flow that sends the message; profiles come and go.

https://developers.klaviyo.com/en/reference/api_overview (revision 2026-07-15)
"""

import re
from hmac import compare_digest
from sqlite3 import Connection

from tools.sandbox import books, store, things
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


OPERATIONS = {
    ("POST", "/api/events"): "events.create",
    ("POST", "/api/profile-import"): "profile-import",
    ("POST", "/api/data-privacy-deletion-jobs"): "data-privacy-deletion-jobs",
    ("GET", "/api/accounts"): "accounts",
}
IDENTIFIERS = ("email", "phone_number", "external_id")
PROFILE_FIELDS = (*IDENTIFIERS, "first_name", "last_name", "organization", "locale", "title", "image", "location",
                  "properties")  # fmt: skip


def operation(request: Request) -> str:
    return OPERATIONS.get((request.method, request.path.rstrip("/")), "unknown")


def answer(request: Request, db: Connection) -> Answer:
    headers = {"revision": request.headers.get("revision", "")}
    try:
        _authenticate(request, db)
        return _perform(request, db, headers)
    except RefusedError as refusal:
        error = {"id": token(request.now, request.body, length=32), "status": refusal.status, **refusal.error}
        return Answer.json(refusal.status, {"errors": [error]}, headers, kind=JSON_API)


def _perform(request: Request, db: Connection, headers: dict[str, str]) -> Answer:
    what = operation(request)
    if what == "events.create":
        _accept(request, db)
        return Answer(202, b"", headers)
    if what == "profile-import":
        status, profile = _upsert(request, db)
        return Answer.json(status, {"data": profile}, headers, kind=JSON_API)
    if what == "data-privacy-deletion-jobs":
        _erase(request, db)
        return Answer(202, b"", headers)
    if what == "accounts":
        return Answer.json(200, _account(request, db), headers, kind=JSON_API)
    raise RefusedError(404, "not_found", "Not found.", f"The path {request.path} could not be found.")


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
    attributes = _attributes(request, "event")
    if not isinstance(attributes.get("properties"), dict):
        detail = "'properties' is a required field and must be an object."
        raise RefusedError(400, "required", "Invalid input.", detail, "/data/attributes/properties")
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
    name = token(request.shop, to, metric, unique or books.count_messages(db))
    message = {
        "unique_id": unique,
        "to": to,
        "metric": metric,
        "properties": attributes.get("properties"),
        "created_at": iso(request.now),
    }
    books.add_message(db, "klaviyo", request.shop, name, message)


def _upsert(request: Request, db: Connection) -> tuple[int, Doc]:
    """Creates a profile (201) or changes what is given of the one with that identifier (200)."""
    attributes = _attributes(request, "profile")
    given = {name: attributes[name] for name in PROFILE_FIELDS if attributes.get(name) is not None}
    if not any(given.get(name) for name in IDENTIFIERS):
        detail = "At least one profile identifier is required."
        raise RefusedError(400, "invalid", "Invalid input.", detail, "/data/attributes")
    found = _known(db, request.shop, given)
    now = request.now.isoformat()
    name = found["id"] if found else f"01{token(request.shop, given, now, length=24).upper()}"
    before = found["attributes"] if found else {"created": now}
    doc: Doc = {"id": name, "attributes": {**before, **given, "updated": now}}
    things.put(db, "profile", request.shop, doc)
    shown = {**dict.fromkeys(PROFILE_FIELDS), "last_event_date": None, **doc["attributes"]}
    shown["properties"], shown["location"] = shown["properties"] or {}, shown["location"] or {}
    link = {"self": f"https://a.klaviyo.com/api/profiles/{name}/"}
    return 200 if found else 201, {"type": "profile", "id": name, "attributes": shown, "links": link}


def _known(db: Connection, shop: str, given: Doc) -> Doc | None:
    for profile in things.every(db, "profile", shop):
        if any(given.get(name) and profile["attributes"].get(name) == given[name] for name in IDENTIFIERS):
            return profile
    return None


def _erase(request: Request, db: Connection) -> None:
    """Takes a deletion for one identifier; the profile goes, and asking twice changes nothing."""
    attributes = _attributes(request, "data-privacy-deletion-job")
    profile = _profile(attributes)
    try:
        by_id = attributes["profile"]["data"].get("id")
    except (KeyError, TypeError, AttributeError):
        by_id = None
    given = {name: profile[name] for name in ("email", "phone_number") if profile.get(name)}
    if len(given) + bool(by_id) != 1:
        detail = "Exactly one of email, phone_number or id must be given."
        raise RefusedError(400, "invalid", "Invalid input.", detail, "/data/attributes/profile")
    found = things.one(db, "profile", request.shop, str(by_id)) if by_id else _known(db, request.shop, given)
    if found:
        things.drop(db, "profile", request.shop, found["id"])
    job = {
        "id": token(by_id, given, request.now),
        "profile": given or {"id": by_id},
        "created_at": iso(request.now),
    }
    things.put(db, "deletion", request.shop, job)


def _account(request: Request, db: Connection) -> Doc:
    """https://developers.klaviyo.com/en/reference/get_accounts"""
    known = store.credentials(db, request.shop) or {}
    name = str(known.get("name", request.shop))
    contact = {
        "default_sender_name": name,
        "default_sender_email": f"hello@{request.shop}.example",
        "website_url": f"https://{request.shop}.example",
        "organization_name": name,
        "street_address": dict.fromkeys(("address1", "address2", "city", "region", "country", "zip")),
    }
    attributes = {
        "test_account": True,
        "contact_information": contact,
        "industry": None,
        "timezone": str(known.get("timezone", "US/Eastern")),
        "preferred_currency": str(known.get("currency", "USD")),
        "public_api_key": token("klaviyo", request.shop, length=6).upper(),
        "locale": "en-US",
    }
    account_id = token("klaviyo", request.shop, length=6).upper()
    links = {"self": f"https://a.klaviyo.com/api/accounts/{account_id}/"}
    account = {"type": "account", "id": account_id, "attributes": attributes, "links": links}
    return {"data": [account], "links": {"self": "https://a.klaviyo.com/api/accounts/"}}


def _attributes(request: Request, kind: str) -> Doc:
    try:
        data = request.json()["data"]
        attributes = data["attributes"]
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError(400, "invalid", "Invalid input.", f"The payload is not a valid {kind}.") from error
    if data.get("type") != kind or not isinstance(attributes, dict):
        raise RefusedError(400, "invalid", "Invalid input.", f"'type' must be '{kind}'.", "/data/type")
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
