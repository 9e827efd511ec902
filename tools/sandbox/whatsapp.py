"""WhatsApp Cloud API: messages, templates and the number; there is no idempotency key, so a repetition sends twice.

https://developers.facebook.com/docs/whatsapp/cloud-api (v23.0) and its error codes
"""

import re
from hmac import compare_digest
from sqlite3 import Connection
from urllib.parse import urlencode

from tools.sandbox import store, things, whatsapp_messages
from tools.sandbox.exchange import Answer, Doc, Request, Vendor, token
from tools.sandbox.whatsapp_errors import RefusedError

PATH = re.compile(r"^/v\d+\.\d+/(?P<node>[^/]+)(?:/(?P<edge>messages|message_templates|phone_numbers))?$")
OPERATIONS = {
    ("POST", "messages"): "messages.send",
    ("GET", "message_templates"): "message_templates.list",
    ("GET", "phone_numbers"): "phone_numbers.list",
    ("GET", None): "phone_number",
}
USUAL, MOST = 25, 1000


def operation(request: Request) -> str:
    path = PATH.match(request.path)
    return OPERATIONS.get((request.method, path["edge"]), "unknown") if path else "unknown"


def answer(request: Request, db: Connection) -> Answer:
    trace = token(request.now, request.body, length=11)
    version = request.path.strip("/").partition("/")[0]
    headers = {"facebook-api-version": version} if version.startswith("v") else {}
    try:
        return Answer.json(200, _perform(request, db), headers)
    except RefusedError as refusal:
        return Answer.json(refusal.status, {"error": {**refusal.error, "fbtrace_id": trace}}, headers)


def _perform(request: Request, db: Connection) -> Doc:
    known = store.credentials(db, request.shop) or {}
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    secret = str(known.get("whatsapp_token") or "")
    if scheme != "Bearer" or not secret or not compare_digest(secret, given):
        raise RefusedError(401, 190, "Invalid OAuth access token - Cannot parse access token")
    path, what = PATH.match(request.path), operation(request)
    if path is None or what == "unknown":
        raise RefusedError(404, 2500, f"Unknown path components: {request.path}")
    own = whatsapp_messages.account_id(known) if what.endswith(".list") else str(known.get("phone_number_id"))
    if path["node"] != own:
        problem = (
            f"Unsupported {request.method.lower()} request. Object with ID '{path['node']}' does not exist"
        )
        raise RefusedError(400, 100, problem, "GraphMethodException")
    if what == "messages.send":
        return whatsapp_messages.send(request, db)
    if what == "message_templates.list":
        return _templates(request, db)
    number = _number(known)
    return number if what == "phone_number" else {"data": [number]}


def _number(known: Doc) -> Doc:
    return {
        "id": str(known["phone_number_id"]),
        "display_phone_number": str(known.get("display_phone", "+1 555 010 0000")),
        "verified_name": str(known.get("name", known["slug"])),
        "status": "LINKED",
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
    }


def _templates(request: Request, db: Connection) -> Doc:
    """A page of templates by name; the cursors name the place of its first and last."""
    asked = request.parameters
    found = things.every(db, "template", request.shop)
    found = [one for one in found if asked.get("name", "") in one["name"]]
    if asked.get("status"):
        found = [one for one in found if one["status"] == asked["status"]]
    limit = asked.get("limit", str(USUAL))
    if not limit.isdecimal() or not 0 < int(limit) <= MOST:
        raise RefusedError(400, 100, "(#100) param limit must be an integer of at most 1000")
    start = _place(asked.get("after", ""))
    chosen = found[start : start + int(limit)]
    fields = [
        name for name in asked.get("fields", "name,language,status,category,components").split(",") if name
    ]
    data = [{"id": one["number"], **{name: one[name] for name in fields if name in one}} for one in chosen]
    if not chosen:
        return {"data": data}
    paging: Doc = {"cursors": {"before": _mark(start), "after": _mark(start + len(chosen))}}
    if start + len(chosen) < len(found):
        base = f"http://{request.headers.get('host', '127.0.0.1')}/{request.shop}/whatsapp{request.path}"
        paging["next"] = f"{base}?{urlencode({**asked, 'limit': limit, 'after': paging['cursors']['after']})}"
    return {"data": data, "paging": paging}


def _mark(place: int) -> str:
    return f"QVFI{place:08d}"


def _place(mark: str) -> int:
    if not mark:
        return 0
    digits = mark.removeprefix("QVFI")
    if not digits.isdecimal():
        raise RefusedError(400, 100, "(#100) Invalid cursor")
    return int(digits)


VENDOR = Vendor(operation, answer)
